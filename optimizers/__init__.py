"""Optimizers: one file per update rule."""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.optimizers import ...")

from lamina.optimizers.ada_delta import AdaDelta
from lamina.optimizers.ada_grad import AdaGrad
from lamina.optimizers.adam import Adam, AdamW
from lamina.optimizers.base import Optimizer
from lamina.optimizers.momentum import Momentum
from lamina.optimizers.nesterov import Nesterov
from lamina.optimizers.rms_prop import RMSProp
from lamina.optimizers.schedules import (
    Plateau,
    make_schedule,
    schedule_end,
    schedule_problem,
)
from lamina.optimizers.sgd import SGD

__all__ = [
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "Plateau",
    "RMSProp",
    "make_schedule",
    "schedule_end",
    "schedule_problem",
]
