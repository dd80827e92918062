// Affine: each row of the input times W, plus b.

LAYERS.Affine = class extends Layer {
  forward(x) {
    const [nIn, nOut] = this.W.shape, W = this.W.data, rows = x.data.length / nIn;
    const y = tensor([...x.shape.slice(0, -1), nOut]), sums = new Float64Array(nOut);
    for (let row = 0; row < rows; row++) {
      if (this.b) sums.set(this.b.data);
      else sums.fill(0);
      for (let i = 0; i < nIn; i++) {
        const value = x.data[row * nIn + i];
        if (value === 0) continue; // most pixels, and half of what a ReLU lets through
        for (let j = 0, at = i * nOut; j < nOut; j++) sums[j] += value * W[at + j];
      }
      y.data.set(sums, row * nOut);
    }
    return y;
  }

  backward(dout) {
    const [nIn, nOut] = this.W.shape, W = this.W.data, rows = dout.data.length / nOut;
    const dx = tensor([...dout.shape.slice(0, -1), nIn]);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < nIn; i++) {
        let sum = 0;
        for (let j = 0, at = i * nOut, d = row * nOut; j < nOut; j++)
          sum += dout.data[d + j] * W[at + j];
        dx.data[row * nIn + i] = sum;
      }
    }
    return [dx];
  }
};
