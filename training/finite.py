"""Is every number a number? Asked at each step, so the question must cost next to nothing."""

import math
import time
from pathlib import Path

import numpy as np

from lamina.layers.base import Layer, Param, State


class NonFiniteError(FloatingPointError):
    """A loss, a gradient or a parameter is infinite or NaN: training cannot go on from it.

    `iteration` is that of the step (the first is 1), `noticed` says in a line what was noticed
    first, `culprit` what a search has found, or None: culprit.py.
    """

    def __init__(self, iteration: int, noticed: str, said: str | None = None, culprit=None):
        self.iteration, self.noticed, self.culprit = iteration, noticed, culprit
        super().__init__(said or noticed)


def is_finite(array: np.ndarray) -> bool:
    """Has the array neither an infinity nor a NaN? Whole numbers always have neither.

    The sum of the squares is one pass through a BLAS product, without a temporary array. It is
    finite only if all are; only if it is not must each number be asked, since squares overflow
    where the numbers do not.
    """
    if array.dtype.kind not in "fc":
        return True
    flat = array.ravel("K")
    with np.errstate(over="ignore", invalid="ignore"):
        squares = flat.dot(flat)
    return bool(np.isfinite(squares) or np.isfinite(flat).all())


def first_not_finite(arrays: dict[str, np.ndarray]) -> str | None:
    """The name of the first array that has an infinity or a NaN, or None."""
    return next((name for name, array in arrays.items() if not is_finite(array)), None)


def weights_of(net: Layer) -> dict[str, np.ndarray]:
    """The arrays that a net saves, by dotted name: parameters and states."""
    return {name: held.data for name, held in net.walk() if isinstance(held, (Param, State))}


def first_bad_weight(net: Layer) -> str | None:
    """The name of the first parameter that is not finite, or state that has a NaN; or None. A state
    may be infinite: a mask of -inf before a softmax is none of training's making."""
    for name, held in net.walk():
        if not isinstance(held, (Param, State)) or is_finite(held.data):
            continue
        if isinstance(held, Param) or np.isnan(held.data).any():
            return name
    return None


def refuse_bad_weights(path: Path, net: Layer) -> None:
    """Raises FloatingPointError, which names the file that is not written, if a net has one."""
    if (name := first_bad_weight(net)) is not None:
        raise FloatingPointError(f"{path} is not written: {name} is not finite")


def refuse_nan(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Raises FloatingPointError, which names the file that is not written, if an array has a NaN.
    Whether they may be infinite is not to be seen from arrays alone."""
    for name, array in arrays.items():
        if not is_finite(array) and np.isnan(array).any():
            raise FloatingPointError(f"{path} is not written: {name} is not finite")


class FiniteCheck:
    """Asks at every step before the update, so that the weights it would spoil are kept.

    `parameters` is what `net.parameters()` gives. `seconds` is the time spent asking.
    """

    def __init__(self, parameters: dict[str, Param]):
        self.parameters, self.seconds = dict(parameters), 0.0

    def gradients(self, iteration: int) -> None:
        """Raises NonFiniteError if the gradient of a parameter is not finite."""
        started = time.perf_counter()
        total = 0.0
        for param in self.parameters.values():
            gradient = param.grad
            if gradient is not None:
                flat = gradient if gradient.ndim == 1 else gradient.ravel("K")
                total += float(flat.dot(flat))  # adding NumPy's own scalars takes twice as long
        if not math.isfinite(total):
            self._name(iteration)
        self.seconds += time.perf_counter() - started

    def _name(self, iteration: int) -> None:
        gradients = {n: p.grad for n, p in self.parameters.items() if p.grad is not None}
        if (name := first_not_finite(gradients)) is not None:
            noticed = f"the gradient of {name} is not finite at iteration {iteration}"
            raise NonFiniteError(iteration, noticed)

    def weights(self, net: Layer, iteration: int) -> None:
        """Raises NonFiniteError if a parameter is not, or a state such as a running mean is NaN."""
        started = time.perf_counter()
        if (name := first_bad_weight(net)) is not None:
            raise NonFiniteError(iteration, f"{name} is not finite at iteration {iteration}")
        self.seconds += time.perf_counter() - started


def check_loss(loss: float, iteration: int, lr: float) -> None:
    """Raises NonFiniteError if the loss of that iteration is infinite or NaN."""
    if not math.isfinite(loss):
        noticed = f"the loss is {loss} at iteration {iteration}"
        advice = f"a smaller learning rate (now {lr:g}) usually helps"
        raise NonFiniteError(iteration, noticed, f"{noticed}; {advice}")
