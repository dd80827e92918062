// What the output of a net means, as play/answers.py has it, and how it is said.

const ANSWERS = {
  softmax: (scores) => softmax(scores),
  sigmoid: ([score]) => {
    const p = 0.5 * Math.tanh(0.5 * score) + 0.5;
    return [1 - p, p];
  },
  probabilities: (output) => Array.from(output),
  scores: (scores) => Array.from(scores),
  "one score": ([score]) => [-score, score],
  image: (pixels) => Array.from(pixels),
};

const ANSWER_NOTES = {
  softmax: "Probabilities, the softmax of the net's last numbers.",
  sigmoid: "Probabilities, by the sigmoid of the net's last number.",
  probabilities: "Probabilities, as the net gives them.",
  scores: "Scores, as the net gives them: its loss made no probabilities of them. The highest wins.",
  "one score": "The score of the second class, as the net gives it; above 0 that class wins.",
  image: "The net gives back the image that it has been given.",
};

const isProbability = (kind) => ["softmax", "sigmoid", "probabilities"].includes(kind);

/* Where the largest is, the first of several; -1 if one of them is NaN. */
const largest = (numbers) => numbers.some(Number.isNaN) ? -1
  : numbers.reduce((best, n, i) => (n > numbers[best] ? i : best), 0);

/* A single score speaks for the second class, and against the first. */
const isSingle = (kind) => kind === "sigmoid" || kind === "one score";

/* A number of any size in a few characters. */
function shown(value) {
  if (value !== 0 && (Math.abs(value) < 0.01 || Math.abs(value) >= 1e5))
    return value.toExponential(1).replace("-", "−");
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1).replace("-", "−");
}

const signed = (value) => (value < 0 ? shown(value) : `+${shown(value)}`);

/* A bar for each class; `show(numbers)` moves them. */
class Bars {
  constructor(element, kind, names) {
    this.kind = kind;
    this.rows = names.map((name) => {
      const value = make("span", { className: "value" }), fill = make("span", { className: "fill" });
      const row = make("div", { className: "bar" },
        make("span", {}, name), make("span", { className: "track" }, fill), value);
      element.append(row);
      return { row, fill, value };
    });
  }

  show(numbers) {
    const best = numbers ? largest(numbers) : -1;
    const [low, high] = numbers && !isProbability(this.kind)
      ? [Math.min(0, ...numbers), Math.max(0, ...numbers)] : [0, 1];
    this.rows.forEach(({ row, fill, value }, i) => {
      row.classList.toggle("first", i === best);
      const x = numbers ? numbers[i] : 0, share = (n) => (100 * (n - low)) / (high - low || 1);
      fill.style.left = `${share(Math.min(x, 0))}%`;
      fill.style.width = `${Math.abs(share(x) - share(0))}%`;
      value.textContent = !numbers ? "" : isProbability(this.kind) ? percent(x) : shown(x);
    });
  }
}
