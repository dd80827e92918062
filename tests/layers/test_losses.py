"""The losses: values by hand, both forms of targets, extreme scores, errors."""

import numpy as np
import pytest

from lamina.layers import (
    CrossEntropyError,
    Loss,
    ShapeError,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    SVMLoss,
)
from lamina.layers.check import check_layer

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


@pytest.mark.parametrize("loss", [*LOSSES, CrossEntropyError])
@pytest.mark.parametrize(
    ("scores", "targets", "error", "words"),
    [
        (SCORES, np.array([1, 3]), ValueError, "indices are 0 to 2, got 3; do they count from 1"),
        (SCORES, np.array([0, 3]), ValueError, "0 to 2, got 3; if such .*: ignore_index=3"),
        (SCORES, np.array([0, 255], np.uint8), ValueError, "0 to 2, got 255; .*ignore_index=255"),
        (SCORES, np.array([-1, 0]), ValueError, "class indices are 0 to 2, got -1; .*index=-1"),
        (SCORES[:, :1], np.array([1, 0]), ValueError, "0 to 0, got 1; .* SigmoidWithLoss"),
        (SCORES, np.array(["cat", "dog"]), TypeError, "class indices are integers, got text"),
        (SCORES, np.array(["cat", "dog"], object), TypeError, "are integers, got objects"),
        (SCORES, np.array([True, False]), TypeError, "class indices are integers, got bool"),
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


# How much counted -----------------------------------------------------------------------------


def test_sums_and_weights_of_batches_give_the_mean_over_all():
    rng = np.random.default_rng(0)
    scores, t = rng.standard_normal((7, 4)), rng.integers(0, 4, 7)
    t[[1, 6]] = -1
    options = {"ignore_index": -1, "class_weights": (1.0, 0.25, 3.0, 2.0)}
    for loss in (SoftmaxWithLoss, SVMLoss):
        whole = loss(**options).forward(scores, t)
        for reduction in ("mean", "sum"):
            layer, summed, weight = loss(reduction, **options), 0.0, 0.0
            for rows in (slice(0, 3), slice(3, 6), slice(6, 7)):
                summed += layer.summed(layer.forward(scores[rows], t[rows]))
                weight += layer.weight
            assert summed / weight == pytest.approx(whole, rel=1e-13)
            assert type(summed) is float


def test_the_weight_is_the_number_of_samples_or_of_positions():
    layer = SoftmaxWithLoss()
    layer.forward(SCORES, TARGETS)
    assert layer.weight == 2
    layer.forward(np.zeros((2, 3, 4)), np.zeros((2, 3), int))
    assert layer.weight == 6
    layer = SoftmaxWithLoss(class_weights=(1, 2.5, 4), ignore_index=2)
    layer.forward(np.zeros((4, 3)), np.array([0, 1, 1, 2]))
    assert layer.weight == 1 + 2.5 + 2.5
    layer = SquaredErrorLoss()
    layer.forward(np.zeros((5, 3)), np.ones((5, 3)))
    assert layer.weight == 5


class LossOfOnesOwn(Loss):
    def forward(self, scores, targets):
        self.d = scores - targets
        return np.square(self.d).sum()

    def backward(self, dout=1.0):
        return 2.0 * self.d * dout


def test_a_loss_that_does_not_say_how_much_counted():
    layer = LossOfOnesOwn()
    with pytest.raises(RuntimeError, match=r"LossOfOnesOwn: .*self\.scale\(n\)"):
        layer.summed(layer.forward(SCORES, SCORES + 1))
    report = check_layer(LossOfOnesOwn(), SCORES, SCORES + 1)
    assert not report.passed
    assert "self.weight is None after it" in str(report)


# Class weights, what does not count, label smoothing ------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_what_is_ignored_is_as_if_it_were_not_there(loss):
    scores = np.vstack([SCORES, [[5.0, 1e4, -np.inf]]])
    layer, alone = loss(ignore_index=255), loss()
    t = np.array([2, 1, 255], np.uint8)
    assert layer.forward(scores, t) == pytest.approx(alone.forward(SCORES, TARGETS), rel=1e-14)
    gradient = layer.backward()
    np.testing.assert_allclose(gradient[:2], alone.backward(), rtol=1e-14)
    assert gradient[2].tolist() == [0, 0, 0]
    assert t.tolist() == [2, 1, 255]


@pytest.mark.parametrize("loss", [SoftmaxWithLoss, SVMLoss, CrossEntropyError])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_in_which_nothing_counts_teaches_nothing(loss, reduction):
    scores = np.full((2, 3), 1 / 3, np.float32)
    for options, t in (
        ({"ignore_index": -1}, [-1, -1]),
        ({"class_weights": (0, 1, 1)}, [0, 0]),
        ({"ignore_index": 0, "class_weights": (1, 1, 0)}, [0, 2]),
    ):
        layer = loss(reduction, **options)
        value = layer.forward(scores, np.array(t))
        assert value == 0
        assert layer.weight == layer.summed(value) == 0
        assert value.dtype == layer.backward().dtype == np.float32
        assert not layer.backward().any()


def test_over_a_weight_of_nothing_what_smoothing_leaves_stays_a_sum():
    """PyTorch divides by 0 here: infinity. The mean over several batches needs the sum."""
    options = {"class_weights": (0, 1, 1), "label_smoothing": 0.5}
    mean, summed = SoftmaxWithLoss(**options), SoftmaxWithLoss("sum", **options)
    value = mean.forward(SCORES, np.array([0, 0]))
    assert value == summed.forward(SCORES, np.array([0, 0])) > 0.9
    assert mean.summed(value) == value
    np.testing.assert_array_equal(mean.backward(), summed.backward())


@pytest.mark.parametrize("loss", LOSSES)
def test_one_hot_rows_count_as_the_indices_they_stand_for(loss):
    options = {"ignore_index": 1, "class_weights": (0.5, 1.0, 3.0)}
    t = np.array([2, 1, 0, 0])
    scores = np.random.default_rng(0).standard_normal((4, 3))
    a, b = loss(**options), loss(**options)
    assert a.forward(scores, t) == b.forward(scores, np.eye(3)[t])
    assert a.weight == b.weight == 4
    np.testing.assert_array_equal(a.backward(), b.backward())


def test_nan_where_nothing_counts_is_not_hidden():
    scores = np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 0.5]])
    for layer in (SoftmaxWithLoss(ignore_index=-1), SVMLoss(ignore_index=-1)):
        assert np.isnan(layer.forward(scores, np.array([2, -1])))


def test_other_indices_are_still_checked_beside_ignore_index():
    with pytest.raises(ValueError, match="class indices are 0 to 2, got -1"):
        SoftmaxWithLoss(ignore_index=255).forward(SCORES, np.array([255, -1]))


OPTIONS = [
    {},
    {"class_weights": (0.5, 2.0, 1.0, 0.25), "ignore_index": -1},
    {"class_weights": (0.5, 2.0, 1.0, 0.25), "ignore_index": -1, "label_smoothing": 0.25},
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_at_scores_of_ten_thousand_by_differences_in_float32(loss, options):
    """There the losses are straight for a long way, and a step of 64 is exact in float32."""
    if loss is SVMLoss:
        options = {k: v for k, v in options.items() if k != "label_smoothing"}
    scores = np.array([[1e4, -1e4, 0, 5e3], [-1e4, 1e4, 5e3, 0], [0, 1e4, -1e4, 5e3]], np.float32)
    t = np.array([1, 1, -1 if "ignore_index" in options else 2])
    layer = loss("sum", **options)
    assert layer.forward(scores, t).dtype == np.float32
    gradient = layer.backward()
    assert gradient.dtype == np.float32
    for place in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[place] = 64
        ahead, behind = layer.forward(scores + step, t), layer.forward(scores - step, t)
        assert (ahead - behind) / 128 == pytest.approx(gradient[place], abs=1e-4)


# What is no probability -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_cross_entropy_refuses_what_is_no_probability(dtype):
    for p, words in (
        ([[3.0, 0.5, 0.2], [0.2, 0.3, 0.5]], "a row that adds up to 3.(7|699)"),
        ([[0.1, 0.2, 0.3], [0.2, 0.3, 0.5]], "a row that adds up to 0.6"),
        ([[0.2, 0.3, 0.5], [-1.0, 1.5, 0.5]], "a value of -1"),
        (np.log([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]]), "a value of -1.609"),
        ([0.9, 0.8, 0.1], "a row that adds up to 1.8"),
    ):
        p = np.array(p, dtype)
        with pytest.raises(ValueError, match=f"expects probabilities.*got {words}") as error:
            CrossEntropyError().forward(p, np.zeros(p.shape[:-1], int))
        assert "put a Softmax before it, or use SoftmaxWithLoss on the scores" in str(error.value)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_softmax_gives_is_a_probability(dtype):
    from lamina.layers import Softmax

    rng = np.random.default_rng(0)
    for n_classes in (2, 10, 1000, 50_000):
        p = Softmax().forward((3 * rng.standard_normal((4, n_classes))).astype(dtype))
        assert p.dtype == dtype
        CrossEntropyError().forward(p, np.zeros(4, int))


def test_what_is_moved_to_measure_a_derivative_is_let_through():
    p = np.full((2, 4), 0.25)
    p[0, 1] += 1e-4
    p[1] += 1e-5
    CrossEntropyError().forward(p, np.array([0, 1]))


def test_a_probability_that_is_nan_makes_the_loss_nan():
    p = np.array([[np.nan, np.nan], [0.5, 0.5]])
    assert np.isnan(CrossEntropyError().forward(p, np.array([0, 0])))


# Settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [SoftmaxWithLoss, SVMLoss, CrossEntropyError])
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"class_weights": 2.0}, TypeError, "class_weights is a list of numbers, got 2.0"),
        ({"class_weights": "abc"}, TypeError, "class_weights is a list of numbers, got 'a' in it"),
        ({"class_weights": (1, True)}, TypeError, "is a list of numbers, got True in it"),
        ({"class_weights": (1, -0.5)}, ValueError, "positive or zero, got -0.5"),
        ({"class_weights": (1, np.nan)}, ValueError, "positive or zero, got nan"),
        ({"class_weights": (0, 0)}, ValueError, "no number above 0, so nothing would count"),
        ({"ignore_index": 1.0}, TypeError, "ignore_index is a whole number or None, got 1.0"),
        ({"ignore_index": True}, TypeError, "ignore_index is a whole number or None, got True"),
    ],
)
def test_wrong_options_say_what_is_expected(loss, options, error, words):
    with pytest.raises(error, match=f"{loss.__name__}: .*{words}"):
        loss(**options)


def test_options_may_be_arrays_and_are_checked_against_the_scores():
    layer = SoftmaxWithLoss(class_weights=np.array([1, 2], np.int8), ignore_index=np.int64(-1))
    assert layer.class_weights == (1.0, 2.0)
    with pytest.raises(ValueError, match=r"class_weights has 2 numbers, and the .* of 3 classes"):
        layer.forward(SCORES, TARGETS)
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="CrossEntropyError: label_smoothing is from 0 to 1"):
            CrossEntropyError(label_smoothing=wrong)
    with pytest.raises(TypeError, match="label_smoothing"):
        SVMLoss(label_smoothing=0.1)
