// The path of the largest contributions, from a number of the output down to a pixel.

/* How much each number that a layer read has added to number `index` of its output, to first
   order: x · dy/dx. For sums of products, which Affine and Convolution are, exact. */
function contributions(net, step, index) {
  const shape = net.blobs[step.writes].shape;
  const found = [];
  step.layer.backward(oneHot(shape, index)).forEach((dx, input) => {
    const blob = step.reads[input], x = net.blobs[blob].data;
    dx.data.forEach((slope, place) => {
      if (slope !== 0) found.push({ blob, index: place, slope, value: x[place] * slope });
    });
  });
  return found;
}

/* The `n` numbers before it that raise a number most, or with sign -1 lower it most. Through layers
   in which it comes from one number alone, such as activations, one goes on down, and their slopes
   are factors of what is added: `slope` is that of the number itself. */
function strongest(net, place, n, slope = 1) {
  let { blob, index } = place;
  for (;;) {
    const step = net.writer(blob);
    if (!step) return [];
    const found = contributions(net, step, index);
    if (found.length === 0) return [];
    if (found.length > 1)
      return found
        .map((one) => ({
          blob: one.blob,
          index: one.index,
          value: slope * one.value,
          sign: place.sign * Math.sign(slope * one.slope),
        }))
        .filter((one) => place.sign * one.value > 0)
        .sort((a, b) => place.sign * (b.value - a.value))
        .slice(0, n);
    slope *= found[0].slope;
    ({ blob, index } = found[0]);
  }
}

/* `n` paths to `factor` times number `index` of the output, the strongest first: each a list of
   places {blob, index, value}, that of the output first, with its own value; of the others it is
   what each has added to the one before it. */
function paths(net, index, n, factor = 1) {
  const score = factor * net.blobs[net.output].data[index];
  const top = { blob: net.output, index, sign: 1, value: score };
  return strongest(net, top, n, factor).map((place) => {
    const path = [top, place];
    for (let next = place; (next = strongest(net, next, 1)[0]); ) path.push(next);
    return path;
  });
}
