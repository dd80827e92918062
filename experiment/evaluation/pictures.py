"""What the pictures of an evaluation share: samples as images."""

import math
from typing import NamedTuple

import numpy as np

from lamina.datasets import Samples
from lamina.datasets.pictures import RESIZES


class Look(NamedTuple):
    """How the inputs of a data set look as pictures: their `shape`, (C, H, W), where it is known
    though they may be flat; `cmap` is that of grey ones. Ink on black is drawn as black ink."""

    shape: tuple[int, ...] | None = None
    cmap: str = "gray_r"


def look_of(preparation: dict | None) -> Look:
    """By what a data set says of how files become its inputs."""
    if preparation is None or preparation["kind"] != "picture":
        return Look()
    photographs = preparation["resize"] in RESIZES
    shape = (3 if preparation["colour"] else 1, *preparation["size"])
    return Look(shape, "gray" if photographs else "gray_r")


def drawable(samples: Samples, rows, look: Look) -> np.ndarray | None:
    """(N, H, W), or (N, H, W, 3) in colour, if the inputs are pictures; else None.

    Rows of a table may be squares in number too; only what is stored as pixels is drawn.
    """
    X = samples.X[rows]
    return as_images(X, look) if X.dtype == np.uint8 else None


def as_images(X: np.ndarray, look: Look) -> np.ndarray | None:
    """(N, H, W) or (N, H, W, 3) from (N, 1 or 3, H, W), from rows of a known shape, or from rows of
    as many numbers as a square has; else None."""
    if X.ndim == 2 and look.shape is not None:
        X = X.reshape(-1, *look.shape)
    if X.ndim == 4 and X.shape[1] in (1, 3):
        return X[:, 0] if X.shape[1] == 1 else X.transpose(0, 2, 3, 1)
    side = math.isqrt(X.shape[1]) if X.ndim == 2 else 0
    return X.reshape(-1, side, side) if side > 1 and side * side == X.shape[1] else None
