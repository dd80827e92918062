"""Figures over the iterations of a run, of which a table has a few."""

import numpy as np
import pytest

from lamina.diagnosis.progress import risen
from lamina.diagnosis.run_tables import Series

EARLY = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 400.0, 700.0, 1000.0])


def series(at, values):
    return Series("x", "", np.array(at, float), {"v": np.array(values, float)})


def test_a_median_is_that_of_the_iterations_and_not_of_the_records():
    """Seven of ten records are of the first tenth of the run."""
    assert series(EARLY, np.where(EARLY <= 100, 1.0, 1e-9)).median("v") == 1e-9
    every = np.arange(1.0, 1001.0)
    falling = 0.97**every
    few = series(EARLY, 0.97**EARLY)
    assert 1e-9 < few.median("v") < 1e-5  # 2e-7 is right; of records it is 0.07
    assert 1e-8 < np.median(falling) < 1e-6
    assert series(every, falling).median("v") == np.median(falling)


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_of_records_that_are_evenly_apart_it_is_the_plain_one(n):
    values = np.random.default_rng(n).normal(size=n)
    assert series(np.arange(1, n + 1), values).median("v") == pytest.approx(np.median(values))


def test_what_is_not_finite_is_left_out():
    assert series([1, 2, 3], [np.nan, 2.0, np.inf]).median("v") == 2.0
    assert np.isnan(series([1, 2], [np.nan, np.nan]).median("v"))
    assert series([1, 2, 3], [1.0, 2.0, 3.0]).median(np.array([3.0, 4.0, 5.0])) == 4.0


def test_what_it_began_with_is_known_from_the_first_iteration_on():
    assert series([1, 10], [5.0, 7.0]).at_start("v") == 5.0
    assert np.isnan(series([10, 20], [5.0, 7.0]).at_start("v"))
    assert series([1, 10], [0, 0]).since == "at the start"
    assert series([2000, 3000], [0, 0]).since == "at iteration 2,000"


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        ([1.0, *[0.5] * 50, *[3.0] * 10], True),
        ([0.35, *np.tile([0.3, 0.45, 0.6], 40)], False),  # the first batch was an easy one
        ([3.7, *np.tile([0.0, 0.1, 90.0], 40)], True),  # rarely wrong, and then by far
        ([1.0, 0.8], False),
        ([1.0, 1e3, 1e9, 1e30], True),
        ([], False),
    ],
)
def test_a_loss_has_risen_if_nearly_no_batch_is_below_the_first(losses, found):
    assert risen(np.array(losses), None) == found
    assert risen(np.array(losses), 0.2) == found
    assert not risen(np.array(losses), 1e31)  # whatever the first batch was, it knows something


def test_where_the_loss_of_the_whole_set_has_fallen_the_first_batch_was_an_easy_one():
    losses = np.array([0.09] + [0.13] * 99)
    assert risen(losses, None)
    assert not risen(losses, None, np.array([0.144, 0.135, 0.125]))
    assert risen(losses, None, np.array([0.125, 0.13, 0.135]))
    assert risen(losses, None, np.array([0.125]))  # one says nothing of the way
