// The paper: strokes by mouse, finger or keyboard, as lists of points from 0 to 1.

const STEP = 1 / 40; // of the paper, that an arrow key moves the pen
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Paper {
  /* `changed(event)` is called after each change of the strokes. */
  constructor(canvas, changed) {
    Object.assign(this, { canvas, changed, strokes: [], pen: [0.5, 0.5], down: false });
    this.background = null; // an image to draw over, of which nothing is a stroke
    this.context = canvas.getContext("2d");
    this.pointer = null;
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
      canvas.addEventListener(end, (event) => {
        if (event.pointerId === this.pointer) this.pointer = null;
      });
    canvas.addEventListener("keydown", (event) => this.key(event));
    for (const change of ["focus", "blur"]) canvas.addEventListener(change, () => this.draw());
    this.draw();
  }

  begin(event) {
    if (this.pointer !== null || event.button !== 0) return; // a second finger draws nothing
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.down = false;
    this.pen = this.placeOf(event);
    this.start(event);
  }

  go(event) {
    if (event.pointerId !== this.pointer) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const one of coalesced.length ? coalesced : [event]) this.line(this.placeOf(one));
    this.after(event);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in MOVES) {
      const move = MOVES[event.key].map((n, axis) => this.pen[axis] + n * STEP);
      this.pen = move.map((n) => Math.min(1, Math.max(0, n)));
      if (this.down) this.line(this.pen);
    } else if (event.key === " ") {
      if (!event.repeat) this.down = !this.down; // held down, it would flutter
      if (this.down && !event.repeat) this.start(event);
    } else if (event.key === "c") this.clear(event);
    else return;
    event.preventDefault(); // the page would scroll
    if (this.down && event.key in MOVES) this.after(event);
    else this.draw();
  }

  start(event) {
    this.background = null;
    this.strokes.push([this.pen]);
    this.after(event);
  }

  line(place) {
    this.pen = place;
    this.strokes.at(-1).push(place);
  }

  clear(event) {
    this.strokes = [];
    this.down = false;
    this.background = null;
    this.after(event);
  }

  undo(event) {
    this.strokes.pop();
    this.down = false;
    this.background = null;
    this.after(event);
  }

  /* Shows an image, a canvas, in place of strokes. */
  put(image) {
    this.strokes = [];
    this.down = false;
    this.background = image;
    this.draw();
  }

  after(event) {
    this.draw();
    this.changed(event);
  }

  placeOf({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect(), { clientLeft, clientTop } = this.canvas;
    const place = [
      (clientX - box.left - clientLeft) / this.canvas.clientWidth,
      (clientY - box.top - clientTop) / this.canvas.clientHeight,
    ];
    return place.map((n) => Math.min(1, Math.max(0, n)));
  }

  draw() {
    const { context, canvas } = this, side = canvas.width;
    context.clearRect(0, 0, side, side);
    if (this.background) {
      context.imageSmoothingEnabled = false;
      context.drawImage(this.background, 0, 0, side, side);
    }
    Object.assign(context, { lineWidth: 20, lineCap: "round", lineJoin: "round" });
    context.strokeStyle = "#1b1d21";
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(...stroke[0].map((n) => n * side));
      for (const point of stroke) context.lineTo(...point.map((n) => n * side));
      context.stroke();
    }
    if (document.activeElement !== canvas || !canvas.matches(":focus-visible")) return;
    context.beginPath(); // the pen, full when it is down
    context.arc(...this.pen.map((n) => n * side), 7, 0, 2 * Math.PI);
    Object.assign(context, { lineWidth: 3, strokeStyle: "#1a5fd0" });
    context.fillStyle = this.down ? "#1a5fd0" : "#fff";
    context.fill();
    context.stroke();
  }
}
