"""Optimizers: one file per update rule."""

from optimizers.ada_delta import AdaDelta
from optimizers.ada_grad import AdaGrad
from optimizers.adam import Adam, AdamW
from optimizers.base import Optimizer
from optimizers.momentum import Momentum
from optimizers.nesterov import Nesterov
from optimizers.rms_prop import RMSProp
from optimizers.schedules import make_schedule
from optimizers.sgd import SGD

__all__ = [
    "SGD",
    "AdaDelta",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "make_schedule",
]
