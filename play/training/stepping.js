// One sample through the net, node by node: forward, and back, with all numbers.

// Of each activation: its name in Lamina, its formula, and that of the way back.
const ACTIVATION_TEXTS = {
  relu: ["Relu", "H = max(Z, 0)", "dZ = dH where Z > 0, else 0"],
  sigmoid: ["Sigmoid", "H = 1 / (1 + exp(-Z))", "dZ = dH · H (1 - H)"],
  tanh: ["Tanh", "H = tanh(Z)", "dZ = dH · (1 - H²)"],
  identity: ["Identity", "H = Z", "dZ = dH"],
};

// All arrays of one training point on its way through the net and back, by name.
function traced({ net, data }, sample) {
  const t = data.train.t[sample];
  net.loss(data.train.X.take([sample]), [t]);
  net.backward();
  const { X, Z, H, scores, L, dscores, dH, dZ, dX } = net, p = net.lossLayer.p;
  const arrays = { X, Z, H, scores, p, t, L, dscores, dH, dZ, dX };
  for (const [name, param] of Object.entries(net.parameters())) {
    arrays[name] = new Matrix(param.data.rows, param.data.cols, param.data.data.slice());
    arrays[`d${name}`] = param.grad;
  }
  return arrays;
}

// The nodes of the graph in their order, each with its parameters and the array that it gives.
function graphNodes(activation) {
  return [
    { name: "Affine1", parameters: ["W1", "b1"], gives: "Z" },
    { name: ACTIVATION_TEXTS[activation][0], parameters: [], gives: "H" },
    { name: "Affine2", parameters: ["W2", "b2"], gives: "scores" },
    { name: "SoftmaxWithLoss", parameters: [], gives: "L" },
  ];
}

// A matrix as a table, in a box that scrolls where it is too wide.
function table(matrix) {
  const rows = Array.from({ length: matrix.rows }, (_, i) => element("tr", {},
    ...Array.from(matrix.row(i), (x) => element("td", {}, number(x)))));
  return element("span", { class: "scroll" },
    element("table", { class: "matrix" }, element("tbody", {}, ...rows)));
}

const sign = (text) => element("span", { class: "sign" }, text);

// Arrays with their names and shapes below them, and signs between: [name, sign, name, ...].
function equation(arrays, parts) {
  return element("div", { class: "equation" }, ...parts.map((part) => {
    const turned = part.endsWith("ᵀ"), name = turned ? part.slice(0, -1) : part;
    if (!(name in arrays)) return sign(part);
    const value = turned ? arrays[name].T : arrays[name];
    const kind = name.startsWith("d") ? "upstream" : "value";
    const [shown, shape] = value instanceof Matrix ? [table(value), shapeOf(value, name)]
      : [element("span", { class: "number" }, number(value)), name === "t" ? "the class" : "()"];
    return element("span", { class: `term ${kind}`, "data-array": part },
      shown, element("small", {}, part, element("br"), shape));
  }));
}

const formula = (text) => element("p", { class: "formula" }, text);
const paragraph = (...text) => element("p", {}, ...text);
const bracketed = (x) => (x < 0 ? `(${number(x)})` : number(x));

// All steps: {phase, node, title, body}. `neuron` is the one whose entry is written out.
function stepsOf(training, sample, neuron, take) {
  const arrays = traced(training, sample), { settings, data } = training;
  const [activation, forth, back] = ACTIVATION_TEXTS[settings.activation];
  const { X, Z, W1, b1, p, t, L } = arrays, at = (m, i, j) => bracketed(m.at(i, j));
  const eq = (...parts) => equation(arrays, parts);
  const entry = `One entry: Z[0, ${neuron}] = ${at(X, 0, 0)} × ${at(W1, 0, neuron)} + ` +
    `${at(X, 0, 1)} × ${at(W1, 1, neuron)} + ${at(b1, 0, neuron)} = ${number(Z.at(0, neuron))}`;
  const chance = number(p.at(0, t));
  return [
    { phase: "start", title: "The sample and the parameters", body: [
      paragraph(`Training point ${sample + 1}: a batch X of one row with its two coordinates. ` +
        `Its class is ${data.classes[t]}, number t = ${t}. Next goes forward, node by node.`),
      eq("X", " ", "t"), eq("W1", " ", "b1"), eq("W2", " ", "b2")] },
    { phase: "forward", node: 0, title: "Forward through Affine1: one number per neuron", body: [
      formula("Y = X W + b, here Z = X W1 + b1"), eq("X", "@", "W1", "+", "b1", "=", "Z"),
      formula(entry)] },
    { phase: "forward", node: 1, title: `Forward through ${activation}`, body: [
      formula(`${forth}, entry by entry`), eq("Z", "→", "H")] },
    { phase: "forward", node: 2, title: "Forward through Affine2: one score per class", body: [
      formula("Y = X W + b, here scores = H W2 + b2"),
      eq("H", "@", "W2", "+", "b2", "=", "scores")] },
    { phase: "forward", node: 3, title: "Forward through SoftmaxWithLoss", body: [
      formula("p = exp(scores) / Σⱼ exp(scoresⱼ),  L = -log p[t]"),
      eq("scores", "→", "p", "→", "L"),
      formula(`L = -log p[${t}] = -log ${chance} = ${number(L)}`),
      paragraph("The surer the net is of the right class, the smaller the loss.")] },
    { phase: "turn", node: 3, title: "The turn: from the loss back", body: [
      paragraph("The way back starts with the gradient of the loss by itself: ∂L/∂L = 1. From " +
        "here dA stands for ∂L/∂A: how much L grows as each entry of A grows.")] },
    { phase: "backward", node: 3, title: "Back through SoftmaxWithLoss", body: [
      formula("dscores = (p - onehot(t)) · dout / N, with dout = 1 and N = 1"),
      eq("p", "→", "dscores"),
      paragraph(`1 is subtracted where class ${t} stands: its score is to grow, the others to ` +
        "shrink.")] },
    { phase: "backward", node: 2, title: "Back through Affine2", body: [
      formula("dX = dout Wᵀ, here dH = dscores W2ᵀ"), eq("dscores", "@", "W2ᵀ", "=", "dH"),
      formula("dW = Xᵀ dout, here dW2 = Hᵀ dscores"), eq("Hᵀ", "@", "dscores", "=", "dW2"),
      formula("db = Σₙ doutₙ, here db2 = dscores, as there is one row"), eq("db2")] },
    { phase: "backward", node: 1, title: `Back through ${activation}`, body: [
      formula(back), eq("dH", "→", "dZ")] },
    { phase: "backward", node: 0, title: "Back through Affine1", body: [
      formula("dX = dout Wᵀ, here dX = dZ W1ᵀ; only a layer before this one would need it"),
      eq("dZ", "@", "W1ᵀ", "=", "dX"),
      formula("dW = Xᵀ dout, here dW1 = Xᵀ dZ"), eq("Xᵀ", "@", "dZ", "=", "dW1"),
      formula("db = Σₙ doutₙ, here db1 = dZ, as there is one row"), eq("db1")] },
    { phase: "end", title: "All gradients, and the update", body: [
      formula(`w ← w - lr · (dw + λ w), with lr = ${number(settings.lr)} and ` +
        `λ = ${number(settings.weightDecay)}, the weight decay`),
      ...["W1", "b1", "W2", "b2"].map((name) => eq(name, " ", `d${name}`)),
      paragraph("Training does so with the mean over a batch. Here you can do it with this " +
        "sample alone, and look at its loss again."),
      element("button", { type: "button", class: "take", click: take },
        "Update with this sample")] },
  ];
}

// What an edge of the graph says: the array's name, and its numbers if they are few.
function edgeLabel(name, value) {
  if (!(value instanceof Matrix)) return `${name} = ${number(value)}`;
  const few = value.cols <= 3 ? [...value.data].map((x) => number(x, 3)).join(", ") : "";
  return few ? `${name} [${few}]` : `${name} ${shapeOf(value, name)}`;
}

// The graph as it is at a step: what has been computed is written at its edges and nodes.
function drawGraph(root, activation, arrays, steps, now, go) {
  const nodes = graphNodes(activation), { phase, node } = steps[now];
  const reached = (wanted, i) => steps.findIndex((s) => s.phase === wanted && s.node === i) <= now;
  const edge = (name, value, gradient, active) => element("li", { class: `edge ${active}` },
    element("span", { class: "value" }, value ? edgeLabel(name, arrays[name]) : ""),
    element("span", { class: "arrow", "aria-hidden": "true" }),
    element("span", { class: "gradient" }, gradient
      ? name === "L" ? "∂L/∂L = 1" : edgeLabel(`d${name}`, arrays[`d${name}`]) : ""));
  const way = (i) => (node === i && { forward: "forth", backward: "back" }[phase]) || "";
  const parts = [edge("X", true, reached("backward", 0), way(0))];
  nodes.forEach(({ name, parameters, gives }, i) => {
    const lines = parameters.map((w) => element("span", { class: "parameter" },
      `${w} ${shapeOf(arrays[w], w)}`,
      reached("backward", i) ? element("span", { class: "gradient" }, ` d${w}`) : ""));
    const goTo = () => go(steps.findIndex((s) => s.node === i &&
      s.phase === (["turn", "backward", "end"].includes(phase) ? "backward" : "forward")));
    const current = node === i ? "step" : false;
    parts.push(element("li", {}, element("button",
      { type: "button", class: "node", "aria-current": current, click: goTo },
      element("b", {}, name), ...lines)));
    const gradient = i === 3 ? reached("turn", 3) : reached("backward", i + 1);
    const active = i === 3 ? (phase === "turn" ? "back" : "") : way(i + 1);
    parts.push(edge(gives, reached("forward", i), gradient, active));
  });
  root.replaceChildren(element("ol", { class: "net" }, ...parts));
}

class Stepping {
  // root holds .graph, .steps and buttons with data-go. `take(sample)` trains with that sample.
  constructor(root, take) {
    this.root = root;
    this.now = 0;
    this.take = take;
    for (const button of root.querySelectorAll("[data-go]"))
      button.addEventListener("click", () => this.go(button.dataset.go));
  }

  // Computes everything anew for this training point; stays at its step.
  show(training, sample, neuron) {
    this.training = training;
    this.arrays = traced(training, sample);
    this.steps = stepsOf(training, sample, neuron, () => this.take(sample));
    this.draw();
  }

  go(where) {
    const last = this.steps.length - 1;
    const wanted = { first: 0, back: this.now - 1, next: this.now + 1, last }[where] ?? where;
    this.now = Math.max(0, Math.min(last, wanted));
    this.draw();
    this.root.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const { phase, title, body } = this.steps[this.now], last = this.steps.length - 1;
    const way = ["forward", "backward"].includes(phase) ? `, ${phase}` : "";
    const progress = `Step ${this.now} of ${last}${way}`;
    this.root.querySelector(".steps").replaceChildren(
      element("p", { class: "progress" }, progress), element("h3", {}, title), ...body);
    const graph = this.root.querySelector(".graph"), { activation } = this.training.settings;
    const held = [...graph.querySelectorAll("button")].indexOf(document.activeElement);
    drawGraph(graph, activation, this.arrays, this.steps, this.now, (k) => this.go(k));
    if (held >= 0) graph.querySelectorAll("button")[held].focus();
    for (const button of this.root.querySelectorAll("[data-go]")) {
      const end = ["first", "back"].includes(button.dataset.go) ? 0 : last;
      button.setAttribute("aria-disabled", String(this.now === end));
    }
  }
}
