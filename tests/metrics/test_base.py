"""What every metric of the table keeps."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina import metrics
from lamina.metrics import METRICS, Metric, TopK
from lamina.metrics.base import share

REGRESSION = ("mae", "r2", "rmse")


def made(name, **arguments):
    return TopK(1, **arguments) if name == "top_k" else METRICS[name](**arguments)


def batch(name, rng, n=12):
    """Scores and targets that the metric takes."""
    if name in REGRESSION:
        return rng.standard_normal((n, 2)), rng.standard_normal((n, 2))
    return rng.standard_normal((n, 2)), np.arange(n) % 2


def figures(metric):
    """What it says: its value, or its counts."""
    return metric.counts if metric.name == "confusion" else metric.value()


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("name", METRICS)
def test_nothing_counted_is_nan(name, rng):
    metric = made(name)
    assert math.isnan(metric.value())
    scores, t = batch(name, rng)
    metric.update(scores[:0], t[:0])
    assert math.isnan(metric.value())
    assert metric.shown(metric.value()) == "nan"


@pytest.mark.parametrize("name", METRICS)
def test_reset_forgets(name, rng):
    metric, fresh = made(name), made(name)
    metric.update(*batch(name, rng, 7))
    metric.reset()
    second = batch(name, rng)
    metric.update(*second)
    fresh.update(*second)
    np.testing.assert_array_equal(figures(metric), figures(fresh))


@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_cutting_gives_the_value_of_one_batch(name, data, drawn, fed):
    draw = drawn(data)
    scores, t = batch(name, draw.rng, draw.n)
    one, cut = fed(made(name), scores, t), fed(made(name), scores, t, draw.cuts)
    exact = name not in (*REGRESSION, "perplexity")  # these add floats up
    np.testing.assert_allclose(figures(cut), figures(one), rtol=0 if exact else 1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_a_batch_may_be_overwritten_afterwards_and_is_not_written_into(name, rng):
    metric = made(name)
    scores, t = batch(name, rng)
    before = scores.copy(), t.copy()
    metric.update(scores, t)
    np.testing.assert_array_equal(scores, before[0])
    np.testing.assert_array_equal(t, before[1])
    value = np.copy(figures(metric))
    scores[:], t[:] = scores[::-1].copy(), 0
    np.testing.assert_array_equal(figures(metric), value)


@pytest.mark.parametrize("name", METRICS)
def test_a_refused_batch_is_not_counted(name, rng):
    metric = made(name)
    scores, t = batch(name, rng)
    metric.update(scores, t)
    value = np.copy(figures(metric))
    for wrong in ((scores, t[:5]), (scores.astype(str), t), (scores, t.astype(str))):
        with pytest.raises((ValueError, TypeError), match=rf"^{type(metric).__name__}: .*got"):
            metric.update(*wrong)
    np.testing.assert_array_equal(figures(metric), value)


@pytest.mark.parametrize("name", METRICS)
def test_scores_of_integers_and_of_half_precision_count(name, rng):
    _, t = batch(name, rng)
    whole = rng.integers(0, 9, (12, 2))
    expected = made(name)
    expected.update(whole.astype(np.float64), t)
    for dtype in (np.uint8, np.int64, np.float32, np.float16):
        metric = made(name)
        metric.update(whole.astype(dtype), t)
        np.testing.assert_allclose(figures(metric), figures(expected), rtol=1e-3)


@pytest.mark.parametrize("name", METRICS)
def test_values_are_floats_within_the_limits(name, rng):
    metric = made(name)
    metric.update(*batch(name, rng))
    low, high = metric.limits
    assert type(metric.value()) is float
    assert metric.scalar == (name != "confusion")
    assert not metric.scalar or low <= metric.value() <= high


@pytest.mark.parametrize("name", METRICS)
def test_the_better_scores_have_the_better_value(name, rng):
    scores, t = batch(name, rng)
    good, bad = made(name), made(name)
    good.update(t if name in REGRESSION else 9.0 * np.eye(2)[t], t)
    bad.update(scores, t)
    if not good.scalar:
        return
    assert (good.value() > bad.value()) == good.higher_is_better
    assert good.value() != bad.value()


@pytest.mark.parametrize("name", sorted(METRICS.keys() - {*REGRESSION, "roc_auc", "perplexity"}))
def test_ignored_positions_do_not_count_whatever_their_scores(name, rng):
    scores, t = batch(name, rng)
    expected = made(name)
    expected.update(scores[4:], t[4:])
    for ignore_index in (-100, 255):
        metric = made(name, ignore_index=ignore_index)
        scores[:4], t[:4] = np.nan, ignore_index
        metric.update(scores, t)
        np.testing.assert_array_equal(figures(metric), figures(expected))
    with pytest.raises(TypeError, match="ignore_index is an integer or None, got '0'"):
        made(name, ignore_index="0")


def test_values_are_shown_as_percent_or_as_numbers():
    assert metrics.Accuracy().shown(0.97256) == "97.26 %"
    assert metrics.R2().shown(0.12345) == "0.1235"
    assert metrics.RootMeanSquaredError().shown(53.216) == "53.22"
    assert metrics.RootMeanSquaredError().shown(0.0) == "0"
    assert metrics.Perplexity().shown(math.inf) == "inf"
    assert metrics.MeanAbsoluteError().shown(2.5e-7) == "2.5e-07"


def test_a_metric_says_what_it_has_counted():
    metric = metrics.Accuracy()
    metric.update(np.eye(3), np.array([0, 1, 1]))
    assert repr(metric) == "<Accuracy accuracy: 66.67 %>"


def test_a_metric_without_its_methods_says_so():
    with pytest.raises(NotImplementedError, match="Metric has no reset"):
        Metric()


def test_the_share_of_nothing_is_nan():
    assert share(1, 4) == 0.25
    assert math.isnan(share(0, 0))


def test_all_names_are_in_the_room():
    assert all(hasattr(metrics, name) for name in metrics.__all__)
    assert {cls.__name__ for cls in METRICS.values()} < set(metrics.__all__)
