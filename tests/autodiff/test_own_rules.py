"""Rules of one's own: `primitive` and `differential`."""

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, differential, grad, hessian, primitive
from lamina.autodiff.rules import RULES

X = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4))


@pytest.fixture
def cube():
    @primitive
    def cube(x, scale=1.0):
        """The cube."""
        assert type(x) in (np.ndarray, np.float64)  # plain inside, whatever is differentiated
        return scale * x**3

    @differential(cube)
    def _(dx, y, x, scale=1.0):
        return dx * (3.0 * scale * x**2)

    yield cube
    del RULES[cube]


def test_a_rule_of_ones_own_works_in_both_modes_to_second_order(cube, check):
    check(lambda x: cube(x), X)
    check(lambda x: cube(x, scale=2.0), X)
    np.testing.assert_allclose(hessian(lambda x: np.sum(cube(x)))(X[0]), np.diag(6 * X[0]))
    assert cube.__name__ == "cube"
    assert cube.__doc__ == "The cube."
    with pytest.raises(NotDifferentiable, match="cube with x="):
        grad(lambda x: np.sum(cube(x=x)))(X)
    with pytest.raises(NotDifferentiable, match=r"argument 1 of .*cube"):
        grad(lambda x: np.sum(cube(X, x)))(X)


def test_a_rule_that_broadcasts_and_one_for_the_second_argument(check):
    @primitive
    def weighted(x, w):
        return np.sum(x) * w

    @differential(weighted)
    def _(dx, y, x, w):
        return np.sum(dx) * w

    @differential(weighted, 1)
    def _(dw, y, x, w):
        return np.sum(x) * dw

    @primitive
    def plus_sum(x):
        return x - x + np.sum(x)

    differential(plus_sum)(lambda dx, y, x: np.sum(dx))  # one number for all entries
    check(weighted, X, X[0])
    check(plus_sum, X)
    del RULES[weighted], RULES[plus_sum]


def test_a_ufunc_of_another_library(check):
    special = pytest.importorskip("scipy.special", reason="no SciPy: pip install scipy")

    @differential(special.expm1)
    def _(dx, y, x):
        return dx * np.exp(x)

    check(special.expm1, X)
    del RULES[special.expm1]


def test_wrong_uses_of_differential():
    def plain(x):
        return x

    for wrong in (plain, lambda x: x, 3, "exp"):
        with pytest.raises(TypeError, match=r"make it one with the decorator autodiff.primitive"):
            differential(wrong)
    with pytest.raises(TypeError, match="modf gives 2 arrays, not one"):
        differential(np.modf)
    with pytest.raises(TypeError, match="counted from 0, got -1"):
        differential(np.exp, -1)
    for function in (np.einsum, np.stack):
        with pytest.raises(TypeError, match="has rules for all its arguments"):
            differential(function)
