"""lstsq and pinv of full rank; others are refused."""

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, grad, jvp
from lamina.autodiff.rules import least_squares


def far(a):
    """Of full rank, and far from less."""
    return 0.3 * a + np.eye(*a.shape[-2:], dtype=a.dtype)


def joined(a, b):
    x, residuals, rank, s = np.linalg.lstsq(far(a), b)
    assert type(rank) is not type(x)
    return np.concatenate([np.ravel(x), residuals, s * rank])


CASES = {
    np.linalg.lstsq: [
        (joined, (5, 3), (5,)),
        (joined, (5, 3), (5, 2)),
        (joined, (3, 3), (3, 2)),
        (joined, (2, 4), (2,)),
        (lambda b: np.linalg.lstsq(np.eye(4, 2), b, rcond=None)[0], (4, 3)),
        (lambda a: np.linalg.lstsq(far(a), np.arange(4.0), -1)[0], (4, 2)),
    ],
    np.linalg.pinv: [
        (lambda a: np.linalg.pinv(far(a)), (4, 3)),
        (lambda a: np.linalg.pinv(far(a)), (2, 2, 3)),
        (lambda a: np.linalg.pinv(far(a)), (3, 3)),
    ],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(least_squares, CASES)


def test_a_lower_rank_is_refused():
    a, b = np.ones((4, 2)), np.ones(4)
    for f in (lambda a: np.linalg.lstsq(a, b)[0], np.linalg.pinv):
        for run in (lambda f=f: jvp(f, a, a), lambda f=f: grad(lambda a: np.sum(f(a)))(a)):
            with pytest.raises(NotDifferentiable, match=r"and rank 1 has no derivative: the resu"):
                run()
    with pytest.raises(NotDifferentiable, match=r"pinv with rcond= or hermitian="):
        grad(lambda a: np.sum(np.linalg.pinv(a, 1e-3)))(np.eye(2))
