"""Repeat: one vector at every position of a sequence."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of


class Repeat(Layer):
    """Y[n, t] = X[n] for every position t: n of them, or as many as a second input has. So each
    step of a decoder sees what the encoder found.

        dX[n] = Σₜ dout[n, t]        the second input has none: only its length counts

    Shapes: X (N, ...), a second input (N, T) or (N, T, ...), Y (N, T, ...). Raises ShapeError
    unless there is one input with n, and two without. Source: note 000 (copy gate); Cho et al.
    2014, "Learning Phrase Representations" (what the encoder found, at every step).
    """

    def __init__(self, n: int | None = None):
        if n is not None and n < 1:
            raise ValueError(f"Repeat: n is at least 1, got {n}")
        self.n = n

    def forward(self, X, *like):
        T = self.output_shape(X.shape[1:], *(other.shape[1:] for other in like))[0]
        if like and len(like[0]) != len(X):
            got = f"{len(X)} and {len(like[0])}"
            raise ShapeError("Repeat", "inputs of one batch size", got)
        self.like = like
        return np.repeat(X[:, np.newaxis], T, axis=1)

    def backward(self, dout):
        dX = dout.sum(axis=1)
        if not self.like:
            return dX
        return dX, np.zeros(self.like[0].shape, dout.dtype, like=dout)

    @property
    def by_position(self):
        """As often as there are positions now, if a second input says how many."""
        return self.n is None

    def output_shape(self, input_shape, *like):
        if len(like) != (self.n is None) or (like and not like[0]):
            wanted = "X and a sequence (N, T, ...) that says how often" if self.n is None else "X"
            got = " and ".join(map(batch_of, (input_shape, *like)))
            raise ShapeError("Repeat", wanted, got)
        return (self.n if self.n is not None else like[0][0], *input_shape)

    @classmethod
    def examples(cls, rng):
        yield cls(3), rng.standard_normal((2, 4))
        yield cls(), rng.standard_normal((2, 3)), np.array([[5, 1, 0, 2], [1, 1, 2, 3]])
        yield cls(2), rng.standard_normal((2, 1, 3))
