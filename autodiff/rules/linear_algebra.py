"""Rules of numpy.linalg. Source: Giles 2008, "Collected matrix derivative results"."""

import functools
import operator

import numpy as np

from lamina.autodiff.rules.rule import Rule, primitive
from lamina.autodiff.traced import primal


def _T(a):
    return np.swapaxes(a, -1, -2)


def _times(a, y, b):
    """a @ y, where y is a stack of vectors if b was one vector, of matrices if not."""
    return (a @ y[..., np.newaxis])[..., 0] if np.ndim(b) == 1 else a @ y


def _solved(a, r, b):
    """A⁻¹ r likewise."""
    if np.ndim(b) == 1:
        return np.linalg.solve(a, r[..., np.newaxis])[..., 0]
    return np.linalg.solve(a, r)


def _solve_a(g, y, a, b):
    """From dy = -A⁻¹ dA y: dA = -(A⁻ᵀ g) yᵀ."""
    h = _solved(_T(a), g, b)
    return -h[..., :, np.newaxis] * y[..., np.newaxis, :] if np.ndim(b) == 1 else -(h @ _T(y))


@primitive
def log_abs_det(a):
    return np.linalg.slogdet(a)[1]


def _slogdet(a):
    plain = np.linalg.slogdet(primal(a))
    return type(plain)(plain[0], log_abs_det(a))  # the sign is constant


RULES = {
    np.linalg.inv: [
        Rule(lambda t, y, a: -(y @ t @ y), lambda g, y, a: -(_T(y) @ g @ _T(y))),
    ],
    np.linalg.solve: [
        Rule(lambda t, y, a, b: -_solved(a, _times(t, y, b), b), _solve_a),
        Rule(lambda t, y, a, b: _solved(a, t, b), lambda g, y, a, b: _solved(_T(a), g, b)),
    ],
    log_abs_det: [
        Rule(
            lambda t, y, a: np.sum(_T(np.linalg.inv(a)) * t, axis=(-1, -2)),
            lambda g, y, a: np.expand_dims(g, (-1, -2)) * _T(np.linalg.inv(a)),
        )
    ],
}


def _matrix_power(a, n):
    n = operator.index(n)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy()
    power = None
    while n:  # a to the power of each binary digit of n
        if n & 1:
            power = a if power is None else power @ a
        n >>= 1
        if n:
            a = a @ a
    return +power


COMPOSITE = {
    np.linalg.matrix_power: _matrix_power,
    np.linalg.multi_dot: lambda arrays: functools.reduce(np.dot, arrays),
    np.linalg.slogdet: _slogdet,
}
