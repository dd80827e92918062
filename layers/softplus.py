"""Softplus, a smooth ReLU."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class Softplus(Layer):
    """Y = log(1 + exp(X)), entry by entry, without overflow.

        dX = dout · σ(X)

    Shapes: any; Y has the shape of X. Source: Dugas et al. 2000.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        self.X = X
        # np.logaddexp(X, 0) is the same, but warns at NaN.
        return np.maximum(X, 0) + np.log1p(np.exp(-np.abs(X)))

    def backward(self, dout):
        return dout * (0.5 * np.tanh(0.5 * self.X) + 0.5)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
