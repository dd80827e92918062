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

/* The `n` numbers before it that raise a number most, or with sign -1 lower it most; where it comes
   from one number alone, as in an activation, that one. Through such layers one goes on down. */
function strongest(net, place, n) {
  let { blob, index, sign } = place;
  for (;;) {
    const step = net.writer(blob);
    if (!step) return [];
    const found = contributions(net, step, index);
    if (found.length === 0) return [];
    if (found.length > 1)
      return found
        .map((one) => ({ ...one, gain: sign * one.value, sign: sign * Math.sign(one.slope) }))
        .filter((one) => one.gain > 0)
        .sort((a, b) => b.gain - a.gain)
        .slice(0, n);
    sign *= Math.sign(found[0].slope);
    ({ blob, index } = found[0]);
  }
}

/* `n` paths, the strongest first: each a list of places {blob, index, value}, the output first,
   with what each has added to the one before it. */
function paths(net, index, n) {
  const top = { blob: net.output, index, sign: 1 };
  return strongest(net, top, n).map((place) => {
    const path = [top, place];
    for (let next = place; (next = strongest(net, next, 1)[0]); ) path.push(next);
    return path;
  });
}
