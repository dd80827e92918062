"""Gaussian error linear unit."""

import math

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats

_SCALE = math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715


class Gelu(Layer):
    """Y = ½ X (1 + tanh u) with u = √(2/π) (X + 0.044715 X³), the usual approximation of X Φ(X).

        dX = dout · (½ (1 + tanh u) + ½ X (1 - tanh² u) · √(2/π) (1 + 3 · 0.044715 X²))

    Shapes: any; Y has the shape of X. Source: Hendrycks and Gimpel 2016, section 2.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        self.X = X
        self.tanh = np.tanh(_SCALE * (X + _CUBIC * X * X * X))
        return 0.5 * X * (1.0 + self.tanh)

    def backward(self, dout):
        X, tanh = self.X, self.tanh
        slope = _SCALE * (1.0 + 3.0 * _CUBIC * X * X)
        return dout * (0.5 * (1.0 + tanh) + 0.5 * X * (1.0 - tanh * tanh) * slope)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
