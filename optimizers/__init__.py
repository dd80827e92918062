"""Optimizers: one file per update rule."""

from optimizers.base import Optimizer
from optimizers.sgd import SGD

__all__ = ["SGD", "Optimizer"]
