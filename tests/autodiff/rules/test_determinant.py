"""numpy.linalg.det, also of singular matrices."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import NotDifferentiable, grad, hessian, hvp, jvp
from lamina.autodiff.rules import determinant
from lamina.autodiff.rules.determinant import cofactors

A, STACK = (3, 3), (2, 3, 3)


def of_rank(a, rank):
    """The first columns again in the place of the others."""
    return a[..., [i % max(rank, 1) for i in range(a.shape[-1])]] * (rank > 0)


CASES = {
    np.linalg.det: [
        (np.linalg.det, A),
        (np.linalg.det, STACK),
        (lambda a: np.linalg.det(a), (1, 1)),
        (lambda a: np.linalg.det(a), (0, 2, 2)),
        *((lambda a, r=r: np.linalg.det(of_rank(a, r) + a - a), (4, 4)) for r in (0, 1, 2, 3)),
    ],
    cofactors: [(cofactors, A), (cofactors, STACK)],
}


def by_definition(a):
    """The sum over permutations, a polynomial that needs no rule but that of the product."""
    if a.shape[-1] == 0:
        return np.ones_like(a[..., 0, 0])
    if a.shape[-1] == 1:
        return a[0, 0]
    rest = [[j for j in range(a.shape[1]) if j != i] for i in range(a.shape[1])]
    return sum((-1) ** i * a[0, i] * by_definition(a[1:, r]) for i, r in enumerate(rest))


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(determinant, CASES)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 2**32))
def test_of_any_rank_as_by_definition(n, rank, seed):
    """The gradient, which is that of cofactors, and the Hessian, which is that of minors."""
    rng = np.random.default_rng(seed)
    rank = min(rank, n)
    a = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, n))
    v = rng.standard_normal((n, n))
    scale = max(1.0, np.max(np.abs(a))) ** n
    for derivative in (
        grad,
        lambda f: lambda a: jvp(f, a, v)[1],
        lambda f: lambda a: hvp(f, a, v),
        lambda f: grad(lambda a: np.sum(grad(f)(a) * v)),
    ):
        mine, exact = derivative(np.linalg.det)(a), derivative(by_definition)(a)
        np.testing.assert_allclose(mine, exact, rtol=1e-8, atol=1e-11 * scale)


def test_of_zeros():
    expected = np.zeros((2, 2, 2, 2))
    for i in range(2):
        for j in range(2):
            expected[i, j, 1 - i, 1 - j] = 1.0 if i == j else -1.0
    np.testing.assert_allclose(hessian(np.linalg.det)(np.zeros((2, 2))), expected, atol=1e-15)


def test_the_third_derivative():
    a, v = np.random.default_rng(0).standard_normal((2, 3, 3))

    def third(f, a):
        return jvp(lambda a: hvp(f, a, v), a, v)[1]

    np.testing.assert_allclose(third(np.linalg.det, a), third(by_definition, a), rtol=1e-9)
    with pytest.raises(NotDifferentiable, match=r"of a singular matrix .* third order have none"):
        third(np.linalg.det, np.ones((3, 3)))


def test_of_a_large_matrix_nothing_overflows():
    a = 10.0 * np.random.default_rng(0).standard_normal((400, 400))
    with np.errstate(over="ignore"):
        assert not np.isfinite(np.linalg.det(a))
    b = 0.05 * a / np.sqrt(10.0)
    np.testing.assert_allclose(
        grad(np.linalg.det)(b), np.linalg.det(b) * np.linalg.inv(b).T, rtol=1e-6
    )
