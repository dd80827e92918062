"""Embedding: a row of a table for each index."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.initializers import normal
from lamina.layers.sparse_rows import SparseRows


class Embedding(Layer):
    """Y[...] = W[X[...]]: looking up is a copy gate, so an index that occurs often adds up.

        dW[i] = Σ dout over all places where X = i

    With `sparse` the gradient has only the rows that the batch has looked up, and the optimizer
    moves only those, so nothing in a step is as large as the table. Its result is the same: the
    optimizers that would move other rows too refuse it.

    Shapes: X integers (...), W (n_words, n_dims), Y (..., n_dims). There is no dX: indices are no
    numbers that one could change a little. Raises TypeError unless X is integer, ValueError for an
    index outside 0 to n_words - 1. Source: note 000 (copy gate); Bengio et al. 2003.
    """

    by_position = True

    def __init__(
        self,
        n_words: int,
        n_dims: int,
        *,
        sparse: bool = False,
        init=normal,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        if n_words < 1 or n_dims < 1:
            raise ValueError(
                f"Embedding: n_words and n_dims are at least 1, got {n_words} and {n_dims}"
            )
        W = init((n_words, n_dims), np.random.default_rng(rng), dtype)
        self.W = Param(W, sparse=sparse)

    def forward(self, X):
        if X.dtype.kind not in "iu":
            raise TypeError(
                f"Embedding: expects integer indices, got {X.dtype}; a data set of type NPZ keeps "
                "whole numbers as they are with indices: true"
            )
        n_words = self.W.data.shape[0]
        if X.size and (X.min() < 0 or X.max() >= n_words):
            wrong = X.min() if X.min() < 0 else X.max()
            raise ValueError(f"Embedding: indices are 0 to {n_words - 1}, got {wrong}")
        self.X = X
        return np.take(self.W.data, X, axis=0)  # W[X] takes three times as long

    def backward(self, dout):
        self.W.accumulate(SparseRows(self.X, dout, self.W.data.shape))

    def output_shape(self, input_shape):
        return (*input_shape, self.W.data.shape[1])

    @classmethod
    def examples(cls, rng):
        yield cls(5, 3, rng=rng, dtype=np.float64), np.array([0, 2, 2, 4])
        yield cls(5, 3, rng=rng, dtype=np.float64), np.array([[1, 1, 1], [3, 0, 1]])
        yield cls(5, 3, sparse=True, rng=rng, dtype=np.float64), np.array([[4, 1], [3, 4]])
