"""Two layers that draw random numbers are the same if they draw alike, in whatever order."""

import numpy as np

from lamina.layers.check.case import Case, as_tuple

DRAWS = 1000
DEVIATIONS = 6.0  # of a mean over so many draws: by chance alone once in a billion


def same_by_chance(own: Case, right: Case) -> bool:
    """Are means, and means of products of any two entries, those of the project's own layer? The
    second tell a mask of its own for each entry from one that is shared."""
    with np.errstate(all="ignore"):
        try:
            mine, theirs = _drawn(own), _drawn(right)
        except Exception:
            return False
        if mine.shape != theirs.shape:
            return False
        pairs = [(mine, theirs), (_products(mine), _products(theirs))]
        return all(_alike(a, b) for a, b in pairs)


def _drawn(case: Case):
    """(draws, entries of the first output)."""
    layer, inputs = case.fresh()
    return np.stack([np.ravel(as_tuple(layer.forward(*inputs))[0]) for _ in range(DRAWS)])


def _products(drawn):
    return (drawn[:, :, np.newaxis] * drawn[:, np.newaxis]).reshape(len(drawn), -1)


def _alike(a, b) -> bool:
    error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / DRAWS)
    room = DEVIATIONS * error + 1e-9 * np.max(np.abs(b))
    return bool((np.abs(a.mean(axis=0) - b.mean(axis=0)) <= room).all())
