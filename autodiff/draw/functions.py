"""The functions that an expression may use, written in NumPy."""

from collections.abc import Callable

import numpy as np

from lamina.autodiff import primal


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def _relu(x):  # at 0 its two arguments share the gradient, where the layer Relu takes 0
    return np.maximum(x, 0.0)


def _softplus(x):
    return np.logaddexp(0.0, x)


_LARGE = 80.0  # exp of more is infinite in float32


def _softmax(x):
    largest = np.max(primal(x), axis=-1, keepdims=True)
    # A constant off all of a row changes nothing; where it is not needed the picture has it not.
    powers = np.exp(x - largest if (largest > _LARGE).any() else x)
    return powers / np.sum(powers, axis=-1, keepdims=True)


def _max(x, y=None, *, axis=None):
    return np.max(x, axis=axis) if y is None else np.maximum(x, y)


def _min(x, y=None, *, axis=None):
    return np.min(x, axis=axis) if y is None else np.minimum(x, y)


def _sum(x, *, axis=None):
    return np.sum(x, axis=axis)


def _mean(x, *, axis=None):
    return np.mean(x, axis=axis)


UFUNCS = (
    *(np.exp, np.log, np.log1p, np.expm1, np.sqrt, np.abs, np.sin, np.cos, np.tan, np.arctan),
    *(np.sinh, np.cosh, np.tanh, np.square, np.maximum, np.minimum, np.logaddexp),
)
FUNCTIONS: dict[str, Callable] = {
    **{f.__name__: f for f in UFUNCS},
    **{"abs": np.abs, "ln": np.log, "max": _max, "min": _min, "sum": _sum, "mean": _mean},
    **{"sigmoid": _sigmoid, "relu": _relu, "softplus": _softplus, "softmax": _softmax},
    "T": lambda x: np.transpose(x),
}
