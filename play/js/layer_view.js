// A layer on the page: in words what it does, its weights where they are pictures, its numbers.

const WORDS = {
  Addition: "Adds its inputs, number by number: the way around the layers before it is the shortcut.",
  Affine: "Each unit adds up all numbers of the layer before, times its weights, and its bias.",
  AveragePooling: "The mean of each small window: the maps become smaller.",
  BatchNormalization: "Moves and stretches each map to a common range, by averages kept from training.",
  Convolution: "Each filter slides over what comes before; its map is strong where its pattern is.",
  Dropout: "Left some numbers out while training; now it lets all through.",
  Elu: "Lets positive numbers through, and bends negative ones.",
  Flatten: "All maps in a row, so that an Affine layer can read them.",
  GlobalAveragePooling: "The mean of each map: one number says how much of its pattern there is.",
  LeakyRelu: "Lets positive numbers through, and a small part of negative ones.",
  Lstm: "Reads the image row by row, top to bottom; what it remembers is passed on.",
  MaxPooling: "The largest of each small window: the maps become smaller, and what is strong stays.",
  Relu: "Lets positive numbers through, negative ones become 0.",
  Reshape: "The same numbers in another shape.",
  Sigmoid: "Squeezes each number between 0 and 1.",
  Softmax: "Makes probabilities of scores.",
  Tanh: "Squeezes each number between −1 and 1.",
};
const CLOSED = ["BatchNormalization", "Addition", "Dropout", "Flatten", "Reshape"];
const FEW = 64; // units whose weights are all shown at once

function wordsOf({ type, options }) {
  return options.reverse ? WORDS[type].replace("top to bottom", "bottom to top") : WORDS[type];
}

class LayerView {
  /* `reads` is the tensor that the layer reads; `pixels`, the side of the image, where it reads the
     image itself. */
  constructor(net, step, space, side, opened) {
    Object.assign(this, { net, step, space, side });
    const shape = net.blobs[step.writes].shape, from = net.blobs[step.reads[0]].shape;
    this.same = CLOSED.slice(2).includes(step.type); // the numbers before it once more
    this.element = make("details", { open: opened });
    const facts = `${from.join(" × ")} → ${shape.join(" × ")}`
      + (step.parameters ? `, ${step.parameters.toLocaleString("en")} parameters` : "");
    this.element.append(make("summary", {},
      make("h3", {}, `${step.name}: ${step.type}`), make("span", { className: "note" }, facts)));
    this.element.append(make("p", { className: "note" }, wordsOf(step)));
    if (step.type === "Convolution") this.addFilters();
    if (step.type === "Affine" && this.readsImage()) this.addWeights();
    if (!this.same) this.addNumbers(shape);
    this.element.addEventListener("toggle", () => this.show());
  }

  readsImage() {
    let blob = this.step.reads[0];
    while (this.net.writer(blob) && CLOSED.slice(2).includes(this.net.writer(blob).type))
      blob = this.net.writer(blob).reads[0];
    return blob === 0 && this.step.layer.W.shape[0] === this.side ** 2;
  }

  addNumbers(shape) {
    const canvas = make("canvas"), reading = make("p", { className: "note reading" });
    this.maps = new Maps(canvas, laidOut(shape, this.space, this.side));
    this.scale = make("figcaption");
    const label = `what ${this.step.name} gives: ${shape.join(" by ")} numbers`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    this.element.append(make("figure", { className: "maps" }, this.scale, canvas), reading);
    const read = (event) => {
      const i = this.maps.under(event);
      reading.textContent = i < 0 || i >= sizeOf(shape) ? ""
        : `${placeName(shape, i)}: ${shown(this.blob.data[i])}`;
    };
    canvas.addEventListener("pointermove", read);
    canvas.addEventListener("pointerdown", read);
    canvas.addEventListener("pointerleave", () => { reading.textContent = ""; });
  }

  addFilters() {
    const [filters, channels, height, width] = this.step.layer.W.shape;
    const W = this.step.layer.W.data;
    if (channels === 1) {
      this.addPictures("Its filters", height, width, filters).draw(W);
      return;
    }
    const size = channels * height * width;
    const maps = this.addChosen("Filter", filters, channels, height, width,
      "for each map before it, what it looks for there");
    maps(0, (n) => W.subarray(n * size, (n + 1) * size));
  }

  addWeights() {
    const [nIn, nOut] = this.step.layer.W.shape, W = this.step.layer.W.data;
    const columnOf = (n) => Float32Array.from({ length: nIn }, (_, i) => W[i * nOut + n]);
    if (nOut <= FEW) {
      const all = new Float32Array(nIn * nOut);
      for (let n = 0; n < nOut; n++) all.set(columnOf(n), n * nIn);
      const caption = "Its weights, the image that each unit would like to see";
      this.addPictures(caption, this.side, this.side, nOut).draw(all);
      return;
    }
    this.addChosen("Weights of unit", nOut, 1, this.side, this.side,
      "the image that it would like to see")(0, columnOf);
  }

  addPictures(caption, height, width, count) {
    const canvas = make("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", caption);
    this.element.append(
      make("figure", { className: "maps" }, make("figcaption", {}, caption), canvas));
    return new Maps(canvas, mapsOf(count, height, width, this.space));
  }

  /* Weights of which one part is shown at a time: a field to choose it. */
  addChosen(name, count, parts, height, width, meaning) {
    const field = make("input", { type: "number", min: 0, max: count - 1, value: 0 });
    this.element.append(make("label", { className: "note" },
      `${name} `, field, ` of 0 to ${count - 1}: ${meaning}`));
    const maps = this.addPictures("", height, width, parts);
    return (first, dataOf) => {
      const draw = () => maps.draw(dataOf(Math.min(count - 1, Math.max(0, Math.trunc(field.value)))));
      field.addEventListener("input", draw);
      draw(first);
    };
  }

  get blob() {
    return this.net.blobs[this.step.writes];
  }

  /* The numbers of the last pass, where they can be seen. */
  show() {
    if (this.same || !this.element.open) return;
    const most = this.maps.draw(this.blob.data);
    const what = this.blob.shape.length === 3 ? "Its maps" : "Its numbers";
    this.scale.textContent = `${what}; the strongest colour is ${shown(most)}`;
  }
}

/* Where number i of a tensor lies, in words; all is counted from 0. */
function placeName(shape, i) {
  const width = shape.at(-1);
  if (shape.length === 1) return `unit ${i}`;
  const place = `row ${Math.floor(i / width) % shape.at(-2)}, column ${i % width}`;
  return shape.length === 2 ? place : `map ${Math.floor(i / (width * shape[1]))}, ${place}`;
}
