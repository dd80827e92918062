"""Recall, precision and F1, which share how they count."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import F1, Precision, Recall

ALL = (Recall, Precision, F1)


def peer(cls):
    from sklearn import metrics

    return {
        Recall: metrics.recall_score,
        Precision: metrics.precision_score,
        F1: metrics.f1_score,
    }[cls]


@pytest.mark.needs_sklearn
@pytest.mark.parametrize("cls", ALL)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(cls, data, drawn, fed):
    draw = drawn(data)
    scores, t = draw.classification(sequences=data.draw(st.booleans()))
    best = scores.argmax(axis=-1).ravel()
    for average in ("macro", "micro", "weighted"):
        expected = peer(cls)(t.ravel(), best, average=average, zero_division=0)
        value = fed(cls(average), scores, t, draw.cuts).value()
        assert value == pytest.approx(expected, abs=1e-12), average
    labels = range(scores.shape[-1])
    expected = peer(cls)(t.ravel(), best, labels=labels, average=None, zero_division=0)
    expected[np.setdiff1d(labels, [*t.ravel(), *best])] = np.nan
    np.testing.assert_allclose(fed(cls(), scores, t, draw.cuts).per_class(), expected, rtol=1e-12)


@pytest.mark.needs_sklearn
@pytest.mark.parametrize("cls", ALL)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_labels_beside_scikit_learn(cls, data, drawn, fed):
    draw = drawn(data)
    scores, t = draw.labels()
    if t.shape[1] == 1:  # to scikit-learn one column is no multi-label set
        scores, t = np.hstack([scores, scores]), np.hstack([t, t])
    for average in ("macro", "micro", "weighted"):
        expected = peer(cls)(t, scores > 0, average=average, zero_division=0)
        value = fed(cls(average, multilabel=True), scores, t, draw.cuts).value()
        assert value == pytest.approx(expected, abs=1e-12), average
    expected = peer(cls)(t, scores > 0, average=None, zero_division=0)
    per_class = fed(cls(multilabel=True), scores, t, draw.cuts).per_class()
    np.testing.assert_allclose(per_class, expected, rtol=1e-12)


@pytest.mark.needs_sklearn
@pytest.mark.parametrize("cls", ALL)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_two_classes_by_one_score_or_two(cls, data, drawn, fed):
    draw = drawn(data)
    scores, t = draw.scores(draw.n, 1), draw.rng.integers(0, 2, draw.n)
    expected = peer(cls)(t, scores[:, 0] > 0, zero_division=0)
    assert fed(cls("binary"), scores, t, draw.cuts).value() == pytest.approx(expected, abs=1e-12)
    two = np.hstack([np.zeros_like(scores), scores])
    assert fed(cls("binary"), two, t, draw.cuts).value() == pytest.approx(expected, abs=1e-12)


def test_degenerate_classes():
    # Class 0: target, never predicted. 1: right. 2: predicted, no target. 3: neither.
    scores = np.eye(4)[[1, 1, 2]]
    t = np.array([0, 1, 1])
    expected = {
        Recall: [0, 0.5, 0, np.nan],
        Precision: [0, 0.5, 0, np.nan],
        F1: [0, 0.5, 0, np.nan],
    }
    for cls in ALL:
        metric = cls()
        metric.update(scores, t)
        np.testing.assert_array_equal(metric.per_class(), expected[cls])
        assert metric.value() == pytest.approx(0.5 / 3)


@pytest.mark.parametrize("cls", ALL)
def test_nan_scores_make_it_nan(cls):
    good = np.array([[2.0, 1.0], [1.0, 2.0]])
    bad = np.array([[np.nan, 1.0]])
    for options, t in (({}, [0, 1]), ({"multilabel": True}, [[1, 0], [0, 1]])):
        metric = cls(**options)
        metric.update(good, np.array(t))
        assert not math.isnan(metric.value())
        metric.update(bad, np.array(t[:1]))
        metric.update(good, np.array(t))
        assert math.isnan(metric.value())
        assert np.isnan(metric.per_class()).all()
        metric.reset()
        metric.update(good, np.array(t))
        assert not math.isnan(metric.value())


@pytest.mark.parametrize("cls", ALL)
def test_labels_that_never_occur_count_as_zero_where_samples_were_counted(cls):
    metric = cls(multilabel=True)
    metric.update(-np.ones((3, 2)), np.zeros((3, 2)))
    assert metric.value() == 0.0
    assert math.isnan(cls(multilabel=True).value())


def test_names_say_the_average():
    assert [cls().name for cls in ALL] == ["recall", "precision", "f1"]
    assert F1("weighted").name == "f1_weighted"
    assert F1("macro").name == "f1"


def test_averages_that_cannot_be():
    with pytest.raises(ValueError, match="Recall: unknown average 'makro'; did you mean macro"):
        Recall("makro")
    with pytest.raises(ValueError, match="is for two classes, not for labels"):
        Recall("binary", multilabel=True)
    with pytest.raises(ValueError, match="is for two classes, these scores have 3"):
        Recall("binary").update(np.eye(3), np.arange(3))
