"""Positional encoding: says where in a sequence each vector stands."""

import functools

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.beside import beside
from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats
from lamina.layers.initializers import normal

_SMALL = functools.partial(normal, std=0.02)


class PositionalEncoding(Layer):
    """Y[n, t] = X[n, t] + P[t]: attention by itself does not see in which order its inputs stand.

        P[t, 2i] = sin(t / 10000^(2i / n_dims))        P[t, 2i + 1] = cos(t / 10000^(2i / n_dims))

    for sequences of any length, or with `learned` a table of that many positions:

        dX = dout        dP[t] = Σₙ dout[n, t]

    Shapes: X (..., T, n_dims), P (learned, n_dims), Y as X. Raises ShapeError for other features,
    and for sequences longer than a learned table. `step` goes on where the last one ended: its
    state is the number of positions before. In Python a learned table needs rng.
    Source: Vaswani et al. 2017, section 3.5 (sines); Gehring et al. 2017, section 3.1 (learned);
    Radford et al. 2018 (the deviation of its first numbers, 0.02).
    """

    def __init__(
        self,
        n_dims: int,
        *,
        learned: int = 0,
        init=_SMALL,
        rng=None,
        dtype: DTypeLike = np.float32,
    ):
        if n_dims < 1 or learned < 0 or isinstance(learned, bool):
            raise ValueError(
                "PositionalEncoding: expects n_dims >= 1, and as learned the number of positions "
                f"in the table, or 0 for sines; got {n_dims} and {learned}"
            )
        if learned and rng is None:
            raise ValueError("PositionalEncoding: a learned table is drawn: give rng, or a seed")
        self.n_dims, self.P = n_dims, None
        if learned:
            self.P = Param(init((learned, n_dims), np.random.default_rng(rng), dtype))

    def forward(self, X):
        return self._at(X, 0)

    def step(self, x, state=None):
        before = state or 0
        return self._at(x, before), before + x.shape[-2]

    def backward(self, dout):
        if self.P is not None:
            dP = np.zeros(self.P.data.shape, dout.dtype, like=dout)
            dP[: dout.shape[-2]] = dout.sum(axis=tuple(range(dout.ndim - 2)))
            self.P.accumulate(dP)
        return dout

    def _at(self, X, start: int):
        """X, the first of whose positions is `start`, with P added."""
        check_floats(self, X)
        self.output_shape(X.shape)
        n = X.shape[-2]
        if self.P is None:
            return X + beside(X, _sines(start, n, self.n_dims, X.dtype))
        self._check_positions(start + n)
        return X + self.P.data[start : start + n]

    @property
    def most_positions(self):
        """Those of its learned table; None with sines."""
        return None if self.P is None else len(self.P.data)

    def output_shape(self, input_shape):
        if len(input_shape) < 2 or input_shape[-1] != self.n_dims:
            raise ShapeError("PositionalEncoding", f"(..., T, {self.n_dims})", str(input_shape))
        self._check_positions(input_shape[-2])
        return input_shape

    def _check_positions(self, n: int) -> None:
        if self.P is not None and n > len(self.P.data):
            wanted = f"at most {len(self.P.data)} positions, those of its learned table"
            raise ShapeError("PositionalEncoding", wanted, str(n))

    @classmethod
    def infer(cls, input_shape):
        return {"n_dims": input_shape[-1]}

    @classmethod
    def examples(cls, rng):
        yield cls(5), rng.standard_normal((2, 3, 5))
        yield cls(4, learned=6, rng=rng, dtype=np.float64), rng.standard_normal((2, 3, 4))
        yield cls(2, learned=5, rng=rng, dtype=np.float64), rng.standard_normal((2, 2, 3, 2))


@functools.lru_cache(maxsize=64)
def _sines(start: int, n: int, n_dims: int, dtype: np.dtype) -> np.ndarray:
    """P[start : start + n], made once and shared by all layers: nobody may write into it."""
    wave = np.arange(n_dims) // 2 * 2 / n_dims
    angles = np.arange(start, start + n)[:, np.newaxis] / 10000.0**wave
    P = np.where(np.arange(n_dims) % 2, np.cos(angles), np.sin(angles)).astype(dtype)
    P.setflags(write=False)
    return P
