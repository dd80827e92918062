// Softmax along the last axis.

LAYERS.Softmax = class extends Layer {
  forward(x) {
    const n = x.shape.at(-1), y = tensor(x.shape);
    for (let at = 0; at < y.data.length; at += n)
      y.data.set(softmax(x.data.subarray(at, at + n)), at);
    return this.y = y;
  }

  backward(dout) {
    const n = dout.shape.at(-1), y = this.y.data, dx = tensor(dout.shape);
    for (let at = 0; at < y.length; at += n) {
      let sum = 0;
      for (let i = at; i < at + n; i++) sum += dout.data[i] * y[i];
      for (let i = at; i < at + n; i++) dx.data[i] = y[i] * (dout.data[i] - sum);
    }
    return [dx];
  }
};

function softmax(scores) {
  const largest = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}
