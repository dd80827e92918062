// Convolution: for each number of a filter, the input shifted by its place, times the number.

LAYERS.Convolution = class extends Layer {
  forward(x) {
    const [filters, , kh, kw] = this.W.shape;
    const [, height, width] = x.shape, [ph, pw] = this.padding;
    const [sh, sw] = this.stride, [dh, dw] = this.dilation;
    this.shape = x.shape;
    this.framed = framed(x, ph, pw);
    this.size = [
      Math.floor((height + 2 * ph - dh * (kh - 1) - 1) / sh) + 1,
      Math.floor((width + 2 * pw - dw * (kw - 1) - 1) / sw) + 1,
    ];
    const [oh, ow] = this.size, fw = this.framed.shape[2], from = this.framed.data;
    const y = tensor([filters, oh, ow]), to = y.data;
    if (this.b)
      for (let o = 0; o < filters; o++) to.fill(this.b.data[o], o * oh * ow, (o + 1) * oh * ow);
    for (let o = 0; o < filters; o++)
      this.eachTap(o, (w, first) => {
        for (let i = 0; i < oh; i++) {
          const source = first + i * sh * fw, target = (o * oh + i) * ow;
          for (let j = 0; j < ow; j++) to[target + j] += w * from[source + j * sw];
        }
      });
    return y;
  }

  backward(dout) {
    const [oh, ow] = this.size, [sh, sw] = this.stride, from = dout.data;
    const dframed = tensor(this.framed.shape), to = dframed.data, fw = dframed.shape[2];
    for (let o = 0; o < this.W.shape[0]; o++) {
      const map = from.subarray(o * oh * ow, (o + 1) * oh * ow);
      if (map.every((d) => d === 0)) continue;
      this.eachTap(o, (w, first) => {
        for (let i = 0; i < oh; i++) {
          const target = first + i * sh * fw;
          for (let j = 0; j < ow; j++) to[target + j * sw] += w * map[i * ow + j];
        }
      });
    }
    return [unframed(dframed, this.shape, this.padding)];
  }

  /* Each number of filter o, with the place in the framed input that its first window has there. */
  eachTap(o, visit) {
    const [filters, channels, kh, kw] = this.W.shape, W = this.W.data;
    const [, fh, fw] = this.framed.shape, [dh, dw] = this.dilation;
    const first = Math.floor(o / (filters / this.groups)) * channels;
    let at = o * channels * kh * kw;
    for (let c = first; c < first + channels; c++)
      for (let k = 0; k < kh; k++)
        for (let l = 0; l < kw; l++) visit(W[at++], (c * fh + k * dh) * fw + l * dw);
  }
};

/* The maps (C, H, W) in a frame of zeros. */
function framed(x, ph, pw) {
  if (!ph && !pw) return x;
  const [channels, height, width] = x.shape;
  const y = tensor([channels, height + 2 * ph, width + 2 * pw]), wide = y.shape[2];
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < height; i++) {
      const at = (c * height + i) * width;
      y.data.set(x.data.subarray(at, at + width), (c * y.shape[1] + i + ph) * wide + pw);
    }
  return y;
}

function unframed(y, shape, [ph, pw]) {
  if (!ph && !pw) return y;
  const [channels, height, width] = shape, x = tensor(shape), wide = y.shape[2];
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < height; i++) {
      const at = (c * y.shape[1] + i + ph) * wide + pw;
      x.data.set(y.data.subarray(at, at + width), (c * height + i) * width);
    }
  return x;
}
