// The net: its layers in order, and the blobs between them. Blob 0 is the input.

class Net {
  constructor(steps, arrays) {
    this.steps = steps.map((step) => {
      const held = Object.entries(step.arrays).map(([name, place]) => [name, arrays[place]]);
      const layer = new LAYERS[step.type](step.options, Object.fromEntries(held));
      return { ...step, layer };
    });
    this.output = this.steps.at(-1).writes;
  }

  /* The output for one sample; all blobs are kept. */
  forward(x) {
    this.blobs = [x];
    for (const { layer, reads, writes } of this.steps)
      this.blobs[writes] = layer.forward(...reads.map((blob) => this.blobs[blob]));
    return this.blobs[this.output];
  }

  /* The gradient of the output's number `index` by each blob, after forward; undefined where none
     comes. */
  gradients(index) {
    const gradients = [];
    gradients[this.output] = oneHot(this.blobs[this.output].shape, index);
    for (const { layer, reads, writes } of [...this.steps].reverse()) {
      if (!gradients[writes]) continue;
      layer.backward(gradients[writes]).forEach((dx, i) => {
        const there = gradients[reads[i]];
        gradients[reads[i]] = there
          ? tensor(dx.shape, dx.data.map((d, k) => d + there.data[k]))
          : dx;
      });
    }
    return gradients;
  }

  /* The step that gives a blob; undefined for the input. */
  writer(blob) {
    return this.steps.find((step) => step.writes === blob);
  }
}

function oneHot(shape, index) {
  const x = tensor(shape);
  x.data[index] = 1;
  return x;
}
