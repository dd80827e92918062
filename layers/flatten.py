"""Flatten: images to rows."""

import math

from lamina.layers.base import Layer


class Flatten(Layer):
    """Y[n] = the entries of X[n] in a row; dX is dout in the shape of X.

    Shapes: X (N, ...), Y (N, product of the rest).
    """

    def forward(self, X):
        self.shape = X.shape
        return X.reshape(X.shape[0], math.prod(X.shape[1:]))

    def backward(self, dout):
        return dout.reshape(self.shape)

    def output_shape(self, input_shape):
        return (math.prod(input_shape),)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((3, 2, 4))
        yield cls(), rng.standard_normal((2, 3))
