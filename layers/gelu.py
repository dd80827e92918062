"""Gaussian error linear unit."""

import math

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.beside import beside
from lamina.layers.floats import check_floats

_LINEAR = 2.0 * math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715 * _LINEAR
_FAR = 80.0  # exp goes no further: from there on σ is 0 to rounding, and float32 ends at 88


class Gelu(Layer):
    """Y = ½ X (1 + tanh u) with u = √(2/π) (X + 0.044715 X³), the usual approximation of X Φ(X).

        dX = dout · σ (1 + (1 - σ) X · 2 √(2/π) (1 + 3 · 0.044715 X²))

    Computed as X σ with σ = σ(2u), which is the same: exp is faster than tanh.
    Shapes: any; Y has the shape of X. Source: Hendrycks and Gimpel 2016, section 2.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        far = beside(X, np.full(X.shape[-1:], _FAR, X.dtype))  # faster than a number
        self.X = X
        self.sigma = 1.0 / (1.0 + np.exp(np.minimum(X * (-_LINEAR - _CUBIC * (X * X)), far)))
        return X * self.sigma

    def backward(self, dout):
        X, sigma = self.X, self.sigma
        slope = X * (_LINEAR + 3.0 * _CUBIC * (X * X))  # X · d(2u)/dX
        return ((1.0 - sigma) * slope + 1.0) * sigma * dout

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
