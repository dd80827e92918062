"""The determinant, whose derivatives are polynomials and exist at singular matrices, too."""

import numpy as np

from lamina.autodiff.rules.rule import Rule, primitive
from lamina.autodiff.traced import NotDifferentiable, Traced, primal


def _T(a):
    return np.swapaxes(a, -1, -2)


def _products_without(s, n_left_out: int):
    """Of the n singular values in the last axis the product of all but number i, (..., n), or of
    all but numbers i and j, (..., n, n). No division, so some of them may be 0."""
    zero = s == 0
    logs, zeros = np.log(np.where(zero, 1.0, s)), zero.astype(int)
    total, n_zeros = np.sum(logs, -1, keepdims=True), np.sum(zeros, -1, keepdims=True)
    if n_left_out == 2:
        total, n_zeros = total[..., np.newaxis], n_zeros[..., np.newaxis]
        logs, zeros = (a[..., :, np.newaxis] + a[..., np.newaxis, :] for a in (logs, zeros))
    return np.where(n_zeros == zeros, np.exp(total - logs), 0.0).astype(s.dtype)


def _rotated(a):
    """(U, s, V, ±1): the singular value decomposition, and the sign of det U det V."""
    U, s, Vh = np.linalg.svd(a, full_matrices=False)
    return U, s, _T(Vh), np.linalg.slogdet(U)[0] * np.linalg.slogdet(Vh)[0]


@primitive
def cofactors(a):
    """∂ det A / ∂A, which is det A · A⁻ᵀ where there is an inverse."""
    U, s, V, sign = _rotated(a)
    return sign[..., np.newaxis, np.newaxis] * (
        (U * _products_without(s, 1)[..., np.newaxis, :]) @ _T(V)
    )


def _cofactors(t, C, a):
    """The differential of the cofactors, which is its own transpose (it is a Hessian).

    The cofactors of a diagonal matrix S + B, to first order in B, are those of minors that leave
    out two rows and columns.
    """
    if isinstance(a, Traced):
        return _cofactors_by_inverse(t, C, a)
    U, s, V, sign = _rotated(a)
    B = _T(U) @ t @ V
    others = _products_without(s, 2) * (1.0 - np.eye(s.shape[-1], dtype=s.dtype))
    diagonal = others @ np.diagonal(B, axis1=-2, axis2=-1)[..., np.newaxis]
    moved = np.eye(s.shape[-1], dtype=s.dtype) * diagonal - others * _T(B)
    return sign[..., np.newaxis, np.newaxis] * (U @ moved @ _T(V))


def _cofactors_by_inverse(t, C, a):
    plain = primal(a)
    if np.any(np.linalg.matrix_rank(plain) < plain.shape[-1]):
        raise NotDifferentiable(
            f"numpy.linalg.det of a singular matrix of shape {a.shape}: the derivatives of first "
            "and second order have rules, those of third order have none"
        )
    inverse = np.linalg.inv(a)
    trace = np.sum(_T(inverse) * t, axis=(-1, -2), keepdims=True)
    return trace * C - _T(inverse) @ _T(t) @ C


RULES = {
    np.linalg.det: [
        Rule(
            lambda t, y, a: np.sum(cofactors(a) * t, axis=(-1, -2)),
            lambda g, y, a: np.expand_dims(g, (-1, -2)) * cofactors(a),
        )
    ],
    cofactors: [Rule(_cofactors, _cofactors)],
}
