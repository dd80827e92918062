"""Leaky rectified linear unit."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class LeakyRelu(Layer):
    """Y = X where X > 0, else slope · X.

        dX = dout where X > 0, else slope · dout

    No derivative exists at X = 0; the gradient is taken as slope · dout there.
    Shapes: any; Y has the shape of X. Source: Maas et al. 2013.
    """

    by_position = True

    def __init__(self, slope: float = 0.01):
        self.slope = slope

    def forward(self, X):
        check_floats(self, X)
        self.positive = X > 0
        return np.maximum(X, 0) + self.slope * np.minimum(X, 0)

    def backward(self, dout):
        # Two products with masks take a fifth of the time of np.where on irregular ones.
        return dout * self.positive + (self.slope * dout) * ~self.positive

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(0.3), rng.standard_normal((2, 3, 4))
