"""Statistics of targets that may be too large to be widened to float64 at once."""

import numpy as np

_PIECE = 1 << 22  # numbers of a large array that are looked at as float64 at a time


def check_finite(t: np.ndarray) -> None:
    if t.dtype.kind != "f":
        return
    for start, piece in pieces(t):
        if not np.isfinite(piece).all():
            first = np.argwhere(~np.isfinite(piece))[0]
            raise ValueError(
                f"expects finite numbers; got {piece[tuple(first)]} in row {start + first[0]}"
            )


def mean(t) -> np.ndarray:
    return np.asanyarray(t).mean(axis=0, dtype=np.float64)


def mean_square(t, centre) -> float:
    """The mean of (t - centre)² over all numbers of t, a piece at a time."""
    total = sum(float(np.square(piece - centre).sum()) for _, piece in pieces(np.asanyarray(t)))
    return total / np.size(t)


def pieces(t: np.ndarray):
    """(first row, rows) of t, so few at a time that they may be widened."""
    rows = max(_PIECE // max(t[:1].size, 1), 1)
    for start in range(0, len(t), rows):
        yield start, t[start : start + rows]
