import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import Accuracy, ConfusionMatrix


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import confusion_matrix

    draw = drawn(data)
    scores, t = draw.classification(sequences=data.draw(st.booleans()))
    best = scores.argmax(axis=-1).ravel()
    expected = confusion_matrix(t.ravel(), best, labels=range(scores.shape[-1]))
    metric = fed(ConfusionMatrix(), scores, t.astype(np.uint8), draw.cuts)
    np.testing.assert_array_equal(metric.counts, expected)
    accuracy = fed(Accuracy(), scores, t).value()
    assert metric.counts.trace() / metric.counts.sum() == pytest.approx(accuracy)


def test_rows_are_targets_and_columns_predictions():
    metric = ConfusionMatrix()
    metric.update(np.eye(3)[[1, 1, 0]], np.array([0, 0, 2]))
    assert metric.counts.tolist() == [[0, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_more_than_255_classes_of_small_integers():
    metric = ConfusionMatrix()
    metric.update(np.eye(300)[[299, 200]], np.array([200, 200], np.uint8))
    assert metric.counts[200, 299] == metric.counts[200, 200] == 1
    assert metric.counts.sum() == 2


def test_one_score_makes_two_classes():
    metric = ConfusionMatrix()
    metric.update(np.array([[1.0], [-1.0], [2.0]]), np.array([1, 1, 0]))
    assert metric.counts.tolist() == [[0, 1], [1, 1]]


def test_scores_that_hold_a_nan_are_predicted_as_no_class():
    metric = ConfusionMatrix()
    metric.update(np.array([[np.nan, 1], [1, 0], [0, np.nan]]), np.array([0, 0, 1]))
    assert metric.counts.tolist() == [[1, 0], [0, 0]]
    assert metric.unpredicted.tolist() == [1, 1]


def test_it_has_no_single_figure():
    metric = ConfusionMatrix()
    assert metric.counts.shape == (0, 0)
    metric.update(np.eye(2), np.arange(2))
    assert not metric.scalar
    assert math.isnan(metric.value())
