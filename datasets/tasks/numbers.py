"""Statistics and checks of arrays of numbers: mean, spread, first wrong one, float32's limits.

They may be Rows of files, or too many to be widened to float64 at once, so all is done in pieces.
"""

import numpy as np

from lamina.datasets.rows import Rows, pieces

LOOKED_AT = 1000  # rows of inputs, which may be many
LOST = 1e-3  # of their standard deviation, by which numbers may be rounded
COMPUTED = 1e-12  # of a number: what rounding makes of one that was computed
SAME = 4 * np.finfo(np.float64).eps  # of a number: what rounding alone makes of it


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


def as_float32(t):
    """t (N, ...) in float32. Raises ValueError where that rounds away what the samples differ by:
    1.7e9 and 1.7e9 + 60 are the same number there."""
    if lost := lost_in_float32(t):
        raise ValueError(lost[1])
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is said by others
        return t.astype(np.float32)


def check_float32(where: str, X) -> None:
    """Raises ValueError, as `as_float32` does, by up to LOOKED_AT rows of inputs (N, ...)."""
    narrow = X.dtype.kind == "f" and X.dtype.itemsize <= 4
    if narrow or X.dtype.itemsize < 4 or X.dtype.kind not in "fiu" or not len(X):
        return
    some = X.take(np.arange(0, len(X), -(-len(X) // LOOKED_AT)), axis=0)
    if lost := lost_in_float32(some, COMPUTED):
        place, said = lost
        of = f"column {place[0]}" if len(place) == 1 else f"at {tuple(map(int, place))}"
        raise ValueError(f"{where}: {of}: {said}")


def lost_in_float32(t, same: float = SAME) -> tuple | None:
    """(place, what to say) of what float32 rounds away; None where it does not. By `same` of a
    number it may differ from what it is meant to be."""
    # Counted from the first one on: a mean of large numbers is rounded itself.
    origin = t[:1][0].astype(np.float64)
    lost, squares = np.zeros_like(origin), np.zeros_like(origin)
    with np.errstate(over="ignore", invalid="ignore"):
        offset = sum((piece - origin).sum(axis=0) for _, piece in pieces(t)) / len(t)
        for _, piece in pieces(t):
            off = np.abs(piece - piece.astype(np.float32).astype(np.float64))
            lost = np.maximum(lost, off.max(axis=0))
            squares += np.square(piece - origin - offset).sum(axis=0)
        spread, centre = np.sqrt(squares / len(t)), origin + offset
        wrong = (lost > LOST * spread) & (spread > same * np.abs(centre))
    if not wrong.any():
        return None
    place = tuple(np.argwhere(wrong)[0])
    return place, (
        f"the numbers have deviation {spread[place]:.3g}, and float32 rounds them by up to "
        f"{lost[place]:.3g}; take {centre[place]:.10g} away from each"
    )
