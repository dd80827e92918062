import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import RootMeanSquaredError


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import mean_squared_error, root_mean_squared_error

    draw = drawn(data)
    scores, t = draw.regression()
    metric = fed(RootMeanSquaredError(), scores, t, draw.cuts)
    assert metric.value() == pytest.approx(math.sqrt(mean_squared_error(t, scores)), rel=1e-12)
    one = fed(RootMeanSquaredError(), scores[:, :1], t[:, 0], draw.cuts)
    expected = root_mean_squared_error(t[:, 0], scores[:, 0])
    assert one.value() == pytest.approx(expected, rel=1e-12)


def test_large_targets_and_small_errors(fed):
    error = np.random.default_rng(0).standard_normal(1000)
    t = 1e8 + np.arange(1000.0)
    metric = fed(RootMeanSquaredError(), t + error, t, range(7, 1000, 7))
    kept = (t + error) - t  # the errors as float64 holds them beside 1e8
    assert metric.value() == pytest.approx(math.sqrt(np.square(kept).mean()), rel=1e-13)


def test_float32_batches_are_added_up_in_float64(fed):
    scores = np.full((20_000, 1), 0.1, np.float32)
    metric = fed(RootMeanSquaredError(), scores, np.zeros(20_000, np.float32), range(1, 20_000))
    assert metric.value() == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_nan_and_infinite_scores():
    for wrong, expected in ((np.nan, math.nan), (np.inf, math.inf), (1e200, math.inf)):
        metric = RootMeanSquaredError()
        metric.update(np.array([0.0, wrong]), np.zeros(2))
        metric.update(np.zeros(2), np.zeros(2))
        np.testing.assert_equal(metric.value(), expected)
