// Numbers out of the text in which a page keeps them.

function bytesOf(base64) {
  return Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
}

/* float16 (IEEE 754) as a number. */
function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/* The arrays of a net as tensors: `places` has the shape and the first place of each. */
function arraysOf(base64, places, half) {
  const bytes = bytesOf(base64), view = new DataView(bytes.buffer), each = half ? 2 : 4;
  const numbers = new Float32Array(bytes.length / each);
  for (let i = 0; i < numbers.length; i++)
    numbers[i] = half ? fromHalf(view.getUint16(2 * i, true)) : view.getFloat32(4 * i, true);
  return places.map(({ shape, first }) =>
    tensor(shape, numbers.subarray(first, first + sizeOf(shape))));
}
