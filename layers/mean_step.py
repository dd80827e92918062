"""MeanStep: the mean over the positions of a sequence."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of
from lamina.layers.floats import check_floats


class MeanStep(Layer):
    """Y[n] = the mean of X[n, 0], ..., X[n, T - 1]; dX is dout / T at each of them.

    Shapes: X (N, T, ...), Y (N, ...). Raises ShapeError for what is no sequence. Of words it is
    their bag: which ones there are, and not their order (CBOW, Mikolov et al. 2013).
    """

    def forward(self, X):
        check_floats(self, X)
        self.output_shape(X.shape[1:])
        self.shape = X.shape
        return X.mean(axis=1)

    def backward(self, dout):
        share = dout / self.shape[1]
        return np.broadcast_to(share[:, np.newaxis], self.shape)

    def output_shape(self, input_shape):
        if not input_shape or input_shape[0] < 1:
            raise ShapeError("MeanStep", "sequences (N, T, ...)", batch_of(input_shape))
        return input_shape[1:]

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((2, 3, 4))
        yield cls(), rng.standard_normal((4, 2))
