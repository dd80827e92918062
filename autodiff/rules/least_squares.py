"""What is written with the factors Q and R of a matrix of full rank: lstsq and pinv.

Where the rank is less, both jump when the matrix moves, so there is no derivative.
"""

import numpy as np

from lamina.autodiff.traced import NotDifferentiable, primal


def _T(a):
    return np.swapaxes(a, -1, -2)


def _check_rank(name: str, rank, a) -> None:
    if np.any(rank < min(a.shape[-2:])):
        raise NotDifferentiable(
            f"numpy.linalg.{name} of a matrix of shape {a.shape} and rank {np.min(rank)} has no "
            "derivative: the result jumps where the rank changes. Add a multiple of the identity, "
            "np.linalg.solve(a.T @ a + c * np.eye(n), a.T @ b), or leave columns out"
        )


def _solved(a, b):
    """The x of least ‖a x - b‖, and of these that of least ‖x‖; b holds columns."""
    if a.shape[-2] >= a.shape[-1]:
        Q, R = np.linalg.qr(a)
        return np.linalg.solve(R, _T(Q) @ b)
    Q, R = np.linalg.qr(_T(a))
    return Q @ np.linalg.solve(_T(R), b)


def _lstsq(a, b, rcond=None):
    *_, rank, _ = np.linalg.lstsq(primal(a), primal(b), rcond)
    _check_rank("lstsq", rank, a)
    columns = np.reshape(b, (-1, 1)) if np.ndim(b) == 1 else b
    x = _solved(a, columns)
    rows, n = a.shape
    residuals = np.sum(np.square(columns - a @ x), axis=0) if rows > n else np.zeros(0, x.dtype)
    return np.reshape(x, (n, *np.shape(b)[1:])), residuals, rank, np.linalg.svdvals(a)


def _pinv(a, rcond=None, hermitian=False):
    if rcond is not None or hermitian:
        raise NotDifferentiable(
            "numpy.linalg.pinv with rcond= or hermitian= has no derivative rule; without them it "
            "has one"
        )
    _check_rank("pinv", np.linalg.matrix_rank(primal(a)), a)
    return _solved(a, np.eye(a.shape[-2], dtype=a.dtype))


COMPOSITE = {np.linalg.lstsq: _lstsq, np.linalg.pinv: _pinv}
