"""What can be wrong with a layer or with what it is given."""

import numpy as np


class ShapeError(ValueError):
    """A layer got an array of the wrong shape. Nets add which layer, and whose output it was."""

    def __init__(self, layer: str, expected: str, got: str, source: str = ""):
        self.layer, self.expected, self.got, self.source = layer, expected, got, source
        super().__init__(layer, expected, got, source)

    def __str__(self):
        return f"{self.layer}: expects {self.expected}, got {self.got}{self.source}"


class GradientError(ValueError):
    """A Param was given a gradient of another shape or dtype than its own."""

    def __init__(self, param, gradient):
        self.param, self.shape, self.dtype = param, gradient.shape, gradient.dtype
        hint = ""
        if self.dtype != param.data.dtype:
            hint = f". Is an input or a constant {self.dtype}? X.astype(np.{param.data.dtype})"
        super().__init__(
            "a gradient must have the shape and dtype of its Param, "
            f"{param.data.shape} {param.data.dtype}; got {self.shape} {self.dtype}{hint}"
        )


def untrained_arrays(layer) -> list[str]:
    """Arrays held in the style `self.W = array; self.dW = ...`, which no optimizer would see.

    Inputs and outputs that a forward has cached are not meant: x, X, y, Y, out.
    """
    return [
        name
        for name, value in vars(layer).items()
        if isinstance(value, np.ndarray)
        and f"d{name}" in vars(layer)
        and name.lower() not in ("x", "y", "out")
    ]
