"""Transpose: the axes of a sample in another order."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of


class Transpose(Layer):
    """Y = X with its axes in another order: axis i of Y is axis axes[i - 1] of X. The batch, axis
    0, stays where it is; dX is dout with its axes put back.

        Transpose((3, 1, 2))        images (N, H, W, C) to (N, C, H, W)

    Shapes: X (N, a, b, ...), Y (N, ...) with a, b, ... in the order given. Raises ShapeError for
    another number of axes, ValueError unless `axes` has each of 1, 2, ... once.
    """

    def __init__(self, axes: tuple):
        axes = tuple(axes)
        if not axes or sorted(axes) != list(range(1, len(axes) + 1)):
            raise ValueError(
                f"Transpose: expects each axis from 1 to {len(axes) or 'n'} once, since 0 is the "
                f"batch; got {axes}"
            )
        self.axes = axes

    def forward(self, X):
        self.output_shape(X.shape[1:])
        return X.transpose(0, *self.axes)

    def backward(self, dout):
        return dout.transpose(0, *(int(i) + 1 for i in np.argsort(self.axes)))

    def output_shape(self, input_shape):
        if len(input_shape) != len(self.axes):
            wanted = f"arrays of {len(self.axes) + 1} axes"
            raise ShapeError("Transpose", wanted, batch_of(input_shape))
        return tuple(input_shape[axis - 1] for axis in self.axes)

    @classmethod
    def examples(cls, rng):
        yield cls((3, 1, 2)), rng.standard_normal((2, 3, 4, 2))
        yield cls((2, 1)), rng.standard_normal((3, 2, 4))
