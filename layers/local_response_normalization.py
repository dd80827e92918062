"""Local response normalisation: each number by the sum of squares of its neighbours."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of
from lamina.layers.floats import check_floats


class LocalResponseNormalization(Layer):
    """Y = X · S^-β with S = k + α / n · Σ X², the sum over a window around each number.

    The window is that of `size` channels, n = size; or, `within_channel`, that of size x size
    pixels of its own channel, n = size². Beyond the edges it goes on with zeros, which count in n.

        dX = dout · S^-β - (2 α β / n) · X · Σ dout · X · S^(-β-1)

    the sum over the same window, which is as wide to both sides: size is odd.

    Shapes: X (N, C, ...), or images (N, C, H, W) within channels; Y as X. Raises ShapeError for
    other inputs, TypeError for whole numbers, ValueError for a size that is even or below 1, and
    unless k is positive and α not negative, so that S is.
    Source: Krizhevsky et al. 2012, section 3.3, with α / n in place of α, as in Caffe and PyTorch.
    """

    def __init__(
        self,
        size: int = 5,
        *,
        alpha: float = 1e-4,
        beta: float = 0.75,
        k: float = 1.0,
        within_channel: bool = False,
    ):
        if size < 1 or size % 2 == 0:
            raise ValueError(
                "LocalResponseNormalization: size is odd and at least 1, so that a number stands "
                f"in the middle of its window; got {size}"
            )
        if not (k > 0 and alpha >= 0):
            raise ValueError(
                "LocalResponseNormalization: k is positive and alpha not negative, got "
                f"{k} and {alpha}"
            )
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
        self.within_channel = within_channel

    def forward(self, X):
        check_floats(self, X)
        self.output_shape(X.shape[1:])
        self.X = X
        self.S = self.k + self._share * self._sums(np.square(X))
        return X * self.S**-self.beta

    def backward(self, dout):
        part = dout * self.S**-self.beta
        sums = self._sums(part * self.X / self.S)
        return part - (2.0 * self.beta * self._share) * self.X * sums

    @property
    def _share(self) -> float:
        """α / n"""
        return self.alpha / (self.size**2 if self.within_channel else self.size)

    def _sums(self, X):
        """Of each window: along one axis, then the other."""
        for axis in (2, 3) if self.within_channel else (1,):
            X = _sums_along(X, axis, self.size)
        return X

    def output_shape(self, input_shape):
        axes = len(input_shape)
        if axes < 1 or (self.within_channel and axes != 3):
            wanted = "images (N, C, H, W)" if self.within_channel else "(N, C, ...)"
            raise ShapeError("LocalResponseNormalization", wanted, batch_of(input_shape))
        return input_shape

    @classmethod
    def examples(cls, rng):
        yield cls(3, alpha=2.0), rng.standard_normal((2, 4, 3, 2))
        yield cls(5, alpha=1.0, beta=0.5, k=2.0), rng.standard_normal((3, 6))
        yield cls(3, alpha=3.0, within_channel=True), rng.standard_normal((2, 2, 4, 3))


def _sums_along(X, axis: int, size: int):
    """The sum of each entry and of size // 2 neighbours on either side, zeros beyond the edges."""
    length, wide = X.shape[axis], list(X.shape)
    half = max(min(size // 2, length - 1), 0)  # further away there are zeros alone
    wide[axis] = half
    border = np.zeros(wide, X.dtype, like=X)
    X = np.moveaxis(np.concatenate([border, X, border], axis=axis), axis, 0)
    total = sum((X[i : i + length] for i in range(1, 2 * half + 1)), X[:length])
    return np.moveaxis(total, 0, axis)
