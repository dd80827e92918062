"""Schedules that are pure functions of the step.

All but `cosine` are Caffe's policies, with its names and formulas (caffe.proto, `lr_policy`),
divided by base_lr.
"""

import math
from collections.abc import Callable

from lamina.common.counts import is_count
from lamina.optimizers.settings import is_number


def fixed(step: int) -> float:
    """1."""
    return 1.0


def step(step: int, *, gamma: float, step_size: int) -> float:
    """γ ^ ⌊step / step_size⌋."""
    return float(gamma ** (step // step_size))


def multistep(step: int, *, gamma: float, steps: tuple) -> float:
    """γ ^ (how many of `steps` have been reached)."""
    return float(gamma ** sum(step >= s for s in steps))


def exp(step: int, *, gamma: float) -> float:
    """γ ^ step."""
    return float(gamma**step)


def inv(step: int, *, gamma: float, power: float) -> float:
    """(1 + γ step) ^ -power."""
    return float((1.0 + gamma * step) ** -power)


def poly(step: int, *, power: float, max_steps: int) -> float:
    """(1 - step / max_steps) ^ power; 0 from max_steps on."""
    return float(max(1.0 - step / max_steps, 0.0) ** power)


def sigmoid(step: int, *, gamma: float, step_size: int) -> float:
    """1 / (1 + exp(-γ (step - step_size))); γ is negative for a rate that falls."""
    return 0.5 * math.tanh(0.5 * gamma * (step - step_size)) + 0.5


def cosine(step: int, *, max_steps: int, lowest: float = 0.0) -> float:
    """lowest + (1 - lowest) · ½ (1 + cos(π step / max_steps)), `lowest` from max_steps on.
    (Loshchilov and Hutter 2017)"""
    done = min(step / max_steps, 1.0)
    return float(lowest + (1.0 - lowest) * 0.5 * (1.0 + math.cos(math.pi * done)))


FUNCTIONS = {f.__name__: f for f in (fixed, step, multistep, exp, inv, poly, sigmoid, cosine)}

# From which step on the factor of a function stays as it is; that of the others goes on moving.
ENDS: dict[Callable, Callable] = {
    fixed: lambda: 0,
    multistep: lambda gamma, steps: max(steps, default=0),
    poly: lambda power, max_steps: max_steps,
    cosine: lambda max_steps, lowest=0.0: max_steps,
}

# Where the formulas stay finite, real and not negative, whatever the step.
LIMITS = {
    "step": {"gamma": (0.0, 1.0)},
    "multistep": {"gamma": (0.0, math.inf)},
    "exp": {"gamma": (0.0, 1.0)},
    "inv": {"gamma": (0.0, math.inf), "power": (0.0, math.inf)},
    "poly": {"power": (0.0, math.inf)},
    "sigmoid": {"gamma": (-math.inf, math.inf)},
    "cosine": {"lowest": (0.0, 1.0)},
}


def check_limits(name: str, settings: dict) -> None:
    """Raises ValueError for a setting of the function of that name that is outside of LIMITS."""
    for count in ("step_size", "max_steps"):
        if count in settings and not is_count(settings[count], 1):
            raise ValueError(f"schedule {name}: {count} is at least 1, got {settings[count]!r}")
    steps = settings.get("steps", ())
    if not (isinstance(steps, (list, tuple)) and all(is_count(s, 0) for s in steps)):
        raise ValueError(f"schedule {name}: steps is a list of whole numbers, got {steps!r}")
    for setting, (low, high) in LIMITS.get(name, {}).items():
        value = settings.get(setting, low)
        if setting in settings and not (
            is_number(value) and math.isfinite(value) and low <= value <= high
        ):
            raise ValueError(
                f"schedule {name}: {setting} is from {low:g} to {high:g}, got {value!r}"
            )
