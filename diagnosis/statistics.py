"""The few numbers that are kept of an array: mean, spread, norm, shares of dead and saturated."""

import math

import numpy as np

from lamina.layers import Gru, Lstm, Relu, Rnn, Sigmoid, Tanh
from lamina.layers.base import Layer
from lamina.layers.recurrent import Recurrent

# A unit is saturated for a sample where its derivative is below this share of its largest:
# Y < 0.0127 or Y > 0.9873 for a sigmoid, |Y| > 0.975 for tanh. Glorot and Bengio 2010, section 3.1,
# show how layers come to sit there, and what it does to the gradient below.
SATURATED = 0.05
PIECE = 1 << 13  # numbers whose squares are added up in their own type
ENOUGH = 20  # samples in which a unit that is active for one in five is seen in 99 of 100 batches


def norm(array: np.ndarray) -> float:
    """√Σ a²; in float64 where squares leave the range of the array's own type."""
    flat = array.ravel("K")
    squares = _squares(flat)
    if not 1e-30 < squares < 1e37:
        squares = _squares(flat.astype(np.float64))
    return math.sqrt(squares)


def _squares(flat: np.ndarray) -> float:
    """Σ a², piece by piece: the rounding of one long product in float32 adds up to 1e-4."""
    pieces = (flat[i : i + PIECE] for i in range(0, flat.size, PIECE))
    return sum(float(piece.dot(piece)) for piece in pieces)


def mean_and_std(array: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of all entries."""
    flat = array.ravel("K")
    if not flat.size:
        return math.nan, math.nan
    mean = float(np.add.reduce(flat)) / flat.size
    if not math.isfinite(mean):  # a float32 sum has overflowed
        flat = flat.astype(np.float64)
        mean = float(np.add.reduce(flat)) / flat.size
        if not math.isfinite(mean):
            return mean, math.nan
    near = flat.dtype.type(mean)
    apart = flat - near
    off = float(np.add.reduce(apart)) / flat.size  # what the sum has lost by rounding in that type
    variance = norm(apart) ** 2 / flat.size - off * off
    return float(near) + off, math.sqrt(variance) if not variance <= 0.0 else 0.0


def pooled(parts: list[tuple[int, float, float]]) -> tuple[float, float]:
    """Mean and standard deviation of all, from (number, mean, deviation) of each part."""
    if len(parts) == 1:
        return parts[0][1:]
    n = sum(part[0] for part in parts)
    mean = sum(m * size for size, m, _ in parts) / n
    return mean, math.sqrt(sum(size * (s * s + (m - mean) ** 2) for size, m, s in parts) / n)


def alive(layer: Layer, Y: np.ndarray, units_last: bool = False) -> np.ndarray | None:
    """Which of a ReLU's units give more than 0 for a sample of the batch: a gradient passes those
    alone. A unit is an entry of the last axis, or, unless `units_last`, a channel of (N, C, H, W).
    Others: None."""
    if not isinstance(layer, Relu) or Y.ndim < 2 or not Y.size:
        return None
    channels = Y.ndim > 3 and not units_last
    axes = (0, *range(2, Y.ndim)) if channels else tuple(range(Y.ndim - 1))
    return Y.max(axis=axes) > 0


def share_dead(alive: list[np.ndarray], n: int) -> float | None:
    """The share of the units that are alive in no part of a batch of n outputs in all. None where a
    unit has too few samples to tell: half of all units rest for a single one."""
    anywhere = np.logical_or.reduce(alive)
    if n // anywhere.size < ENOUGH:
        return None
    return 1.0 - np.count_nonzero(anywhere) / anywhere.size


def share_saturated(layer: Layer, Y: np.ndarray) -> float | None:
    """Of a Sigmoid's or Tanh's outputs, the share that hardly a gradient passes; of an Lstm or Gru
    that of the gates and of the tanh beside them, over all steps; of an Rnn that of its tanh.
    Others: None."""
    if isinstance(layer, (Lstm, Gru)):
        sigmas, of_tanh = layer.gates[:, :-1], layer.gates[:, -1:]
        return (_at_ends(2.0 * sigmas - 1.0) + _at_ends(of_tanh)) / max(layer.gates.size, 1)
    if isinstance(layer, Rnn) and layer.activation == "tanh":
        Y = layer.h[1:]  # all steps, also where the output is the last alone
    elif isinstance(layer, Sigmoid):
        Y = 2.0 * Y - 1.0  # σ' = ¼ (1 - (2σ - 1)²), and tanh' = 1 - tanh²
    elif not isinstance(layer, Tanh):
        return None
    return _at_ends(Y) / max(Y.size, 1)


def over_time(layer: Layer, dout: np.ndarray) -> tuple[int, int, float, float] | None:
    """(steps, asked, first, last) of a recurrent layer after its backward, else None: its steps;
    at how many of them, at most, a sequence is asked for its output; and the norm of the gradient
    by the state after the first step and after the last one of each sequence that has any, behind
    which there is padding. A layer that is asked once hands all of the first norm back from the
    last."""
    if not isinstance(layer, Recurrent) or layer.step_norms is None:
        return None
    norms, there = layer.step_norms, layer.step_norms > 0
    n_steps, n = norms.shape
    if n_steps < 2 or not n:
        return None
    asked = 1 if layer.last_only else int((dout != 0).any(axis=-1).sum(axis=1).max())
    last = norms[n_steps - 1 - there[::-1].argmax(axis=0), np.arange(n)]  # no gradient: 0
    return n_steps, asked, norm(norms[0]), norm(last)


def _at_ends(Y: np.ndarray) -> int:
    """How many of these values of tanh are where its derivative is small."""
    return int(np.count_nonzero(np.abs(Y) > math.sqrt(1.0 - SATURATED)))
