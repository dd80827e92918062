"""Does a schedule fit the length of a run?"""

import re
from pathlib import Path

import pytest

from lamina.experiment.config import load_config
from lamina.optimizers import Plateau, make_schedule, schedule_end, schedule_problem

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


class Stepped:
    """1, then 0 from its end on."""

    def __init__(self, end):
        self.end = end

    def __call__(self, step):
        return float(step < self.end)


class Counting:
    """Whoever asks it changes it."""

    def __init__(self):
        self.asked = 0

    def __call__(self, step):
        self.asked += 1
        return 0.0

    def state(self):
        return {"asked": self.asked}

    def load_state(self, state):
        self.asked = int(state["asked"])


@pytest.mark.parametrize(
    ("name", "settings", "end"),
    [
        ("fixed", {}, 0),
        ("multistep", {"gamma": 0.1, "steps": (5, 9, 7)}, 9),
        ("multistep", {"gamma": 0.1, "steps": ()}, 0),
        ("poly", {"power": 1.0, "max_steps": 30}, 30),
        ("cosine", {"max_steps": 30}, 30),
        ("cosine", {"max_steps": 30, "lowest": 0.1}, 30),
        ("step", {"gamma": 0.1, "step_size": 3}, None),
        ("exp", {"gamma": 0.9}, None),
        ("inv", {"gamma": 0.9, "power": 1.0}, None),
        ("sigmoid", {"gamma": -0.1, "step_size": 5}, None),
        ("plateau", {}, None),
        (Stepped, {"end": 12}, 12),
        (lambda step: 0.5, {}, None),
    ],
)
def test_the_end_is_where_the_factor_stays_as_it_is(name, settings, end):
    schedule = make_schedule(name, **settings)
    assert schedule_end(schedule) == end
    warmed = make_schedule(name, warm_up=6, **settings)
    assert schedule_end(warmed) == (None if end is None else end + 6)
    if end is not None:
        for moving, last in ((schedule, end), (warmed, end + 6)):
            assert len({moving(step) for step in range(last, last + 50)}) == 1
            assert last == 0 or moving(last - 1) != moving(last)


def test_no_schedule_has_no_end_and_no_problem():
    assert schedule_end(None) is None
    assert schedule_problem(None, 10) == ""


@pytest.mark.parametrize(
    ("name", "settings", "iterations", "words"),
    [
        (
            "cosine",
            {"max_steps": 300},
            900,
            "its rate is 0 after iteration 300, so that 600 of 900 iterations would change "
            "nothing: max_steps: 900 ends with the run",
        ),
        (
            "poly",
            {"max_steps": 300, "power": 0.5, "warm_up": 50},
            900,
            "0 after iteration 350, so that 550 of 900 .* max_steps: 850 ends with the run",
        ),
        ("exp", {"gamma": 0.5}, 2000, "after iteration 1075, so that 925 of 2000 .* more slowly"),
        ("exp", {"gamma": 0.0}, 10, "after iteration 1, so that 9 of 10"),
        ("step", {"gamma": 0.0, "step_size": 4}, 10, "after iteration 4, so that 6 of 10"),
        ("multistep", {"gamma": 0, "steps": (2, 8)}, 10, "after iteration 2, so that 8 of 10"),
        ("sigmoid", {"gamma": -5.0, "step_size": 9}, 99, "its rate is 0 after iteration 1"),
        (Stepped, {"end": 3, "warm_up": 1}, 5, "after iteration 4, so that 1 of 5"),
        ("fixed", {"warm_up": 10}, 10, "its warm_up takes 10 of 10 iterations, .* never comes to"),
        ("plateau", {"warm_up": 50}, 10, "its warm_up takes 50 of 10 iterations"),
    ],
)
def test_a_run_that_would_go_on_at_rate_0_or_never_warm_up(name, settings, iterations, words):
    problem = schedule_problem(make_schedule(name, **settings), iterations)
    assert re.search(words, problem), problem


def test_what_it_advises_helps():
    assert schedule_problem(make_schedule("cosine", max_steps=900), 900) == ""
    assert schedule_problem(make_schedule("poly", max_steps=850, power=1, warm_up=50), 900) == ""
    assert schedule_problem(make_schedule("fixed", warm_up=10), 11) == ""


@pytest.mark.parametrize(
    "schedule",
    [
        make_schedule("cosine", max_steps=300, lowest=0.01),
        make_schedule("cosine", max_steps=5000),
        make_schedule("exp", gamma=0.5),
        lambda step: step % 2,  # 0 now and then, but not for good
        Plateau(gamma=0.0),
    ],
)
def test_a_rate_that_is_not_0_at_the_end_is_none_of_its_business(schedule):
    assert schedule_problem(schedule, 900) == ""


def test_what_remembers_is_not_asked():
    counting = Counting()
    assert schedule_problem(counting, 10) == ""
    assert schedule_problem(make_schedule(counting, warm_up=1), 10) == ""
    assert counting.asked == 0


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_has_a_schedule_that_fits(path):
    config = load_config(path).data
    settings = config["optimizer"].get("schedule")
    schedule = None if settings is None else make_schedule(**settings)
    assert schedule_problem(schedule, config["training"].get("iterations", 10_000)) == ""
