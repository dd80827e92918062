"""What the pooling layers share: where their windows lie, over images in any order in memory."""

import math

import numpy as np

from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats
from lamina.layers.kernels.channels import memory_order
from lamina.layers.kernels.windows import output_length, pair


class PoolingWindows:
    """The windows of a pooling layer: kernel, stride and padding as (height, width).

    The stride is that of the kernel unless given. With `partial`, windows may reach over the right
    and bottom edge of the padded image, if they start before the padding there (Caffe; "ceil mode"
    in PyTorch). Raises ValueError for padding of more than half the kernel, since a window could
    then lie in the padding alone.
    """

    def __init__(self, layer: str, kernel, stride, padding, partial: bool):
        self.layer, self.partial = layer, partial
        self.kernel = pair(f"{layer}: kernel", kernel, 1)
        self.stride = self.kernel if stride is None else pair(f"{layer}: stride", stride, 1)
        self.padding = pair(f"{layer}: padding", padding, 0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel, strict=True)):
            raise ValueError(
                f"{layer}: padding is at most half the kernel, {self.kernel}; got {self.padding}"
            )

    def output_shape(self, input_shape: tuple) -> tuple:
        """(C, OH, OW) from (C, H, W). Raises ShapeError if no window fits."""
        if len(input_shape) != 3 or min(input_shape) < 1:
            raise ShapeError(self.layer, "images (C, H, W)", str(input_shape))
        size = tuple(self._length(n, axis) for axis, n in enumerate(input_shape[1:]))
        if min(size) < 1:
            raise ShapeError(
                self.layer,
                f"images that are at least as large as the window {self.kernel} once they are "
                f"padded by {self.padding} on each side",
                str(input_shape),
            )
        return (input_shape[0], *size)

    def _length(self, n: int, axis: int) -> int:
        kernel, stride, padding = self.kernel[axis], self.stride[axis], self.padding[axis]
        if not self.partial:
            return output_length(n, kernel, stride, padding, 1)
        # The last one that starts in the image or before it, and reaches as far as it needs to.
        reaching = math.ceil((n + 2 * padding - kernel) / stride) + 1
        starting = (n + padding - 1) // stride + 1
        return min(reaching, starting)

    def over(self, X) -> "PlacedWindows":
        """The windows over these images. Raises ShapeError or TypeError for other arrays."""
        if X.ndim != 4:
            raise ShapeError(self.layer, "(N, C, H, W)", str(X.shape))
        check_floats(self.layer, X)
        return PlacedWindows(self, X.shape, self.output_shape(X.shape[1:])[1:], memory_order(X))


class PlacedWindows:
    """Windows over images of one shape and one order in memory.

    "Arranged" is an array whose axes are in the order of memory: channels-last images are arranged
    as (N, H, W, C). What is computed from arranged arrays then has the same order in memory.
    """

    def __init__(self, windows: PoolingWindows, shape: tuple, size: tuple, order: tuple):
        self.windows, self.shape, self.size, self.order = windows, shape, size, order
        # Windows that share no entry: what they are to add up can be written.
        self.apart = all(s >= k for s, k in zip(windows.stride, windows.kernel, strict=True))
        settings = zip(
            *(windows.kernel, windows.stride, windows.padding, shape[2:], size), strict=True
        )
        border = [(p, max((out - 1) * s + k - n - p, 0)) for k, s, p, n, out in settings]
        self.border = self._arrange([(0, 0), (0, 0), *border])
        # Windows side by side that leave nothing out: then every entry is written.
        lengths = [n + sum(b) for n, b in zip(shape[2:], border, strict=True)]
        covered = [s * out for s, out in zip(windows.stride, size, strict=True)]
        self.tiled = windows.stride == windows.kernel and lengths == covered
        # For each entry of a window, row by row: that entry of all windows, as an index.
        self.entries = [self._entry(offset) for offset in np.ndindex(windows.kernel)]

    def bordered(self, X, fill: float):
        """X arranged, with a border of `fill` as wide as the windows reach."""
        X = X.transpose(self.order)
        return np.pad(X, self.border, constant_values=fill) if any(map(any, self.border)) else X

    def blank(self, dout):
        """A dX for this dout, arranged and bordered: zeros, or anything if `add` writes all."""
        sides = zip([self.shape[axis] for axis in self.order], self.border, strict=True)
        size = [n + sum(border) for n, border in sides]
        return (np.empty if self.tiled else np.zeros)(size, dout.dtype, like=dout)

    def arranged(self, dout):
        """dout arranged; copied if its memory is in another order, which would slow down all that
        is done with it."""
        dout = dout.transpose(self.order)
        if memory_order(dout) == (0, 1, 2, 3):
            return dout
        copy = np.empty(dout.shape, dout.dtype, like=dout)
        copy[...] = dout
        return copy

    def add(self, dX, entry: tuple, part) -> None:
        """Add to that entry of all windows in dX, which was blank at first."""
        there = dX[entry]
        if self.apart:
            there[...] = part
        else:
            there += part

    def inside(self, dX):
        """dX without the border, its axes back in place."""
        starts = zip(self.windows.padding, self.shape[2:], strict=True)
        sides = (slice(None), slice(None), *(slice(p, p + n) for p, n in starts))
        return self.restored(dX)[sides]

    def restored(self, Y):
        """An arranged array with its axes back in place: (N, C, H, W)."""
        return Y.transpose(tuple(map(self.order.index, range(4))))

    def counts(self, dtype):
        """How many entries each window has, arranged: padding counts, what lies beyond does not."""
        sides = []
        for axis, n in enumerate(self.size):
            kernel, padding = self.windows.kernel[axis], self.windows.padding[axis]
            starts = np.arange(n) * self.windows.stride[axis]
            sides.append(np.minimum(kernel, self.shape[2 + axis] + 2 * padding - starts))
        counts = np.outer(*sides).astype(dtype)
        return counts[np.newaxis, np.newaxis].transpose(self.order)

    def _entry(self, offset: tuple) -> tuple:
        settings = zip(offset, self.size, self.windows.stride, strict=True)
        steps = [slice(o, o + (n - 1) * s + 1, s) for o, n, s in settings]
        return self._arrange([slice(None), slice(None), *steps])

    def _arrange(self, by_axis: list) -> tuple:
        return tuple(by_axis[axis] for axis in self.order)
