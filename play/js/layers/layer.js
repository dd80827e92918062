// What all layers share. A layer works on one sample; a tensor is {shape, data}, row by row.

const LAYERS = {};

const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);
const tensor = (shape, data = new Float32Array(sizeOf(shape))) => ({ shape, data });

/* forward(x) gives a tensor and keeps what backward needs; backward(dout) gives a list with the
   gradient of each input. Options and arrays (tensors) become properties, as play/layers.py names
   them. Formulas and sources stand in the Python layer of the same name. */
class Layer {
  constructor(options, arrays) {
    Object.assign(this, options, arrays);
  }
}

/* A layer that looks at each number by itself: y = f(x), dx = dout · derivative(x, y). */
class Elementwise extends Layer {
  forward(x) {
    this.x = x;
    this.y = tensor(x.shape);
    for (let i = 0; i < x.data.length; i++) this.y.data[i] = this.f(x.data[i]);
    return this.y;
  }

  backward(dout) {
    const dx = tensor(dout.shape);
    for (let i = 0; i < dx.data.length; i++)
      if (dout.data[i]) dx.data[i] = dout.data[i] * this.derivative(this.x.data[i], this.y.data[i]);
    return [dx];
  }
}

/* A layer that gives the same numbers in another shape. */
class Reshaping extends Layer {
  forward(x) {
    this.from = x.shape;
    return tensor(this.shapeOf(x.shape), x.data);
  }

  backward(dout) {
    return [tensor(this.from, dout.data)];
  }
}
