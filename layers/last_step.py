"""LastStep: the last position of a sequence."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of


class LastStep(Layer):
    """Y[n] = X[n, T - 1]; dX is dout there, and 0 before.

    Shapes: X (N, T, ...), Y (N, ...). Raises ShapeError for what is no sequence.
    """

    def forward(self, X):
        self.output_shape(X.shape[1:])
        self.shape = X.shape
        return X[:, -1]

    def step(self, x, state=None):
        """The last position so far; with none that is new, that of the step before."""
        last = state if state is not None and not x.shape[1] else self.forward(x)
        return last, last

    def backward(self, dout):
        dX = np.zeros(self.shape, dout.dtype, like=dout)
        dX[:, -1] = dout
        return dX

    def output_shape(self, input_shape):
        if not input_shape or input_shape[0] < 1:
            raise ShapeError("LastStep", "sequences (N, T, ...)", batch_of(input_shape))
        return input_shape[1:]

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((2, 3, 4))
        yield cls(), rng.standard_normal((4, 2))
