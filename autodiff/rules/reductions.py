"""Rules of the functions that reduce along axes: dy = Σ w dx for some weights w, so dx gets w g."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from lamina.autodiff.rules.elementwise import times
from lamina.autodiff.rules.rule import Rule, linear
from lamina.autodiff.traced import NotDifferentiable, primal


def along(y, x, axis, keepdims: bool):
    """What a reduction of x gave, with the axes put back that it took away: broadcasts with x."""
    if keepdims or axis is None or np.ndim(y) == x.ndim:
        return y
    taken = normalize_axis_tuple(axis, x.ndim)
    return np.reshape(y, tuple(1 if i in taken else n for i, n in enumerate(x.shape)))


def _weighted(weights):
    """A reduction with dy = Σ w dx, where w = weights(y, x, axis), y broadcasting with x."""

    def push(dx, y, x, axis=None, *, keepdims=False):
        w = weights(along(y, x, axis, keepdims), x, axis)
        return np.sum(times(dx, w), axis=axis, keepdims=keepdims)

    def pull(g, y, x, axis=None, *, keepdims=False):
        w = weights(along(y, x, axis, keepdims), x, axis)
        return times(along(g, x, axis, keepdims), w)

    return [Rule(push, pull)]


def _ties(y, x, axis):
    """Every entry that is the extreme one has an equal share in it."""
    at = x == y
    count = np.sum(at, axis=axis, keepdims=True, dtype=x.dtype)
    return at / np.maximum(count, 1)  # 0 of them: the extreme is NaN


def _others(y, x, axis):
    """The product of all the other entries along the axes, right where the product is 0 or
    infinite, too: there it cannot be divided by the entry."""
    plain = np.abs(primal(y))
    if np.all((plain >= np.finfo(x.dtype).tiny) & np.isfinite(plain)):
        return y / x
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    rows = np.transpose(x, (*kept, *axes))
    flat = np.reshape(rows, (int(np.prod([x.shape[i] for i in kept], dtype=int)), -1))
    columns = [flat[:, i] for i in range(flat.shape[1])]
    before, after = _products(columns), _products(columns[::-1])[::-1]
    others = [_scaled(a * b, e + f) for (a, e), (b, f) in zip(before, after, strict=True)]
    others = np.reshape(np.stack(others, -1) if others else flat, rows.shape)
    return np.transpose(others, np.argsort((*kept, *axes)))


def _products(columns):
    """(p, e) for each of them, p 2ᵉ the product of those before it: on the way to a number that
    can be held may lie one that cannot."""
    if not columns:
        return []
    product, exponent = np.ones_like(columns[0]), np.zeros(columns[0].shape, int)
    before = []
    for column in columns:
        before.append((product, exponent))
        column, e = _normal(column)
        product, f = _normal(product * column)
        exponent = exponent + e + f
    return before


def _normal(x):
    """x / 2ᵉ of 1 to 2, and e."""
    plain = primal(x)
    e = np.where(np.isfinite(plain), np.frexp(plain)[1] - 1, 0)
    e = np.where(plain == 0, 0, e)
    return x / np.ldexp(np.ones_like(plain), e), e


def _scaled(x, e):
    """x 2ᵉ, in two steps since 2ᵉ alone may be too large or small."""
    half, one = np.clip(e, -2000, 2000) // 2, np.ones_like(primal(x))
    with np.errstate(over="ignore"):
        return x * np.ldexp(one, half) * np.ldexp(one, np.clip(e, -2000, 2000) - half)


def _sum(g, y, x, axis=None, dtype=None, *, keepdims=False):
    return np.broadcast_to(along(g, x, axis, keepdims), x.shape)


def _mean(g, y, x, axis=None, dtype=None, *, keepdims=False):
    n = max(x.size // max(np.size(y), 1), 1)
    return np.broadcast_to(along(g, x, axis, keepdims) * (1.0 / n), x.shape)


def _cumsum(g, y, x, axis=None, dtype=None):
    axis, g = (0, np.reshape(g, -1)) if axis is None else (axis, g)
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis), axis), axis), x.shape)


RULES = {
    np.sum: linear(np.sum, _sum),
    np.mean: linear(np.mean, _mean),
    np.cumsum: linear(np.cumsum, _cumsum),
    np.max: _weighted(_ties),
    np.min: _weighted(_ties),
    np.prod: _weighted(_others),
}


def _var(x, axis=None, *, ddof=0, keepdims=False):
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    return _mean_square(deviation, axis, ddof, keepdims)


def _mean_square(deviation, axis, ddof, keepdims):
    total = np.sum(np.square(deviation), axis=axis, keepdims=keepdims)
    return total / max(deviation.size // max(total.size, 1) - ddof, 0)


def _std(x, axis=None, *, ddof=0, keepdims=False):
    deviation = x - np.mean(x, axis=axis, keepdims=True)
    axes = range(x.ndim) if axis is None else axis
    unit, units = _unit(deviation, normalize_axis_tuple(axes, x.ndim), keepdims)
    return _root(_mean_square(deviation / unit, axis, ddof, keepdims)) * units


def _unit(x, axes, keepdims: bool):
    """(unit, the same without the axes): the power of two of the largest |x| along axes.

    Powers of x / unit neither underflow nor overflow, and their derivatives are not lost. The
    unit is a constant; as a power of two it changes no bit of what needs no help.
    """
    plain = np.abs(primal(x))
    largest = np.max(plain, axis=axes, keepdims=True, initial=0.0)
    exponent = np.clip(np.frexp(largest)[1], np.finfo(x.dtype).minexp, np.finfo(x.dtype).maxexp - 1)
    unit = np.ldexp(np.ones_like(largest), exponent)
    unit = np.where((largest > 0) & np.isfinite(largest), unit, 1.0).astype(x.dtype)
    return unit, unit if keepdims else np.squeeze(unit, axes)


def _root(total, degree=2):
    """The root of a sum of powers, with derivative 0 where it is 0: it has a kink there."""
    zero = np.equal(total, 0)
    safe = np.where(zero, 1.0, total) if np.any(zero) else total
    root = np.sqrt(safe) if degree == 2 else safe ** (1.0 / degree)
    return np.where(zero, 0.0, root) if np.any(zero) else root


def _norm(x, ord=None, axis=None, keepdims=False):
    """numpy.linalg.norm: the vector norms, and of the matrix norms those that are sums or
    come from singular values.

    At 0 they have a kink, and the derivative there is 0, one of the subgradients. So is the second
    one, also of np.linalg.norm(x) ** 2: write np.sum(x * x) where that matters.
    """
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        unit, units = _unit(x, axes, keepdims)
        return _root(np.sum(np.square(x / unit), axis=axes, keepdims=keepdims)) * units
    if len(axes) == 1 and ord != 0 and not isinstance(ord, str):
        if np.isinf(ord):
            return (np.max if ord > 0 else np.min)(np.abs(x), axis=axes, keepdims=keepdims)
        if ord < 0 or ord == 1:  # a sum of what is not raised needs no unit
            return np.sum(np.abs(x) ** ord, axis=axes, keepdims=keepdims) ** (1.0 / ord)
        unit, units = _unit(x, axes, keepdims)
        powers = np.abs(x / unit) ** ord
        return _root(np.sum(powers, axis=axes, keepdims=keepdims), ord) * units
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=rows, keepdims=True)
        extreme = (np.max if ord > 0 else np.min)(sums, axis=columns, keepdims=True)
        return extreme if keepdims else np.squeeze(extreme, axes)
    if len(axes) == 2 and ord in (2, -2, "nuc"):
        s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        value = np.sum(s, axis=-1) if ord == "nuc" else (np.max if ord > 0 else np.min)(s, axis=-1)
        return np.expand_dims(value, axes) if keepdims else value
    raise NotDifferentiable(
        f"numpy.linalg.norm with ord={ord!r} over {len(axes)} axes of shape {x.shape} has no "
        "derivative rule; ord=None (the root of the sum of squares) has one"
    )


def _amax(x, axis=None, *, keepdims=False):
    return np.max(x, axis=axis, keepdims=keepdims)


def _amin(x, axis=None, *, keepdims=False):
    return np.min(x, axis=axis, keepdims=keepdims)


def _ptp(x, axis=None, *, keepdims=False):
    return _amax(x, axis, keepdims=keepdims) - _amin(x, axis, keepdims=keepdims)


def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        return (
            (mean, np.full(mean.shape, a.size / max(mean.size, 1), mean.dtype))
            if returned
            else mean
        )
    weights = np.asarray(weights) if isinstance(weights, (list, tuple)) else weights
    if np.shape(weights) != np.shape(a):
        axes = normalize_axis_tuple(axis, np.ndim(a))
        if np.shape(weights) != tuple(np.shape(a)[i] for i in axes):
            raise ValueError(
                f"average: the weights have the shape {np.shape(weights)}, and the array "
                f"{np.shape(a)} along axis {axis}"
            )
        weights = np.transpose(weights, np.argsort(axes))
        weights = np.expand_dims(weights, [i for i in range(np.ndim(a)) if i not in axes])
        weights = np.broadcast_to(weights, np.shape(a))
    total = np.sum(weights, axis=axis, keepdims=keepdims)
    if np.any(np.equal(total, 0)):
        raise ZeroDivisionError("average: the weights sum to zero, so they cannot be normalized")
    mean = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


def _cumprod(a, axis=None):
    """A product after another, without a division: the entries may be 0."""
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    place = (slice(None),) * axis
    products = [a[(*place, i)] for i in range(min(a.shape[axis], 1))]
    for i in range(1, a.shape[axis]):
        products.append(products[-1] * a[(*place, i)])
    return np.stack(products, axis) if products else +a


COMPOSITE = {
    np.average: _average,
    np.cumprod: _cumprod,
    np.amax: _amax,
    np.amin: _amin,
    np.ptp: _ptp,
    np.var: _var,
    np.std: _std,
    np.linalg.norm: _norm,
}
