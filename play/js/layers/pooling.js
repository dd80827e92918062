// Pooling: of each window the largest, or the mean.

class Pooling extends Layer {
  /* Calls visit(place of the output, places of the window's inputs, how many count). */
  eachWindow([channels, height, width], visit) {
    const [kh, kw] = this.kernel, [sh, sw] = this.stride, [ph, pw] = this.padding;
    const [oh, ow] = this.size = [this.length(height, 0), this.length(width, 1)];
    for (let c = 0, out = 0; c < channels; c++)
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++) {
          const places = [];
          for (let y = i * sh - ph; y < i * sh - ph + kh; y++)
            for (let x = j * sw - pw; x < j * sw - pw + kw; x++)
              if (y >= 0 && y < height && x >= 0 && x < width)
                places.push((c * height + y) * width + x);
          const count = Math.min(kh, height + 2 * ph - i * sh)
            * Math.min(kw, width + 2 * pw - j * sw);
          visit(out++, places, count);
        }
  }

  length(n, axis) {
    const k = this.kernel[axis], s = this.stride[axis], p = this.padding[axis];
    if (!this.partial) return Math.floor((n + 2 * p - k) / s) + 1;
    return Math.min(Math.ceil((n + 2 * p - k) / s) + 1, Math.floor((n + p - 1) / s) + 1);
  }

  outputOf(shape) {
    this.shape = shape;
    return tensor([shape[0], this.length(shape[1], 0), this.length(shape[2], 1)]);
  }
}

LAYERS.MaxPooling = class extends Pooling {
  forward(x) {
    const y = this.outputOf(x.shape);
    this.winners = new Int32Array(y.data.length); // the first one, at a tie
    this.eachWindow(x.shape, (out, places) => {
      let winner = places[0];
      for (const place of places) if (x.data[place] > x.data[winner]) winner = place;
      this.winners[out] = winner;
      y.data[out] = x.data[winner];
    });
    return y;
  }

  backward(dout) {
    const dx = tensor(this.shape);
    dout.data.forEach((d, out) => { dx.data[this.winners[out]] += d; });
    return [dx];
  }
};

LAYERS.AveragePooling = class extends Pooling {
  forward(x) {
    const y = this.outputOf(x.shape);
    this.eachWindow(x.shape, (out, places, count) => {
      let sum = 0;
      for (const place of places) sum += x.data[place];
      y.data[out] = sum / count;
    });
    return y;
  }

  backward(dout) {
    const dx = tensor(this.shape);
    this.eachWindow(this.shape, (out, places, count) => {
      for (const place of places) dx.data[place] += dout.data[out] / count;
    });
    return [dx];
  }
};

LAYERS.GlobalAveragePooling = class extends Layer {
  forward(x) {
    this.shape = x.shape;
    const n = x.shape[1] * x.shape[2], y = tensor([x.shape[0]]);
    for (let c = 0; c < y.data.length; c++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += x.data[c * n + i];
      y.data[c] = sum / n;
    }
    return y;
  }

  backward(dout) {
    const n = this.shape[1] * this.shape[2], dx = tensor(this.shape);
    dout.data.forEach((d, c) => dx.data.fill(d / n, c * n, (c + 1) * n));
    return [dx];
  }
};
