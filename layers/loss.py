"""What the losses share: targets in two forms, and the reduction over the samples."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError


class Loss(Layer):
    """A layer with `forward(scores, targets)` -> 0-d array and `backward(dout=1.0)` -> dscores.

    Targets are class indices of shape (...) or one-hot rows of shape (..., C), for scores
    (..., C); they are data, so no gradient is given for them. `reduction` is "mean" over the
    samples or "sum"; the notes use both. `weight` is what counted in the last forward: the number
    of samples or positions.
    """

    weight: float = 0.0

    def __init__(self, reduction: str = "mean"):
        if reduction not in ("mean", "sum"):
            raise ValueError(
                f'{type(self).__name__}: reduction is "mean" or "sum", got {reduction!r}'
            )
        self.reduction = reduction

    def scale(self, n: int) -> float:
        """The factor of each of n samples in the loss: 1/n for the mean, 1 for the sum."""
        self.weight = float(n)
        return 1.0 / n if self.reduction == "mean" else 1.0

    def summed(self, loss) -> float:
        """The loss of the last forward added up over what counted, not averaged: sums and weights
        of several batches then give the mean over all of them."""
        return float(loss) * self.weight if self.reduction == "mean" else float(loss)

    def output_shape(self, input_shape):
        return ()

    def class_indices(self, scores, targets):
        """Targets as a flat array of class indices, checked against the scores."""
        name, targets = type(self).__name__, np.asanyarray(targets)
        n_classes = scores.shape[-1] if scores.ndim else 0
        if n_classes == 0 or scores.size == 0:
            raise ShapeError(name, "scores (..., C) of at least one sample", str(scores.shape))
        if targets.shape == scores.shape:
            if not ((targets == 0) | (targets == 1)).all() or (targets.sum(axis=-1) != 1).any():
                raise ValueError(f"{name}: one-hot targets hold a single 1 in each row, else 0")
            return targets.argmax(axis=-1).reshape(-1)
        if targets.shape != scores.shape[:-1]:
            raise ShapeError(
                name,
                f"targets as class indices {scores.shape[:-1]} or one-hot {scores.shape}",
                str(targets.shape),
            )
        if targets.dtype.kind not in "iu":
            raise TypeError(f"{name}: class indices are integers, got {targets.dtype}")
        targets = targets.reshape(-1)
        low, high = targets.min(), targets.max()
        if low < 0 or high >= n_classes:
            wrong = low if low < 0 else high
            raise ValueError(f"{name}: class indices are 0 to {n_classes - 1}, got {wrong}")
        return targets
