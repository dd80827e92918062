"""eigh, svd, qr, cholesky: right, or refused where their factors have no derivative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import NotDifferentiable, grad, hvp, jvp
from lamina.autodiff.rules import decompositions
from lamina.autodiff.rules.decompositions import (
    cholesky_factor,
    eigenvalues,
    eigenvectors,
    qr_factors,
    singular_values,
    singular_vectors,
)

A, STACK = (3, 3), (2, 3, 3)


def apart(a):
    """A square matrix whose eigenvalues and singular values are far apart, and far from 0."""
    n = a.shape[-1]
    return 0.3 * a + np.diag(np.arange(1.0, n + 1).astype(a.dtype))


def symmetric(a):
    a = apart(a)
    return a + np.swapaxes(a, -1, -2)


def tall(a):
    return np.concatenate([apart(a[..., : a.shape[-1], :]), a[..., a.shape[-1] :, :]], axis=-2)


def wide(a):
    return np.swapaxes(tall(np.swapaxes(a, -1, -2)), -1, -2)


def joined(parts):
    return np.concatenate([np.ravel(p) for p in parts])


CASES = {
    np.linalg.eigh: [
        (lambda a: joined(np.linalg.eigh(symmetric(a))), A),
        (lambda a: joined(np.linalg.eigh(apart(a))), A),  # of which one triangle is read
        (lambda a: joined(np.linalg.eigh(apart(a), "U")), A),
        (lambda a: np.linalg.eigh(apart(a), UPLO="l").eigenvectors, STACK),
        (lambda a: joined(np.linalg.eigh(a)), (1, 1)),
    ],
    np.linalg.eigvalsh: [
        (lambda a: np.linalg.eigvalsh(apart(a)), STACK),
        (lambda a: np.linalg.eigvalsh(apart(a), "U"), A),
    ],
    np.linalg.svd: [
        (lambda a: joined(np.linalg.svd(apart(a))), A),
        (lambda a: joined(np.linalg.svd(tall(a), full_matrices=False)), (5, 3)),
        (lambda a: joined(np.linalg.svd(wide(a), full_matrices=False)), (2, 4)),
        (lambda a: np.linalg.svd(wide(a), False).Vh, (2, 2, 3)),
        (lambda a: np.linalg.svd(tall(a), compute_uv=False), (4, 2)),
    ],
    np.linalg.svdvals: [(lambda a: np.linalg.svdvals(tall(a)), (2, 4, 3))],
    np.linalg.qr: [
        (lambda a: joined(np.linalg.qr(apart(a))), A),
        (lambda a: joined(np.linalg.qr(tall(a))), (5, 3)),
        (lambda a: joined(np.linalg.qr(wide(a))), (2, 4)),
        (lambda a: joined(np.linalg.qr(wide(a), mode="complete")), (2, 4)),
        (lambda a: np.linalg.qr(tall(a), "r"), (2, 4, 3)),
    ],
    np.linalg.cholesky: [
        (lambda a: np.linalg.cholesky(symmetric(a)), STACK),
        (lambda a: np.linalg.cholesky(apart(a)), A),
        (lambda a: np.linalg.cholesky(apart(a), upper=True), A),
        (lambda a: np.linalg.cholesky(a), (1, 1)),
    ],
    eigenvalues: [(lambda a: eigenvalues(symmetric(a)), A)],
    eigenvectors: [(lambda a: eigenvectors(symmetric(a)), A)],
    singular_values: [(lambda a: singular_values(tall(a)), (4, 2))],
    singular_vectors: [(lambda a: singular_vectors(tall(a)), (4, 2))],
    qr_factors: [(lambda a: qr_factors(tall(a)), (4, 2))],
    cholesky_factor: [(lambda a: cholesky_factor(symmetric(a)), A)],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(decompositions, CASES)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([(), (2,), (0,), (2, 1)]), st.integers(1, 4), st.integers(0, 2**32))
def test_any_stack(check, arrays, stack, n, seed):
    rng = np.random.default_rng(seed)
    square, rows = arrays(rng, (*stack, n, n), (*stack, n + seed % 3, n), signed=True)
    check(lambda a: np.linalg.eigh(symmetric(a))[1], square, value=1e-11)
    check(lambda a: np.linalg.svd(tall(a), full_matrices=False)[0], rows, value=1e-11)
    check(lambda a: np.linalg.qr(tall(a))[1], rows, value=1e-11)
    check(lambda a: np.linalg.cholesky(symmetric(a) @ symmetric(a)), square, value=1e-11)


EQUAL = {
    "the identity": np.eye(3),
    "one apart": np.diag([1.0, 1.0, 2.0]),
    "turned": None,
    "zeros": np.zeros((3, 3)),
    "single": np.eye(3, dtype=np.float32),
}
Q = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
EQUAL["turned"] = Q @ np.diag([2.0, 5.0, 2.0]) @ Q.T  # equal to rounding only
VECTORS = {
    "eigh": lambda a: np.linalg.eigh(a)[1],
    "svd, U": lambda a: np.linalg.svd(a)[0],
    "svd, V": lambda a: np.linalg.svd(a)[2],
}


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("a", EQUAL.values(), ids=EQUAL)
def test_vectors_of_equal_values_are_refused(name, a):
    f = VECTORS[name]
    weights = np.arange(9.0, dtype=a.dtype).reshape(3, 3)
    for run in (
        lambda: grad(lambda a: np.sum(weights * f(a)))(a),
        lambda: jvp(f, a, np.ones_like(a)),
        lambda: hvp(lambda a: np.sum(weights * f(a)), a, np.ones_like(a)),
    ):
        with pytest.raises(NotDifferentiable, match=r"values of the matrix are equal to rounding"):
            run()


@pytest.mark.parametrize("values", [np.linalg.eigvalsh, np.linalg.svdvals])
@pytest.mark.parametrize("name", sorted(set(EQUAL) - {"zeros"}))
def test_equal_values_share(values, name):
    """Their sum, the trace, has the gradient 1; the least is a kink, and in its place stands
    the projection on the space of the least, by its dimension, whatever basis LAPACK chose."""
    a = EQUAL[name]
    eye, close = np.eye(3, dtype=a.dtype), {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(grad(lambda a: np.sum(values(a)))(a), eye, **close)
    squares = grad(lambda a: np.sum(values(a) ** 2))(a)
    np.testing.assert_allclose(_symmetric_part(squares), 2 * a, **close)
    first = 0 if values is np.linalg.eigvalsh else -1
    plain = np.linalg.eigh(a)
    space = plain[1][:, plain[0] < plain[0][0] + 1e-3]
    expected = space @ space.T / space.shape[1]
    least = _symmetric_part(grad(lambda a: values(a)[first])(a))
    np.testing.assert_allclose(least, expected, **close)
    moved = jvp(lambda a: values(a)[first], a, eye)[1]
    np.testing.assert_allclose(moved, 1.0, **close)


def _symmetric_part(g):
    """eigvalsh reads one triangle, whose gradient counts for both."""
    return 0.5 * (g + g.T)


@pytest.mark.parametrize("values", [np.linalg.eigvalsh, np.linalg.svdvals])
def test_equal_values_have_no_second_derivative(values):
    """It would be 2 I for the sum of squares, but the rule divides by differences that are 0."""
    for run in (
        lambda: hvp(lambda a: np.sum(values(a) ** 2), np.eye(3), np.ones((3, 3))),
        lambda: grad(lambda a: np.sum(grad(lambda a: np.sum(values(a) ** 2))(a)))(np.eye(3)),
    ):
        with pytest.raises(
            NotDifferentiable, match=r"nor have the (eigen|singular )values a second"
        ):
            run()


def test_singular_values_that_are_zero():
    a = np.diag([3.0, 0.0])
    assert grad(lambda a: np.linalg.svdvals(a)[1])(a).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    np.testing.assert_allclose(grad(lambda a: np.sum(np.linalg.svdvals(a)))(a), [[1, 0], [0, 0]])
    for run in (
        lambda: grad(lambda a: np.sum(np.linalg.svd(a)[0]))(a),
        lambda: hvp(lambda a: np.sum(np.linalg.svdvals(a)), a, a),
    ):
        with pytest.raises(NotDifferentiable, match="a singular value of the matrix is 0 to round"):
            run()


def test_dependent_columns():
    a = np.random.default_rng(0).standard_normal((4, 3))
    for low in (a[:, [0, 1, 0]], a @ np.ones((3, 3)), np.zeros((4, 3))):
        for run in (
            lambda low=low: grad(lambda a: np.sum(np.linalg.qr(a)[0]))(low),
            lambda low=low: jvp(lambda a: np.linalg.qr(a, "r"), low, low),
        ):
            with pytest.raises(NotDifferentiable, match=r"columns .* are linearly dependent"):
                run()


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a: np.linalg.svd(a)[1], r"svd of shape \(3, 4\) with full_matrices=True"),
        (lambda a: np.linalg.qr(a.T, "complete")[1], r"qr of shape \(4, 3\) with mode='complete'"),
        (lambda a: np.linalg.qr(a, "raw")[1], "with mode='raw'"),
        (lambda a: np.linalg.svd(a[:, :3], hermitian=True)[1], "svd with hermitian="),
        (lambda a: np.linalg.eig(a[:, :3])[0], "numpy.linalg.eig has no derivative rule"),
    ],
)
def test_what_has_no_rule(f, words):
    a = np.random.default_rng(0).standard_normal((3, 4))
    for run in (lambda: jvp(f, a, a), lambda: grad(lambda a: np.sum(f(a)))(a)):
        with pytest.raises(NotDifferentiable, match=words):
            run()


def test_what_numpy_refuses():
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda a: np.sum(np.linalg.cholesky(a)))(-np.eye(2))
    with pytest.raises(ValueError, match="UPLO"):
        grad(lambda a: np.sum(np.linalg.eigvalsh(a, "X")))(np.eye(2))
