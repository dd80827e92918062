"""Sums per channel, and what is broadcast along channels, over long runs of memory.

Where images lie channels-last in memory, the innermost run is C numbers, often 16, and NumPy's
loop around such short runs costs ten times the sums themselves. So an array (N, C, ...) is taken
as a matrix with rows of W · C numbers, or of C · H · W where the channels do not come last, and a
vector of C numbers is repeated to fill a row.
"""

import math

import numpy as np

from lamina.autodiff import primal
from lamina.layers.errors import ShapeError


class Channels:
    """Arrays (N, C, ...) of the shape and order in memory of X, as matrices of long rows."""

    def __init__(self, X):
        self.shape = X.shape
        self.last = X.ndim > 2 and memory_order(X)[-1] == 1
        places = X.shape[-1] if self.last else math.prod(X.shape[2:])
        self.row = (places, X.shape[1]) if self.last else (X.shape[1], places)

    def rows(self, X):
        """X as a matrix; a view where X lies in memory as the first array did."""
        X = np.moveaxis(X, 1, -1) if self.last else X
        return X.reshape(-1, math.prod(self.row)) if X.size else X.reshape(0, math.prod(self.row))

    def back(self, rows):
        """A matrix as an array (N, C, ...)."""
        if not self.last:
            return rows.reshape(self.shape)
        n, c, *places = self.shape
        return np.moveaxis(rows.reshape(n, *places, c), -1, 1)

    def spread(self, v):
        """A number for each channel, (C,), as a row."""
        v = v if self.last else v[:, np.newaxis]
        return np.broadcast_to(v, self.row).reshape(-1)

    def sum(self, rows):
        """The sum for each channel, (C,)."""
        return rows.sum(axis=0).reshape(self.row).sum(axis=0 if self.last else 1)


def check_channels(layer: str, n_channels: int, input_shape: tuple) -> None:
    """Raise ShapeError unless samples of this shape, (C, ...), have so many channels, and places to
    take a mean over."""
    got = f"(N, {', '.join(map(str, input_shape))})"
    if input_shape[:1] != (n_channels,):
        raise ShapeError(layer, f"(N, {n_channels}, ...)", got)
    if 0 in input_shape:
        raise ShapeError(layer, f"(N, {n_channels}, ...) of at least one place", got)


def memory_order(X) -> tuple:
    """The axes of X, from the one with the longest step in memory to that with the shortest."""
    strides = primal(X).strides
    return tuple(sorted(range(X.ndim), key=lambda axis: -abs(strides[axis])))
