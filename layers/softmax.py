"""Softmax as a layer of its own."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats


class Softmax(Layer):
    """Y = exp(X) / Σ exp(X) along the last axis, from X shifted by its maximum.

        dX = Y · (dout - Σ dout · Y)

    In front of a cross-entropy use SoftmaxWithLoss on the scores: it is faster, and finite where
    probabilities round to 0. Shapes: X (..., C), Y (..., C). Source: note 004 (section 1.2.2).
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        if not X.ndim or not X.shape[-1]:
            raise ShapeError("Softmax", "(..., C) of at least one class", str(X.shape))
        exp = np.exp(X - X.max(axis=-1, keepdims=True))
        self.Y = exp / exp.sum(axis=-1, keepdims=True)
        return self.Y

    def backward(self, dout):
        return self.Y * (dout - (dout * self.Y).sum(axis=-1, keepdims=True))

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(), rng.standard_normal((2, 3, 4))
