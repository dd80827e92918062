"""What the update rules share."""

import math

from layers.base import Param


class Optimizer:
    """Updates parameters from their gradients. A rule is a subclass with `update(param)`.

    `parameters` is what `net.parameters()` gives. Parameters without a gradient, or with
    `trainable` off, stay as they are. Raises ValueError for a rate that is no positive number.
    """

    def __init__(self, parameters: dict[str, Param], lr: float):
        self.parameters = dict(parameters)
        self.lr = positive("lr", lr)

    def step(self) -> None:
        """Update every parameter once."""
        for param in self.parameters.values():
            if param.grad is not None and param.trainable:
                self.update(param)

    def update(self, param: Param) -> None:
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward starts afresh."""
        for param in self.parameters.values():
            param.grad = None


def positive(name: str, value: float) -> float:
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
        raise ValueError(f"{name}: expects a positive number, got {value!r}")
    return float(value)
