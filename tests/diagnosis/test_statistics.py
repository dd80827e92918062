"""The few numbers that are kept of an array, beside those of float64."""

import math

import numpy as np
import pytest

from lamina.diagnosis.statistics import mean_and_std, norm


@pytest.mark.parametrize(("middle", "spread"), [(0.0, 1.0), (1e6, 1.0), (-3e-3, 1e-6), (0.37, 0)])
def test_float32_loses_nothing_by_how_many_numbers_there_are(middle, spread):
    rng = np.random.default_rng(0)
    x = (middle + spread * rng.standard_normal(3_000_000)).astype(np.float32)
    exact = x.astype(np.float64)
    assert norm(x) == pytest.approx(math.sqrt(exact @ exact), rel=2e-6)
    mean, std = mean_and_std(x)
    assert mean == pytest.approx(exact.mean(), rel=1e-7, abs=1e-7 * spread)
    assert std == pytest.approx(exact.std(), rel=1e-5, abs=1e-9)


@pytest.mark.filterwarnings("ignore:overflow")
def test_what_is_not_finite_and_what_leaves_the_range_of_float32():
    assert norm(np.array([3e30, 4e30], np.float32)) == pytest.approx(5e30, rel=1e-6)
    assert norm(np.array([3e-30, 4e-30], np.float32)) == pytest.approx(5e-30, rel=1e-6)
    mean, std = mean_and_std(np.full(20, 3e38, np.float32))
    assert (mean, std) == (pytest.approx(3e38, rel=1e-6), 0.0)
    assert all(map(math.isnan, mean_and_std(np.array([1.0, math.nan], np.float32))))
    assert all(map(math.isnan, mean_and_std(np.zeros(0))))
    assert mean_and_std(np.array([math.inf, 1.0], np.float32))[0] == math.inf
