import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import Perplexity


def value(scores, t, **options):
    metric = Perplexity(**options)
    metric.update(np.asarray(scores), np.asarray(t))
    return metric.value()


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import log_loss

    draw = drawn(data)
    scores, t = draw.classification(sequences=data.draw(st.booleans()))
    n_classes = scores.shape[-1]
    p = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    loss = log_loss(t.ravel(), p.reshape(-1, n_classes), labels=range(n_classes))
    metric = fed(Perplexity(), scores, t, draw.cuts)
    assert metric.value() == pytest.approx(math.exp(loss), rel=1e-10)


def test_guessing_gives_the_number_of_classes_and_certainty_one():
    assert value(np.zeros((3, 7)), [0, 3, 6]) == pytest.approx(7, rel=1e-14)
    assert value(1e4 * np.eye(3), [0, 1, 2]) == 1.0


def test_positions_that_do_not_count():
    scores = np.array([[[1.0, 0.0], [np.nan, 5.0]], [[0.0, 3.0], [2.0, 2.0]]])
    t = np.array([[0, -100], [1, -100]])
    expected = math.exp((math.log1p(math.exp(-1)) + math.log1p(math.exp(-3))) / 2)
    assert value(scores, t, ignore_index=-100) == pytest.approx(expected, rel=1e-14)
    assert math.isnan(value(scores, np.full((2, 2), -100), ignore_index=-100))


def test_large_scores_neither_overflow_nor_lose_the_target():
    for dtype in (np.float32, np.float64):
        assert value(np.array([[1e4, 1e4]], dtype), [0]) == pytest.approx(2)
        assert value(np.array([[1e4, 0]], dtype), [1]) == math.inf  # exp(10000)


def test_nan_and_infinite_scores():
    assert math.isnan(value([[np.nan, 1.0], [0.0, 0.0]], [1, 0]))
    assert math.isnan(value([[1.0, np.nan], [0.0, 0.0]], [0, 0]))
    assert math.isnan(value([[np.inf, 1.0]], [0]))
    assert value([[-np.inf, 1.0]], [0]) == math.inf
    assert value([[-np.inf, 1.0]], [1]) == 1.0  # a masked score


def test_a_single_score_is_refused():
    with pytest.raises(ValueError, match=r"expects two scores or more.*got scores \(2, 1\)"):
        value(np.zeros((2, 1)), [0, 1])
