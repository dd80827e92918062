"""Rules of the decompositions of numpy.linalg: eigh, svd, qr, cholesky.

Each function is written with one array that holds what belongs together, U over V in `svd`, and a
rule `DIFFERENTIALS[function]`, `(dx, y, x)` -> dy, of which own_rules.py makes both modes.

Vectors of equal values are no function of the matrix: any rotation of them serves as well. Their
derivative is refused. The equal values themselves meet in a kink, where they share, as ties of
np.max do: what is symmetric in them, such as their sum, has its right first derivative. "Equal"
and "zero" are meant to rounding. Source: Giles 2008; Townsend 2016, "Differentiating the SVD".
"""

import numpy as np

from lamina.autodiff.rules.rule import primitive
from lamina.autodiff.traced import NotDifferentiable, primal


def _T(a):
    return np.swapaxes(a, -1, -2)


def _eye(a):
    return np.eye(a.shape[-1], dtype=a.dtype)


def _triangle(a, lower: bool):
    """The symmetric matrix of which NumPy reads this triangle; the other one has no influence."""
    return np.tril(a) + _T(np.tril(a, -1)) if lower else np.triu(a) + _T(np.triu(a, 1))


def _rounding(w):
    """How far apart equal values may come out."""
    largest = np.max(np.abs(w), axis=-1, keepdims=True, initial=0.0)
    return 4 * w.shape[-1] * np.finfo(w.dtype).eps * largest


def _together(w):
    """(..., n, n): which of the sorted values w are equal."""
    apart = ~(np.abs(np.diff(w)) <= _rounding(w))
    groups = np.cumsum(np.concatenate([np.zeros_like(w[..., :1], bool), apart], -1), axis=-1)
    return groups[..., :, np.newaxis] == groups[..., np.newaxis, :]


def _shared(dw, w):
    """Of equal values each moves by the mean of what they move by."""
    together = _together(primal(w))
    if np.sum(together) == dw.size:
        return dw
    weights = together / np.sum(together, axis=-1, keepdims=True, dtype=dw.dtype)
    return (weights @ dw[..., np.newaxis])[..., 0]


def _check_distinct(w, name: str, what: str) -> None:
    if np.sum(_together(primal(w))) > np.size(primal(w)):
        raise NotDifferentiable(
            f"numpy.linalg.{name}: {what}s of the matrix are equal to rounding, so their vectors "
            f"have no derivative, nor have the {what}s a second one. The {what}s alone "
            f"({'eigvalsh' if name == 'eigh' else 'svdvals'}) have a first one"
        )


def _off_diagonal(x, divisor):
    """x / divisor, and 0 on the diagonal, where both are 0."""
    eye = _eye(x)
    return x * (1.0 - eye) / (divisor + eye)


@primitive
def eigenvalues(a):
    return np.linalg.eigvalsh(a)


@primitive
def eigenvectors(a):
    return np.linalg.eigh(a)[1]


def _eigenvalues(da, w, a):
    """dw = diag(Vᵀ dA V)."""
    V = eigenvectors(a)
    return _shared(np.sum(V * (da @ V), axis=-2), w)


def _eigenvectors(da, V, a):
    """dV = V (F ∘ Vᵀ dA V) with Fᵢⱼ = 1 / (wⱼ - wᵢ)."""
    w = np.sum(V * (a @ V), axis=-2)
    _check_distinct(w, "eigh", "eigenvalue")
    gap = w[..., np.newaxis, :] - w[..., :, np.newaxis]
    return V @ _off_diagonal(_T(V) @ da @ V, gap)


@primitive
def singular_values(a):
    return np.linalg.svd(a, compute_uv=False)


@primitive
def singular_vectors(a):
    """U over V, (..., m + n, min(m, n))."""
    U, _, Vh = np.linalg.svd(a, full_matrices=False)
    return np.concatenate([U, _T(Vh)], axis=-2)


def _parts(y, a):
    rows = a.shape[-2]
    return y[..., :rows, :], y[..., rows:, :]


def _singular_values(da, s, a):
    """ds = diag(Uᵀ dA V), and 0 where s is 0, since s is never negative: a kink, as of abs."""
    U, V = _parts(singular_vectors(a), a)
    ds = np.sum(U * (da @ V), axis=-2)
    plain = primal(s)
    return _shared(np.where(plain > _rounding(plain), ds, 0.0), s)


def _singular_vectors(da, y, a):
    """With P = Uᵀ dA V and Fᵢⱼ = 1 / (sⱼ² - sᵢ²), dU = U (F ∘ (P S + S Pᵀ)) and
    dV = V (F ∘ (S P + Pᵀ S)), and of a matrix that is not square what leaves the space of U or
    V."""
    U, V = _parts(y, a)
    s = np.sum(U * (a @ V), axis=-2)
    _check_distinct(s, "svd", "singular value")
    if np.any(primal(s) <= _rounding(primal(s))):
        raise NotDifferentiable(
            "numpy.linalg.svd: a singular value of the matrix is 0 to rounding, so its vectors "
            "have no derivative, nor have the singular values a second one. The singular values "
            "alone (svdvals) have a first one"
        )
    P, mine, other = _T(U) @ da @ V, s[..., :, np.newaxis], s[..., np.newaxis, :]
    squares = (other - mine) * (other + mine)
    dU = U @ _off_diagonal(P * other + mine * _T(P), squares)
    dV = V @ _off_diagonal(mine * P + _T(P) * other, squares)
    rows, columns = a.shape[-2:]
    if rows > columns:
        dU = dU + (da @ V - U @ P) / other
    if columns > rows:
        dV = dV + (_T(da) @ U - V @ _T(P)) / other
    return np.concatenate([dU, dV], axis=-2)


@primitive
def qr_factors(a):
    """Q over R, (..., m + n, n), of a matrix with as many rows as columns or more."""
    return np.concatenate(np.linalg.qr(a), axis=-2)


def _qr_factors(da, y, a):
    """With dA R⁻¹ = C and Qᵀ dQ = Ω, which is skew: dR = (Qᵀ C - Ω) R is upper triangular, so Ω
    has the lower triangle of Qᵀ C, and dQ = C - Q (Qᵀ C - Ω)."""
    Q, R = _parts(y, a)
    pivots = np.abs(np.diagonal(primal(R), axis1=-2, axis2=-1))
    if np.any(pivots <= _rounding(pivots)):
        raise NotDifferentiable(
            f"numpy.linalg.qr: the columns of the matrix of shape {a.shape} are linearly "
            "dependent to rounding, and its factors have no derivative there"
        )
    C = _T(np.linalg.solve(_T(R), _T(da)))
    K = _T(Q) @ C
    below = np.tril(K, -1)
    upper = K - below + _T(below)
    return np.concatenate([C - Q @ upper, upper @ R], axis=-2)


@primitive
def cholesky_factor(a):
    return np.linalg.cholesky(a)


def _cholesky_factor(da, L, a):
    """dL = L Φ(L⁻¹ dA L⁻ᵀ), where Φ takes the lower triangle and half of the diagonal."""
    M = np.linalg.solve(L, _T(np.linalg.solve(L, da)))
    return L @ (np.tril(M) * (1.0 - 0.5 * _eye(L)))


DIFFERENTIALS = {
    eigenvalues: _eigenvalues,
    eigenvectors: _eigenvectors,
    singular_values: _singular_values,
    singular_vectors: _singular_vectors,
    qr_factors: _qr_factors,
    cholesky_factor: _cholesky_factor,
}

_ONE = np.ones((1, 1))
EighResult, SVDResult, QRResult = (
    type(f(_ONE)) for f in (np.linalg.eigh, np.linalg.svd, np.linalg.qr)
)


def _is_lower(UPLO: str) -> bool:
    if UPLO.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return UPLO.upper() == "L"


def _eigh(a, UPLO="L"):
    a = _triangle(a, _is_lower(UPLO))
    return EighResult(eigenvalues(a), eigenvectors(a))


def _eigvalsh(a, UPLO="L"):
    return eigenvalues(_triangle(a, _is_lower(UPLO)))


def _svd(a, full_matrices=True, compute_uv=True):
    if not compute_uv:
        return singular_values(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        raise NotDifferentiable(
            f"numpy.linalg.svd of shape {a.shape} with full_matrices=True has no derivative rule: "
            "the vectors that fill U or Vh up are no function of the matrix; give "
            "full_matrices=False"
        )
    U, V = _parts(singular_vectors(a), a)
    return SVDResult(U, singular_values(a), _T(V))


def _qr(a, mode="reduced"):
    rows, columns = a.shape[-2:]
    if mode not in ("reduced", "complete", "r") or (mode == "complete" and rows > columns):
        raise NotDifferentiable(
            f"numpy.linalg.qr of shape {a.shape} with mode={mode!r} has no derivative rule; the "
            "modes 'reduced' and 'r' have one"
        )
    square = a[..., : min(rows, columns)]
    Q, R = _parts(qr_factors(square), square)
    if columns > rows:
        R = np.concatenate([R, _T(Q) @ a[..., rows:]], axis=-1)
    return R if mode == "r" else QRResult(Q, R)


def _cholesky(a, *, upper=False):
    L = cholesky_factor(_triangle(a, not upper))
    return _T(L) if upper else L


COMPOSITE = {
    np.linalg.eigh: _eigh,
    np.linalg.eigvalsh: _eigvalsh,
    np.linalg.svd: _svd,
    np.linalg.svdvals: lambda x: singular_values(x),
    np.linalg.qr: _qr,
    np.linalg.cholesky: _cholesky,
}
