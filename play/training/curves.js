// Curves over the iterations: training and test, with axes.

const MOST_POINTS = 600; // then every other one is forgotten, and half as many come to stay
const PAD = { left: 46, right: 12, top: 10, bottom: 36 }; // of the axes, in pixels

// What was measured: {iteration, train: {loss, accuracy}, test: {loss, accuracy}} each.
class History {
  constructor() {
    this.entries = [];
    this.every = 1;
    this.count = 0;
    this.lowest = null; // the entry with the lowest test loss of all, also of those that are gone
  }

  // The first and the newest are always there.
  add(entry) {
    if (!this.lowest || entry.test.loss < this.lowest.test.loss) this.lowest = entry;
    if (this.entries.length && (this.count - 1) % this.every) this.entries.pop();
    this.entries.push(entry);
    this.count += 1;
    if (this.entries.length <= MOST_POINTS) return;
    this.every *= 2;
    this.entries = this.entries.filter((_, i) => i % 2 === 0 || i === this.entries.length - 1);
  }
}

// Round numbers from `low` to `high`, about n of them.
function ticks(low, high, n) {
  const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-9); k++) found.push(k * step);
  return found;
}

class Curves {
  // key: "loss" or "accuracy".
  constructor(canvas, key) {
    this.canvas = canvas;
    this.key = key;
  }

  // `guessing` is the value that guessing would have.
  draw(history, guessing) {
    const { context, width, height } = sharp(this.canvas), entries = history.entries;
    const right = width - PAD.right, bottom = height - PAD.bottom;
    const values = entries.flatMap((e) => [e.train[this.key], e.test[this.key]]);
    const top = this.key === "accuracy" ? 1
      : 1.05 * Math.max(guessing, ...values.filter(Number.isFinite));
    const last = Math.max(entries.at(-1).iteration, 10);
    const x = (iteration) => PAD.left + (right - PAD.left) * iteration / last;
    const y = (value) => bottom - (bottom - PAD.top) * value / top;
    this.drawAxes(context, { x, y, right, bottom, top, last });
    this.drawLine(context, [[0, guessing], [last, guessing]], x, y, "soft", [2, 3], 1.5);
    for (const [part, dash] of [["train", []], ["test", [6, 4]]]) {
      const points = entries.map((e) => [e.iteration, e[part][this.key]]);
      this.drawLine(context, points, x, y, part, dash, 2);
    }
  }

  drawAxes(context, { x, y, right, bottom, top, last }) {
    context.fillStyle = css(rgb("ink"));
    context.strokeStyle = css(rgb("frame"));
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const value of ticks(0, top, 4)) {
      const text = this.key === "accuracy" ? `${Math.round(100 * value)} %` : number(value);
      context.fillText(text, PAD.left - 5, y(value));
      this.rule(context, PAD.left, y(value), right, y(value));
    }
    context.textBaseline = "top";
    for (const value of ticks(0, last, 4)) {
      context.textAlign = x(value) > right - 12 ? "right" : "center";
      context.fillText(value.toLocaleString("en"), Math.min(x(value), right + 8), bottom + 4);
      this.rule(context, x(value), bottom, x(value), bottom + 3);
    }
    context.textAlign = "center";
    context.fillText("iteration", (PAD.left + right) / 2, bottom + 19);
    context.strokeStyle = css(rgb("line"));
    this.rule(context, PAD.left, PAD.top, PAD.left, bottom);
    this.rule(context, PAD.left, bottom, right, bottom);
  }

  rule(context, ...ends) {
    context.beginPath();
    context.moveTo(ends[0], ends[1]);
    context.lineTo(ends[2], ends[3]);
    context.stroke();
  }

  // A line through points; it is broken where one is no number.
  drawLine(context, points, x, y, colour, dash, width) {
    context.beginPath();
    let pen = false;
    for (const [iteration, value] of points) {
      if (!Number.isFinite(value)) { pen = false; continue; }
      if (pen) context.lineTo(x(iteration), y(value));
      else context.moveTo(x(iteration), y(value));
      pen = true;
    }
    context.strokeStyle = css(rgb(colour));
    context.lineWidth = width;
    context.setLineDash(dash);
    context.stroke();
    context.setLineDash([]);
  }
}
