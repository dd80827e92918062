"""Are the numbers of a layer finite? Asked often, so the question must cost next to nothing."""

from pathlib import Path

import numpy as np

from lamina.common.folder import File
from lamina.layers.base import Layer, Param, State


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


def refuse_bad_weights(path: str | Path | File, net: Layer) -> None:
    """Raises FloatingPointError, which names the file that is not written, if a net has one."""
    if (name := first_bad_weight(net)) is not None:
        raise FloatingPointError(f"{path} is not written: {name} is not finite")


def refuse_nan(path: str | Path | File, arrays: dict[str, np.ndarray]) -> None:
    """Raises FloatingPointError, which names the file that is not written, if an array has a NaN.
    Whether they may be infinite is not to be seen from arrays alone."""
    for name, array in arrays.items():
        if not is_finite(array) and np.isnan(array).any():
            raise FloatingPointError(f"{path} is not written: {name} is not finite")
