"""When a run evaluates, and when it is over, to the iteration."""

import pytest

from lamina.training.plan import Plan


@pytest.mark.parametrize(
    ("n", "per_step", "epochs", "iterations"),
    [(150, 20, 2, 15), (150, 20, 1, 8), (100, 10, 3, 30), (100, 30, 0.1, 1), (60, 7, 0.7, 6)],
)
def test_epochs_become_the_iterations_that_see_all_of_them(n, per_step, epochs, iterations):
    """A pass that does not come out even is finished: 7.5 batches are 8."""
    assert Plan(n, per_step, epochs=epochs).iterations == iterations


@pytest.mark.parametrize(("n", "per_step", "every"), [(150, 20, 7), (60, 60, 1), (30, 40, 1)])
def test_an_evaluation_is_due_every_epoch_unless_it_is_said(n, per_step, every):
    plan = Plan(n, per_step, 100)
    assert [i for i in range(1, 22) if plan.evaluates(i)] == list(range(every, 22, every))
    assert [i for i in range(1, 10) if Plan(n, per_step, evaluate_every=4).evaluates(i)] == [4, 8]


def test_the_epoch_counts_samples():
    assert [Plan(150, 20).epoch(i) for i in (0, 7, 15)] == [0, pytest.approx(140 / 150), 2]


def test_it_is_over_at_the_last_iteration_and_not_before():
    plan = Plan(150, 20, 30)
    assert [plan.is_over(i, 99) for i in (0, 29, 30, 31)] == [False, False, True, True]


def test_patience_is_the_number_of_evaluations_without_a_better_one():
    plan = Plan(150, 20, 30, patience=3)
    assert [plan.is_over(10, since) for since in range(5)] == [False, False, False, True, True]
