"""Learning-rate schedules: the factor of the base rate at each step."""

from lamina.optimizers.schedules.fit import schedule_end, schedule_problem
from lamina.optimizers.schedules.form import (
    Schedule,
    ScheduleError,
    checked_factor,
    checked_schedule,
    chooses,
    load_schedule,
    saved_schedule,
)
from lamina.optimizers.schedules.make import SCHEDULES, make_schedule
from lamina.optimizers.schedules.plateau import Plateau
from lamina.optimizers.schedules.warm_up import WarmUp

__all__ = [
    "SCHEDULES",
    "Plateau",
    "Schedule",
    "ScheduleError",
    "WarmUp",
    "checked_factor",
    "checked_schedule",
    "chooses",
    "load_schedule",
    "make_schedule",
    "saved_schedule",
    "schedule_end",
    "schedule_problem",
]
