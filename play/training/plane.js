// Pictures over the plane: the regions of the classes, the points, and what each neuron gives.

const EDGE = 1.3; // the plane is shown from -EDGE to EDGE
const GRID = 90; // squares along an edge at which the net is asked
const MARGIN = { left: 30, right: 6, top: 6, bottom: 32 }; // of the axes, in pixels

const GRID_POINTS = (() => {
  const middle = (i) => EDGE * ((2 * i + 1) / GRID - 1), points = [];
  for (let i = 0; i < GRID; i++)
    for (let j = 0; j < GRID; j++) points.push([middle(j), -middle(i)]);
  return Matrix.from(points);
})();

// From one colour to another in SHADES steps.
const SHADES = 64;
const ramp = (from, to) =>
  Array.from({ length: SHADES }, (_, i) => mixed(from, to, i / (SHADES - 1)));
const shade = (colours, share) => colours[Math.round(Math.min(share, 1) * (SHADES - 1))];

// A picture of as many pixels along an edge; colourOf(i) gives that of each, [r, g, b].
function pixels(edge, colourOf) {
  const canvas = new OffscreenCanvas(edge, edge), context = canvas.getContext("2d");
  const image = context.createImageData(edge, edge), { data } = image;
  for (let i = 0; i < edge * edge; i++) {
    const colour = colourOf(i);
    for (let k = 0; k < 3; k++) data[4 * i + k] = colour[k];
    data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

// The colour of the class with the largest score, the stronger the surer the net is.
function regions({ data, cols }) {
  const paper = rgb("paper"), ramps = [];
  for (let c = 0; c < cols; c++) {
    const colour = rgb(`class${c}`);
    ramps.push(ramp(mixed(paper, colour, 0.1), mixed(paper, colour, 0.55)));
  }
  return pixels(GRID, (i) => {
    let best = 0, sum = 0;
    for (let c = 1; c < cols; c++) if (data[i * cols + c] > data[i * cols + best]) best = c;
    for (let c = 0; c < cols; c++) sum += Math.exp(data[i * cols + c] - data[i * cols + best]);
    const share = (1 / sum - 1 / cols) / (1 - 1 / cols);
    return Number.isFinite(share) ? shade(ramps[best], share) : paper;
  });
}

// What a neuron gives, at every other point of the grid: from the colour of `-most` through paper,
// which is 0 and nothing else, to that of `most`.
function activations({ data, cols }, neuron, most) {
  const paper = rgb("paper"), edge = GRID / 2;
  const [above, below] = ["above", "below"].map((name) =>
    ramp(mixed(paper, rgb(name), 0.12), rgb(name)));
  return pixels(edge, (i) => {
    const at = 2 * (GRID * Math.floor(i / edge) + i % edge);
    const share = data[at * cols + neuron] / most;
    if (!(Math.abs(share) > 0) || !Number.isFinite(share)) return paper;
    return share > 0 ? shade(above, share) : shade(below, -share);
  });
}

// The mark of a class: circle, triangle, square. Training points are full, test points hollow.
function drawMark(context, x, y, c, hollow, size = 4) {
  const path = new Path2D();
  if (c === 0) path.arc(x, y, size, 0, 2 * Math.PI);
  else if (c === 1) {
    const r = 1.35 * size;
    path.moveTo(x, y - r);
    path.lineTo(x + 0.87 * r, y + 0.6 * r);
    path.lineTo(x - 0.87 * r, y + 0.6 * r);
  } else path.rect(x - 0.9 * size, y - 0.9 * size, 1.8 * size, 1.8 * size);
  path.closePath();
  const colour = css(rgb(`class${c}`)), paper = css(rgb("paper"));
  context.lineWidth = hollow ? 3.5 : 1.5;
  context.strokeStyle = paper;
  context.stroke(path);
  context.fillStyle = hollow ? paper : colour;
  context.fill(path);
  if (!hollow) return;
  context.lineWidth = 1.75;
  context.strokeStyle = colour;
  context.stroke(path);
}

class Plane {
  // chosen(n) is called with the number of the training point that was clicked.
  constructor(canvas, chosen) {
    this.canvas = canvas;
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      chosen(this.nearest(event.clientX - box.left, event.clientY - box.top));
    });
  }

  get side() {
    return this.canvas.clientWidth - MARGIN.left - MARGIN.right;
  }

  place(x1, x2) {
    const scale = this.side / (2 * EDGE);
    return [MARGIN.left + scale * (x1 + EDGE), MARGIN.top + scale * (EDGE - x2)];
  }

  nearest(left, top) {
    const { X, t } = this.data.train;
    const far = t.map((_, n) => {
      const [x, y] = this.place(...X.row(n));
      return Math.hypot(x - left, y - top);
    });
    return far.indexOf(Math.min(...far));
  }

  // `neuron` is the number of the one whose line Z = 0 is drawn, or null; `sample` that of the
  // training point with a ring, or null.
  draw(net, scores, data, { neuron, sample }) {
    this.data = data;
    const { context } = sharp(this.canvas), side = this.side;
    context.imageSmoothingEnabled = true;
    context.drawImage(regions(scores), MARGIN.left, MARGIN.top, side, side);
    this.drawAxes(context, side);
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top, side, side);
    context.clip();
    const size = Math.min(Math.max(side / 95, 2.8), 4.5);
    for (const [part, hollow] of [["test", true], ["train", false]]) {
      const { X, t } = data[part];
      t.forEach((c, n) => drawMark(context, ...this.place(...X.row(n)), c, hollow, size));
    }
    if (neuron !== null) this.drawLine(context, net, neuron);
    if (sample !== null) this.drawRing(context, data.train.X.row(sample));
    context.restore();
  }

  drawAxes(context, side) {
    context.strokeStyle = css(rgb("line"));
    context.fillStyle = css(rgb("ink"));
    context.lineWidth = 1;
    context.strokeRect(MARGIN.left, MARGIN.top, side, side);
    for (const x of [-1, 0, 1]) {
      const [left, top] = this.place(x, x), bottom = MARGIN.top + side;
      context.textAlign = "center";
      context.textBaseline = "top";
      context.fillText(number(x), left, bottom + 4);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(number(x), MARGIN.left - 5, top);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText("x₁", this.place(0.5, 0)[0], MARGIN.top + side + 4);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.fillText("x₂", MARGIN.left - 5, this.place(0, 0.5)[1]);
  }

  // Where Z = w₁ x₁ + w₂ x₂ + b of the neuron is 0: a line across the plane, if W1 is not 0.
  drawLine(context, net, neuron) {
    const { W1, b1 } = net.parameters();
    const w = [W1.data.at(0, neuron), W1.data.at(1, neuron)], squared = w[0] ** 2 + w[1] ** 2;
    if (!(squared > 0)) return;
    const foot = w.map((x) => -b1.data.data[neuron] * x / squared);
    const along = [-w[1], w[0]].map((x) => 4 * EDGE * x / Math.sqrt(squared));
    context.lineWidth = 5;
    context.strokeStyle = css(rgb("paper"));
    this.stroke(context, foot, along);
    context.lineWidth = 2;
    context.strokeStyle = css(rgb("ink"));
    context.setLineDash([7, 5]);
    this.stroke(context, foot, along);
    context.setLineDash([]);
  }

  stroke(context, foot, along) {
    context.beginPath();
    context.moveTo(...this.place(foot[0] - along[0], foot[1] - along[1]));
    context.lineTo(...this.place(foot[0] + along[0], foot[1] + along[1]));
    context.stroke();
  }

  drawRing(context, point) {
    for (const [width, colour] of [[5, "paper"], [2.5, "ink"]]) {
      context.beginPath();
      context.arc(...this.place(...point), 10, 0, 2 * Math.PI);
      context.lineWidth = width;
      context.strokeStyle = css(rgb(colour));
      context.stroke();
    }
  }
}
