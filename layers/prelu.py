"""Parametric rectified linear unit."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError


class PRelu(Layer):
    """Y = max(X, 0) + a min(X, 0): a leaky ReLU whose slope a is learned.

        dX = dout where X > 0, else a dout        da = Σ dout min(X, 0)

    a is one number for all (n_channels=1), or one for each channel (axis 1); da adds up over what
    shares it. No derivative exists at X = 0; dX is a dout there.

    Shapes: X any, or (N, n_channels, ...); a (n_channels,), Y as X. Raises ShapeError for another
    number of channels. Source: He et al. 2015, "Delving deep into rectifiers", section 2.1.
    """

    def __init__(self, n_channels: int = 1, *, slope: float = 0.25, dtype: DTypeLike = np.float32):
        if n_channels < 1:
            raise ValueError(f"PRelu: n_channels is at least 1, got {n_channels}")
        self.a = Param(np.full(n_channels, slope, dtype))

    def forward(self, X):
        self.output_shape(X.shape[1:])
        self.X = X
        return np.maximum(X, 0) + self._slope(X.ndim) * np.minimum(X, 0)

    def backward(self, dout):
        da = dout * np.minimum(self.X, 0)
        if self.a.data.size == 1:
            self.a.accumulate(da.sum().reshape(1))
        else:
            self.a.accumulate(da.sum(axis=(0, *range(2, dout.ndim))))
        if not self.needs_dX:
            return None
        above = dout * (self.X > 0)
        return above + self._slope(dout.ndim) * (dout - above)

    def _slope(self, ndim: int):
        """a, to broadcast along axis 1."""
        return self.a.data if ndim < 2 else self.a.data.reshape(1, -1, *(1,) * (ndim - 2))

    @property
    def by_position(self):
        """With one slope for all; slopes of channels go along axis 1, that of the positions."""
        return self.a.data.size == 1

    def output_shape(self, input_shape):
        n_channels = self.a.data.size
        if n_channels > 1 and input_shape[:1] != (n_channels,):
            got = f"(N, {', '.join(map(str, input_shape))})"
            raise ShapeError("PRelu", f"(N, {n_channels}, ...)", got)
        return input_shape

    @classmethod
    def examples(cls, rng):
        yield cls(dtype=np.float64), rng.standard_normal((4, 5))
        yield cls(3, dtype=np.float64), rng.standard_normal((2, 3, 2, 4))
        yield cls(dtype=np.float64), rng.standard_normal(6)
