"""Two layers that draw random numbers are the same if they draw alike, in whatever order."""

import numpy as np

from lamina.layers.check.case import Case, as_tuple

DRAWS = 1000
DEVIATIONS = 6.0  # of a mean over so many draws: by chance alone once in a billion


def unlike_by_chance(own: Case, right: Case) -> str:
    """Why draws of the solution are not like those of the project's own layer; "" if they are.

    Compared are means, means of squares, and means of products of two entries: these tell a mask of
    its own for each entry from one that is shared.
    """
    with np.errstate(all="ignore"):
        try:
            mine, theirs = _drawn(own), _drawn(right)
        except Exception as error:
            return f"raises {type(error).__name__} when it is called again: {error}"
        if not _alike(mine, theirs):
            share = float(np.sum(mine.mean(axis=0) * theirs.mean(axis=0)))
            share /= float(np.sum(theirs.mean(axis=0) ** 2))
            text = f"on average it is {share:.2g} times what it should be"
            p = getattr(right.layer, "p", 0.0)
            return f"{text}: divide by 1 - p" if abs(share - 1 + p) < 0.1 else text
        if not _alike(mine**2, theirs**2):
            return "right on average, but another share is dropped: is p the share that is kept?"
        if not _alike(_products(mine), _products(theirs)):
            return "entries are not drawn each on its own: one mask is shared by several"
        return ""


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
