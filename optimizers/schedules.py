"""Learning-rate schedules: pure functions of the step, giving the factor of the base rate.

    lr(step) = base_lr · factor(step)

Step 0 is the first update. All but `cosine` are Caffe's policies, with its names and formulas
(caffe.proto, `lr_policy`), divided by base_lr.
"""

import math
from collections.abc import Callable

from lamina.common.names import chosen

Schedule = Callable[[int], float]


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
    """lowest + (1 - lowest) · ½ (1 + cos(π step / max_steps)) (Loshchilov and Hutter 2017)."""
    done = min(step / max_steps, 1.0)
    return float(lowest + (1.0 - lowest) * 0.5 * (1.0 + math.cos(math.pi * done)))


SCHEDULES = {f.__name__: f for f in (fixed, step, multistep, exp, inv, poly, sigmoid, cosine)}


# Where the formulas stay finite, real and not negative, whatever the step.
LIMITS = {
    "step": {"gamma": (0.0, 1.0)},
    "multistep": {"gamma": (0.0, math.inf)},
    "exp": {"gamma": (0.0, 1.0)},
    "inv": {"gamma": (0.0, math.inf), "power": (0.0, math.inf)},
    "poly": {"power": (0.0, math.inf)},
    "cosine": {"lowest": (0.0, 1.0)},
}


def make_schedule(type, *, warm_up: int = 0, **settings) -> Schedule:
    """The schedule of that name as a function of the step; `type` may be a function (step, *,
    settings...) of your own.

    `warm_up` steps of a linear rise come in front of any: (step + 1) / (warm_up + 1), then the
    schedule from its own step 0 (Goyal et al. 2017, section 2.2). Raises ValueError for an unknown
    name, and for settings that are missing, unknown or outside of LIMITS.
    """
    after = chosen("schedule", SCHEDULES, type, settings, ("step",))
    for name in ("step_size", "max_steps"):
        if name in settings and not _is_count(settings[name], 1):
            raise ValueError(f"schedule {type}: {name} is at least 1, got {settings[name]!r}")
    steps = settings.get("steps", ())
    if not (isinstance(steps, (list, tuple)) and all(_is_count(s, 0) for s in steps)):
        raise ValueError(f"schedule {type}: steps is a list of whole numbers, got {steps!r}")
    if not _is_count(warm_up, 0):
        raise ValueError(f"schedule {type}: warm_up is at least 0, got {warm_up!r}")
    for name, (low, high) in LIMITS.get(type, {}).items():
        if name in settings and not low <= settings[name] <= high:
            raise ValueError(
                f"schedule {type}: {name} is from {low:g} to {high:g}, got {settings[name]!r}"
            )
    if not warm_up:
        return after

    def warmed(step: int) -> float:
        return (step + 1) / (warm_up + 1) if step < warm_up else after(step - warm_up)

    return warmed


def _is_count(value, lowest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= lowest
