"""What all losses share: the reduction over the samples, and how much counted."""

from typing import Any

from lamina.layers import targets as check
from lamina.layers.base import Layer


class Loss(Layer):
    """A layer with `forward(scores, targets)` -> 0-d array and `backward(dout=1.0)` -> dscores.

    Targets are data, so no gradient is given for them. `reduction` is "mean" over what counts, or
    "sum"; the notes use both. After a forward `weight` is the total weight of what counted, in most
    losses the number of samples, and `summed(loss)` the loss before it was divided by that. So the
    mean over several batches is the sum of `summed` divided by the sum of `weight`.
    """

    of_pairs = False  # are its scores two vectors side by side, and none of a class?
    weight: float | None = None  # how much counted, N or W of formulas: set by scale in forward

    def __init__(self, reduction: str = "mean"):
        if reduction not in ("mean", "sum"):
            raise ValueError(
                f'{type(self).__name__}: reduction is "mean" or "sum", got {reduction!r}'
            )
        self.reduction = reduction

    def scale(self, weight: Any) -> float:
        """The factor of the sum in the loss: 1 / weight for the mean, 1 for the sum. `weight` is
        the number of samples, or of what else counts, and is kept as `self.weight`.

        Where nothing counts it is 1 for the mean too: the loss is a sum, 0 but for what a label
        smoothing adds, not the NaN of 0 / 0.
        """
        self.weight = weight
        if self.reduction == "sum":
            return 1.0
        return 1.0 / weight if weight else 1.0

    def summed(self, loss) -> float:
        """The loss that the last forward gave, as a sum: not divided by `weight`."""
        if self.weight is None:
            raise RuntimeError(
                f"{type(self).__name__}: how much counted is known after a forward, if that "
                "multiplies by self.scale(n), n being the number of samples"
            )
        return float(loss) * (self.weight or 1.0) if self.reduction == "mean" else float(loss)

    def output_shape(self, input_shape):
        return ()

    def class_indices(self, scores, targets):
        """Targets as a flat array of class indices, checked against the scores (..., C): indices
        (...) or one-hot rows (..., C). Errors: see `layers/targets.py`."""
        return check.class_indices(type(self).__name__, scores, targets)
