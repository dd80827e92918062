"""Affine (fully connected) layer."""

import math

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.biases import biases
from lamina.layers.errors import ShapeError
from lamina.layers.initializers import he_normal
from lamina.layers.tied import is_transposed


class Affine(Layer):
    """Y = X W + b.

    The bias is broadcast over the batch, which is a copy gate; its gradient therefore adds up over
    the batch. `bias=False` leaves out b, `bias_value` is where it begins.

        dX = dout Wᵀ        dW = Xᵀ dout        db = Σₙ doutₙ

    `tied` is a parameter of another layer that is W here too; of shape (n_out, n_in) it is taken
    transposed: Y = X Wᵀ + b, dW = doutᵀ X. So the table of an Embedding gives the scores of its
    words. Its gradient adds up over both places. `transposed` says which way it is meant, and must
    do so where n_in is n_out.

    Shapes: X (..., n_in), W (n_in, n_out), b (n_out,), Y (..., n_out): a batch, a sequence or a
    single sample. Raises ShapeError if the last axis of X is not n_in, ValueError for a tied
    parameter of another shape. Source: notes 000 (self-check 1) and 004 (section 1.2.1); Press and
    Wolf 2017 (tied embeddings).
    """

    by_position = True
    transposed = False

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        bias: bool = True,
        bias_value: float = 0.0,
        tied: Param | None = None,
        transposed: bool | None = None,
        init=he_normal,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        if n_in < 1 or n_out < 1:
            raise ValueError(f"Affine: n_in and n_out are at least 1, got {n_in} and {n_out}")
        self.transposed = is_transposed(tied, (n_in, n_out), transposed)
        if tied is None:
            self.W = Param(init((n_in, n_out), np.random.default_rng(rng), dtype))
        else:
            self.W, dtype = tied, tied.data.dtype
        self.b = biases("Affine", n_out, bias, bias_value, dtype)

    @classmethod
    def from_arrays(cls, W, b) -> "Affine":
        """The constructor of note 004: the arrays themselves become the parameters, not copies."""
        if W.ndim != 2 or b.shape != W.shape[1:]:
            raise ShapeError("Affine", "W (n_in, n_out) and b (n_out,)", f"{W.shape} and {b.shape}")
        layer = cls.__new__(cls, *W.shape, dtype=W.dtype)  # what it remembers as its arguments
        layer.W, layer.b = Param(W), Param(b)
        return layer

    def forward(self, X):
        self.output_shape(X.shape)
        self.X = X
        # One product of all rows: NumPy would take one for each sequence.
        Y = X.reshape(-1, X.shape[-1]) @ self._matrix
        Y = Y if self.b is None else Y + self.b.data
        return Y.reshape(*X.shape[:-1], Y.shape[-1])

    def backward(self, dout):
        X, d = self.X.reshape(-1, self.X.shape[-1]), dout.reshape(-1, dout.shape[-1])
        self.W.accumulate(d.T @ X if self.transposed else X.T @ d)
        if self.b is not None:
            self.b.accumulate(d.sum(axis=0))
        if not self.needs_dX:
            return None
        return (d @ self._matrix.T).reshape(*dout.shape[:-1], X.shape[-1])

    @property
    def _matrix(self):
        """W as (n_in, n_out)."""
        return self.W.data.T if self.transposed else self.W.data

    def output_shape(self, input_shape):
        n_in, n_out = self._matrix.shape
        if input_shape[-1:] != (n_in,):
            raise ShapeError("Affine", f"(..., {n_in})", str(input_shape))
        return (*input_shape[:-1], n_out)

    def flops(self, input_shape):
        return 2 * math.prod(input_shape) * self._matrix.shape[1]

    @classmethod
    def infer(cls, input_shape):
        return {"n_in": input_shape[-1]}

    @classmethod
    def examples(cls, rng):
        yield cls(5, 3, rng=rng, dtype=np.float64), rng.standard_normal((4, 5))
        yield cls(5, 3, rng=rng, dtype=np.float64), rng.standard_normal((2, 3, 5))
        yield cls(5, 3, rng=rng, dtype=np.float64), rng.standard_normal(5)
        yield cls(5, 3, bias=False, rng=rng, dtype=np.float64), rng.standard_normal((4, 5))
        table = Param(rng.standard_normal((3, 5)))
        yield cls(5, 3, tied=table, rng=rng), rng.standard_normal((2, 2, 5))
