"""Hyperbolic tangent."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class Tanh(Layer):
    """Y = tanh(X), entry by entry.

        dX = dout · (1 - Y²)

    Shapes: any; Y has the shape of X.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        self.Y = np.tanh(X)
        return self.Y

    def backward(self, dout):
        return dout * (1.0 - self.Y * self.Y)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
