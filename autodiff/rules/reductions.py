"""Rules of the functions that reduce along axes: dy = Σ w dx for some weights w, so dx gets w g."""

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from lamina.autodiff.rules.rule import Rule, linear
from lamina.autodiff.traced import NotDifferentiable


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
        return np.sum(dx * w, axis=axis, keepdims=keepdims)

    def pull(g, y, x, axis=None, *, keepdims=False):
        w = weights(along(y, x, axis, keepdims), x, axis)
        return along(g, x, axis, keepdims) * w

    return [Rule(push, pull)]


def _ties(y, x, axis):
    """Every entry that is the extreme one has an equal share in it."""
    at = x == y
    count = np.sum(at, axis=axis, keepdims=True, dtype=x.dtype)
    return at / np.maximum(count, 1)  # 0 of them: the extreme is NaN


def _others(y, x, axis):
    """The product of all the other entries along the axes, right at zeros too."""
    if np.all(x != 0):
        return y / x
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    rows = np.transpose(x, (*kept, *axes))
    flat = np.reshape(rows, (*(x.shape[i] for i in kept), -1))
    n = flat.shape[-1]
    without = np.where(np.eye(n, dtype=bool), 1.0, flat[..., np.newaxis, :])
    others = np.reshape(np.prod(without, axis=-1), rows.shape)
    return np.transpose(others, np.argsort((*kept, *axes)))


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
    squares = np.square(deviation)
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    return total / max(x.size // max(total.size, 1) - ddof, 0)


def _std(x, axis=None, *, ddof=0, keepdims=False):
    return np.sqrt(_var(x, axis, ddof=ddof, keepdims=keepdims))


def _norm(x, ord=None, axis=None, keepdims=False):
    """numpy.linalg.norm: the vector norms, and of the matrix norms those that are sums."""
    axes = normalize_axis_tuple(range(x.ndim) if axis is None else axis, x.ndim)
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        return np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims))
    if len(axes) == 1 and ord != 0 and not isinstance(ord, str):
        if np.isinf(ord):
            return (np.max if ord > 0 else np.min)(np.abs(x), axis=axes, keepdims=keepdims)
        return np.sum(np.abs(x) ** ord, axis=axes, keepdims=keepdims) ** (1.0 / ord)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes if abs(ord) == 1 else axes[::-1]
        sums = np.sum(np.abs(x), axis=rows, keepdims=True)
        extreme = (np.max if ord > 0 else np.min)(sums, axis=columns, keepdims=True)
        return extreme if keepdims else np.squeeze(extreme, axes)
    raise NotDifferentiable(
        f"numpy.linalg.norm with ord={ord!r} over {len(axes)} axes of shape {x.shape} has no "
        "derivative rule; ord=None (the root of the sum of squares) has one"
    )


COMPOSITE = {np.var: _var, np.std: _std, np.linalg.norm: _norm}
