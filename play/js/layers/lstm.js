// Long short-term memory over the rows of the input, (T, D).

const sigmoid = (a) => 0.5 * Math.tanh(0.5 * a) + 0.5;

LAYERS.Lstm = class extends Layer {
  forward(x) {
    const [steps, nIn] = x.shape, n = this.Wh.shape[0];
    this.shape = x.shape;
    this.gates = []; // of each step taken: i, f, o, g side by side
    this.cells = [new Float64Array(n)];
    const y = tensor(this.lastOnly ? [n] : [steps, n]);
    let h = new Float64Array(n);
    for (let t = 0; t < steps; t++) {
      const a = Float64Array.from(this.b.data), at = this.at(t);
      addProduct(a, x.data.subarray(at * nIn, (at + 1) * nIn), this.Wx);
      addProduct(a, h, this.Wh);
      const gates = a.map((value, k) => (k < 3 * n ? sigmoid(value) : Math.tanh(value)));
      const before = this.cells[t];
      const cell = before.map((c, k) => gates[n + k] * c + gates[k] * gates[3 * n + k]);
      h = cell.map((c, k) => gates[2 * n + k] * Math.tanh(c));
      this.gates.push(gates);
      this.cells.push(cell);
      if (!this.lastOnly) y.data.set(h, at * n);
    }
    if (this.lastOnly) y.data.set(h);
    return y;
  }

  backward(dout) {
    const [steps, nIn] = this.shape, n = this.Wh.shape[0], dx = tensor(this.shape);
    let dh = new Float64Array(n), dc = new Float64Array(n);
    if (this.lastOnly) dh.set(dout.data);
    for (let t = steps - 1; t >= 0; t--) {
      const gates = this.gates[t], da = new Float64Array(4 * n), at = this.at(t);
      for (let k = 0; k < n; k++) {
        if (!this.lastOnly) dh[k] += dout.data[at * n + k];
        const [i, f, o, g] = [gates[k], gates[n + k], gates[2 * n + k], gates[3 * n + k]];
        const tanh = Math.tanh(this.cells[t + 1][k]);
        dc[k] += dh[k] * o * (1 - tanh * tanh);
        da[k] = dc[k] * g * i * (1 - i);
        da[n + k] = dc[k] * this.cells[t][k] * f * (1 - f);
        da[2 * n + k] = dh[k] * tanh * o * (1 - o);
        da[3 * n + k] = dc[k] * i * (1 - g * g);
        dc[k] *= f;
      }
      dx.data.set(backThrough(da, this.Wx), at * nIn);
      dh = backThrough(da, this.Wh);
    }
    return [dx];
  }

  /* The row that step t reads, and whose output it gives. */
  at(t) {
    return this.reverse ? this.shape[0] - 1 - t : t;
  }
};

/* sums += x W */
function addProduct(sums, x, W) {
  const n = W.shape[1];
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue;
    for (let j = 0; j < n; j++) sums[j] += x[i] * W.data[i * n + j];
  }
}

/* W dᵀ: the gradient of the x of x W. */
function backThrough(d, W) {
  const [nIn, n] = W.shape, dx = new Float64Array(nIn);
  for (let i = 0; i < nIn; i++)
    for (let j = 0; j < n; j++) dx[i] += d[j] * W.data[i * n + j];
  return dx;
}
