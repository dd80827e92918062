"""Rectified linear unit."""

import math

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class Relu(Layer):
    """Y = max(X, 0), entry by entry.

        dX = dout where X > 0, else 0

    No derivative exists at X = 0; the gradient is taken as 0 there.
    Shapes: any; Y has the shape of X. Source: notes 000 (backprop with vectors) and 004.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        Y = X.clip(0, math.inf)  # up to three times as fast as np.maximum(X, 0)
        self.mask = Y > 0
        return Y

    def backward(self, dout):
        return dout * self.mask

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(), rng.standard_normal((2, 3, 4))
