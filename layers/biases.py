"""The biases that a layer begins with."""

import numpy as np

from lamina.layers.base import Param


def biases(layer: str, n: int, bias: bool, value: float, dtype) -> Param | None:
    """n of them, all `value`; None for a layer without, which can have no value either."""
    if bias:
        return Param(np.full(n, value, dtype))
    if value:
        raise ValueError(
            f"{layer}: bias_value {value} is of biases, and bias=False leaves them out"
        )
    return None
