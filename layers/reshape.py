"""Reshape: the entries of a sample in another shape."""

import math

from lamina.common.counts import is_whole
from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError


class Reshape(Layer):
    """Y[n] = the entries of X[n], row by row, in the shape given; dX is dout in the shape of X.

    One number of the shape may be -1: what is left of the entries.
    Shapes: X (N, ...), Y (N, *shape). Raises ShapeError if the entries do not fill the shape.
    """

    def __init__(self, shape: tuple):
        shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        whole = all(is_whole(n) and (n > 0 or n == -1) for n in shape)
        if not whole or shape.count(-1) > 1:
            raise ValueError(
                "Reshape: expects the shape of a sample, of numbers >= 1 and at most one -1; "
                f"got {shape}"
            )
        self.shape = tuple(map(int, shape))

    def forward(self, X):
        self.input_shape = X.shape
        return X.reshape(X.shape[0], *self.output_shape(X.shape[1:]))

    def backward(self, dout):
        return dout.reshape(self.input_shape)

    def output_shape(self, input_shape):
        size = math.prod(input_shape)
        known = math.prod(n for n in self.shape if n != -1)
        if size % known or (size != known and -1 not in self.shape):
            raise ShapeError("Reshape", f"entries that fill {self.shape}", str(input_shape))
        return tuple(size // known if n == -1 else n for n in self.shape)

    @classmethod
    def examples(cls, rng):
        yield cls((2, 6)), rng.standard_normal((3, 3, 4))
        yield cls((2, -1, 2)), rng.standard_normal((2, 12))
