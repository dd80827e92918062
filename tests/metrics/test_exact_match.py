import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import Accuracy, ExactMatch


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_labels_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import accuracy_score

    draw = drawn(data)
    scores, t = draw.labels()
    if t.shape[1] == 1:  # to scikit-learn one column is no multi-label set
        scores, t = np.hstack([scores, scores]), np.hstack([t, t])
    value = fed(ExactMatch(multilabel=True), scores, t, draw.cuts).value()
    assert value == pytest.approx(accuracy_score(t, scores > 0), abs=1e-15)


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_sequences_beside_scikit_learn(data, drawn, fed):
    """A sequence is right if the share of its right positions is 1; those that are -1 are left out
    by sample_weight."""
    from sklearn.metrics import accuracy_score

    draw = drawn(data)
    scores, t = draw.classification(sequences=True)
    t[draw.rng.random(t.shape) < 0.5] = scores.argmax(axis=-1)[0, 0]  # more that are right
    t[draw.rng.random(t.shape) < 0.3] = -1
    best = scores.argmax(axis=-1)
    shares = [
        accuracy_score(row, guess, sample_weight=row != -1)
        for row, guess in zip(t, best, strict=True)
        if (row != -1).any()
    ]
    value = fed(ExactMatch(ignore_index=-1), scores, t, draw.cuts).value()
    expected = np.mean(np.isclose(shares, 1)) if shares else np.nan
    np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_by_hand():
    best = np.array([[0, 1, 2], [0, 1, 1], [2, 2, 2], [0, 0, 0]])
    t = np.array([[0, 1, 2], [0, 1, 2], [2, 9, 2], [9, 9, 9]])
    metric = ExactMatch(ignore_index=9)
    metric.update(np.eye(3)[best], t)
    assert metric.value() == pytest.approx(2 / 3)  # the last sequence does not count
    one_hot = ExactMatch()
    one_hot.update(np.eye(3)[best], np.eye(3)[best])
    assert one_hot.value() == 1.0


def test_one_position_is_the_accuracy(fed):
    rng = np.random.default_rng(0)
    scores, t = rng.standard_normal((30, 3)), rng.integers(0, 3, 30)
    assert fed(ExactMatch(), scores, t).value() == fed(Accuracy(), scores, t).value()


def test_a_nan_makes_its_sample_wrong():
    scores = np.eye(2)[np.zeros((2, 3), int)]
    scores[0, 1] = np.nan
    metric = ExactMatch()
    metric.update(scores, np.zeros((2, 3), int))
    assert metric.value() == 0.5
    labels = ExactMatch(multilabel=True)  # nan > 0 is False, which must not pass as a right 0
    labels.update(np.array([[np.nan, 1.0], [-1.0, 1.0]]), np.array([[0, 1], [0, 1]]))
    assert labels.value() == 0.5


def test_samples_stand_along_the_first_axis():
    with pytest.raises(ValueError, match=r"expects scores \(N, T, C\).*got scores of shape \(3,\)"):
        ExactMatch().update(np.zeros(3), np.array(1))
    with pytest.raises(ValueError, match=r"expects scores \(N, L\)"):
        ExactMatch(multilabel=True).update(np.zeros(3), np.zeros(3))
