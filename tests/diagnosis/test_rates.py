"""The rate at each iteration, from the configuration and from what the table of a run has."""

import numpy as np
import pytest

from lamina.diagnosis.rates import factors_of
from lamina.optimizers.schedules import Plateau, WarmUp, make_schedule

AT = np.array([1.0, 40.0, 80.0])
OWN = "own.py:schedule"  # nothing of a user's code is imported
SCHEDULES = [
    {"type": "fixed"},
    {"type": "sigmoid", "gamma": 0.1, "step_size": 60},
    {"type": "cosine", "max_steps": 100, "warm_up": 30},
    {"type": "multistep", "gamma": 0.1, "steps": [50, 70]},
]


def rates_of(schedule, lr=0.3):
    return np.array([lr * schedule(int(i) - 1) for i in AT])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_functions_of_the_step_are_known_at_each_iteration(schedule):
    made = make_schedule(**schedule)
    wanted = [made(step) for step in range(100)]
    assert factors_of(schedule, 0.3, 100, AT, rates_of(made)).tolist() == wanted
    assert factors_of(schedule, 0.3, 100, (), ()).tolist() == wanted  # never evaluated


def test_others_are_known_at_evaluations():
    factors = factors_of({"type": OWN}, 0.3, 100, AT, 0.3 * np.array([1.0, 0.5, 0.1]))
    assert factors[[0, 39, 79, 99]] == pytest.approx([1.0, 0.5, 0.1, 0.1])
    assert (np.diff(factors[:80]) < 0).all()


def test_plateau_changes_the_rate_behind_evaluations():
    made, wanted = Plateau(gamma=0.5, patience=1), []
    for step in range(100):
        wanted.append(made(step))
        if step + 1 in AT:
            made.evaluated(1.0, True)  # never better than the first
    rates = [0.3 * wanted[int(i) - 1] for i in AT]
    factors = factors_of({"type": "plateau", "gamma": 0.5}, 0.3, 80, AT, rates)
    assert factors == pytest.approx(wanted[:80])


def test_the_warm_up_of_others_is_known_too():
    made = WarmUp(60, Plateau())
    factors = factors_of({"type": "plateau", "warm_up": 60}, 0.3, 100, AT, rates_of(made))
    assert factors == pytest.approx([made(step) for step in range(100)])


def test_a_table_that_has_other_rates_is_believed():
    """As of a run that went on with another schedule."""
    factors = factors_of({"type": "exp", "gamma": 0.5}, 0.3, 100, AT, [0.3, 0.3, 0.3])
    assert factors.tolist() == [1.0] * 100


def test_without_a_schedule_the_rate_stays_unless_the_table_says_otherwise():
    assert factors_of(None, 0.3, 4, (), ()).tolist() == [1.0] * 4
    assert factors_of(None, 0.4, 4, [1, 3], [0.4, 0.2]).tolist() == [1.0, 0.75, 0.5, 0.5]
    assert factors_of(None, 0.0, 2, [1], [0.0]).tolist() == [1.0, 1.0]
    assert factors_of(None, 0.3, 0, (), ()).tolist() == []
