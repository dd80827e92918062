"""Swish, also called SiLU."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class Swish(Layer):
    """Y = X σ(X), entry by entry.

        dX = dout · (σ + X σ (1 - σ))

    Shapes: any; Y has the shape of X. Source: Ramachandran et al. 2017.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        self.X, self.gate = X, 0.5 * np.tanh(0.5 * X) + 0.5
        return X * self.gate

    def backward(self, dout):
        return dout * (self.gate + self.X * self.gate * (1.0 - self.gate))

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
