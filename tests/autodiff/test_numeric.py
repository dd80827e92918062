"""Central differences."""

import numpy as np

from lamina.autodiff import numeric_gradient, numeric_jvp


def test_the_gradient_of_a_quadratic_form():
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = np.array([0.5, -1.0])
    np.testing.assert_allclose(numeric_gradient(lambda x: x @ A @ x / 2, x), A @ x, rtol=1e-9)


def test_a_direction_at_a_time():
    x, v = np.array([1.0, 2.0]), np.array([3.0, -1.0])
    np.testing.assert_allclose(numeric_jvp(np.sin, x, v), np.cos(x) * v, rtol=1e-9)


def test_the_input_stays_as_it_is():
    x = np.array([[1.0, 2.0]])
    numeric_gradient(lambda x: (x * x).sum(), x)
    assert x.tolist() == [[1.0, 2.0]]
