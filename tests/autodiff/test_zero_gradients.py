"""Where nothing comes back nothing comes out: branches not taken, and kinks at zero."""

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, grad, hvp, jvp

X = np.array([-1.0, 0.0, 4.0])
# Each has a derivative that is infinite or NaN at -1 or 0, and none of that where x > 0.
BRANCHES = {
    "log": lambda x: np.log(x),
    "log1p": lambda x: np.log1p(x - 1.0),
    "sqrt": lambda x: np.sqrt(x),
    "reciprocal": lambda x: np.reciprocal(x),
    "divide": lambda x: 1.0 / x,
    "numerator": lambda x: x / np.maximum(x, 0.0),
    "root": lambda x: x**0.5,
    "power": lambda x: x**-1.5,
    "exponent": lambda x: np.maximum(x, 0.0) ** x,
    "multiply": lambda x: x * np.log(x),
    "exp": lambda x: np.exp(1.0 / np.maximum(x, 0.0) ** 2),
    "logaddexp": lambda x: np.logaddexp(np.log(x), np.log(x)),
    "tan": lambda x: np.tan(np.log(x)),
    "tanh": lambda x: np.tanh(np.sqrt(x)),
    "sin": lambda x: np.sin(np.log(x)) + np.cos(np.log(x)),
    "arctan": lambda x: np.arctan(np.log(x)),
    "sinh": lambda x: np.sinh(np.log(x)) + np.cosh(np.log(x)),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_that_is_not_taken_gives_zero(name, dtype):
    """Both modes agree, to second order, and where it is taken it has its derivative."""
    branch = BRANCHES[name]
    x = X.astype(dtype)

    def f(x):
        return np.sum(np.where(x > 0, branch(x), 3.0 * x))

    with np.errstate(all="ignore"):
        gradient, second = grad(f)(x), hvp(f, x, np.ones_like(x))
        expected = grad(lambda x: np.sum(branch(x)))(x[2:])[0]
        for i in range(3):
            unit = np.eye(3, dtype=dtype)[i]
            np.testing.assert_array_equal(jvp(f, x, unit)[1], gradient[i])
        twice = hvp(lambda x: np.sum(branch(x)), x[2:], np.ones_like(x[2:]))[0]
    assert np.isfinite(expected)
    np.testing.assert_array_equal(gradient, [3.0, 3.0, expected])
    np.testing.assert_array_equal(second, [0.0, 0.0, twice])


def test_a_direction_of_zero_moves_nothing():
    """Forward mode at the branch itself: 0 times infinity is 0, too."""
    with np.errstate(divide="ignore"):
        for f in (np.log, np.sqrt, np.reciprocal, lambda x: x**0.5):
            assert jvp(f, np.zeros(2), np.zeros(2))[1].tolist() == [0.0, 0.0]
            assert np.isinf(jvp(f, np.zeros(2), np.ones(2))[1]).all()


def test_a_factor_that_is_zero_keeps_its_mixed_derivative():
    """∂²/∂u∂x u ln x = 1/x at u = 0: a gradient of 0 is not a constant."""
    second = hvp(lambda p: p[0] * np.log(p[1]), np.array([0.0, 2.0]), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(second, [0.0, 0.5])
    with np.errstate(divide="ignore"):  # one entry beside it needs the other way of computing
        f = lambda p: np.sum(p[0] * np.where(p[1] > 0, np.log(p[1]), 0.0))  # noqa: E731
        v = np.array([[1.0, 1.0], [0.0, 0.0]])
        second = hvp(f, np.array([[0.0, 0.0], [2.0, 0.0]]), v)
    np.testing.assert_array_equal(second, [[0.0, 0.0], [0.5, 0.0]])


NORMS = {
    "norm": np.linalg.norm,
    "its square": lambda x: np.linalg.norm(x) ** 2,
    "rows": lambda x: np.linalg.norm(x, axis=1),
    "frobenius": lambda x: np.linalg.norm(x, "fro"),
    "of degree 3": lambda x: np.linalg.norm(x, 3, axis=0),
    "of degree 1.5": lambda x: np.linalg.norm(x, 1.5, axis=-1, keepdims=True),
    "std": np.std,
    "its square too": lambda x: np.std(x, axis=0) ** 2,
    "std of rows": lambda x: np.std(x, axis=1, ddof=1),
}


@pytest.mark.parametrize("name", NORMS)
def test_lengths_and_deviations_have_a_subgradient_at_zero(name):
    f, x = NORMS[name], np.zeros((3, 4))
    assert (grad(lambda x: np.sum(f(x)))(x) == 0.0).all()
    assert (jvp(f, x, np.ones_like(x) * np.arange(4.0))[1] == 0.0).all()
    assert (hvp(lambda x: np.sum(f(x)), x, np.ones_like(x)) == 0.0).all()


def test_a_row_of_zeros_does_not_touch_the_others():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    gradient = grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(x)
    np.testing.assert_allclose(gradient, [[0.6, 0.8], [0.0, 0.0]])


def test_sums_in_place():
    x = np.arange(6.0).reshape(3, 2)

    def total(x):
        s = 0
        for row in x:
            s += row * row
        s -= x[0]
        s *= 3.0
        s /= 2.0
        return np.sum(s)

    expected = 3.0 * x
    expected[0] -= 1.5
    np.testing.assert_array_equal(grad(total)(x), expected)
    np.testing.assert_array_equal(jvp(total, x, x)[1], np.sum(expected * x))


def test_a_sum_in_place_that_another_name_sees_is_refused():
    """NumPy writes into what they both name; a new array for one would be a wrong number."""

    def named(x):
        s = 0 + x
        before = s
        s += x
        return np.sum(before * s)

    def contained(x):
        parts = [0 + x]
        s = parts[0]
        s += x
        return np.sum(parts[0])

    def view(x):
        y = 2.0 * x
        row = y[0]
        row += 1.0
        return np.sum(y * y)

    for f in (named, contained, view):
        with pytest.raises(NotDifferentiable, match="was to be written into"):
            grad(f)(np.ones((2, 2)))


def test_a_sum_in_place_keeps_dtype_and_shape():
    def f(x):
        s = 0 + x
        s += np.ones(2)
        assert s.dtype == np.float32
        return np.sum(s)

    assert grad(f)(np.ones(2, np.float32)).dtype == np.float32

    def grown(x):
        s = 0 + x
        s += np.ones((2, 2))
        return np.sum(s)

    with pytest.raises(NotDifferentiable, match="was to be written into"):
        grad(grown)(np.ones(2))
