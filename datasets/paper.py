"""What stands around what a picture shows: is the paper black, or white?"""

import math

import numpy as np

MOST = 200  # pictures that are looked at
BLACK, WHITE = 0, 255
_NEAR = 64  # bytes from an end


def paper_of(pictures: np.ndarray) -> int | None:
    """BLACK or WHITE, where that is what most of the border is of pictures of bytes, (N, H, W),
    (N, C, H, W) or rows of as many numbers as a square has: MNIST has white ink on black, a scan
    dark ink on white. None for what is neither, such as photographs, and for no bytes."""
    if pictures.dtype != np.uint8 or not len(pictures):
        return None
    step = -(-len(pictures) // MOST)
    some = np.asarray(pictures[::step])
    if some.ndim == 2:
        side = math.isqrt(some.shape[1])
        if side * side != some.shape[1]:
            return None
        some = some.reshape(-1, side, side)
    if some.ndim not in (3, 4):
        return None
    middle = np.median(_border(some))
    return BLACK if middle < _NEAR else WHITE if middle > WHITE - _NEAR else None


def background_of(pictures: np.ndarray) -> float | None:
    """The number that most of the border is of pictures (N, C, H, W) as a net gets them; None where
    it is no empty paper, but goes on as the picture does."""
    border = _border(pictures)
    middle, near = float(np.median(border)), 0.02 * float(np.ptp(pictures))
    return middle if np.mean(np.abs(border - middle) <= near) > 0.5 else None


def _border(pictures: np.ndarray) -> np.ndarray:
    edges = (pictures[..., 0, :], pictures[..., -1, :], pictures[..., 0], pictures[..., -1])
    return np.concatenate([edge.reshape(-1) for edge in edges])
