"""The losses of errors and of yes or no: values by hand, targets, extreme scores, errors."""

import numpy as np
import pytest

from lamina.autodiff import grad
from lamina.layers import (
    AbsoluteErrorLoss,
    HuberLoss,
    ShapeError,
    SigmoidWithLoss,
    SquaredErrorLoss,
)

ERRORS = [SquaredErrorLoss, AbsoluteErrorLoss, HuberLoss]
Y = np.array([[1.0, 2.0], [0.0, -4.0]])
T = np.array([[0.5, 2.0], [1.0, -1.0]])


def test_absolute_errors_by_hand():
    layer = AbsoluteErrorLoss()
    assert layer.forward(Y, T) == (0.5 + 0 + 1 + 3) / 2
    assert layer.backward(4.0).tolist() == [[2, 0], [-2, -2]]
    assert AbsoluteErrorLoss("sum").forward(Y, T) == 4.5


def test_huber_by_hand():
    layer = HuberLoss("sum", delta=2.0)
    assert layer.forward(Y, T) == 0.5 * 0.25 + 0 + 0.5 + 2 * (3 - 1)
    assert layer.backward().tolist() == [[0.5, 0], [-1, -2]]
    assert HuberLoss(delta=2.0).forward(Y, T) == 4.625 / 2


def test_where_no_derivative_exists_autodiff_says_the_same():
    at = np.zeros((1, 2))
    for layer in (AbsoluteErrorLoss("sum"), HuberLoss("sum")):
        layer.forward(at, np.zeros((1, 2)))
        theirs = grad(lambda y, layer=layer: layer.forward(y, np.zeros((1, 2))))(at)
        assert layer.forward(at, np.zeros((1, 2))) == 0
        assert layer.backward().tolist() == theirs.tolist() == [[0, 0]]


@pytest.mark.parametrize("loss", [*ERRORS, SigmoidWithLoss])
def test_a_target_for_each_sample_beside_one_output(loss):
    """(N, 1) - (N,) would be (N, N)."""
    y, t = np.array([[0.5], [2.0], [-1.0]]), np.array([1.0, 0.0, 1.0])
    a, b = loss(), loss()
    assert a.forward(y, t) == b.forward(y, t[:, np.newaxis])
    assert a.weight == b.weight == 3
    assert a.backward().shape == (3, 1)
    np.testing.assert_array_equal(a.backward(), b.backward())
    assert a.forward(y, t.astype(int)) == b.forward(y, t)
    assert a.forward(y.reshape(3, 1, 1), t.reshape(3, 1)) == b.forward(y, t)
    assert a.forward(y[1], t[1]) == b.forward(y[1:2], t[1:2])


@pytest.mark.parametrize("loss", [*ERRORS, SigmoidWithLoss])
@pytest.mark.parametrize(
    ("y", "t", "error", "words"),
    [
        (Y, np.zeros(2), ShapeError, r"expects targets \(2, 2\), got \(2,\)"),
        (Y, np.zeros((2, 1)), ShapeError, r"expects targets \(2, 2\), got \(2, 1\)"),
        (Y[:, :1], np.zeros(3), ShapeError, r"targets \(2, 1\) or \(2,\), got \(3,\)"),
        (Y[:, 0], np.zeros((2, 1)), ShapeError, r"expects targets \(2,\), got \(2, 1\)"),
        (Y[:, :1], np.zeros((1, 2)), ShapeError, r"targets \(2, 1\) or \(2,\), got \(1, 2\)"),
        (Y[:0], T[:0], ShapeError, "at least one sample"),
        (Y, np.full((2, 2), "a"), TypeError, "targets are numbers, got text"),
        (Y, np.zeros((2, 2), complex), TypeError, "targets are numbers, got complex"),
    ],
)
def test_wrong_targets_say_what_is_expected(loss, y, t, error, words):
    with pytest.raises(error, match=f"{loss.__name__}: .*{words}"):
        loss().forward(y, t)


def test_whole_numbers_are_class_indices_only_where_there_are_classes():
    layer = SquaredErrorLoss("sum")
    assert layer.forward(Y, np.array([1, 0])) == 0.5 * (1 + 1 + 1 + 16)
    assert layer.forward(Y[:, :1], np.array([5, 0])) == 0.5 * 16
    assert layer.forward(Y, np.array([[1, 0], [1, 0]])) == 0.5 * (0 + 4 + 1 + 16)
    with pytest.raises(ValueError, match="SquaredErrorLoss: class indices are 0 to 1, got 2"):
        layer.forward(Y, np.array([2, 0]))


@pytest.mark.parametrize("loss", ERRORS)
def test_nan_passes(loss):
    y = Y.copy()
    y[0, 1] = np.nan
    layer = loss()
    assert np.isnan(layer.forward(y, T))
    assert np.isnan(layer.backward()).tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize("loss", [*ERRORS, SigmoidWithLoss])
def test_wrong_settings(loss):
    with pytest.raises(ValueError, match="reduction is"):
        loss("none")
    for wrong in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="HuberLoss: delta is positive"):
            HuberLoss(delta=wrong)


# Yes or no ------------------------------------------------------------------------------------


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def test_binary_cross_entropy_by_its_formula():
    t = np.array([[1, 0], [0.25, 1]])
    each = -(t * np.log(sigmoid(Y)) + (1 - t) * np.log(1 - sigmoid(Y)))
    layer = SigmoidWithLoss()
    assert layer.forward(Y, t) == pytest.approx(each.mean(), rel=1e-13)
    assert layer.weight == 4  # each label is a question
    np.testing.assert_allclose(layer.backward(), (sigmoid(Y) - t) / 4, rtol=1e-13)
    assert SigmoidWithLoss("sum").forward(Y, t) == pytest.approx(each.sum(), rel=1e-13)
    guess = SigmoidWithLoss().forward(np.zeros((5, 7)), np.ones((5, 7)))
    assert guess == pytest.approx(np.log(2))  # however many labels there are


def test_positive_weights_and_labels_that_are_not_known():
    t = np.array([[1, 0], [-1, 1]])
    layer = SigmoidWithLoss(positive_weights=(2.0, 3.0), ignore_index=-1)
    p = sigmoid(Y)
    expected = -(2 * np.log(p[0, 0]) + np.log(1 - p[0, 1]) + 3 * np.log(p[1, 1])) / 3
    assert layer.forward(Y, t) == pytest.approx(expected, rel=1e-13)
    assert layer.weight == 3
    gradient = layer.backward()
    assert gradient[1, 0] == 0
    assert gradient[1, 1] == pytest.approx(-3 * (1 - p[1, 1]) / 3)
    nothing = SigmoidWithLoss(ignore_index=-1)
    assert nothing.forward(Y, np.full((2, 2), -1)) == 0
    assert nothing.weight == 0
    assert not nothing.backward().any()
    a, b = SigmoidWithLoss(positive_weights=2), SigmoidWithLoss(positive_weights=(2.0, 2.0))
    assert a.forward(Y, t.clip(0)) == b.forward(Y, t.clip(0))
    assert np.isnan(layer.forward(np.array([[1.0, 1.0], [np.nan, 1.0]]), t))


@pytest.mark.parametrize("options", [{}, {"positive_weights": (2.0, 0.5), "ignore_index": -1}])
def test_scores_of_ten_thousand_by_differences_in_float32(options):
    scores = np.array([[1e4, -1e4], [1e4, -1e4], [-1e4, 1e4]], np.float32)
    t = np.array([[1, 0], [0, 1], [-1 if options else 0, 1]], np.float32)
    layer = SigmoidWithLoss("sum", **options)
    value = layer.forward(scores, t)
    assert value.dtype == np.float32
    assert value == (1e4 + 1e4 if not options else 1e4 + 0.5e4)
    gradient = layer.backward()
    assert gradient.dtype == np.float32
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 64
        ahead, behind = layer.forward(scores + step, t), layer.forward(scores - step, t)
        assert (ahead - behind) / 128 == gradient[place]


@pytest.mark.parametrize("loss", [AbsoluteErrorLoss, HuberLoss])
def test_errors_of_ten_thousand_by_differences_in_float32(loss):
    y, t = np.array([[1e4], [-1e4]], np.float32), np.zeros(2)
    layer = loss("sum")
    assert layer.forward(y, t).dtype == np.float32
    gradient = layer.backward()
    assert gradient.dtype == np.float32
    for n in range(2):
        step = np.zeros_like(y)
        step[n] = 64
        ahead, behind = layer.forward(y + step, t), layer.forward(y - step, t)
        assert (ahead - behind) / 128 == gradient[n, 0]


def test_a_small_loss_is_not_cancelled_away():
    """log(1 + exp(-20)) = 2.06e-9 is far below the rounding of 20 in float32."""
    layer = SigmoidWithLoss("sum")
    for score, target in ((20.0, 1), (-20.0, 0)):
        value = layer.forward(np.array([[score]], np.float32), np.array([target]))
        assert value == pytest.approx(np.log1p(np.exp(-20.0)), rel=1e-5)


@pytest.mark.parametrize(
    ("t", "words"),
    [
        ([[0, 2], [1, 0]], "targets are from 0 to 1, got 2"),
        ([[0, 1], [-1, 1]], "targets are from 0 to 1, got -1; .*ignore_index=-1"),
        ([[0, 1], [-0.5, 1]], "targets are from 0 to 1, got -0.5$"),
        ([[0, np.nan], [0, 1]], "targets are from 0 to 1, got nan"),
        ([[0, 255], [0, 1]], "targets are from 0 to 1, got 255"),
    ],
)
def test_targets_are_from_0_to_1(t, words):
    with pytest.raises(ValueError, match=f"SigmoidWithLoss: {words}"):
        SigmoidWithLoss().forward(Y, np.array(t))


def test_wrong_options_of_sigmoid_with_loss():
    with pytest.raises(ValueError, match=r"positive_weights has 3 numbers, .* of 2 labels"):
        SigmoidWithLoss(positive_weights=(1, 2, 3)).forward(Y, np.ones((2, 2)))
    for wrong in ("a", ("a",), (True,)):
        with pytest.raises(TypeError, match="SigmoidWithLoss: positive_weights is a list of num"):
            SigmoidWithLoss(positive_weights=wrong)
    with pytest.raises(ValueError, match="positive_weights are positive or zero, got -1"):
        SigmoidWithLoss(positive_weights=-1)
    with pytest.raises(TypeError, match="ignore_index is a whole number or None, got '-1'"):
        SigmoidWithLoss(ignore_index="-1")
    with pytest.raises(ValueError, match="ignore_index 1 is a label that counts; use -1"):
        SigmoidWithLoss(ignore_index=1)
