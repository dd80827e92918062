// Batch normalisation as it is after training: by the averages that it has kept, per channel.

LAYERS.BatchNormalization = class extends Layer {
  constructor(options, arrays) {
    super(options, arrays);
    const deviation = this.variance.data.map((v) => Math.sqrt(v + this.eps));
    this.factor = this.gamma.data.map((g, c) => g / deviation[c]);
  }

  forward(x) {
    const channels = x.shape[0], n = x.data.length / channels, y = tensor(x.shape);
    for (let c = 0; c < channels; c++) {
      const factor = this.factor[c], mean = this.mean.data[c], beta = this.beta.data[c];
      for (let i = c * n; i < (c + 1) * n; i++) y.data[i] = factor * (x.data[i] - mean) + beta;
    }
    return y;
  }

  backward(dout) {
    const n = dout.data.length / dout.shape[0];
    return [tensor(dout.shape, dout.data.map((d, i) => d * this.factor[Math.floor(i / n)]))];
  }
};
