// Layers that leave the numbers as they are, and the sum of several inputs.

LAYERS.Flatten = class extends Reshaping {
  shapeOf(shape) { return [sizeOf(shape)]; }
};

LAYERS.Reshape = class extends Reshaping {
  shapeOf(shape) {
    const known = this.shape.filter((n) => n !== -1), rest = sizeOf(shape) / sizeOf(known);
    return this.shape.map((n) => (n === -1 ? rest : n));
  }
};

LAYERS.Dropout = class extends Reshaping {
  shapeOf(shape) { return shape; }
};

LAYERS.Addition = class extends Layer {
  forward(...inputs) {
    this.factors = this.coefficients ?? inputs.map(() => 1);
    const y = tensor(inputs[0].shape);
    inputs.forEach((x, k) => x.data.forEach((v, i) => { y.data[i] += this.factors[k] * v; }));
    return y;
  }

  backward(dout) {
    return this.factors.map((a) => (a === 1 ? dout : tensor(dout.shape, dout.data.map((d) => a * d))));
  }
};
