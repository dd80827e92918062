// From strokes of the pen to the image that the net sees, as the images of the data set are made.

// In pixels of an image of 28: over how many the ink fades at its edge, and the pen's radius.
const SOFT = 1.4;
const PEN = { points: 1.2, mass: 1.1 };

/* Strokes, lists of points [x, y] from 0 to 1, as bytes (side · side), 255 being full ink.

   As in MNIST they are scaled into a box of 20 / 28 of the side, with their proportions, and moved.
   `by` "mass": until the centre of mass of the ink is the middle, as in MNIST; "points": until that
   of the line is, as in drawn digits. A pixel has the ink that its distance to the line gives. */
function imageOf(strokes, side, by) {
  const radius = (PEN[by] * side) / 28, middle = (side - 1) / 2;
  const all = strokes.flat();
  if (all.length === 0) return new Uint8Array(side * side);
  const [left, right] = ends(all, 0), [top, bottom] = ends(all, 1);
  const extent = Math.max(right - left, bottom - top);
  // A dot is not blown up to a disc: a drawing is made larger up to three times the paper.
  const scale = Math.min(((side * 20) / 28 - 2 * radius) / extent, 3 * side);
  const scaled = strokes.map((stroke) =>
    stroke.map(([x, y]) => [(x - (left + right) / 2) * scale, (y - (top + bottom) / 2) * scale]));
  if (by === "points") {
    const [x, y] = middleOfLine(scaled);
    return ink(scaled, middle - x, middle - y, side, radius);
  }
  const image = ink(scaled, middle, middle, side, radius);
  const [x, y] = middleOfInk(image, side);
  return ink(scaled, middle + side / 2 - x, middle + side / 2 - y, side, radius);
}

function ends(points, axis) {
  let low = Infinity, high = -Infinity;
  for (const point of points) {
    low = Math.min(low, point[axis]);
    high = Math.max(high, point[axis]);
  }
  return [low, high];
}

/* The mean of the line, each part by its length; of dots alone, of the dots. */
function middleOfLine(strokes) {
  let length = 0, x = 0, y = 0;
  for (const stroke of strokes)
    for (let i = 1; i < stroke.length; i++) {
      const [[ax, ay], [bx, by]] = [stroke[i - 1], stroke[i]], part = Math.hypot(bx - ax, by - ay);
      length += part;
      x += (part * (ax + bx)) / 2;
      y += (part * (ay + by)) / 2;
    }
  if (length > 0) return [x / length, y / length];
  const all = strokes.flat();
  return [0, 1].map((axis) => all.reduce((sum, point) => sum + point[axis], 0) / all.length);
}

function middleOfInk(image, side) {
  let mass = 0, x = 0, y = 0;
  image.forEach((value, i) => {
    mass += value;
    x += value * (i % side);
    y += value * Math.floor(i / side);
  });
  return [x / mass, y / mass];
}

/* The strokes, moved, inked by their distance to each pixel. */
function ink(strokes, dx, dy, side, radius) {
  const nearest = new Float64Array(side * side).fill(Infinity); // squared distances
  const soft = (SOFT * side) / 28, reach = radius + soft / 2, far = Math.ceil(reach);
  const inkPart = ([ax, ay], [bx, by]) => {
    const [vx, vy] = [bx - ax, by - ay], square = vx * vx + vy * vy;
    const span = (a, b) => [
      Math.max(0, Math.floor(Math.min(a, b)) - far),
      Math.min(side - 1, Math.ceil(Math.max(a, b)) + far),
    ];
    const [firstRow, lastRow] = span(ay, by), [first, last] = span(ax, bx);
    for (let y = firstRow; y <= lastRow; y++)
      for (let x = first; x <= last; x++) {
        const along = square && Math.min(1, Math.max(0, ((x - ax) * vx + (y - ay) * vy) / square));
        const distance = (x - ax - along * vx) ** 2 + (y - ay - along * vy) ** 2;
        if (distance < nearest[y * side + x]) nearest[y * side + x] = distance;
      }
  };
  for (const stroke of strokes) {
    const moved = stroke.map(([x, y]) => [x + dx, y + dy]);
    moved.forEach((point, i) => inkPart(moved[Math.max(i - 1, 0)], point));
  }
  const image = new Uint8Array(side * side);
  nearest.forEach((d, i) => {
    image[i] = Math.round(255 * Math.min(1, Math.max(0, (reach - Math.sqrt(d)) / soft)));
  });
  return image;
}
