"""Median, percentile and quantile, written with the k-th smallest of a row.

That one shares its derivative among ties, as max and min do, which are its extremes.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from lamina.autodiff.rules.elementwise import times
from lamina.autodiff.rules.rule import Rule, primitive
from lamina.autodiff.traced import NotDifferentiable, Traced, primal

METHODS = ("linear", "lower", "higher", "nearest", "midpoint")


@primitive
def kth_smallest(x, k):
    """(...): of each row of x (..., n) the entry that np.sort puts at k, an integer or (...)."""
    k = np.broadcast_to(k, x.shape[:-1])
    return np.take_along_axis(np.sort(x, axis=-1), k[..., np.newaxis], axis=-1)[..., 0]


def _shares(y, x):
    at = x == y[..., np.newaxis]
    return at / np.maximum(np.sum(at, axis=-1, keepdims=True, dtype=x.dtype), 1)


RULES = {
    kth_smallest: [
        Rule(
            lambda t, y, x, k: np.sum(times(t, _shares(y, x)), axis=-1),
            lambda g, y, x, k: times(g[..., np.newaxis], _shares(y, x)),
        )
    ]
}


def in_rows(x, axis):
    """(rows, shape): x as (..., n) with all axes that are reduced in the last one, and the shape
    that a result has which keeps its axes."""
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    n = int(np.prod([x.shape[i] for i in axes], dtype=int))
    rows = np.reshape(np.transpose(x, (*kept, *axes)), (*(x.shape[i] for i in kept), n))
    return rows, tuple(1 if i in axes else m for i, m in enumerate(x.shape))


def quantile_of_rows(rows, q, method, n=None):
    """The quantile q of each row of (..., n), NaN where one is in the row. Where n is given, (...),
    it is that of the n smallest of each."""
    if method not in METHODS:
        raise NotDifferentiable(
            f"numpy.quantile with method={method!r} has no derivative rule; the methods that have "
            f"one are {', '.join(METHODS)}"
        )
    if not np.all((primal(q) >= 0) & (primal(q) <= 1)):
        raise ValueError("quantiles are from 0 to 1, percentiles from 0 to 100")
    if rows.shape[-1] == 0:
        raise IndexError(f"there is no quantile of no numbers; the rows have shape {rows.shape}")
    last = rows.shape[-1] - 1 if n is None else np.maximum(n - 1, 0).astype(q.dtype)
    place = q * last
    exact = primal(place)
    low, high = np.floor(exact).astype(int), np.ceil(exact).astype(int)
    if n is None:
        missing = np.isnan(primal(rows)).any(axis=-1)
        low, high = np.where(missing, last, low), np.where(missing, last, high)
    if method == "nearest":  # and from halfway to the even one
        return kth_smallest(rows, np.where(low == high, low, np.rint(exact).astype(int)))
    if method in ("lower", "higher"):
        return kth_smallest(rows, low if method == "lower" else high)
    below = kth_smallest(rows, low)
    if np.all(low == high) and not isinstance(q, Traced):
        return below
    if method == "midpoint":
        return (below + kth_smallest(rows, high)) * q.dtype.type(0.5)
    # Above an exact position, too, for the slope in q.
    above = kth_smallest(rows, np.minimum(low + 1, last).astype(int))
    return below + (above - below) * (place - np.floor(exact))


def quantiles(x, q, axis, method, keepdims: bool, n_of_rows=lambda rows: None):
    """numpy.quantile(x, q): the axes of q come first, and its dtype counts if it is an array."""
    rows, shape = in_rows(x, axis)
    if not isinstance(q, Traced):
        q = np.asarray(q, x.dtype if type(q) in (int, float) else None)
    parts = [quantile_of_rows(rows, p, method, n_of_rows(rows)) for p in np.reshape(q, -1)]
    parts = [np.reshape(part, shape) for part in parts] if keepdims else parts
    return np.reshape(np.stack(parts), (*q.shape, *parts[0].shape)) if q.ndim else parts[0]


def _quantile(a, q, axis=None, *, method="linear", keepdims=False):
    return quantiles(a, q, axis, method, keepdims)


def _percentile(a, q, axis=None, *, method="linear", keepdims=False):
    return quantiles(a, np.true_divide(q, a.dtype.type(100)), axis, method, keepdims)


def _median(a, axis=None, *, keepdims=False):
    return quantiles(a, 0.5, axis, "midpoint", keepdims)


COMPOSITE = {np.median: _median, np.quantile: _quantile, np.percentile: _percentile}
