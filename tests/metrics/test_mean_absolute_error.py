import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.metrics import MeanAbsoluteError


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import mean_absolute_error

    draw = drawn(data)
    scores, t = draw.regression()
    metric = fed(MeanAbsoluteError(), scores, t, draw.cuts)
    assert metric.value() == pytest.approx(mean_absolute_error(t, scores), rel=1e-12)
    one = fed(MeanAbsoluteError(), scores[:, :1], t[:, 0], draw.cuts)
    assert one.value() == pytest.approx(mean_absolute_error(t[:, 0], scores[:, 0]), rel=1e-12)


def test_unsigned_targets_do_not_wrap_around():
    metric = MeanAbsoluteError()
    metric.update(np.array([5, 1], np.uint8), np.array([1, 5], np.uint8))
    assert metric.value() == 4.0


def test_nan_and_infinite_scores():
    for wrong, expected in ((np.nan, math.nan), (-np.inf, math.inf)):
        metric = MeanAbsoluteError()
        metric.update(np.array([0.0, wrong]), np.zeros(2))
        metric.update(np.zeros(2), np.zeros(2))
        np.testing.assert_equal(metric.value(), expected)
