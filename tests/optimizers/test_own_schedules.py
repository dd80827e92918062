"""Schedules of the user's own: functions, classes, objects, and what cannot be one."""

import functools

import numpy as np
import pytest

from lamina.layers import Param
from lamina.optimizers import SGD, make_schedule


def triangle(step, *, period: int, low: float = 0.0):
    """Up and down in a line."""
    place = abs(2 * (step % period) / period - 1)
    return low + (1 - low) * place


class Halving:
    """Half the rate after each evaluation that is worse than the one before."""

    def __init__(self, start: float = 1.0, *, least: float = 0.1):
        self.factor, self.least, self.last = start, least, None

    def __call__(self, step):
        return self.factor

    def evaluated(self, value, higher_is_better):
        if self.last is not None and (value < self.last) == higher_is_better:
            self.factor = max(self.factor / 2, self.least)
        self.last = value

    def state(self):
        return {"factor": self.factor, "last": np.nan if self.last is None else self.last}

    def load_state(self, state):
        last = float(state["last"])
        self.factor, self.last = float(state["factor"]), None if np.isnan(last) else last


class Stepped:
    """Remembers nothing, and is an object for its settings' sake; it ends."""

    def __init__(self, at):
        self.at = self.end = at

    def __call__(self, step):
        return 1.0 if step < self.at else 0.5


def test_a_function_with_its_settings():
    schedule = make_schedule(triangle, period=4, low=0.5, warm_up=1)
    assert [schedule(step) for step in range(6)] == [0.5, 1.0, 0.75, 0.5, 0.75, 1.0]
    assert make_schedule(lambda step: 0.25)(3) == 0.25
    assert make_schedule(functools.partial(triangle, period=2))(1) == 0.0


def test_a_class_is_made_with_its_settings():
    schedule = make_schedule(Halving, start=0.8, least=0.3)
    optimizer = SGD({}, lr=1.0, schedule=schedule)
    rates = []
    for value in (0.5, 0.4, 0.6, 0.5):
        optimizer.evaluated(value, True)
        optimizer.step()
        rates.append(optimizer.lr)
    assert rates == [0.8, 0.4, 0.4, 0.3]
    again = SGD({}, lr=1.0, schedule=make_schedule(Halving, start=0.8, least=0.3))
    again.load_state(optimizer.state())
    again.evaluated(0.1, True)
    again.step()
    assert again.lr == 0.3
    assert again.schedule.last == 0.1


def test_an_object_that_is_made_already_is_taken_as_it_is():
    mine = Halving()
    assert make_schedule(mine) is mine
    assert make_schedule(mine, warm_up=2).after is mine
    with pytest.raises(ValueError, match="schedule Halving: takes no settings; unknown least"):
        make_schedule(mine, least=0.5)


class NoCall:
    pass


class Forgetful:
    def __call__(self, step):
        return 1.0

    def evaluated(self, value, higher_is_better):
        pass


class HalfSaved(Forgetful):
    def state(self):
        return {}


class SavesAnything(HalfSaved):
    def state(self):
        return {"seen": None}

    def load_state(self, state):
        pass


class FailsAtOnce:
    def __init__(self, size):
        self.size = len(size)

    def __call__(self, step):
        return 1.0


def without_star(step, gamma):
    return gamma**step


@pytest.mark.parametrize(
    ("schedule", "settings", "words"),
    [
        (3.0, {}, "schedule: expects a name, a function or a class, got 3.0"),
        (triangle, {}, "schedule triangle: takes period, low; missing period"),
        (triangle, {"period": 2, "lo": 1}, "takes period, low; unknown lo$"),
        (lambda: 1.0, {}, r"schedule <lambda>: is called with \(step\): too many positional"),
        (without_star, {}, r"schedule without_star: is called with \(step\): missing a .*'gamma'"),
        (
            without_star,
            {"gamma": 0.5},
            r"without_star: takes no settings; unknown gamma; settings stand behind a \*: ..., \*",
        ),
        (Halving, {"stat": 1.0}, "schedule Halving: takes start, least; unknown stat$"),
        (Stepped, {}, "schedule Stepped: takes at; missing at"),
        (FailsAtOnce, {"size": 3}, "schedule FailsAtOnce: object of type 'int' has no len"),
        (NoCall, {}, r"schedule NoCall: has no __call__\(self, step\)"),
        (Forgetful, {}, "Forgetful has no state and no load_state, so that a run that goes on"),
        (Forgetful, {"warm_up": 3}, "Forgetful has no state and no load_state"),
        (HalfSaved, {}, "HalfSaved has no load_state"),
        (SavesAnything, {}, r"SavesAnything\.state\(\) gives no number or text as seen"),
        (triangle, {"period": 2, "warm_up": -1}, "schedule triangle: warm_up is at least 0"),
    ],
)
def test_what_cannot_be_one_is_refused(schedule, settings, words):
    with pytest.raises(ValueError, match=words):
        make_schedule(schedule, **settings)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (
            "cosine",
            "schedule: expects a function of the step, as make_schedule gives, got .cos",
        ),
        (0.5, "schedule: expects a function of the step"),
        (Halving, r"schedule: expects an object, Halving\(\.\.\.\), got <class"),
        (Forgetful(), "Forgetful has no state and no load_state"),
    ],
)
def test_an_optimizer_refuses_it_too(schedule, words):
    with pytest.raises(ValueError, match=words):
        SGD({}, lr=0.1, schedule=schedule)


@pytest.mark.parametrize("factor", [-0.5, float("nan"), float("inf"), None, "1", 1j, True])
def test_a_factor_that_is_no_rate_is_refused_before_the_step(factor):
    param = Param(np.ones(2))
    param.accumulate(np.ones(2))
    optimizer = SGD({"w": param}, lr=0.5, schedule=lambda step: factor if step == 1 else 1.0)
    optimizer.step()
    words = f"schedule: expects a number of at least 0 at step 1, got {factor!r}"
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace(")", r"\)")):
        optimizer.step()
    assert param.data.tolist() == [0.5, 0.5]
    assert (optimizer.steps, optimizer.lr) == (1, 0.5)


def test_numpy_numbers_are_factors_and_keep_float32():
    param = Param(np.ones(2, np.float32))
    param.accumulate(np.ones(2, np.float32))
    optimizer = SGD({"w": param}, lr=0.5, schedule=lambda step: np.float64(0.5))
    optimizer.step()
    assert type(optimizer.lr) is float
    assert param.data.tolist() == [0.75, 0.75]
    assert param.data.dtype == np.float32
