"""Checks of settings: positive numbers, shares."""

import math
from numbers import Real


def positive(name: str, value: float) -> float:
    """value as a float. Raises ValueError unless it is a positive, finite number."""
    if not (is_number(value) and math.isfinite(value) and value > 0):
        raise ValueError(f"{name}: expects a positive number, got {value!r}")
    return float(value)


def share(name: str, value: float, below: float = 1.0) -> float:
    """value as a float. Raises ValueError unless 0 <= value < below."""
    if not (is_number(value) and 0 <= value < below):
        raise ValueError(f"{name}: expects a number from 0 to below {below:g}, got {value!r}")
    return float(value)


def is_number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
