"""Initial weights: functions (shape, rng, dtype) -> array."""

import math

import numpy as np


def he_normal(shape: tuple, rng: np.random.Generator, dtype=np.float32) -> np.ndarray:
    """Normal with variance 2 / fan_in, which keeps the size of signals through ReLU layers.

    The fan-in, the number of inputs that one output sums over, is the product of all axes of the
    shape but the last. Source: He et al. 2015, "Delving Deep into Rectifiers", equation 10.
    """
    std = math.sqrt(2.0 / max(math.prod(shape[:-1]), 1))
    return (std * rng.standard_normal(shape)).astype(dtype)


def normal(shape: tuple, rng: np.random.Generator, dtype=np.float32) -> np.ndarray:
    """Normal with mean 0 and variance 1, the usual start of an embedding."""
    return rng.standard_normal(shape).astype(dtype)
