import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lamina.metrics import R2


@pytest.mark.needs_sklearn
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beside_scikit_learn(data, drawn, fed):
    from sklearn.metrics import r2_score

    draw = drawn(data)
    assume(draw.n > 1)
    scores, t = draw.regression()
    metric = fed(R2(), scores, t, draw.cuts)
    assert metric.value() == pytest.approx(r2_score(t, scores), rel=1e-10)
    each = r2_score(t, scores, multioutput="raw_values")
    np.testing.assert_allclose(metric.per_output(), each, rtol=1e-10)
    one = fed(R2(), scores[:, :1], t[:, 0], draw.cuts)
    assert one.value() == pytest.approx(each[0], rel=1e-10)


@pytest.mark.needs_sklearn
def test_outputs_of_sequences_are_the_last_axis():
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    scores, t = rng.standard_normal((2, 4, 3, 2))
    metric = R2()
    metric.update(scores, t)
    assert metric.value() == pytest.approx(r2_score(t.reshape(-1, 2), scores.reshape(-1, 2)))
    # One output with targets (N, T): T are not outputs.
    one = R2()
    one.update(scores[..., :1], t[..., 0])
    assert one.value() == pytest.approx(r2_score(t[..., 0].ravel(), scores[..., 0].ravel()))


def test_of_images_each_pixel_is_an_output():
    """However they lie: a row of pixels, or (N, C, H, W)."""
    rng = np.random.default_rng(0)
    t = rng.standard_normal((6, 2, 3, 4)) + np.arange(4)
    scores = t + rng.standard_normal(t.shape)
    flat, images = R2(), R2()
    flat.update(scores.reshape(6, -1), t.reshape(6, -1))
    images.update(scores, t)
    assert images.value() == flat.value()
    mean = R2()
    mean.update(np.broadcast_to(t.mean(axis=0), t.shape), t)
    assert mean.value() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("first", [0.0, 1e8, -1e12])
def test_large_targets_and_small_variance(fed, first):
    """Beside exact fractions; an outlier as the first target must not spoil it either."""
    rng = np.random.default_rng(0)
    t = 1e8 + rng.standard_normal(500)
    t[0] += first
    scores = t + 0.1 * rng.standard_normal(500)
    exact = [Fraction(x) for x in t]
    mean = sum(exact) / len(exact)
    errors = sum((x - Fraction(y)) ** 2 for x, y in zip(exact, scores, strict=True))
    expected = 1 - float(errors / sum((x - mean) ** 2 for x in exact))
    for cuts in ((), (1,), range(1, 500), (499,), (100, 101, 350)):
        value = fed(R2(), scores, t, cuts).value()
        assert 1 - value == pytest.approx(1 - expected, rel=1e-6)
        assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.needs_sklearn
@pytest.mark.parametrize("constant", [0.1, 3.0, 1e8 + 0.1])
def test_constant_targets_are_as_in_scikit_learn(fed, constant):
    from sklearn.metrics import r2_score

    t = np.full(10, constant)
    for scores, expected in ((t, 1.0), (t + 0.5, 0.0)):
        assert fed(R2(), scores, t, (3, 7)).value() == expected
    both, scores = np.stack([t, np.arange(10.0)], axis=1), np.arange(20.0).reshape(10, 2)
    assert r2_score(np.full(8, 3.0), np.zeros(8)) == 0.0  # so it is there
    expected = r2_score(both[:, 1], scores[:, 1]) / 2
    assert fed(R2(), scores, both, (3, 7)).value() == pytest.approx(expected)


def test_the_mean_scores_nothing(fed):
    t = np.array([1.0, 2.0, 6.0])
    assert fed(R2(), np.full(3, 3.0), t).value() == pytest.approx(0, abs=1e-15)


def test_fewer_than_two_samples_are_nan():
    metric = R2()
    metric.update(np.zeros(1), np.ones(1))
    assert math.isnan(metric.value())
    assert np.isnan(metric.per_output()).all()
    metric.update(np.zeros(1), np.zeros(1))
    assert metric.value() == pytest.approx(-1)


def test_nan_and_infinite_scores(fed):
    t = np.arange(4.0)
    for wrong, expected in ((np.nan, math.nan), (np.inf, -math.inf), (1e200, -math.inf)):
        scores = np.array([0.0, wrong, 2.0, 3.0])
        np.testing.assert_equal(fed(R2(), scores, t, (2,)).value(), expected)
    assert math.isnan(fed(R2(), np.array([1.0, np.nan]), np.ones(2)).value())
