"""numpy.sinc at, near and far from 0."""

import numpy as np
import pytest

from lamina.autodiff import grad, jvp
from lamina.autodiff.rules import sinc
from lamina.autodiff.rules.sinc import sinc_derivative

CASES = {
    np.sinc: [(np.sinc, (3, 4)), (lambda x: np.sinc(x - x), (3,)), (lambda x: np.sinc(3 * x), ())],
    sinc_derivative: [
        (lambda x: sinc_derivative(x, 1), (3,)),
        (lambda x: sinc_derivative(x, 4), ()),
    ],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(sinc, CASES)


def test_at_zero():
    """From the series 1 - (πx)²/6 + (πx)⁴/120."""
    f, found = np.sinc, []
    for _ in range(4):
        f = grad(f)
        found.append(f(0.0))
    np.testing.assert_allclose(found, [0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5], atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_all_along_the_line(order, dtype):
    """sinc(x) = ∫₀¹ cos πxt dt, so its derivatives are integrals that no cancellation touches."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    t = (nodes + 1) / 2
    x = np.concatenate([np.linspace(-9, 9, 301), [1e-8, -1e-3, 1e-30]]).astype(dtype)
    phase = np.pi * np.float64(x)[:, None] * t + order * np.pi / 2
    expected = ((np.pi * t) ** order * np.cos(phase)) @ weights / 2
    found = sinc_derivative(x, order)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, atol=1e-11 if dtype is np.float64 else 2e-4)
    assert jvp(np.sinc, x, x)[1].dtype == dtype
