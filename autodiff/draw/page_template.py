"""The text of the stepping page: HTML, style and script, kept apart from what fills them."""

HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>$title</title>
<style>
$style
</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="legend"><span class="value">values above</span> the edges,
<span class="gradient">gradients below</span> them</p>
<div id="graph" class="scroll" tabindex="0" role="region" aria-label="the graph">
$picture
</div>
<div id="controls" role="group" aria-label="steps" hidden>
<button type="button" data-go="first" aria-keyshortcuts="Home">First</button>
<button type="button" data-go="back" aria-keyshortcuts="ArrowLeft">Back</button>
<button type="button" data-go="next" aria-keyshortcuts="ArrowRight">Next</button>
<button type="button" data-go="last" aria-keyshortcuts="End">Last</button>
</div>
<div id="steps" aria-live="polite">
$steps
</div>
<p class="keys">Keys: → next, ← back, Home first, End last.</p>
</main>
<script>
$script
</script>
</body>
</html>
"""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1d21; --soft: #5b5f66; --line: #6b6f76; --frame: #c9ccd1;
  --value: #14733b; --gradient: #b3261e; --focus: #1a5fd0; --active: #fff3c4;
  --input: #e8eef9; --constant: #f1f1f1; --operation: #ffffff; --copy: #fdf3dc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #17191c; --ink: #eceef1; --soft: #a9aeb6; --line: #989ea7; --frame: #44484f;
    --value: #6fd99a; --gradient: #ff9c92; --focus: #8ab4ff; --active: #57481a;
    --input: #263249; --constant: #2a2c30; --operation: #202327; --copy: #3a3220;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.45 system-ui, "Liberation Sans", Arial, sans-serif; }
main { max-width: 84rem; margin: 0 auto; padding: 0.75rem 1rem 2rem; }
h1 { font-size: 1.25rem; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 0.5rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1rem 0 0.25rem; overflow-wrap: anywhere; }
p { margin: 0 0 0.5rem; }
.legend, .progress, .keys, small { color: var(--soft); font-size: 0.875rem; }
.value { color: var(--value); } .gradient { color: var(--gradient); }
.scroll { overflow-x: auto; max-width: 100%; }
#graph { border: 1px solid var(--frame); border-radius: 8px; padding: 4px; }
#graph svg { display: block; margin: 0 auto; }
#controls { display: flex; gap: 0.5rem; margin: 0.75rem 0; }
#controls[hidden] { display: none; }
button { flex: 1 1 0; max-width: 8rem; min-height: 44px; font: inherit; color: inherit;
  background: var(--operation); border: 1px solid var(--line); border-radius: 8px;
  cursor: pointer; }
button[aria-disabled="true"] { color: var(--soft); border-style: dashed; cursor: default; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.formula, .number, .matrix, .inputs td, .sign { font-family: "DejaVu Sans Mono", Menlo, Consolas,
  "Liberation Mono", monospace; }
.formula { overflow-wrap: anywhere; }
.equation { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.75rem;
  margin-bottom: 0.75rem; }
.term { display: inline-flex; flex-direction: column; align-items: center; max-width: 100%;
  min-width: 0; text-align: center; }
.sign { padding-bottom: 2.5rem; } /* the height of the captions */
.term.upstream > :first-child, .term.downstream > :first-child { color: var(--gradient); }
.term.value > :first-child { color: var(--value); }
.term.downstream > :first-child { font-weight: bold; }
table { border-collapse: collapse; }
td, th { padding: 0.15rem 0.5rem; text-align: right; white-space: nowrap; }
.matrix { border: solid var(--line); border-width: 0 2px; border-radius: 5px; margin: 0 auto; }
.inputs { margin-bottom: 0.5rem; }
.inputs > tbody > tr > * { border-bottom: 1px solid var(--frame); }
.inputs td td { border: 0; }
.number { white-space: nowrap; }
.step + .step { margin-top: 1.5rem; }
.stepping .step[hidden] { display: none; }
.stepping .step + .step { margin-top: 0; }
.stepping .later { visibility: hidden; }
#graph .line { stroke: var(--line); } #graph .tip { fill: var(--line); }
#graph rect { stroke: var(--ink); }
#graph .input rect { fill: var(--input); } #graph .constant rect { fill: var(--constant); }
#graph .operation rect { fill: var(--operation); } #graph .copy rect { fill: var(--copy); }
#graph .label { fill: var(--ink); } #graph .caption { fill: var(--soft); }
#graph g.value { fill: var(--value); } #graph g.gradient { fill: var(--gradient); }
#graph .active rect { fill: var(--active); stroke-width: 2.5; }
#graph .forth .line { stroke: var(--value); stroke-width: 2.5; }
#graph .forth .tip { fill: var(--value); }
#graph .back .line { stroke: var(--gradient); stroke-width: 2.5; }
#graph .back .tip { fill: var(--gradient); }
@media (prefers-reduced-motion: no-preference) {
  #graph .node rect, #graph .line { transition: fill 0.15s, stroke 0.15s; }
}
""".strip()

SCRIPT = """
"use strict";
const graph = document.getElementById("graph");
const steps = [...document.querySelectorAll(".step")];
const buttons = [...document.querySelectorAll("#controls button")];
const still = window.matchMedia("(prefers-reduced-motion: reduce)");
let now = 0;

function show(k) {
  now = Math.max(0, Math.min(steps.length - 1, k));
  const { node, phase } = steps[now].dataset;
  steps.forEach((step, i) => { step.hidden = i !== now; });
  for (const part of graph.querySelectorAll("[data-from]"))
    part.classList.toggle("later", Number(part.dataset.from) > now);
  for (const part of graph.querySelectorAll(".node"))
    part.classList.toggle("active", part.dataset.node === node);
  for (const edge of graph.querySelectorAll(".edge")) {
    const result = phase === "turn" && edge.dataset.target === "";
    edge.classList.toggle("forth", phase === "forward" && edge.dataset.target === node);
    edge.classList.toggle("back", result || phase === "backward" && edge.dataset.target === node);
  }
  for (const button of buttons) {
    const there = ["first", "back"].includes(button.dataset.go) ? 0 : steps.length - 1;
    button.setAttribute("aria-disabled", String(now === there));
  }
  const active = graph.querySelector(".active");
  if (active) scrollTo(active);
  else graph.scrollLeft = 0;
}

function scrollTo(part) {
  const box = graph.getBoundingClientRect(), at = part.getBoundingClientRect();
  const left = graph.scrollLeft + at.left + at.width / 2 - box.left - box.width / 2;
  graph.scrollTo({ left, behavior: still.matches ? "auto" : "smooth" });
}

function go(where) {
  show({ first: 0, back: now - 1, next: now + 1, last: steps.length - 1 }[where]);
}

for (const button of buttons) button.addEventListener("click", () => go(button.dataset.go));
document.addEventListener("keydown", (event) => {
  const where = { Home: "first", ArrowLeft: "back", ArrowRight: "next", End: "last" }[event.key];
  if (!where || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  // Who has come to the graph with the Tab key wants to scroll it.
  if (document.activeElement === graph && graph.matches(":focus-visible")) return;
  event.preventDefault();
  go(where);
});
document.body.classList.add("stepping");
document.getElementById("controls").hidden = false;
show(0);
""".strip()
