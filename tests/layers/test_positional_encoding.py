"""PositionalEncoding: sines as in the paper, a learned table, steps, what it refuses."""

import math

import numpy as np
import pytest

from lamina.layers import PositionalEncoding, ShapeError


@pytest.mark.parametrize("n_dims", [1, 6, 7])
def test_sines_are_those_of_the_paper(n_dims):
    Y = PositionalEncoding(n_dims).forward(np.zeros((2, 40, n_dims)))
    for t in (0, 1, 39):
        for j in range(n_dims):
            angle = t / 10000 ** (j // 2 * 2 / n_dims)
            expected = math.sin(angle) if j % 2 == 0 else math.cos(angle)
            assert Y[1, t, j] == pytest.approx(expected, abs=1e-14)
    np.testing.assert_array_equal(Y[0], Y[1])


def test_sines_keep_float32_and_have_nothing_to_learn():
    layer = PositionalEncoding(4)
    X = np.ones((2, 3, 4), np.float32)
    assert layer.forward(X).dtype == np.float32
    np.testing.assert_array_equal(layer.backward(X), X)
    assert not layer.parameters()
    # What layers share nobody has written into.
    np.testing.assert_array_equal(layer.forward(X), layer.forward(X))


def test_a_learned_table_adds_up_over_samples():
    layer = PositionalEncoding(2, learned=4, rng=0, dtype=np.float64)
    assert layer.P.data.shape == (4, 2)
    assert np.abs(layer.P.data).max() < 0.1
    X = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(layer.forward(X), X + layer.P.data[:3])
    np.testing.assert_array_equal(layer.backward(X), X)
    assert layer.P.grad.tolist() == [[6, 8], [10, 12], [14, 16], [0, 0]]


@pytest.mark.parametrize("learned", [0, 5])
def test_steps_are_the_whole(learned):
    layer = PositionalEncoding(4, learned=learned, rng=0, dtype=np.float64)
    X = np.random.default_rng(0).standard_normal((3, 5, 4))
    whole, state, steps = layer.forward(X), None, []
    for t in range(5):
        y, state = layer.step(X[:, t : t + 1], state)
        steps.append(y)
    np.testing.assert_array_equal(np.concatenate(steps, axis=1), whole)
    first, state = layer.step(X[:, :3], None)  # a prompt at once
    rest, _ = layer.step(X[:, 3:], state)
    np.testing.assert_array_equal(np.concatenate([first, rest], axis=1), whole)


def test_what_it_refuses():
    layer = PositionalEncoding(4, learned=5, rng=0)
    assert layer.output_shape((5, 4)) == (5, 4)
    too_long = r"PositionalEncoding: expects at most 5 positions, those of its .* table, got 6"
    with pytest.raises(ShapeError, match=too_long):
        layer.forward(np.ones((2, 6, 4), np.float32))
    with pytest.raises(ShapeError, match=too_long):
        layer.output_shape((6, 4))
    with pytest.raises(ShapeError, match=too_long):
        layer.step(np.ones((2, 1, 4), np.float32), 5)
    for shape in ((2, 3, 5), (4,)):
        with pytest.raises(ShapeError, match=r"expects \(..., T, 4\), got \("):
            layer.forward(np.ones(shape, np.float32))
    with pytest.raises(ValueError, match=r"n_dims >= 1.*got 0 and 0"):
        PositionalEncoding(0)
    with pytest.raises(ValueError, match=r"number of positions.*got 4 and True"):
        PositionalEncoding(4, learned=True, rng=0)
    with pytest.raises(ValueError, match="give rng, or a seed"):
        PositionalEncoding(4, learned=3)
