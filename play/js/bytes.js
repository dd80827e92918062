// Numbers out of the text in which a page keeps them.

function bytesOf(base64) {
  return Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
}

/* The arrays of a net as tensors: `places` has of each the shape, the first byte, and the step of
   whole numbers of 16 bits, or 0 for float32. */
function arraysOf(base64, places) {
  const view = new DataView(bytesOf(base64).buffer);
  return places.map(({ shape, at, step }) => {
    const array = tensor(shape);
    for (let i = 0; i < array.data.length; i++)
      array.data[i] = step ? step * view.getInt16(at + 2 * i, true) : view.getFloat32(at + 4 * i, true);
    return array;
  });
}
