"""Logistic sigmoid."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class Sigmoid(Layer):
    """Y = σ(X) = 1 / (1 + exp(-X)), entry by entry.

        dX = dout · Y (1 - Y)

    Computed as ½ tanh(X / 2) + ½, the same function: it cannot overflow, and it is faster.
    Shapes: any; Y has the shape of X. Source: notes 000 (sigmoid gate), 002 and 004.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        self.Y = 0.5 * np.tanh(0.5 * X) + 0.5
        return self.Y

    def backward(self, dout):
        return dout * self.Y * (1.0 - self.Y)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
