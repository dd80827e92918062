// The page: what is drawn or chosen goes through the net, and everything shows what comes out.

const facts = JSON.parse(byId("facts").textContent);
const { images, classes, answer: kind } = facts;
const isImage = kind === "image", pixelCount = images.side ** 2;
const net = new Net(facts.steps, arraysOf(byId("weights").textContent, facts.arrays));
const testPixels = bytesOf(images.pixels);

// The test images as the net sees them, where they are no bytes.
const testNumbers = images.numbers
  && arraysOf(images.numbers, [{ shape: [testPixels.length], at: 0, step: 0 }])[0].data;

/* The input of the net for bytes 0-255. */
function inputOf(pixels) {
  const scale = Math.fround(images.scale), offset = Math.fround(images.offset);
  const data = Float32Array.from(pixels, (p) => Math.fround(p * scale) + offset);
  return tensor(facts.shape, data);
}

const testImage = (i, data = testPixels) => data.subarray(i * pixelCount, (i + 1) * pixelCount);

/* Test image i as the input of the net. */
const testInput = (i) => testNumbers
  ? tensor(facts.shape, testImage(i, testNumbers)) : inputOf(testImage(i));

/* What the net answers to an input: probabilities, scores, or an image. */
const answerTo = (input) => ANSWERS[kind](net.forward(input).data);

let pixels = new Uint8Array(pixelCount), winner = 0, chosen = -1;
let pending = 0, explaining = 0, event = null;
let explainedIn = 0; // milliseconds that the last explanation took

function titles() {
  document.title = `${facts.title}: a net to play with`;
  byId("title").textContent = facts.title;
  const right = facts.right === undefined ? ""
    : ` It is right on ${percent(facts.right / facts.tested)} of the`
      + ` ${facts.tested.toLocaleString("en")} test images.`;
  byId("about").textContent = `A net of ${net.steps.length} layers and `
    + `${facts.parameters.toLocaleString("en")} parameters. It runs in this page, while`
    + ` you draw; nothing leaves it.${right}`;
  byId("answer-note").textContent = ANSWER_NOTES[kind];
  const learned = classes.length ? `It tells apart: ${classes.join(", ")}. ` : "";
  const all = byId("images"), more = all.scrollHeight > all.clientHeight ? "; scroll for more" : "";
  byId("testing-note").textContent = `${learned}These ${buttons.length} images were kept from`
    + ` it in training. Tab to one, then the arrow keys go on${more}.`;
  for (const id of ["saliency-figure", "saliency-note", "contributing"])
    byId(id).hidden = isImage;
  byId("given").hidden = !isImage;
  byId("bars").hidden = isImage;
}

const bars = new Bars(byId("bars"), kind, classes);
const pictureOf = (id, scale) => new Maps(byId(id),
  { height: images.side, width: images.side, count: 1, columns: 1, scale });
const zoom = Math.max(1, Math.round(140 / images.side));
const seen = pictureOf("seen", zoom), saliency = pictureOf("saliency", zoom);
const given = pictureOf("given", 2 * zoom);

const NO_ANSWER = "No answer: on the way through the net numbers became NaN.";

/* Answers at the next frame, once for all that happens before it. */
function ask(cause) {
  event = cause;
  if (!pending) pending = requestAnimationFrame(answer);
}

function answer() {
  pending = 0;
  if (chosen < 0) {
    const ink = imageOf(paper.strokes, images.side, images.by);
    pixels = images.white ? ink.map((value) => 255 - value) : ink;
  }
  const empty = chosen < 0 && paper.strokes.length === 0;
  const numbers = answerTo(chosen < 0 ? inputOf(pixels) : testInput(chosen));
  winner = largest(numbers);
  seen.draw(pixels, inkColour);
  if (isImage) showGiven(numbers);
  else {
    bars.show(empty ? null : numbers);
    byId("winner").textContent = empty ? "Draw, and the net answers."
      : winner < 0 ? NO_ANSWER : `${classes[winner]}, ${howSure(numbers[winner])}${truth()}`;
  }
  if (event)
    byId("speed").textContent = `Answered in ${Math.ceil(performance.now() - event.timeStamp)} ms.`;
  clearTimeout(explaining); // of a large net only when the pen rests, so that drawing stays smooth
  explaining = setTimeout(() => explain(empty || winner < 0), explainedIn > 40 ? 150 : 0);
}

const howSure = (n) => isProbability(kind) ? percent(n) : `score ${shown(n)}`;

/* Whether the net is right, of a test image. */
function truth() {
  if (chosen < 0) return "";
  const target = facts.targets[chosen];
  return target === winner ? ": right" : `: wrong, it is ${classes[target]}`;
}

function showGiven(numbers) {
  const bytes = numbers.map((x) => Math.min(255, Math.max(0, (x - images.offset) / images.scale)));
  given.draw(bytes, inkColour);
  byId("winner").textContent = winner < 0 ? NO_ANSWER : "This is what the net gives back:";
}

/* Saliency, paths and layers, after the answer stands; `empty` if there is none to explain. */
function explain(empty) {
  const began = performance.now();
  if (!isImage) {
    const index = Math.min(winner, net.blobs[net.output].data.length - 1);
    const factor = isSingle(kind) && winner === 0 ? -1 : 1;
    const gradient = empty ? new Float32Array(pixelCount) : net.gradients(index)[0].data;
    const ofInk = images.white ? -factor : factor; // on white paper more ink is a smaller number
    saliency.draw(gradient.map((g) => ofInk * g));
    byId("saliency-winner").textContent = empty ? "the winner" : classes[winner];
    const rows = empty ? [make("li", {}, "Draw, or take a test image.")]
      : pathRows(net, index, factor, classes[winner], images.side);
    byId("paths").replaceChildren(...rows);
  }
  for (const view of views) view.show();
  explainedIn = performance.now() - began;
  explaining = 0;
}

const paper = new Paper(byId("paper"), (cause) => {
  choose(-1);
  ask(cause);
});
byId("clear").addEventListener("click", (cause) => paper.clear(cause));
byId("undo").addEventListener("click", (cause) => paper.undo(cause));

/* The test images as buttons, one of them in the order of Tab. */
const buttons = Array.from({ length: testPixels.length / pixelCount }, (_, i) => {
  const canvas = make("canvas");
  const maps = new Maps(canvas,
    { height: images.side, width: images.side, count: 1, columns: 1, scale: 1 });
  maps.draw(testImage(i), inkColour);
  canvas.style.width = "";
  const button = make("button", { type: "button", tabIndex: i ? -1 : 0 }, canvas);
  const name = classes.length ? `: ${classes[facts.targets[i]]}` : "";
  button.setAttribute("aria-label", `test image ${i}${name}`);
  button.setAttribute("aria-pressed", "false");
  button.title = name.slice(2);
  button.addEventListener("click", (cause) => {
    choose(i);
    pixels = testImage(i);
    paper.put(canvas);
    ask(cause);
  });
  return button;
});
byId("images").append(...buttons);
byId("images").addEventListener("keydown", (cause) => {
  const at = buttons.indexOf(document.activeElement);
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[cause.key];
  if (at < 0 || !by) return;
  cause.preventDefault();
  buttons[(at + by + buttons.length) % buttons.length].focus();
});
byId("images").addEventListener("focusin", (cause) => {
  for (const button of buttons) button.tabIndex = button === cause.target ? 0 : -1;
});

/* Test image i is the input; -1: the drawing. */
function choose(i) {
  if (chosen >= 0) buttons[chosen].setAttribute("aria-pressed", "false");
  if (i >= 0) buttons[i].setAttribute("aria-pressed", "true");
  chosen = i;
}

titles();
net.forward(inputOf(pixels)); // once, so that all shapes are known
const space = byId("layers").clientWidth - 2;
const views = net.steps.map((step) => new LayerView(
  net, step, space, images.side, net.steps.length <= 14 || !CLOSED.includes(step.type)));
byId("layers").append(...views.map((view) => view.element));
ask(null);
