"""Relu, Dropout, BatchNormalization, Embedding, Flatten: what the contract does not say of them."""

import numpy as np
import pytest

from lamina.layers import BatchNormalization, Dropout, Embedding, Flatten, Relu, ShapeError


def test_relu_cuts_off_what_is_negative():
    layer = Relu()
    assert layer.forward(np.array([-1.0, 0.0, 2.0])).tolist() == [0.0, 0.0, 2.0]
    assert layer.backward(np.array([5.0, 6.0, 7.0])).tolist() == [0.0, 0.0, 7.0]


def test_dropout_keeps_the_mean_and_is_gone_in_evaluation():
    layer = Dropout(0.3, rng=np.random.default_rng(0))
    X = np.ones((200, 500), np.float32)
    Y = layer.forward(X)
    assert abs((Y == 0).mean() - 0.3) < 0.01
    assert abs(Y.mean() - 1.0) < 0.01
    np.testing.assert_array_equal(layer.backward(X), Y)
    layer.set_training(False)
    assert layer.forward(X) is X
    assert layer.backward(Y) is Y


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan")])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="p is at least 0 and below 1"):
        Dropout(p, rng=0)


@pytest.mark.parametrize("shape", [(50, 3), (10, 3, 4, 5)])
def test_batch_normalisation_gives_mean_beta_and_deviation_gamma(shape):
    layer = BatchNormalization(3)
    layer.gamma.data[:] = [1.0, 2.0, 3.0]
    layer.beta.data[:] = [0.0, 5.0, -5.0]
    X = np.random.default_rng(0).normal(7.0, 2.0, shape).astype(np.float32)
    Y = np.moveaxis(layer.forward(X), 1, -1).reshape(-1, 3)
    np.testing.assert_allclose(Y.mean(axis=0), [0.0, 5.0, -5.0], atol=1e-5)
    np.testing.assert_allclose(Y.std(axis=0), [1.0, 2.0, 3.0], rtol=1e-4)


def test_batch_normalisation_tracks_its_running_statistics():
    """Algorithm 2 of the paper: the variance for evaluation is counted with 1 / (m - 1)."""
    layer = BatchNormalization(2, momentum=0.8, dtype=np.float64)
    X = np.array([[1.0, 10.0], [3.0, 30.0]])
    layer.forward(X)
    np.testing.assert_allclose(layer.running_mean.data, 0.2 * np.array([2.0, 20.0]))
    np.testing.assert_allclose(layer.running_var.data, 0.8 + 0.2 * np.array([2.0, 200.0]))
    before = layer.running_mean.data
    layer.set_training(False)
    expected = (X - layer.running_mean.data) / np.sqrt(layer.running_var.data + 1e-5)
    np.testing.assert_allclose(layer.forward(X), expected)
    assert layer.running_mean.data is before


def test_batch_normalisation_refuses_what_it_cannot_normalise():
    with pytest.raises(ValueError, match="at least 2 values per channel"):
        BatchNormalization(3).forward(np.ones((1, 3), np.float32))
    with pytest.raises(ShapeError, match=r"expects \(N, 3, ...\), got \(N, 4, 5\)"):
        BatchNormalization(3).forward(np.ones((2, 4, 5), np.float32))
    with pytest.raises(ValueError, match="eps > 0"):
        BatchNormalization(3, eps=0.0)
    assert BatchNormalization.infer((3, 8, 8)) == {"n_channels": 3}


def test_an_index_that_occurs_often_adds_up():
    layer = Embedding(4, 2, rng=0, dtype=np.float64)
    Y = layer.forward(np.array([[1, 1], [3, 1]]))
    assert Y.shape == (2, 2, 2)
    assert layer.backward(np.arange(8.0).reshape(2, 2, 2)) is None
    assert layer.W.grad.tolist() == [[0, 0], [0 + 2 + 6, 1 + 3 + 7], [0, 0], [4, 5]]
    assert layer.output_shape((5,)) == (5, 2)


@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        (np.array([0.0, 1.0]), TypeError, "expects integer indices, got float64"),
        (np.array([0, 4]), ValueError, "indices are 0 to 3, got 4"),
        (np.array([-1, 0]), ValueError, "indices are 0 to 3, got -1"),
    ],
)
def test_wrong_indices(X, error, words):
    with pytest.raises(error, match=words):
        Embedding(4, 2, rng=0).forward(X)
    with pytest.raises(ValueError, match="at least 1"):
        Embedding(0, 2, rng=0)


def test_flatten_rows_and_back():
    layer = Flatten()
    X = np.arange(12.0).reshape(2, 3, 2)
    Y = layer.forward(X)
    assert Y.tolist() == [list(range(6)), list(range(6, 12))]
    np.testing.assert_array_equal(layer.backward(Y), X)
    assert layer.output_shape((3, 2)) == (6,)
