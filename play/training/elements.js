// Small helpers of the page: elements, numbers as text, colours of the style.

// An element with attributes (functions listen) and children; text is text, never HTML.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

// A number with so many significant digits, as autodiff/draw/text.py writes it: 1e6, 0.25, -3.
function number(x, digits = 4) {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "-∞";
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  if (exponent < -4 || exponent >= digits) return `${Number(mantissa)}e${Number(exponent)}`;
  return String(Number(x.toPrecision(digits)));
}

// A shape as NumPy writes it; biases are vectors.
function shapeOf(matrix, name = "") {
  return name.includes("b") ? `(${matrix.cols},)` : `(${matrix.rows}, ${matrix.cols})`;
}

// A colour of the style as [red, green, blue]. They are kept: `forgetColours` when the style is
// another, dark for light.
const COLOURS = new Map();

function rgb(name) {
  if (!COLOURS.has(name)) {
    const style = getComputedStyle(document.documentElement);
    const hex = style.getPropertyValue(`--${name}`).trim();
    COLOURS.set(name, [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  }
  return COLOURS.get(name);
}

function forgetColours() {
  COLOURS.clear();
}

function mixed(from, to, share) {
  return from.map((x, i) => x + share * (to[i] - x));
}

function css([r, g, b]) {
  return `rgb(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)})`;
}

// A canvas as sharp as the screen: its context, in which one unit is one pixel of the style.
function sharp(canvas) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const pixels = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1])
    [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, 'Liberation Sans', Arial, sans-serif";
  return { context, width, height };
}
