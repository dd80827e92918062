"""What the pictures of an evaluation share: samples as images."""

import math
from typing import NamedTuple

import numpy as np

from lamina.datasets import Samples
from lamina.datasets.paper import BLACK, paper_of
from lamina.datasets.pictures import RESIZES


class Look(NamedTuple):
    """How the inputs of a data set look as pictures: their `shape`, (C, H, W), where it is known
    though they may be flat; `cmap` is that of grey ones. White ink on black is drawn as black ink
    on white, all else as it is. `blue_first`: colours are blue, green, red, as Caffe has them."""

    shape: tuple[int, ...] | None = None
    cmap: str = "gray_r"
    blue_first: bool = False


def look_of(preparation: dict | None, pictures: np.ndarray, blue_first: bool = False) -> Look:
    """By what a data set says of how files become its inputs, and some of these."""
    cmap = "gray_r" if paper_of(pictures) == BLACK else "gray"
    if preparation is None or preparation["kind"] != "picture":
        return Look(None, cmap, blue_first)
    shape = (3 if preparation["colour"] else 1, *preparation["size"])
    return Look(shape, "gray" if preparation["resize"] in RESIZES else cmap)


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
        X = X[:, ::-1] if look.blue_first else X
        return X[:, 0] if X.shape[1] == 1 else X.transpose(0, 2, 3, 1)
    side = math.isqrt(X.shape[1]) if X.ndim == 2 else 0
    return X.reshape(-1, side, side) if side > 1 and side * side == X.shape[1] else None
