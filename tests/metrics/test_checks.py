"""Targets and scores that cannot be."""

import numpy as np
import pytest

from lamina.metrics import (
    R2,
    Accuracy,
    ConfusionMatrix,
    ExactMatch,
    MeanAbsoluteError,
    Recall,
    RocAuc,
    RootMeanSquaredError,
)

SCORES = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]])


@pytest.mark.parametrize(
    ("targets", "error", "words"),
    [
        ([1, 3], ValueError, "class indices are 0 to 2, got 3"),
        ([-1, 0], ValueError, "class indices are 0 to 2, got -1"),
        (np.array([0, 255], np.uint8), ValueError, "0 to 2, got 255"),
        (np.array([0, 2**64 - 1], np.uint64), ValueError, "0 to 2, got 18446744073709551615"),
        ([0.0, 1.0], TypeError, "integers from 0 to 2, got float64"),
        ([True, False], TypeError, "integers from 0 to 2, got bool"),
        (["a", "b"], TypeError, "integers from 0 to 2, got <U1"),
        ([None, 1], TypeError, "integers from 0 to 2, got object"),
        ([[1], [2]], ValueError, r"class indices \(2,\) or one-hot \(2, 3\), got \(2, 1\)"),
        ([1], ValueError, r"class indices \(2,\) or one-hot \(2, 3\), got \(1,\)"),
        ([[1, 0, 0], [1, 1, 0]], ValueError, "are one-hot, a single 1 in each row"),
        ([[1, 0, 0], [2, -1, 0]], ValueError, "are one-hot"),
        ([[1, 0, 0], [0, 0, 0]], ValueError, "are one-hot"),
        ([[1, 0, 0], [np.nan, 0, 1]], ValueError, "are one-hot"),
    ],
)
@pytest.mark.parametrize("metric", [Accuracy, ConfusionMatrix, ExactMatch, Recall])
def test_targets_that_are_no_classes_are_refused(metric, targets, error, words):
    with pytest.raises(error, match=f"^{metric.__name__}: .*{words}"):
        metric().update(SCORES, targets)


def test_several_labels_are_answered_by_how_to_say_so():
    several = np.array([[1, 0, 1], [0, 0, 1]])
    for metric in (Recall, ExactMatch):
        with pytest.raises(ValueError, match=rf"{metric.__name__}\(multilabel=True\)"):
            metric().update(SCORES, several)
    with pytest.raises(ValueError, match=r"are not$"):
        Accuracy().update(SCORES, several)


@pytest.mark.parametrize(
    ("targets", "error", "words"),
    [
        ([0, 2], ValueError, "targets of one score are 0 or 1, got 2"),
        ([0.0, 0.3], ValueError, "targets of one score are 0 or 1, got 0.3"),
        ([0.0, np.nan], ValueError, "targets of one score are 0 or 1, got nan"),
        (["0", "1"], TypeError, "class indices are 0 or 1, got <U1"),
        ([0, 1, 1], ValueError, r"class indices \(2,\) or \(2, 1\), got \(3,\)"),
    ],
)
def test_targets_of_one_score_are_zero_or_one(targets, error, words):
    for metric in (Accuracy, RocAuc):
        with pytest.raises(error, match=f"^{metric.__name__}: .*{words}"):
            metric().update(SCORES[:, :1], targets)


@pytest.mark.parametrize(
    ("targets", "error", "words"),
    [
        ([[0, 1, 2], [0, 0, 0]], ValueError, "labels are 0 or 1, got 2"),
        ([[0, 1, 0.5], [0, 0, 0]], ValueError, "labels are 0 or 1, got 0.5"),
        ([[0, 1, np.nan], [0, 0, 0]], ValueError, "labels are 0 or 1, got nan"),
        ([["0"] * 3] * 2, TypeError, "labels are 0 or 1, got <U1"),
        ([0, 1], ValueError, r"targets \(2, 3\), 0 or 1 for each label, got \(2,\)"),
    ],
)
def test_targets_that_are_no_labels_are_refused(targets, error, words):
    for metric in (Recall, ExactMatch, RocAuc):
        with pytest.raises(error, match=f"^{metric.__name__}: .*{words}"):
            metric(multilabel=True).update(SCORES, targets)


@pytest.mark.parametrize("metric", [RootMeanSquaredError, MeanAbsoluteError, R2])
def test_shapes_of_regressions_are_aligned_or_refused_and_never_broadcast(metric):
    t = np.array([1.0, 2.0, 4.0])
    s = np.array([1.5, 2.0, 3.0])
    expected = metric()
    expected.update(s, t)
    for scores, targets in ((s[:, None], t), (s, t[:, None]), (s[:, None], t[:, None])):
        aligned = metric()
        aligned.update(scores, targets)
        assert aligned.value() == expected.value()
    for scores, targets in ((s[:, None], t[None]), (s, t[:1]), (np.eye(3), t), (s[None], t)):
        with pytest.raises(
            ValueError, match=f"^{metric.__name__}: expects targets of the scores' "
        ):
            metric().update(scores, targets)


@pytest.mark.parametrize("metric", [RootMeanSquaredError, MeanAbsoluteError, R2])
@pytest.mark.parametrize(
    ("targets", "error", "words"),
    [
        ([1.0, np.nan, 0.0], ValueError, "targets are finite, got nan"),
        ([1.0, np.inf, 0.0], ValueError, "targets are finite, got inf"),
        (["1", "2", "3"], TypeError, "targets are numbers, got <U1"),
        ([1.0, 2.0, None], TypeError, "targets are numbers, got object"),
    ],
)
def test_targets_of_regressions_are_finite_numbers(metric, targets, error, words):
    with pytest.raises(error, match=f"^{metric.__name__}: {words}"):
        metric().update(np.zeros(3), targets)


@pytest.mark.parametrize("scores", [np.zeros((2, 3), complex), [["a"] * 3] * 2, [[None] * 3] * 2])
def test_scores_are_real_numbers(scores):
    for metric, t in ((Accuracy, np.zeros(2, int)), (R2, np.zeros((2, 3)))):
        with pytest.raises(TypeError, match=f"^{metric.__name__}: scores are real numbers, got"):
            metric().update(scores, t)


def test_scores_without_classes_are_refused():
    for shape in ((), (2, 0)):
        for metric in (Accuracy(), ConfusionMatrix(), Recall(multilabel=True)):
            with pytest.raises(ValueError, match=r"expects .*scores \(\.\.\., .*got .*shape"):
                metric.update(np.zeros(shape), np.zeros(shape[:-1], int))
    with pytest.raises(ValueError, match="R2: expects scores and targets"):
        R2().update(np.zeros((2, 0)), np.zeros((2, 0)))


@pytest.mark.parametrize("metric", [ConfusionMatrix, Recall])
def test_the_number_of_classes_does_not_change(metric):
    counts = metric()
    counts.update(SCORES, [0, 1])
    with pytest.raises(ValueError, match=r"counts 3 classes, but these scores have 2; reset\(\)"):
        counts.update(SCORES[:, :2], [0, 1])
    counts.reset()
    counts.update(SCORES[:, :2], [0, 1])


@pytest.mark.parametrize("metric", [R2(), RocAuc(multilabel=True)])
def test_the_number_of_outputs_does_not_change(metric):
    metric.update(SCORES, np.eye(3)[:2])
    with pytest.raises(ValueError, match=r"counts 3 (outputs|labels), but these scores have 2"):
        metric.update(SCORES[:, :2], np.eye(2))
