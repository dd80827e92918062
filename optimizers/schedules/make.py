"""Schedules by name."""

from typing import Any

from lamina.common.counts import is_count
from lamina.common.names import chosen
from lamina.optimizers.schedules.form import Schedule, checked_schedule
from lamina.optimizers.schedules.functions import FUNCTIONS, check_limits
from lamina.optimizers.schedules.plateau import Plateau
from lamina.optimizers.schedules.warm_up import WarmUp

SCHEDULES = {**FUNCTIONS, "plateau": Plateau}


def make_schedule(type, *, warm_up: int = 0, **settings) -> Schedule:
    """The schedule of that name with its settings: make_schedule("exp", gamma=0.99).

    `type` may be a function (step, *, settings...) of your own, or a class whose objects are called
    with the step. `warm_up` steps of a linear rise come in front of any. Raises ValueError for an
    unknown name, and for settings that are missing, unknown or outside of LIMITS.
    """
    after: Any = checked_schedule(chosen("schedule", SCHEDULES, type, settings, ("step",)))
    if isinstance(type, str):
        check_limits(type, settings)
    if not is_count(warm_up, 0):
        raise ValueError(f"schedule {_name(type)}: warm_up is at least 0, got {warm_up!r}")
    return WarmUp(warm_up, after) if warm_up else after


def _name(type) -> str:
    return type if isinstance(type, str) else getattr(type, "__name__", type.__class__.__name__)
