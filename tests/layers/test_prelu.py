"""PRelu: known numbers, slopes per channel, and its errors."""

import numpy as np
import pytest

from lamina.layers import PRelu, ShapeError


def test_one_slope_for_all():
    layer = PRelu()
    X = np.array([[-4.0, 0.0, 2.0], [-8.0, 6.0, -2.0]], np.float32)
    Y = layer.forward(X)
    assert Y.tolist() == [[-1, 0, 2], [-2, 6, -0.5]]
    assert Y.dtype == np.float32
    dX = layer.backward(np.array([[1.0, 1.0, 1.0], [2.0, 3.0, 4.0]], np.float32))
    assert dX.tolist() == [[0.25, 0.25, 1], [0.5, 3, 1]]
    assert layer.a.grad.tolist() == [-4 - 16 - 8]


def test_a_slope_for_each_channel():
    layer = PRelu(2, slope=0.5, dtype=np.float64)
    layer.a.data = np.array([0.5, -1.0])
    X = np.array([[[-2.0, 2.0], [-3.0, 3.0]]])
    assert layer.forward(X).tolist() == [[[-1, 2], [3, 3]]]
    assert layer.backward(np.ones_like(X)).tolist() == [[[0.5, 1], [-1, 1]]]
    assert layer.a.grad.tolist() == [-2, -3]


def test_a_slope_of_0_is_a_relu_and_of_1_is_nothing():
    X = np.random.default_rng(0).standard_normal((3, 2, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(PRelu(slope=0.0).forward(X), np.maximum(X, 0))
    np.testing.assert_array_equal(PRelu(2, slope=1.0).forward(X), X)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_the_slope_is_learned_without_a_gradient_of_the_input(n_channels):
    layer = PRelu(n_channels)
    layer.needs_dX = False
    layer.forward(-np.ones((2, 3), np.float32))
    assert layer.backward(np.ones((2, 3), np.float32)) is None
    assert layer.a.grad.shape == (n_channels,)
    assert layer.a.grad.dtype == np.float32


def test_a_single_row_of_numbers():
    layer = PRelu()
    assert layer.forward(np.array([-4.0, 4.0])).tolist() == [-1, 4]


def test_what_it_refuses():
    with pytest.raises(ShapeError, match=r"PRelu: expects \(N, 3, ...\), got \(N, 4, 5\)"):
        PRelu(3).forward(np.ones((2, 4, 5), np.float32))
    with pytest.raises(ValueError, match="n_channels is at least 1, got 0"):
        PRelu(0)
    assert PRelu(3).output_shape((3, 8, 8)) == (3, 8, 8)
