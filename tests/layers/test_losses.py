"""The losses: values by hand, both forms of targets, extreme scores, errors."""

import numpy as np
import pytest

from lamina.layers import CrossEntropyError, ShapeError, SoftmaxWithLoss, SquaredErrorLoss, SVMLoss

SCORES = np.array([[1.0, 2.0, 3.0], [1.0, -1.0, 0.5]])
TARGETS = np.array([2, 1])
LOSSES = [SoftmaxWithLoss, SVMLoss]


def test_softmax_loss_by_its_formula():
    """Note 000, self-check 2: L = -Σ log(exp(s[y]) / Σ exp(s)), not normalised by N."""
    p = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    layer = SoftmaxWithLoss("sum")
    assert layer.forward(SCORES, TARGETS) == pytest.approx(-np.log(p[[0, 1], TARGETS]).sum())
    np.testing.assert_allclose(layer.backward(), p - np.eye(3)[TARGETS])


def test_svm_loss_by_hand():
    """Note 000, self-check 3. Row 0: 1 - 3 + 1 and 2 - 3 + 1 give 0. Row 1: 3 and 2.5."""
    layer = SVMLoss("sum")
    assert layer.forward(SCORES, TARGETS) == 5.5
    assert layer.backward().tolist() == [[0.0, 0.0, 0.0], [1.0, -2.0, 1.0]]
    assert SVMLoss("sum", margin=2.0).forward(SCORES, TARGETS) == 1.0 + 4.0 + 3.5


@pytest.mark.parametrize("loss", LOSSES)
def test_the_mean_is_the_sum_divided_by_the_samples(loss):
    total, mean = loss("sum"), loss()
    assert mean.forward(SCORES, TARGETS) == pytest.approx(total.forward(SCORES, TARGETS) / 2)
    np.testing.assert_allclose(mean.backward(), total.backward() / 2)
    np.testing.assert_allclose(mean.backward(3.0), total.backward() * 1.5)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [int, np.float32, bool])
def test_one_hot_targets_give_the_same(loss, dtype):
    a, b = loss(), loss()
    assert a.forward(SCORES, TARGETS) == b.forward(SCORES, np.eye(3)[TARGETS].astype(dtype))
    np.testing.assert_array_equal(a.backward(), b.backward())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_ten_thousand_neither_overflow_nor_vanish(loss, dtype):
    scores = np.array([[1e4, -1e4, 0.0], [1e4, -1e4, 0.0]], dtype)
    layer = loss("sum")
    value = layer.forward(scores, np.array([0, 1]))
    expected = 2e4 if loss is SoftmaxWithLoss else 2e4 + 1 + 1e4 + 1
    assert value == pytest.approx(expected, rel=1e-6)
    assert value.dtype == dtype
    gradient = layer.backward()
    assert gradient.dtype == dtype
    assert np.isfinite(gradient).all()
    assert gradient[1].tolist() == ([1, -1, 0] if loss is SoftmaxWithLoss else [1, -2, 1])


@pytest.mark.parametrize("loss", LOSSES)
def test_nan_in_the_scores_makes_the_loss_nan(loss):
    for place in ((0, 0), (0, 2), (1, 1)):
        scores = SCORES.copy()
        scores[place] = np.nan
        assert np.isnan(loss().forward(scores, TARGETS))


def test_sequences_and_single_samples():
    scores = np.random.default_rng(0).standard_normal((2, 3, 4))
    targets = np.array([[0, 1, 2], [3, 0, 1]])
    layer, flat = SoftmaxWithLoss(), SoftmaxWithLoss()
    assert layer.forward(scores, targets) == flat.forward(scores.reshape(6, 4), targets.ravel())
    np.testing.assert_array_equal(layer.backward().reshape(6, 4), flat.backward())
    assert SoftmaxWithLoss().forward(scores[0, 0], np.array(2)).shape == ()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("scores", "targets", "error", "words"),
    [
        (SCORES, np.array([0, 3]), ValueError, "class indices are 0 to 2, got 3"),
        (SCORES, np.array([-1, 0]), ValueError, "class indices are 0 to 2, got -1"),
        (SCORES, np.array([0.0, 1.0]), TypeError, "class indices are integers, got float64"),
        (SCORES, np.array([0, 1, 2]), ShapeError, r"class indices \(2,\) or one-hot \(2, 3\)"),
        (SCORES, np.full((2, 3), 1 / 3), ValueError, "a single 1 in each row"),
        (SCORES, np.zeros((2, 3)), ValueError, "a single 1 in each row"),
        (SCORES[:0], TARGETS[:0], ShapeError, "at least one sample"),
    ],
)
def test_wrong_targets_say_what_is_expected(loss, scores, targets, error, words):
    with pytest.raises(error, match=f"{loss.__name__}: .*{words}"):
        loss().forward(scores, targets)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_a_probability_of_zero_stays_finite(dtype):
    layer = CrossEntropyError("sum")
    loss = layer.forward(np.array([[1.0, 0.0]], dtype), np.array([1]))
    assert np.isfinite(loss)
    assert loss > 40
    gradient = layer.backward(1000.0)
    assert gradient.dtype == dtype
    assert np.isfinite(gradient).all()
    assert gradient[0, 1] < -1e18


def test_squared_errors_of_the_two_notes():
    y, t = np.array([[1.0, 2.0], [0.0, 4.0]]), np.array([[0.0, 0.0], [0.0, 1.0]])
    assert SquaredErrorLoss("sum").forward(y, t) == 0.5 * (1 + 4 + 9)
    assert SquaredErrorLoss("sum", factor=1.0).forward(y, t) == 14
    assert SquaredErrorLoss().forward(y, t) == 3.5
    layer = SquaredErrorLoss("sum")
    layer.forward(y, np.array([1, 0]))  # class indices stand for one-hot rows
    assert layer.backward().tolist() == [[1.0, 1.0], [-1.0, 4.0]]
    with pytest.raises(ShapeError, match=r"SquaredErrorLoss: expects targets \(2, 2\), got \(3,\)"):
        layer.forward(y, np.zeros(3))
    with pytest.raises(ValueError, match="factor is positive"):
        SquaredErrorLoss(factor=-1.0)


def test_wrong_settings():
    with pytest.raises(ValueError, match='reduction is "mean" or "sum", got \'none\''):
        SoftmaxWithLoss("none")
    with pytest.raises(ValueError, match="margin is positive"):
        SVMLoss(margin=0.0)
