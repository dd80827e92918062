import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import Accuracy, TopK


@pytest.mark.needs_sklearn
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn_which_takes_equal_scores_from_the_end(data, drawn, fed):
    from sklearn.metrics import top_k_accuracy_score

    draw = drawn(data)
    scores, t = draw.classification(low=3, sequences=data.draw(st.booleans()))
    n_classes = scores.shape[-1]
    k = draw.integer(1, n_classes - 1, "k")
    backwards = scores.reshape(-1, n_classes)[:, ::-1]
    labels = range(n_classes)
    expected = top_k_accuracy_score(n_classes - 1 - t.ravel(), backwards, k=k, labels=labels)
    assert fed(TopK(k), scores, t, draw.cuts).value() == pytest.approx(expected, abs=1e-15)
    one_hot = np.eye(n_classes)[t]
    assert fed(TopK(k), scores, one_hot, draw.cuts).value() == pytest.approx(expected, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_first_alone_is_the_accuracy(data, drawn, fed):
    draw = drawn(data)
    scores, t = draw.classification()
    scores[draw.rng.random(scores.shape) < 0.1] = np.nan
    assert fed(TopK(1), scores, t).value() == fed(Accuracy(), scores, t).value()


def test_equal_scores_for_all_classes_are_not_right_for_all():
    metric = TopK(2)
    metric.update(np.zeros((4, 4)), np.arange(4))
    assert metric.value() == 0.5


def test_scores_that_hold_a_nan_are_wrong():
    metric = TopK(2)
    metric.update(np.array([[np.nan] * 3, [1, 2, np.nan], [1, 2, 3]]), np.array([0, 1, 1]))
    assert metric.value() == pytest.approx(1 / 3)


def test_its_name_says_k():
    assert TopK().name == "top5"
    assert TopK(k=np.int64(3)).name == "top3"


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "5", None])
def test_k_is_a_whole_number(k):
    with pytest.raises(ValueError, match="TopK: k is a whole number from 1 on, got"):
        TopK(k)


def test_k_below_the_number_of_scores():
    with pytest.raises(ValueError, match="of 5 classes in 5 scores the 5 highest are always right"):
        TopK(5).update(np.zeros((2, 5)), np.array([0, 1]))
    with pytest.raises(ValueError, match="of 2 classes in 1 scores the 1 highest"):
        TopK(1).update(np.zeros((2, 1)), np.array([0, 1]))
