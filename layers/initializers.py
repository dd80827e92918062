"""Initial weights: functions (shape, rng, dtype) -> array.

The fan-in is the number of inputs that one output sums over: the product of all axes of the shape
but the last. The fan-out is the number of outputs that one input goes to: the last axis, times
the axes between the inputs' and the outputs' (the kernel of a convolution).

    Affine     shape (n_in, n_out)                    fan-in n_in, fan-out n_out
    Convolution  shape (c_in, KH, KW, c_out)          fan-in c_in KH KW, fan-out KH KW c_out
"""

import math

import numpy as np
from numpy.typing import DTypeLike

from lamina.common.names import chosen


def zeros(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """All 0: for biases. Weights that start equal stay equal."""
    return np.zeros(shape, dtype)


def constant(shape: tuple, rng, dtype: DTypeLike = np.float32, *, value: float) -> np.ndarray:
    """All `value`."""
    return np.full(shape, value, dtype)


def normal(shape: tuple, rng, dtype: DTypeLike = np.float32, *, std: float = 1.0) -> np.ndarray:
    """Normal with mean 0 and this deviation. Note 004 uses 0.01."""
    if not std >= 0:
        raise ValueError(f"normal: std is at least 0, got {std}")
    return (std * rng.standard_normal(shape)).astype(dtype)


def uniform(shape: tuple, rng, dtype: DTypeLike = np.float32, *, limit: float) -> np.ndarray:
    """Uniform between -limit and limit."""
    if not limit >= 0:
        raise ValueError(f"uniform: limit is at least 0, got {limit}")
    return rng.uniform(-limit, limit, shape).astype(dtype)


def xavier_normal(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Normal with variance 2 / (fan_in + fan_out), for tanh and sigmoid layers.

    Source: Glorot and Bengio 2010, equation 12.
    """
    return normal(shape, rng, dtype, std=math.sqrt(2.0 / sum(_fans(shape))))


def xavier_uniform(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Uniform with limit √(6 / (fan_in + fan_out)). Source: Glorot and Bengio 2010, equation 16."""
    return uniform(shape, rng, dtype, limit=math.sqrt(6.0 / sum(_fans(shape))))


def he_normal(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Normal with variance 2 / fan_in, which keeps the size of signals through ReLU layers.

    Source: He et al. 2015, "Delving Deep into Rectifiers", equation 10.
    """
    return normal(shape, rng, dtype, std=math.sqrt(2.0 / _fans(shape)[0]))


def he_uniform(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Uniform with the variance of `he_normal`: limit √(6 / fan_in)."""
    return uniform(shape, rng, dtype, limit=math.sqrt(6.0 / _fans(shape)[0]))


INITIALIZERS = {
    f.__name__: f
    for f in (
        *(zeros, constant, normal, uniform),
        *(xavier_normal, xavier_uniform, he_normal, he_uniform),
    )
}


def make_initializer(type, **settings):
    """The initializer of that name with its settings: make_initializer("normal", std=0.01).

    `type` may be a function (shape, rng, dtype, *, settings...) of your own, or a class whose
    objects are called so. Raises ValueError for an unknown name, and for settings that are unknown
    or missing.
    """
    return chosen("initializer", INITIALIZERS, type, settings, ("shape", "rng", "dtype"))


def _fans(shape: tuple) -> tuple[int, int]:
    """(fan-in, fan-out); at least 1 each, so that no size is divided by 0."""
    return max(math.prod(shape[:-1]), 1), max(math.prod(shape[1:]), 1)
