"""What the pictures of an evaluation share: samples as images."""

import math

import numpy as np

from lamina.datasets import Samples


def grey_images(samples: Samples, rows) -> np.ndarray | None:
    """(N, height, width), if the inputs are square grey pictures, flat or not; else None.

    Rows of a table may be squares in number too; only what is stored as pixels is drawn.
    """
    X = samples.X[rows]
    return as_images(X) if X.dtype == np.uint8 else None


def as_images(X: np.ndarray) -> np.ndarray | None:
    """(N, height, width) from (N, 1, height, width) or from rows of as many numbers as a square
    has; else None."""
    if X.ndim == 4 and X.shape[1] == 1:
        return X[:, 0]
    side = math.isqrt(X.shape[1]) if X.ndim == 2 else 0
    return X.reshape(-1, side, side) if side > 1 and side * side == X.shape[1] else None
