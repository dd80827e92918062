"""Derivatives of derivatives: levels, all combinations of modes, Jacobians and Hessians."""

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, grad, hessian, hvp, jacobian, jvp, value_and_grad

X = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4))
ONE = np.array(1.0)


def forward(f):
    return lambda x: jvp(f, x, np.ones_like(x))[1]


MODES = {"forward": forward, "reverse": grad}


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_perturbations_are_not_confused(outer, inner):
    """d/dx [x · d/dy (x + y)] is 1; without levels it comes out as 2."""
    derivative, within = MODES[outer], MODES[inner]
    assert derivative(lambda x: x * within(lambda y: x + y)(ONE))(ONE) == 1.0
    assert derivative(lambda x: x * within(lambda y: x * y)(ONE))(np.array(3.0)) == 6.0


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_the_function_of_note_002_against_derivatives_by_hand(outer, inner):
    """f(x) = (ln x · (x + 3) + x²) / sin x at x = 2.

    With the numerator n and s = sin x:  n' = (x + 3)/x + ln x + 2x,  n'' = 1/x - 3/x² + 2,
    f' = (n' - f cos x)/s,  f'' = (n'' - 2 f' cos x + f sin x)/s, the latter from (f s)'' = n''.
    """

    def f(x):
        return (np.log(x) * (x + 3) + x**2) / np.sin(x)

    x, s, c = 2.0, np.sin(2.0), np.cos(2.0)
    value = (np.log(x) * 5 + 4) / s
    first = (2.5 + np.log(x) + 4 - value * c) / s
    second = (0.5 - 0.75 + 2 - 2 * first * c + value * s) / s
    one, two = MODES[inner](f), MODES[outer](MODES[inner](f))
    np.testing.assert_allclose(value_and_grad(f)(x)[0], value, rtol=1e-14)
    np.testing.assert_allclose(one(np.float64(x)), first, rtol=1e-12)
    np.testing.assert_allclose(two(np.float64(x)), second, rtol=1e-12)


def test_third_derivatives_in_all_combinations():
    for a in MODES.values():
        for b in MODES.values():
            for c in MODES.values():
                np.testing.assert_allclose(a(b(c(lambda x: x**4 + np.exp(x))))(ONE), 24 + np.e)


def test_a_gradient_in_the_function():
    """A penalty on the gradient: d/dx ‖d/dx Σ x³‖² = 36 x³."""
    penalty = grad(lambda x: np.sum(grad(lambda x: np.sum(x**3))(x) ** 2))
    np.testing.assert_allclose(penalty(X), 36 * X**3)


def test_jacobians_of_both_modes(recorded):
    tall, wide = np.arange(12.0).reshape(4, 3), np.arange(6.0).reshape(2, 3)
    x = X[0, :3]
    np.testing.assert_array_equal(jacobian(lambda x: tall @ x)(x), tall)
    assert recorded.count == 2  # to learn the shape of y; then forward, for each of 3 inputs
    np.testing.assert_array_equal(jacobian(lambda x: wide @ x)(x), wide)
    assert jacobian(lambda x: np.outer(x, X))(x).shape == (3, 12, 3)
    assert jacobian(lambda x: x[0] * x.reshape(3, 1) @ X[:1])(x).shape == (3, 4, 3)
    assert jacobian(np.sin)(0.0) == 1.0
    np.testing.assert_array_equal(jacobian(np.sum)(X), np.ones_like(X))


def test_jacobians_of_nothing():
    assert jacobian(lambda x: np.concatenate([x, np.ones(2)]))(np.ones(0)).shape == (2, 0)
    assert jacobian(lambda x: x[:0])(X).shape == (0, 4, 3, 4)
    assert hessian(np.sum)(np.ones((0, 2))).shape == (0, 2, 0, 2)
    np.testing.assert_array_equal(jacobian(lambda x: 1.0)(np.ones(2)), np.zeros(2))


def test_a_jacobian_of_several_arrays_is_refused():
    with pytest.raises(TypeError, match="f returns one array, got a tuple"):
        jacobian(lambda x: (x, x))(X)


def test_a_structure_is_no_array():
    for derivative in (jacobian, hessian):
        with pytest.raises(TypeError, match=rf"{derivative.__name__}: x is one array, got a list"):
            derivative(lambda x: x[0] * x[1])([1.0, 2.0])


def test_hessians_are_symmetric():
    def f(x):
        return np.log(np.sum(np.exp(x @ x.T)))

    h = hessian(f)(X[:2]).reshape(8, 8)
    np.testing.assert_allclose(h, h.T, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(h @ X[1:].ravel(), hvp(f, X[:2], X[1:]).ravel(), rtol=1e-12)
    np.testing.assert_allclose(h, jacobian(grad(f))(X[:2]).reshape(8, 8), rtol=1e-12, atol=1e-14)
    assert hessian(lambda x: x**3)(2) == 12.0


def test_buffers_of_another_level_are_refused():
    """The tangent of the inner level would be lost, or taken for that of the outer one."""

    def f(x):
        def inner(y):
            buffer = np.zeros(3, like=x)
            np.add.at(buffer, [0, 0], y[:2])
            return buffer

        return jvp(inner, x, np.ones(3))[1]

    with pytest.raises(NotDifferentiable, match=r"numpy.add.at: the buffer"):
        jvp(f, np.ones(3), np.ones(3))
