"""The mark of a schedule: its factors beside those of the project's own."""

import math

from lamina.exercises.marking import Mark
from lamina.exercises.traces import Difference, Trial, mark_by_trials
from lamina.optimizers.schedules import make_schedule
from lamina.optimizers.schedules.form import checked_factor

STEPS = (*range(14), 20, 40)
SETTINGS: dict[str, tuple[dict, ...]] = {  # of the functions of the step
    "fixed": ({},),
    "step": ({"gamma": 0.5, "step_size": 3}, {"gamma": 0.9, "step_size": 1}),
    "multistep": ({"gamma": 0.5, "steps": (2, 5, 9)}, {"gamma": 0.1, "steps": ()}),
    "exp": ({"gamma": 0.9}, {"gamma": 0.5}),
    "inv": ({"gamma": 0.1, "power": 0.75}, {"gamma": 2.0, "power": 2.0}),
    "poly": ({"power": 2.0, "max_steps": 10}, {"power": 0.5, "max_steps": 7}),
    "sigmoid": ({"gamma": -0.5, "step_size": 6}, {"gamma": -900.0, "step_size": 3}),
    "cosine": ({"max_steps": 10}, {"max_steps": 12, "lowest": 0.1}),
}
_PLATEAU = (
    {"patience": 2},
    {"patience": 1, "gamma": 0.5, "cooldown": 2},
    {"patience": 2, "threshold": 0.15, "lowest": 0.05},
)
_VALUES = (
    math.nan,
    1.0,
    0.9,
    0.9,
    0.95,
    0.8,
    math.nan,
    0.79,
    0.7,
    0.7,
    0.7,
    0.7,
    0.75,
    0.6,
    0.9,
    1.2,
)
# One of them does not begin at 1, where the rise would end if it went on for a step.
_AFTER_WARM_UP: dict[str, dict] = {
    "cosine": {"max_steps": 8},
    "plateau": {"patience": 1},
    "sigmoid": {"gamma": 0.5, "step_size": 6},
}


def mark_function(own, right, seed: int = 0) -> Mark:
    """The mark of a function of the step, such as cosine."""
    name = right.__name__
    trials = [_of_function(settings) for settings in SETTINGS[name]]
    rules = {
        "a factor is a plain number": lambda f: _no_factor(f, SETTINGS[name][0]),
        "the same step gives the same factor": lambda f: _remembers(f, SETTINGS[name][0]),
    }
    return mark_by_trials(name, own, right, trials, rules, _cause)


def mark_plateau(own, right, seed: int = 0) -> Mark:
    trials = [_of_plateau(settings, higher) for settings in _PLATEAU for higher in (False, True)]
    rules = {"a run that goes on from a saved state does the same": _goes_on}
    return mark_by_trials("Plateau", own, right, trials, rules)


def mark_warm_up(own, right, seed: int = 0) -> Mark:
    trials = [_of_warm_up(steps, after) for steps in (1, 4) for after in _AFTER_WARM_UP]
    rules = {"it ends where what comes after it ends": _end}
    return mark_by_trials("WarmUp", own, right, trials, rules)


def _of_function(settings: dict) -> Trial:
    shown = ", ".join(f"{name}={value}" for name, value in settings.items()) or "no settings"

    def run(function):
        for step in STEPS:
            yield "factor", f"step {step}", function(step, **settings)

    return Trial(shown, run)


def _of_plateau(settings: dict, higher: bool) -> Trial:
    shown = ", ".join(f"{name}={value}" for name, value in settings.items())

    def run(cls):
        schedule = cls(**settings)
        # Not about 1, where a threshold is the same as one that is a share of the best.
        scale = 4.0 if "threshold" in settings else 1.0
        for i, value in enumerate((scale * v for v in _VALUES), 1):
            schedule.evaluated(-value if higher else value, higher)
            yield "factor", f"after evaluation {i}, of {value:g}", schedule(i)

    return Trial(f"{shown}, {'higher' if higher else 'lower'} is better", run)


def _of_warm_up(steps: int, after: str) -> Trial:
    def run(cls):
        schedule = cls(steps, make_schedule(after, **_AFTER_WARM_UP[after]))
        for step in range(12):
            yield "factor", f"step {step}", schedule(step)
            if schedule.chooses:
                schedule.evaluated(1.0, False)

    return Trial(f"{steps} steps in front of {after}", run)


def _cause(difference: Difference) -> str:
    """Off by one, upside down, or right in the beginning alone."""
    values = [value for _, _, value in difference.own]
    wanted = [value for _, _, value in difference.right]
    try:
        ahead = [math.isclose(a, b) for a, b in zip(values[:12], wanted[1:13], strict=True)]
        behind = [math.isclose(a, b) for a, b in zip(values[1:13], wanted[:12], strict=True)]
        negative = [math.isclose(a, 1.0 - b) for a, b in zip(values, wanted, strict=True)]
    except (TypeError, ValueError):
        return ""
    if all(ahead) or all(behind):
        return "a step too early or too late: step 0 is the first update"
    if all(negative):
        return "1 minus it"
    if difference.place > 10:
        return "right at first, wrong late: what happens when it is over?"
    return ""


def _no_factor(function, settings: dict) -> str:
    try:
        checked_factor(function(1, **settings), 1)
    except ValueError as error:
        return f"factor: {error}"
    return ""


def _remembers(function, settings: dict) -> str:
    first = [function(step, **settings) for step in (3, 0, 3)]
    return "" if first[0] == first[2] else "factor: depends on the call before"


def _goes_on(cls) -> str:
    one, other = cls(patience=2), cls(patience=2)
    for value in (1.0, 0.9, 0.95):
        one.evaluated(value, False)
    other.load_state(one.state())
    for schedule in (one, other):
        schedule.evaluated(0.95, False)
    return "" if one(0) == other(0) else "factor: another one: state() must have all that counts"


def _end(cls) -> str:
    end = cls(3, make_schedule("cosine", max_steps=8)).end
    return "" if end == 11 else f"end: is {end}, should be 11"
