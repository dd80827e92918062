"""numpy.linalg: inv, solve, slogdet. (The norms are reductions.)"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import grad, jvp
from lamina.autodiff.rules import linear_algebra
from lamina.autodiff.rules.linear_algebra import log_abs_det


def away(a):
    """A matrix that is far from singular: the identity and a little more."""
    return 0.2 * a + np.eye(a.shape[-1], dtype=a.dtype)


def log_det(a):
    return np.linalg.slogdet(a)[1]


A, STACK = (3, 3), (2, 3, 3)
CASES = {
    np.linalg.inv: [
        (lambda a: np.linalg.inv(away(a)), A),
        (lambda a: np.linalg.inv(away(a)), STACK),
        (lambda a: np.linalg.inv(a), (1, 1)),
    ],
    np.linalg.solve: [
        (lambda a, b: np.linalg.solve(away(a), b), A, (3,)),
        (lambda a, b: np.linalg.solve(away(a), b), A, (3, 2)),
        (lambda a, b: np.linalg.solve(away(a), b), STACK, (2, 3, 2)),
        (lambda a, b: np.linalg.solve(away(a), b), STACK, (3,)),
        (lambda a, b: np.linalg.solve(away(a), b), STACK, (3, 2)),
        (lambda a, b: np.linalg.solve(away(a), b), A, (2, 3, 1)),
        (lambda a, b: np.linalg.solve(away(a), b), (2, 1, 2, 2), (3, 2, 2)),
        (lambda a, b: np.linalg.solve(away(a), b), A, (3, 0)),
        (lambda a: np.linalg.solve(away(a), np.ones(3)), A),
        (lambda a: np.linalg.solve(away(a), [1.0, 2.0, 3.0]), A),  # a list is an array to NumPy
        (lambda b: np.linalg.solve(2.0 * np.eye(3), b), (3, 2)),
    ],
    np.linalg.slogdet: [
        (lambda a: log_det(away(a)), A),
        (lambda a: np.linalg.slogdet(away(-a)).logabsdet * np.linalg.slogdet(a).sign, STACK),
        (lambda a: log_det(-2.0 * away(a)), A),
        (lambda a: log_det(a), (0, 2, 2)),
    ],
    np.linalg.matrix_power: [
        *((lambda a, n=n: np.linalg.matrix_power(away(a), n), A) for n in range(-3, 8) if n),
        (lambda a: a * np.linalg.matrix_power(a, 0), STACK),
        (lambda a: np.linalg.matrix_power(a, 3), STACK),
    ],
    np.linalg.multi_dot: [
        (lambda a, b, c: np.linalg.multi_dot([a, b, c]), (2, 3), (3, 4), (4,)),
        (lambda a, b: np.linalg.multi_dot([a, b]) * np.linalg.multi_dot([b, a]), (3,), A),
    ],
    log_abs_det: [(lambda a: log_abs_det(away(a)), A)],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(linear_algebra, CASES)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([(), (1,), (2,), (0,), (2, 1)]), st.integers(1, 3), st.integers(0, 2**32))
def test_any_stack(check, arrays, stack, n, seed):
    rng = np.random.default_rng(seed)
    right = [(n,), (n, 2), (*stack, n, 1)][seed % 3]
    a, b = arrays(rng, (*stack, n, n), right, signed=True)
    check(lambda a: np.linalg.inv(away(a)), a)
    check(lambda a: log_det(away(a)), a)
    check(lambda a, b: np.linalg.solve(away(a), b), a, b)


def test_the_sign_of_a_determinant_is_constant():
    a = np.array([[0.0, 2.0], [1.0, 0.0]])
    result, tangent = jvp(np.linalg.slogdet, a, np.eye(2))
    assert (result.sign, tangent.sign) == (-1.0, 0.0)
    np.testing.assert_allclose(grad(log_det)(a), np.linalg.inv(a).T)


def test_a_singular_matrix_is_refused_as_by_numpy():
    with pytest.raises(np.linalg.LinAlgError):
        grad(lambda a: np.linalg.inv(a).sum())(np.zeros((2, 2)))
