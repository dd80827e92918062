"""What targets are made of: their statistics, their first wrong number.

They may be Rows of files, or too many to be widened to float64 at once, so all is done in pieces.
"""

import numpy as np

from lamina.datasets.rows import Rows, pieces


def as_array(t):
    """Rows stay what they are, all else becomes an array."""
    return t if isinstance(t, Rows) else np.asanyarray(t)


def are_in_files(t) -> bool:
    return isinstance(t, Rows) and t.in_files


def check_finite(t) -> None:
    if t.dtype.kind == "f" and (found := first(t, lambda piece: ~np.isfinite(piece))):
        raise ValueError(f"expects finite numbers; got {found[1]} in row {found[0]}")


def first(t, wrong) -> tuple | None:
    """(row, number) of the first number that is wrong; None if none is."""
    for start, piece in pieces(t):
        places = wrong(piece)
        if places.any():
            place = tuple(np.argwhere(places)[0])
            return start + place[0], piece[place]
    return None


def smallest_and_largest(t) -> tuple[int, int]:
    """Of whole numbers."""
    ends = [(int(piece.min()), int(piece.max())) for _, piece in pieces(t)]
    return min(low for low, _ in ends), max(high for _, high in ends)


def are_zero_or_one(t) -> bool:
    return all(bool(((piece == 0) | (piece == 1)).all()) for _, piece in pieces(t))


def mean(t) -> np.ndarray:
    """Over the samples, in float64."""
    t = as_array(t)
    return sum(piece.sum(axis=0, dtype=np.float64) for _, piece in pieces(t)) / len(t)


def mean_square(t, centre) -> float:
    """The mean of (t - centre)² over all numbers of t."""
    total = sum(float(np.square(piece - centre).sum()) for _, piece in pieces(as_array(t)))
    return total / np.size(t)
