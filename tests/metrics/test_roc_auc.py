import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lamina.metrics import RocAuc


@pytest.mark.needs_sklearn
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import roc_auc_score

    draw = drawn(data)
    scores, t = draw.scores(draw.n, 2), draw.rng.integers(0, 2, draw.n)
    assume(len(set(t)) == 2)
    expected = roc_auc_score(t, scores[:, 1])
    for one in (scores[:, 1:], scores[:, 1]):
        assert fed(RocAuc(), one, t, draw.cuts).value() == pytest.approx(expected, abs=1e-14)
    expected = roc_auc_score(t, scores[:, 1] - scores[:, 0])
    for targets in (t, np.eye(2)[t]):
        value = fed(RocAuc(), scores, targets, draw.cuts).value()
        assert value == pytest.approx(expected, abs=1e-14)


@pytest.mark.needs_sklearn
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_labels_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import roc_auc_score

    draw = drawn(data)
    scores, t = draw.labels()
    both = (t.min(axis=0) == 0) & (t.max(axis=0) == 1)
    assume(both.any())
    areas = [roc_auc_score(t[:, i], scores[:, i]) for i in np.flatnonzero(both)]
    metric = fed(RocAuc(multilabel=True), scores, t, draw.cuts)
    assert metric.value() == pytest.approx(np.mean(areas), abs=1e-14)
    np.testing.assert_allclose(metric.per_label()[both], areas, rtol=1e-12)
    assert np.isnan(metric.per_label()[~both]).all()
    if both.all() and len(areas) > 1:
        assert metric.value() == pytest.approx(roc_auc_score(t, scores), abs=1e-14)


def test_all_equal_scores_are_half(fed):
    assert fed(RocAuc(), np.zeros((5, 1)), np.array([0, 1, 1, 0, 1])).value() == 0.5


def test_differences_that_are_close_in_float32_stay_apart(fed):
    # 1 + 1e-8 is 1 in float32, so the differences would be equal there.
    scores = np.array([[-1, 1e-8], [-1, 2e-8]], np.float32)
    assert fed(RocAuc(), scores, np.array([0, 1])).value() == 1.0


def test_one_class_alone_is_nan(fed):
    for t in (np.zeros(3, int), np.ones(3, int)):
        assert math.isnan(fed(RocAuc(), np.zeros((3, 1)), t).value())
    labels = fed(RocAuc(multilabel=True), np.eye(2), np.array([[1, 0], [1, 1]]))
    assert labels.value() == 1.0  # of the second label alone
    assert math.isnan(fed(RocAuc(multilabel=True), np.eye(2), np.zeros((2, 2))).value())


def test_nan_scores_make_it_nan(fed):
    t = np.array([0, 1, 1])
    for scores in ([[np.nan], [1], [2]], [[1], [np.nan], [2]], [[np.inf, np.inf], [0, 1], [0, 1]]):
        assert math.isnan(fed(RocAuc(), np.array(scores), t).value())
    scores = np.array([[np.nan, 1], [1, 2], [2, 3]])
    metric = fed(RocAuc(multilabel=True), scores, np.array([[0, 0], [1, 1], [1, 1]]))
    assert math.isnan(metric.value())
    np.testing.assert_array_equal(metric.per_label(), [np.nan, 1.0])
    assert fed(RocAuc(), np.array([[-np.inf], [0], [np.inf]]), t).value() == 1.0


def test_more_than_two_classes_are_refused():
    with pytest.raises(ValueError, match=r"got scores \(2, 3\); .*RocAuc\(multilabel=True\)"):
        RocAuc().update(np.zeros((2, 3)), np.array([0, 1]))
    with pytest.raises(ValueError, match=r"expects one score .* got scores \(\)"):
        RocAuc().update(np.zeros(()), np.array(1))


def test_positions_that_do_not_count(fed):
    scores, t = np.array([[0.1], [0.9], [np.nan]]), np.array([0, 1, -1])
    assert fed(RocAuc(ignore_index=-1), scores, t).value() == 1.0


def test_scores_of_labels_are_kept_apart_from_the_callers_array():
    scores = np.array([[0.0], [1.0]])
    metric = RocAuc(multilabel=True)
    metric.update(scores, np.array([[0], [1]]))
    scores[:] = scores[::-1].copy()
    assert metric.value() == 1.0
