// The paths of the largest contributions, as rows of places.

const PATHS = 3;

/* Rows of places for the paths to `factor` times number `index` of the output, called `name`, from
   an image with that side. */
function pathRows(net, index, factor, name, side) {
  const found = paths(net, index, PATHS, factor);
  if (found.length === 0)
    return [make("li", {}, "Nothing that is drawn raises this score: it comes from the biases.")];
  return found.map((path) => {
    const row = make("div", { className: "path" });
    path.forEach((place, i) => {
      if (i > 0) row.append(make("span", { className: "arrow" }, "←"));
      row.append(placeBox(net, place, i === 0 ? name : null, side));
    });
    return make("li", {}, row);
  });
}

function placeBox(net, place, name, side) {
  const { blob, index } = unflattened(net, place);
  const numbers = blob === 0 ? tensor([1, side, side], net.blobs[0].data) : net.blobs[blob];
  const step = net.writer(blob), box = make("div", { className: "place" });
  if (numbers.shape.length > 1) box.append(mapPicture(numbers, index, blob === 0));
  const where = placeName(numbers.shape, index);
  const lines = name !== null
    ? [name, `score ${shown(place.value)}`]
    : [step ? step.name : "the image", step ? where : where.replace("map 0, ", ""),
       signed(place.value)];
  const text = make("div");
  for (const line of lines) text.append(make("div", {}, line));
  box.append(text);
  return box;
}

/* The same number before it was put into another shape: what has a name that says more. */
function unflattened(net, { blob, index }) {
  for (;;) {
    const step = net.writer(blob);
    if (!step || !(step.layer instanceof Reshaping)) return { blob, index };
    blob = step.reads[0];
  }
}

/* The map in which a number lies, with a frame around the number. */
function mapPicture({ shape, data }, index, isImage) {
  const [height, width] = shape.slice(-2), size = height * width;
  const map = Math.floor(index / size), at = index % size, canvas = make("canvas");
  const scale = Math.max(2, Math.round(56 / width));
  const maps = new Maps(canvas, { height, width, count: 1, columns: 1, scale });
  const part = data.subarray(map * size, (map + 1) * size);
  const most = part.reduce((m, v) => Math.max(m, v), -Infinity);
  const least = part.reduce((m, v) => Math.min(m, v), Infinity);
  maps.draw(part, isImage ? (v) => inkColour((255 * (v - least)) / (most - least || 1)) : null);
  canvas.setAttribute("aria-hidden", "true");
  const mark = make("span", { className: "mark" });
  const place = { left: at % width, top: Math.floor(at / width), width: 1, height: 1 };
  for (const [name, n] of Object.entries(place)) mark.style[name] = `${n * scale}px`;
  return make("span", { className: "marked" }, canvas, mark);
}
