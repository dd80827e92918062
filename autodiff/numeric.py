"""Numerical differentiation by central differences: slow, inexact and independent of all rules."""

import numpy as np


def numeric_jvp(f, x, v, h: float = 1e-5):
    """J v ≈ (f(x + h v) - f(x - h v)) / 2h, the error being of order h² ‖v‖³.

    x is a float64 array: in float32 the rounding error of f divided by h drowns the result.
    Where f returns a tuple of arrays, so does this.
    """
    plus, minus = f(x + h * v), f(x - h * v)
    if isinstance(plus, tuple):
        return tuple((p - m) / (2.0 * h) for p, m in zip(plus, minus, strict=True))
    return (plus - minus) / (2.0 * h)


def numeric_gradient(f, x, h: float = 1e-5):
    """The gradient of a scalar function f at the float64 array x, entry by entry.

    It costs two evaluations of f for each entry of x, which is why backpropagation exists.
    """
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        unit = np.zeros_like(x)
        unit[index] = 1.0
        gradient[index] = numeric_jvp(f, x, unit, h)
    return gradient
