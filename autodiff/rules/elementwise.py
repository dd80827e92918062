"""Rules of the functions that work entry by entry, a line a rule.

`ELEMENTWISE[ufunc]` has one function `(g, y, *args)` for each argument: g times the partial
derivative. Forward mode passes the tangent of that argument, reverse mode the upstream gradient.
At a tie (np.maximum(x, x), np.abs(0)) no derivative exists; each side gets an equal share.

Where g is 0 the result is 0, even if the partial derivative is infinite or NaN: in
np.where(x > 0, np.log(x), 0) nothing comes back from the branch that was not taken.
"""

import math
from math import isfinite

import numpy as np

from lamina.autodiff.rules.rule import elementwise
from lamina.autodiff.traced import Traced, no_rule, primal


def times(g, d):
    """g d, but 0 where g is 0, whatever d is there; everywhere linear in g."""
    if isinstance(d, float) and isinstance(g, float):  # Python's numbers and np.float64
        return g * d if isfinite(d) or g != 0 else g * 0.0
    with np.errstate(invalid="ignore"):
        product = g * d
        if not np.isnan(primal(product)).any():
            return product
        return g * np.where(np.equal(g, 0) & ~np.isfinite(d), 0.0, d)


def over(g, d):
    """g / d likewise: 0 where g is 0, even if d is 0 or NaN there."""
    with np.errstate(invalid="ignore"):
        ratio = g / d
        if not np.isnan(primal(ratio)).any():
            return ratio
        nothing = np.equal(g, 0) & (np.equal(d, 0) | ~np.isfinite(d))
        return np.where(nothing, 0.0, g) / np.where(nothing, 1.0, d)


def _power_base(g, y, a, b):
    if isinstance(b, (int, float)):  # the common X ** 2: keeps the dtype, and 0 ** 0 is 1
        if b == 0:
            return g * 0.0
        with np.errstate(divide="ignore"):
            return times(g, b * a ** (b - 1))
    singular = np.equal(a, 0) & np.equal(b, 0)
    return times(g, b * a ** np.where(singular, np.ones_like(b), np.subtract(b, 1)))


def _power_exponent(g, y, a, b):
    return times(g, y * np.log(np.where(a == 0, np.ones_like(a), a)))


def _share_of_numbers(g, mine, other):
    """The share of np.fmax and np.fmin, to which NaN is a missing number."""
    alone = np.isnan(other) & ~np.isnan(mine)
    return np.where(alone, g, _share(g, mine, other))


def _by_radius(g, a, r):
    """g a / r, and 0 at r = 0, where there is a kink."""
    return over(times(g, a), r)


def _divisor(g, y, b):
    return -over(times(g, y), b)


def _share(g, mine, other):
    won, tied = g * (mine > other), mine == other
    return won + (0.5 * g) * tied if tied.any() else won


ELEMENTWISE = {
    np.add: (lambda g, y, a, b: g, lambda g, y, a, b: g),
    np.subtract: (lambda g, y, a, b: g, lambda g, y, a, b: -g),
    np.multiply: (lambda g, y, a, b: times(g, b), lambda g, y, a, b: times(g, a)),
    np.divide: (lambda g, y, a, b: over(g, b), lambda g, y, a, b: _divisor(g, y, b)),
    np.power: (_power_base, _power_exponent),
    np.maximum: (lambda g, y, a, b: _share(g, a, b), lambda g, y, a, b: _share(g, b, a)),
    np.minimum: (lambda g, y, a, b: _share(g, b, a), lambda g, y, a, b: _share(g, a, b)),
    np.logaddexp: (
        lambda g, y, a, b: times(g, np.exp(-np.logaddexp(0.0, np.subtract(b, a)))),
        lambda g, y, a, b: times(g, np.exp(-np.logaddexp(0.0, np.subtract(a, b)))),
    ),
    np.positive: (lambda g, y, a: g,),
    np.negative: (lambda g, y, a: -g,),
    np.absolute: (lambda g, y, a: times(g, np.sign(a)),),
    np.square: (lambda g, y, a: times(2.0 * g, a),),
    np.sqrt: (lambda g, y, a: over(g, 2.0 * y),),
    np.reciprocal: (lambda g, y, a: -times(times(g, y), y),),
    np.exp: (lambda g, y, a: times(g, y),),
    np.expm1: (lambda g, y, a: times(g, np.exp(a)),),
    np.log: (lambda g, y, a: over(g, a),),
    np.log1p: (lambda g, y, a: over(g, 1.0 + a),),
    np.sin: (lambda g, y, a: times(g, np.cos(a)),),
    np.cos: (lambda g, y, a: -times(g, np.sin(a)),),
    np.tan: (lambda g, y, a: times(g, 1.0 + y * y),),
    np.arctan: (lambda g, y, a: over(g, 1.0 + a * a),),
    np.sinh: (lambda g, y, a: times(g, np.cosh(a)),),
    np.cosh: (lambda g, y, a: times(g, np.sinh(a)),),
    np.tanh: (lambda g, y, a: times(g, 1.0 - y * y),),
    np.arcsin: (lambda g, y, a: over(g, np.sqrt((1.0 - a) * (1.0 + a))),),
    np.arccos: (lambda g, y, a: -over(g, np.sqrt((1.0 - a) * (1.0 + a))),),
    np.arcsinh: (lambda g, y, a: over(g, np.hypot(1.0, a)),),
    np.arccosh: (lambda g, y, a: over(g, np.sqrt(a - 1.0) * np.sqrt(a + 1.0)),),
    np.arctanh: (lambda g, y, a: over(g, (1.0 - a) * (1.0 + a)),),
    np.log2: (lambda g, y, a: over(g, a) / math.log(2.0),),
    np.log10: (lambda g, y, a: over(g, a) / math.log(10.0),),
    np.exp2: (lambda g, y, a: times(g, y * math.log(2.0)),),
    np.cbrt: (lambda g, y, a: over(over(g, 3.0 * y), y),),
    np.fabs: (lambda g, y, a: times(g, np.sign(a)),),
    np.deg2rad: (lambda g, y, a: g * (math.pi / 180.0),),
    np.rad2deg: (lambda g, y, a: g * (180.0 / math.pi),),
    np.hypot: (
        lambda g, y, a, b: _by_radius(g, 0.5 * a, np.hypot(0.5 * a, 0.5 * b)),  # y may overflow
        lambda g, y, a, b: _by_radius(g, 0.5 * b, np.hypot(0.5 * a, 0.5 * b)),
    ),
    np.arctan2: (
        lambda g, y, a, b: over(_by_radius(g, b, np.hypot(a, b)), np.hypot(a, b)),
        lambda g, y, a, b: -over(_by_radius(g, a, np.hypot(a, b)), np.hypot(a, b)),
    ),
    np.fmax: (
        lambda g, y, a, b: _share_of_numbers(g, a, b),
        lambda g, y, a, b: _share_of_numbers(g, b, a),
    ),
    np.fmin: (
        lambda g, y, a, b: _share_of_numbers(g, -a, -b),
        lambda g, y, a, b: _share_of_numbers(g, -b, -a),
    ),
    np.where: (
        None,
        lambda g, y, c, a, b: np.where(c, g, 0.0),
        lambda g, y, c, a, b: np.where(c, 0.0, g),
    ),
}

RULES = {function: elementwise(*rules) for function, rules in ELEMENTWISE.items()}

# The result does not move when the input moves a little.
CONSTANT = {
    *(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal),
    *(np.logical_and, np.logical_or, np.logical_not, np.isnan, np.isfinite, np.isinf),
    *(np.sign, np.signbit, np.floor, np.ceil, np.rint, np.trunc),
    *(np.argmax, np.argmin, np.argsort, np.all, np.any, np.count_nonzero, np.nonzero),
    *(np.nanargmax, np.nanargmin, np.argpartition, np.argwhere, np.flatnonzero, np.searchsorted),
    *(np.digitize, np.isclose, np.allclose, np.floor_divide, np.round, np.fix),
    *(np.shape, np.ndim, np.size, np.result_type, np.array_equal),
}


def _clip(x, a_min=None, a_max=None, *, min=None, max=None):
    a_min, a_max = a_min if min is None else min, a_max if max is None else max
    if a_min is not None:
        x = np.maximum(x, a_min)
    return +x if a_max is None else np.minimum(x, a_max)  # a new array in any case


def _heaviside(x, h):
    step = np.heaviside(primal(x), primal(h))
    return np.where(np.equal(x, 0), h, step) if isinstance(h, Traced) else step


def _linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """Between start and stop, both of which are met exactly."""
    if dtype is not None or retstep:
        raise no_rule("numpy.linspace with dtype= or retstep=", (start, stop))
    kind = np.result_type(start, stop, 1.0)
    shape = np.broadcast_shapes(np.shape(start), np.shape(stop))
    t = np.linspace(0.0, 1.0, num, endpoint).astype(kind).reshape(-1, *(1,) * len(shape))
    points = start * (1.0 - t) + stop * t
    return points if axis == 0 else np.moveaxis(points, 0, axis)


COMPOSITE = {np.linspace: _linspace, np.clip: _clip, np.heaviside: _heaviside}
