"""What a schedule is: a function of the step, or an object that remembers something besides.

    lr(step) = base_lr · schedule(step)

Step 0 is the first update. An object is called in the same way, and may have

    evaluated(value, higher_is_better)  told of each evaluation: of the metric that counts, on the
                                        validation set, since it chooses by it; with this it is a
                                        schedule that `chooses`, unless an attribute says no
    state(), load_state(state)          what it remembers, numbers or arrays by name, and back:
                                        load_state raises ValueError, and changes nothing, if they
                                        do not fit
    end                                 the step from which its factor stays as it is, or None
"""

import math
from collections.abc import Callable

import numpy as np

from lamina.common.errors import RunError
from lamina.optimizers.settings import is_number

Schedule = Callable[[int], float]


class ScheduleError(RunError):
    """A schedule gives something else than a factor."""


def checked_factor(factor, step: int) -> float:
    """What a schedule gave for a step. Raises ScheduleError unless it is a number of at least 0."""
    if not (is_number(factor) and math.isfinite(factor) and factor >= 0):
        raise ScheduleError(
            f"schedule: expects a number of at least 0 at step {step}, got {factor!r:.60}"
        )
    return float(factor)


def checked_schedule(schedule):
    """The schedule, if it can be one. Raises ValueError otherwise."""
    if isinstance(schedule, type) or not callable(schedule):
        name = f"an object, {schedule.__name__}(...)" if isinstance(schedule, type) else ""
        name = name or "a function of the step, as make_schedule gives"
        raise ValueError(f"schedule: expects {name}, got {schedule!r:.60}")
    name = type(schedule).__name__
    missing = [what for what in ("state", "load_state") if not hasattr(schedule, what)]
    if missing and (len(missing) == 1 or hasattr(schedule, "evaluated")):
        raise ValueError(
            f"schedule: {name} has no {' and no '.join(missing)}, so that a run that goes on would "
            "forget what it has seen"
        )
    for what, array in saved_schedule(schedule).items():
        if array.dtype.kind not in "biufU":
            raise ValueError(f"schedule: {name}.state() gives no number or text as {what}")
    return schedule


def saved_schedule(schedule) -> dict[str, np.ndarray]:
    """What a schedule remembers, as arrays of its own. No checkpoint holds a NaN, but an evaluation
    that was none is worth remembering: a number that is NaN is saved as a text."""
    state = schedule.state() if hasattr(schedule, "state") else {}
    saved = {name: np.array(value) for name, value in state.items()}
    return {name: _NAN.copy() if _is_nan(array) else array for name, array in saved.items()}


def load_schedule(schedule, saved: dict[str, np.ndarray]) -> None:
    """Put back what `saved_schedule` gave. Raises what the load_state of the schedule raises."""
    nan = np.array(np.nan)
    schedule.load_state({n: nan if np.array_equal(a, _NAN) else a for n, a in saved.items()})


_NAN = np.array("NaN")


def _is_nan(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and array.ndim == 0 and bool(np.isnan(array))


def chooses(schedule) -> bool:
    """Does it look at evaluations, so that it needs a validation set?"""
    return getattr(schedule, "chooses", hasattr(schedule, "evaluated"))
