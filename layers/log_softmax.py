"""Log-softmax as a layer of its own."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats


class LogSoftmax(Layer):
    """Y = X - log Σ exp(X) along the last axis: the logarithms of what Softmax gives.

        dX = dout - exp(Y) Σ dout

    Log-softmax of Y is Y: SoftmaxWithLoss behind it gives the loss that it gives on X itself, and X
    the same gradient. Shapes: X (..., C), Y (..., C). Raises ShapeError without a class.
    """

    by_position = True

    def forward(self, X):
        check_floats(self, X)
        if not X.ndim or not X.shape[-1]:
            raise ShapeError("LogSoftmax", "(..., C) of at least one class", str(X.shape))
        shifted = X - X.max(axis=-1, keepdims=True)
        self.Y = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        return self.Y

    def backward(self, dout):
        return dout - np.exp(self.Y) * dout.sum(axis=-1, keepdims=True)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(), rng.standard_normal((2, 3, 4))
