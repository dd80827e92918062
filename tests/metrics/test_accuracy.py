import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import Accuracy


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import accuracy_score

    draw = drawn(data)
    scores, t = draw.classification(sequences=data.draw(st.booleans()))
    expected = accuracy_score(t.ravel(), scores.argmax(axis=-1).ravel())
    assert fed(Accuracy(), scores, t, draw.cuts).value() == pytest.approx(expected, abs=1e-15)
    one_hot = np.eye(scores.shape[-1], dtype=np.float32)[t]
    assert fed(Accuracy(), scores, one_hot, draw.cuts).value() == pytest.approx(expected, abs=1e-15)


@pytest.mark.needs_sklearn
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_one_score_for_two_classes(data, drawn, fed):
    from sklearn.metrics import accuracy_score

    draw = drawn(data)
    scores, t = draw.scores(draw.n, 1), draw.rng.integers(0, 2, draw.n)
    expected = accuracy_score(t, scores[:, 0] > 0)
    for targets in (t, t[:, None], t.astype(np.float32), t.astype(bool), t.astype(np.uint8)):
        value = fed(Accuracy(), scores, targets, draw.cuts).value()
        assert value == pytest.approx(expected, abs=1e-15)


def test_of_equal_scores_the_first_is_the_prediction():
    metric = Accuracy()
    metric.update(np.zeros((3, 3)), np.array([0, 1, 2]))
    assert metric.value() == pytest.approx(1 / 3)
    single = Accuracy()
    single.update(np.zeros((2, 1)), np.array([0, 1]))  # 0 is not above 0: class 0
    assert single.value() == 0.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_scores_that_hold_a_nan_are_wrong(dtype):
    nan = np.nan
    scores = np.array([[nan, nan, nan], [nan, 0, 1], [0, 1, nan], [0, 1, 0]], dtype)
    for t in (np.array([0, 0, 2, 1]), np.array([2, 2, 1, 1])):
        metric = Accuracy()
        metric.update(scores, t)
        assert metric.value() == 0.25
    for t in (0, 1):
        single = Accuracy()
        single.update(np.full((4, 1), nan, dtype), np.full(4, t))
        assert single.value() == 0.0


def test_infinite_scores_are_scores():
    metric = Accuracy()
    metric.update(
        np.array([[-np.inf, 0.0], [np.inf, -np.inf], [3e38, np.inf]]), np.array([1, 0, 1])
    )
    assert metric.value() == 1.0


def test_one_sample_without_a_batch_axis():
    metric = Accuracy()
    metric.update(np.array([0.1, 0.7, 0.2]), np.array(1))
    metric.update(np.array([0.1, 0.7, 0.2]), 2)
    assert metric.value() == 0.5
