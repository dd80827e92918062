"""Initial weights: functions (shape, rng, dtype) -> array.

The fan-in is the number of inputs that one output sums over: the product of all axes of the shape
but the last. The fan-out is the number of outputs that one input goes to: the last axis, times
the axes between the inputs' and the outputs' (the kernel of a convolution).

    Affine     shape (n_in, n_out)                    fan-in n_in, fan-out n_out
    Convolution  shape (c_in, KH, KW, c_out)          fan-in c_in KH KW, fan-out KH KW c_out

Both are counted by the shape alone, as PyTorch and Caffe do. Of a convolution in groups the shape
has the inputs of one group and the outputs of all, so the fan-out is too large by the number of
groups; an output of a transposed convolution with a stride sums over fewer inputs than the fan-in.
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


def normal(
    shape: tuple,
    rng,
    dtype: DTypeLike = np.float32,
    *,
    std: float = 1.0,
    sparse: int | None = None,
) -> np.ndarray:
    """Normal with mean 0 and this deviation. Note 004 uses 0.01.

    `sparse` leaves each input so many of its weights, on average, and sets the others to 0.
    Source: Martens 2010, section 5; Caffe (the gaussian filler), which draws them so.
    """
    if not std >= 0:
        raise ValueError(f"normal: std is at least 0, got {std}")
    W = std * rng.standard_normal(shape)
    if sparse is not None:
        if not 1 <= sparse <= shape[-1]:
            raise ValueError(
                f"normal: sparse is how many of the {shape[-1]} outputs see an input, so from 1 to "
                f"{shape[-1]}; got {sparse}"
            )
        W = W * (rng.random(shape) < sparse / shape[-1])
    return W.astype(dtype)


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


def caffe_xavier(
    shape: tuple, rng, dtype: DTypeLike = np.float32, *, fan: str = "in"
) -> np.ndarray:
    """Uniform with limit √(3 / fan), variance 1 / fan: what Caffe calls xavier. `fan` is "in",
    "out" or "average"; with "average" it is `xavier_uniform`. Source: Caffe (the xavier filler)."""
    return uniform(shape, rng, dtype, limit=math.sqrt(3.0 / _fan(shape, fan)))


def he_normal(shape: tuple, rng, dtype: DTypeLike = np.float32, *, fan: str = "in") -> np.ndarray:
    """Normal with variance 2 / fan_in, which keeps the size of signals through ReLU layers; with
    `fan` "out" that of gradients, and "average" lies between them.

    Source: He et al. 2015, "Delving Deep into Rectifiers", equations 10 and 14; Caffe (msra).
    """
    return normal(shape, rng, dtype, std=math.sqrt(2.0 / _fan(shape, fan)))


def he_uniform(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Uniform with the variance of `he_normal`: limit √(6 / fan_in)."""
    return uniform(shape, rng, dtype, limit=math.sqrt(6.0 / _fans(shape)[0]))


def bilinear(shape: tuple, rng, dtype: DTypeLike = np.float32) -> np.ndarray:
    """Square filters that interpolate between pixels, the same one for each pair of channels.

    A TransposedConvolution with as many groups as channels, kernel 2 s - s % 2, stride s and
    padding ⌈(s - 1) / 2⌉ then enlarges images s times. Source: Caffe (the bilinear filler); Long
    et al. 2015, "Fully Convolutional Networks".
    """
    if len(shape) != 4 or shape[1] != shape[2]:
        raise ValueError(
            "bilinear: expects the square filters of a convolution, (c_in, K, K, c_out); got a "
            f"shape of {tuple(shape)}"
        )
    half = math.ceil(shape[1] / 2)
    centre = (2 * half - 1 - half % 2) / (2 * half)
    line = 1.0 - np.abs(np.arange(shape[1]) / half - centre)
    W = np.outer(line, line)[np.newaxis, :, :, np.newaxis]
    return np.broadcast_to(W, shape).astype(dtype)


INITIALIZERS = {
    f.__name__: f
    for f in (
        *(zeros, constant, normal, uniform),
        *(xavier_normal, xavier_uniform, caffe_xavier, he_normal, he_uniform, bilinear),
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


def _fan(shape: tuple, fan: str) -> float:
    """The fan-in, the fan-out, or the mean of both."""
    fan_in, fan_out = _fans(shape)
    fans = {"in": fan_in, "out": fan_out, "average": (fan_in + fan_out) / 2}
    if fan not in fans:
        raise ValueError(f"fan: expects in, out or average, got {fan!r:.60}")
    return fans[fan]
