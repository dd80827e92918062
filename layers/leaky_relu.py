"""Leaky rectified linear unit."""

import numpy as np

from layers.base import Layer


class LeakyRelu(Layer):
    """Y = X where X > 0, else slope · X.

        dX = dout where X > 0, else slope · dout

    No derivative exists at X = 0; the gradient is taken as slope · dout there.
    Shapes: any; Y has the shape of X. Source: Maas et al. 2013.
    """

    def __init__(self, slope: float = 0.01):
        self.slope = slope

    def forward(self, X):
        self.factor = np.where(X > 0, 1.0, self.slope).astype(X.dtype)
        return X * self.factor

    def backward(self, dout):
        return dout * self.factor

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(0.3), rng.standard_normal((2, 3, 4))
