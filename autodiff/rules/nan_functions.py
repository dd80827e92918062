"""The functions to which NaN is a missing number, written with those that know of none.

A missing number has the derivative 0, and so has a row that holds nothing else.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from lamina.autodiff.rules.order_statistics import quantiles
from lamina.autodiff.traced import primal


def _filled(x, value):
    """x with a value in place of what is missing."""
    missing = np.isnan(primal(x))
    return np.where(missing, x.dtype.type(value), x) if missing.any() else +x


def _count(x, axis, keepdims: bool):
    return np.sum(~np.isnan(primal(x)), axis=axis, keepdims=keepdims)


def _nan_if(nothing, result):
    """The result, and NaN where there was nothing to make it of."""
    return np.where(nothing, result.dtype.type(np.nan), result) if np.any(nothing) else result


def _nansum(a, axis=None, *, keepdims=False):
    return np.sum(_filled(a, 0), axis=axis, keepdims=keepdims)


def _nanprod(a, axis=None, *, keepdims=False):
    return np.prod(_filled(a, 1), axis=axis, keepdims=keepdims)


def _nancumsum(a, axis=None):
    return np.cumsum(_filled(a, 0), axis=axis)


def _nancumprod(a, axis=None):
    return np.cumprod(_filled(a, 1), axis=axis)


def _nanmax(a, axis=None, *, keepdims=False):
    largest = np.max(_filled(a, -np.inf), axis=axis, keepdims=keepdims)
    return _nan_if(_count(a, axis, keepdims) == 0, largest)


def _nanmin(a, axis=None, *, keepdims=False):
    return -_nanmax(-a, axis, keepdims=keepdims)


def _nanmean(a, axis=None, *, keepdims=False):
    n = _count(a, axis, keepdims)
    total = np.sum(_filled(a, 0), axis=axis, keepdims=keepdims)
    return _nan_if(n == 0, total / np.maximum(n, 1).astype(a.dtype))


def _deviation(a, axis):
    """What is left of the mean, and 0 for what is missing."""
    return np.where(np.isnan(primal(a)), 0.0, a - _nanmean(a, axis, keepdims=True))


def _nanvar(a, axis=None, *, ddof=0, keepdims=False):
    n = _count(a, axis, keepdims) - ddof
    total = np.sum(np.square(_deviation(a, axis)), axis=axis, keepdims=keepdims)
    return _nan_if(n <= 0, total / np.maximum(n, 1).astype(a.dtype))


def _nanstd(a, axis=None, *, ddof=0, keepdims=False):
    n = _count(a, axis, keepdims) - ddof
    deviation = _deviation(a, axis)
    axes = normalize_axis_tuple(range(a.ndim) if axis is None else axis, a.ndim)
    root = np.linalg.norm(
        deviation, axis=axes, keepdims=keepdims
    )  # knows of kinks and tiny squares
    return _nan_if(n <= 0, root / np.sqrt(np.maximum(n, 1)).astype(a.dtype))


def _nanquantile(a, q, axis=None, *, method="linear", keepdims=False):
    return quantiles(a, q, axis, method, keepdims, _numbers)


def _nanpercentile(a, q, axis=None, *, method="linear", keepdims=False):
    q = np.true_divide(q, a.dtype.type(100))
    return quantiles(a, q, axis, method, keepdims, _numbers)


def _nanmedian(a, axis=None, *, keepdims=False):
    return quantiles(a, 0.5, axis, "midpoint", keepdims, _numbers)


def _numbers(rows):
    return _count(rows, -1, False)


COMPOSITE = {
    np.nansum: _nansum,
    np.nanprod: _nanprod,
    np.nancumsum: _nancumsum,
    np.nancumprod: _nancumprod,
    np.nanmax: _nanmax,
    np.nanmin: _nanmin,
    np.nanmean: _nanmean,
    np.nanvar: _nanvar,
    np.nanstd: _nanstd,
    np.nanquantile: _nanquantile,
    np.nanpercentile: _nanpercentile,
    np.nanmedian: _nanmedian,
}
