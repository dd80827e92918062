// The page: controls, the loop that trains and draws, and what the reader has chosen.

const byId = (id) => document.getElementById(id);
const words = (values, ...others) => values.map((x) => ({ value: x, text: number(x) }))
  .concat(others);

// The sliders: their values in order, and the one they start with. What `renews` begins anew.
const SLIDERS = {
  lr: { values: words([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]), start: 0.3 },
  batchSize: {
    values: words([1, 2, 5, 10, 20, 30, 50, 100], { value: Infinity, text: "all" }), start: 30 },
  weightDecay: { values: words([0, 0.0001, 0.001, 0.01, 0.1]), start: 0 },
  hidden: { values: words(Array.from({ length: 16 }, (_, i) => i + 1)), start: 16, renews: true },
  noise: { values: words([0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3]), start: 0.02, renews: true },
};
const SELECTS = ["set", "activation", "initial"]; // all of them renew
const ON_MOST = 200; // milliseconds for which it trains, between two pictures

const page = {
  training: null, history: null, playing: false, neuron: null, sample: 0,
  due: 0, shown: undefined, // iterations that are to be made, and when the last picture was
};

function sliderValue(name) {
  return SLIDERS[name].values[Number(byId(name).value)];
}

function settings() {
  const chosen = { seed: seed() };
  for (const name of Object.keys(SLIDERS)) chosen[name] = sliderValue(name).value;
  for (const name of SELECTS) chosen[name] = byId(name).value;
  return chosen;
}

// A whole number from 0 to 2³² - 1; what is no such number becomes one.
function seed() {
  const typed = Math.trunc(Number(byId("seed").value)) || 0;
  byId("seed").value = Math.min(Math.max(typed, 0), 2 ** 32 - 1);
  return Number(byId("seed").value);
}

// Begin anew with what is chosen: points, weights and the order of the batches from the seed.
function reset() {
  const chosen = settings();
  page.training = new Training(makeData(chosen.set, chosen.noise, chosen.seed), chosen);
  page.history = new History();
  page.neuron = page.neuron !== null && page.neuron < chosen.hidden ? page.neuron : null;
  page.sample = Math.min(page.sample, page.training.data.train.t.length - 1);
  page.stepping.now = 0;
  play(false);
  showLegend();
  showNeuronButtons();
  measure();
  draw();
}

function guessing() {
  return Math.log(page.training.data.classes.length);
}

function measure() {
  const { training } = page;
  page.history.add({
    iteration: training.iteration,
    train: training.evaluate("train"),
    test: training.evaluate("test"),
  });
}

function play(on) {
  if (page.playing === on) return;
  page.playing = on;
  byId("play").textContent = on ? "Pause" : "Play";
  byId("stepping").hidden = on;
  byId("stepping-waits").hidden = !on;
  [page.shown, page.due] = [undefined, 1];
  if (on) requestAnimationFrame(frame);
}

// As many iterations as are due by the clock, so that a slow screen does not slow the training; but
// after a hidden tab, or where they take longer than ON_MOST, it goes on from there.
function frame(now) {
  if (!page.playing) return;
  const elapsed = Math.min(now - (page.shown ?? now), ON_MOST) / 1000;
  page.shown = now;
  page.due = Math.min(page.due, 1) + elapsed * Number(byId("speed").value);
  const began = performance.now();
  let trained = false;
  for (; page.due >= 1 && performance.now() - began < ON_MOST; page.due--, trained = true)
    page.training.step();
  if (trained) {
    measure();
    if (!page.training.isFinite()) play(false);
    draw();
  }
  if (page.playing) requestAnimationFrame(frame);
}

// Train with one batch, or with these samples, and show it.
function step(samples) {
  play(false);
  page.training.step(samples);
  measure();
  draw();
}

function draw() {
  const { training, history, neuron, sample, playing } = page, { net } = training;
  const now = history.entries.at(-1), part = (name) => now[name];
  byId("iteration").textContent = training.iteration.toLocaleString("en");
  byId("epoch").textContent = training.epoch.toFixed(1);
  for (const name of ["train", "test"]) {
    byId(`${name}-loss`).textContent = number(part(name).loss);
    byId(`${name}-accuracy`).textContent = percent(part(name).accuracy);
  }
  byId("guessing-loss").textContent = number(guessing());
  byId("guessing-accuracy").textContent = percent(1 / training.data.classes.length);
  say(remarks(training, history.entries, guessing(), history.lowest));
  page.loss.draw(history, guessing());
  page.accuracy.draw(history, 1 / training.data.classes.length);
  const scores = net.forward(GRID_POINTS);
  page.plane.draw(net, scores, training.data, { neuron, sample: playing ? null : sample });
  drawNeurons(net.H);
  showNeuron();
  if (!playing) page.stepping.show(training, sample, neuron ?? 0);
}

// Only what is new is written, so that a screen reader does not say it again at every frame.
function say(sentences) {
  const text = sentences.join(" ");
  if (byId("said").textContent !== text) byId("said").textContent = text;
}

function showLegend() {
  const { classes } = page.training.data;
  const mark = (c, hollow) => {
    const canvas = element("canvas", { class: "mark", "aria-hidden": "true" });
    requestAnimationFrame(() => drawMark(sharp(canvas).context, 9, 9, c, hollow, 5));
    return canvas;
  };
  byId("legend").replaceChildren(...classes.map((name, c) =>
    element("li", {}, mark(c, false), mark(c, true), ` ${name}`)));
}

function showNeuronButtons() {
  const { hidden } = page.training.settings;
  byId("neurons").replaceChildren(...Array.from({ length: hidden }, (_, j) =>
    element("button", { type: "button", class: "neuron", "aria-label": `neuron ${j + 1}`,
      click: () => { page.neuron = page.neuron === j ? null : j; draw(); } },
    element("canvas", {}), element("small", {}, String(j + 1)))));
}

// One scale of colours for all neurons, up to the largest value of any of them.
function drawNeurons(H) {
  const bounded = ["sigmoid", "tanh"].includes(page.training.settings.activation);
  const finite = H.data.filter(Number.isFinite);
  const most = bounded ? 1 : finite.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const signed = ["tanh", "identity"].includes(page.training.settings.activation);
  byId("scale-low").textContent = signed ? number(-most, 2) : "0";
  byId("scale-high").textContent = number(most, 2);
  byId("scale").classList.toggle("signed", signed);
  [...byId("neurons").children].forEach((button, j) => {
    const { context, width, height } = sharp(button.firstChild);
    context.drawImage(activations(H, j, most), 0, 0, width, height);
    button.setAttribute("aria-pressed", String(page.neuron === j));
  });
}

// The chosen neuron in numbers, or how to choose one.
function showNeuron() {
  const { net, settings: { activation }, data } = page.training, j = page.neuron;
  if (j === null) {
    byId("neuron").textContent = "Choose a neuron to see its line in the plane and its weights.";
    return;
  }
  const { W1, b1, W2 } = net.parameters(), w = (x) => bracketed(Number(x.toPrecision(3)));
  const adds = data.classes.map((name, c) => `${w(W2.data.at(j, c))} × H to ${name}`);
  byId("neuron").textContent =
    `Neuron ${j + 1}: Z = ${w(W1.data.at(0, j))} × x₁ + ${w(W1.data.at(1, j))} × x₂ + ` +
    `${w(b1.data.data[j])}, ${ACTIVATION_TEXTS[activation][1]}. ` +
    `It adds ${adds.join(", ")}. On the dashed line in the plane Z is 0.`;
}

function showSlider(name) {
  const { text } = sliderValue(name);
  byId(`${name}-value`).textContent = text;
  byId(name).setAttribute("aria-valuetext", text);
}

function choose(sample) {
  play(false);
  const last = page.training.data.train.t.length;
  page.sample = Math.min(Math.max(Math.trunc(sample) || 0, 0), last - 1);
  byId("sample").value = page.sample + 1;
  byId("sample").max = last;
  draw();
}

function start() {
  for (const [name, { values, start: first, renews }] of Object.entries(SLIDERS)) {
    const slider = byId(name);
    slider.max = values.length - 1;
    slider.value = values.findIndex(({ value }) => value === first);
    showSlider(name);
    slider.addEventListener("input", () => {
      showSlider(name);
      if (renews) return reset();
      page.training.settings[name] = sliderValue(name).value;
      return page.playing || draw();
    });
  }
  for (const name of [...SELECTS, "seed"]) byId(name).addEventListener("change", reset);
  byId("play").addEventListener("click", () => play(!page.playing) ?? draw());
  byId("step").addEventListener("click", () => step());
  byId("reset").addEventListener("click", reset);
  byId("sample").addEventListener("change", () => choose(Number(byId("sample").value) - 1));
  page.plane = new Plane(byId("plane"), choose);
  page.loss = new Curves(byId("loss"), "loss");
  page.accuracy = new Curves(byId("accuracy"), "accuracy");
  page.stepping = new Stepping(byId("stepping"), (sample) => step([sample]));
  reset();
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    forgetColours();
    showLegend();
    draw();
  });
  document.addEventListener("keydown", stepByKey);
}

// Arrows and Home and End step, where they have no other use: sliders and fields need them.
function stepByKey(event) {
  const where = { Home: "first", ArrowLeft: "back", ArrowRight: "next", End: "last" }[event.key];
  if (!where || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (page.playing || !byId("stepping").contains(document.activeElement)) return;
  if (event.target.matches("input, select")) return;
  event.preventDefault();
  page.stepping.go(where);
}

start();
