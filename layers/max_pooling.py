"""Max-pooling."""

import math

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.kernels.pooling import PoolingWindows


class MaxPooling(Layer):
    """Y[n, c, i, j] = the largest X[n, c, i s + k - p, j s + l - p] of the window k < KH, l < KW

    with stride s (that of the kernel unless given) and padding p, which is never the largest. It is
    computed as the maximum of KH · KW strided slices of X, and of each window the number of its
    largest entry is kept:

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
        X = self.placed.bordered(X, -math.inf)
        first, *others = self.placed.entries
        Y, number = X[first].copy(), np.min_scalar_type(len(others)).type
        winner = number(0)  # the first one, at a tie; an array from the second on
        for i, entry in enumerate(others, 1):
            larger = np.maximum(Y, X[entry])
            winner = np.maximum(winner, (larger > Y).astype(number) * number(i))
            Y = larger
        self.winner = winner
        return self.placed.restored(Y)

    def backward(self, dout):
        dX, d = self.placed.blank(dout), self.placed.arranged(dout)
        for i, entry in enumerate(self.placed.entries):
            # Multiplied with a mask: np.where is many times slower where the mask is irregular.
            self.placed.add(dX, entry, d * (self.winner == i))
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
