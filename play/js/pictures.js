// Numbers as pictures: maps beside each other on a canvas, a square for each number.

const PLUS = [8, 72, 150], MINUS = [196, 82, 0], GAP = [230, 232, 235];

/* The colour of a number among those up to `most`: white is 0, blue above it, orange below. */
function signedColour(value, most) {
  const strength = most ? Math.min(1, Math.abs(value) / most) : 0;
  return (value < 0 ? MINUS : PLUS).map((c) => 255 + (c - 255) * strength);
}

/* Ink on white paper, for pixels from 0 to 255; in the data the paper may be black. */
const inkColour = (value) => Array(3).fill(images.white ? value : 255 - value);

/* Draws maps, each `height` x `width` numbers one behind the other in `data`, in rows of `columns`,
   with lines between them. `scale` is the side of a number in pixels of the page. */
class Maps {
  constructor(canvas, { height, width, count, columns, scale }) {
    Object.assign(this, { canvas, height, width, count, columns });
    const rows = Math.ceil(count / columns);
    canvas.width = columns * (width + 1) - 1;
    canvas.height = rows * (height + 1) - 1;
    canvas.style.width = `${canvas.width * scale}px`;
    this.context = canvas.getContext("2d");
    this.image = this.context.createImageData(canvas.width, canvas.height);
    for (let map = 0; map < count; map++) this.fillGap(map);
  }

  /* The lines to the right of a map and below it; where no map is, the page shows. */
  fillGap(map) {
    const { width, height } = this.canvas, first = this.pixelOf(map * this.height * this.width);
    const [x, y] = [first % width, Math.floor(first / width)];
    for (let i = y; i <= Math.min(y + this.height, height - 1); i++)
      for (let j = x; j <= Math.min(x + this.width, width - 1); j++)
        this.image.data.set([...GAP, 255], 4 * (i * width + j));
  }

  draw(data, colour = null) {
    const most = data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    const paint = colour ?? ((value) => signedColour(value, most));
    const pixels = this.image.data;
    for (let i = 0; i < Math.min(data.length, this.count * this.height * this.width); i++)
      pixels.set(paint(data[i]), 4 * this.pixelOf(i));
    this.context.putImageData(this.image, 0, 0);
    return most;
  }

  pixelOf(i) {
    const size = this.height * this.width, map = Math.floor(i / size), at = i % size;
    const x = (map % this.columns) * (this.width + 1) + (at % this.width);
    const y = Math.floor(map / this.columns) * (this.height + 1) + Math.floor(at / this.width);
    return y * this.canvas.width + x;
  }

  /* The number that lies under a pointer, or -1. */
  under({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect(), edge = this.canvas.clientLeft;
    const x = Math.floor(((clientX - box.left - edge) / this.canvas.clientWidth) * this.canvas.width);
    const y = Math.floor(((clientY - box.top - edge) / this.canvas.clientHeight) * this.canvas.height);
    const [column, row] = [Math.floor(x / (this.width + 1)), Math.floor(y / (this.height + 1))];
    const [j, i] = [x % (this.width + 1), y % (this.height + 1)];
    const map = row * this.columns + column;
    const inside = x >= 0 && y >= 0 && column < this.columns && map < this.count;
    return inside && j < this.width && i < this.height
      ? (map * this.height + i) * this.width + j : -1;
  }
}

/* How the numbers of a tensor lie beside each other in a place `space` pixels wide: maps (C, H, W)
   in rows of maps, a sequence (T, D) as one map, a row of numbers broken into lines, or where they
   are as many as pixels, as an image with that side. */
function laidOut(shape, space, side) {
  if (shape.length === 3) return mapsOf(...shape, space);
  if (shape.length === 2) return mapsOf(1, ...shape, space);
  const n = sizeOf(shape);
  if (n === side ** 2) return mapsOf(1, side, side, space);
  const scale = 14;
  const width = Math.min(n, 50, Math.floor(space / scale));
  return { height: Math.ceil(n / width), width, count: 1, columns: 1, scale };
}

function mapsOf(count, height, width, space) {
  const wanted = count === 1 ? 120 : space < 500 ? 44 : 60; // pixels that a map is wide
  const scale = Math.max(1, Math.min(Math.round(wanted / width), Math.floor(space / width)));
  const columns = Math.max(1, Math.min(count, Math.floor((space / scale + 1) / (width + 1))));
  return { height, width, count, columns, scale };
}
