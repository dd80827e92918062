"""Which evaluation is the best: the direction, ties, numbers that are none."""

import math

import numpy as np
import pytest

from lamina.layers import Affine
from lamina.training.best import Best

COLUMN = "validation_rmse"


def noted(best, values):
    """Which of these values, one after another, are better than all before."""
    net = Affine(2, 1, rng=0)
    return [
        i for i, value in enumerate(values, 1) if best.note({COLUMN: value, "iteration": i}, net)
    ]


@pytest.mark.parametrize(
    ("higher", "better", "iteration", "since"),
    [(True, [1, 3], 3, 4), (False, [1, 2, 5], 5, 2)],
)
def test_the_direction_is_that_of_the_metric_and_a_tie_is_no_better(
    higher, better, iteration, since
):
    best = Best(COLUMN, higher)
    assert noted(best, [0.5, 0.4, 0.7, 0.7, 0.3, 0.3, 0.6]) == better
    assert (best.iteration, best.since) == (iteration, since)
    assert best.value == (0.7 if higher else 0.3)


@pytest.mark.parametrize("higher", [True, False])
def test_nan_is_never_better_and_anything_is_better_than_nan(higher):
    best = Best(COLUMN, higher)
    assert noted(best, [math.nan, math.nan, 0.5, math.nan]) == [3]
    assert (best.iteration, best.since) == (3, 0)  # patience does not count what says nothing


def test_the_weights_of_the_best_one_are_kept():
    best, net = Best(COLUMN, False, keep=True), Affine(2, 1, rng=0)
    for i, value in enumerate([0.5, 0.3, 0.4], 1):
        net.b.data = np.array([i], np.float32)
        best.note({COLUMN: value, "iteration": i}, net)
    assert best.net_state["b"].tolist() == [2]


def test_what_is_best_is_saved_and_goes_on():
    best = Best(COLUMN, False, keep=True)
    noted(best, [0.5, 0.3, 0.4])
    other = Best(COLUMN, False, keep=True)
    other.load_state(best.state())
    assert (other.value, other.iteration, other.since) == (0.3, 2, 1)
    np.testing.assert_array_equal(other.net_state["W"], best.net_state["W"])
    assert noted(other, [0.35, 0.25]) == [2]
