"""numpy.sinc, sin(πx) / (πx), whose derivatives at and near 0 are no quotients."""

import math

import numpy as np

from lamina.autodiff.rules.elementwise import times
from lamina.autodiff.rules.rule import elementwise, primitive


@primitive
def sinc_derivative(x, order: int):
    """The derivative of np.sinc of an order from 1 on.

    With u = πx and S(u) = sin u / u, differentiating u S = sin u gives
    u S⁽ᵏ⁾ + k S⁽ᵏ⁻¹⁾ = sin(u + kπ/2), which loses digits where u is small; there the power series
    S(u) = Σ (-1)ᵐ u²ᵐ / (2m + 1)! does not.
    """
    u = np.pi * np.asarray(x, np.float64)
    far = np.abs(u) > order + 2.0
    large, small = np.where(far, u, 1.0), np.where(far, 0.0, u)
    by_steps = np.sin(large) / large
    for k in range(1, order + 1):
        by_steps = (np.sin(large + k * np.pi / 2) - k * by_steps) / large
    series = np.zeros_like(u)
    for m in range((order + 1) // 2, order // 2 + 20 + 2 * order):
        power = 2 * m - order
        series += (-1) ** m / ((2 * m + 1) * math.factorial(power)) * small**power
    result = np.where(far, by_steps, series) * np.pi**order
    return result.astype(np.result_type(x, np.float16))[()]


RULES = {
    np.sinc: elementwise(lambda g, y, x: times(g, sinc_derivative(x, 1))),
    sinc_derivative: elementwise(lambda g, y, x, order: times(g, sinc_derivative(x, order + 1))),
}
