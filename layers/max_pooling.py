"""Max-pooling."""

import math

import numpy as np

from layers.base import Layer
from layers.pooling import PoolingWindows


class MaxPooling(Layer):
    """Y[n, c, i, j] = the largest X[n, c, i s + k - p, j s + l - p] of the window k < KH, l < KW

    with stride s (that of the kernel unless given) and padding p, which is never the largest. It is
    computed as the maximum of KH · KW strided slices of X, and backward goes through them again:

        dX = Σ over the windows of dout, at the entry of the window that was the largest

    At a tie no derivative exists; the first entry of the window, row by row, gets dout.

    Shapes: X (N, C, H, W), Y (N, C, OH, OW), OH = (H + 2 p - KH) // s + 1; with `partial`, the
    division rounds up, for windows that reach over the right and bottom edge, if they start in the
    image. kernel, stride and padding are one number or two, (height, width). Y and dX have the
    order of X in memory. Raises ShapeError for other inputs or if no window fits, TypeError for
    images of whole numbers, ValueError for padding of more than half the kernel.
    Source: LeCun et al. 1998 (subsampling); Caffe (partial windows).
    """

    def __init__(
        self,
        kernel: int | tuple,
        *,
        stride: int | tuple | None = None,
        padding: int | tuple = 0,
        partial: bool = False,
    ):
        self.windows = PoolingWindows("MaxPooling", kernel, stride, padding, partial)

    def forward(self, X):
        self.placed = self.windows.over(X)
        self.X = self.placed.bordered(X, -math.inf)
        first, *others = self.placed.entries
        Y = self.X[first]
        for entry in others:
            Y = np.maximum(Y, self.X[entry])
        self.Y = Y
        return self.placed.restored(Y)

    def backward(self, dout):
        # What has found no place yet goes on to the next entry; the last one gets what is left.
        # Multiplied with a mask, since np.where is many times slower where the mask is irregular.
        left = self.placed.arranged(dout)
        dX = np.zeros(self.X.shape, dout.dtype, like=dout)
        *entries, last = self.placed.entries
        for entry in entries:
            here = left * (self.X[entry] == self.Y)
            self.placed.add(dX, entry, here)
            left = left - here
        self.placed.add(dX, last, left)
        return self.placed.inside(dX)

    def output_shape(self, input_shape):
        return self.windows.output_shape(input_shape)

    @classmethod
    def examples(cls, rng):
        yield cls(2), rng.standard_normal((2, 3, 4, 6))
        yield cls(3, stride=2, padding=1), rng.standard_normal((2, 2, 5, 6))
        yield cls((2, 3), stride=(3, 2), partial=True), rng.standard_normal((2, 1, 6, 6))
        channels_last = rng.standard_normal((2, 5, 5, 3)).transpose(0, 3, 1, 2)
        yield cls(3, stride=1), channels_last
