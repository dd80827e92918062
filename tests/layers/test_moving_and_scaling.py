"""Transpose, Padding, RandomCrop, Scale, Bias, LogSoftmax: what the contract leaves open."""

import math

import numpy as np
import pytest

from lamina.layers import (
    Affine,
    Bias,
    LogSoftmax,
    Padding,
    RandomCrop,
    Scale,
    ShapeError,
    SoftmaxWithLoss,
    Transpose,
)
from lamina.nets import Sequential

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 4, 5))


def test_a_softmax_loss_behind_log_softmax_is_that_of_the_scores():
    t = np.array([0, 2, 1, 1])
    rows = RNG.standard_normal((4, 5))
    plain, log = Affine(5, 3, rng=0, dtype=float), Affine(5, 3, rng=0, dtype=float)
    nets = (
        Sequential({"affine": plain}, loss=SoftmaxWithLoss()),
        Sequential({"affine": log, "log": LogSoftmax()}, loss=SoftmaxWithLoss()),
    )
    losses = [float(net.loss(rows, t)) for net in nets]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    for net in nets:
        net.backward()
    np.testing.assert_allclose(plain.W.grad, log.W.grad, rtol=1e-10)


def test_begin_at_a_value():
    assert Scale(value=0.5).forward(X[0, 0]).tolist() == (X[0, 0] * 0.5).tolist()
    assert Bias((3, 1, 1), value=2.0, dtype=np.float64).b.data.ravel().tolist() == [2.0] * 3


def test_begin_at_a_value_for_each_as_the_mean_of_each_channel_does():
    bias = Bias((3, 1, 1), value=(-1.0, 2.0, 0.5), dtype=np.float64)
    assert bias.b.data.tolist() == [[[-1.0]], [[2.0]], [[0.5]]]
    assert Scale((2, 2), value=[1, 2, 3, 4]).s.data.tolist() == [[1, 2], [3, 4]]
    assert Scale((2, 2), value=[1, 2, 3, 4]).s.data.dtype == np.float32


def test_a_crop_is_anywhere_in_training_and_the_middle_in_evaluation():
    X = np.arange(6 * 7.0).reshape(1, 1, 6, 7) + np.zeros((400, 2, 1, 1))
    layer = RandomCrop((4, 3), rng=0)
    Y = layer.forward(X)
    assert Y.shape == (400, *layer.output_shape((2, 6, 7))) == (400, 2, 4, 3)
    places = {(int(i), int(j)) for i, j in zip(*divmod(Y[:, 0, 0, 0], 7), strict=True)}
    assert places == {(i, j) for i in range(3) for j in range(5)}
    for x, y in zip(X, Y, strict=True):
        i, j = (int(n) for n in divmod(y[0, 0, 0], 7))
        np.testing.assert_array_equal(y, x[:, i : i + 4, j : j + 3])
    dX = layer.backward(Y + 1)
    np.testing.assert_array_equal(dX[dX != 0], (Y + 1).ravel())
    layer.set_training(False)
    np.testing.assert_array_equal(layer.forward(X), X[:, :, 1:5, 2:5])
    np.testing.assert_array_equal(layer.backward(X[:, :, :4, :3])[:, :, 1:5, 2:5], X[:, :, :4, :3])
    layer.set_training(True)
    assert layer.forward(X[:0]).shape == (0, 2, 4, 3)
    assert layer.forward(X.astype(np.uint8)).dtype == np.uint8
    whole = RandomCrop((6, 7), rng=0)
    np.testing.assert_array_equal(whole.forward(X), X)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Transpose((0, 1)), r"each axis from 1 to 2 once, .* got \(0, 1\)"),
        (lambda: Transpose((1, 1)), r"got \(1, 1\)"),
        (lambda: Transpose(()), "once"),
        (lambda: Padding((1,), (1, 2)), "two lists"),
        (lambda: Padding((-1,), (0,)), ">= 0"),
        (lambda: Scale(()), "a shape of numbers >= 1"),
        (lambda: Bias((0, 3)), "a shape of numbers >= 1"),
        (
            lambda: Bias((3, 1, 1), value=(1.0, 2.0)),
            "Bias: value is a number, or a list of 3; got 2",
        ),
        (lambda: RandomCrop(0, rng=0), "RandomCrop: size: expects one or two whole numbers >= 1"),
    ],
)
def test_arguments_that_make_no_sense(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    "layer",
    [
        *(Transpose((2, 1)), Padding((1,), (0,)), Scale((2, 1, 1)), Bias((1, 1, 1, 1))),
        *(RandomCrop(5, rng=0), RandomCrop((1, 6), rng=0)),
    ],
)
def test_shapes_that_do_not_fit(layer):
    with pytest.raises(ShapeError, match=type(layer).__name__):
        layer.forward(X)


def test_no_classes_and_whole_numbers():
    with pytest.raises(ShapeError, match="at least one class"):
        LogSoftmax().forward(X[:, :0, 0, 0])
    for layer in (LogSoftmax(), Padding((1,), (0,))):
        with pytest.raises(TypeError, match="expects floats, got uint8"):
            layer.forward(np.ones((2, 3), np.uint8))


def test_nan_and_infinite_padding():
    assert math.isnan(LogSoftmax().forward(np.array([[np.nan, 1.0]]))[0, 0])
    assert Padding((1,), (0,), value=-math.inf).forward(np.ones((1, 1)))[0, 0] == -math.inf
