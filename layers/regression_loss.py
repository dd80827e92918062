"""What the losses of errors y - t share: targets beside outputs, and the mean over the samples."""

from lamina.layers.floats import check_floats
from lamina.layers.loss import Loss
from lamina.layers.targets import NUMBERS, as_array, numbers_beside


class RegressionLoss(Loss):
    """A loss of y (..., C) and targets of the same shape: added up over C, and divided by the
    number of samples (...) for the mean.

    For y (..., 1) targets may be (...) as well. Errors: ShapeError for other targets, TypeError for
    what is no number.
    """

    def error(self, y, targets):
        """y - t, in the shape of y. Sets `self.weight` to the number of samples."""
        check_floats(self, y)
        t = as_array(targets)
        if t.shape != y.shape or t.dtype.kind not in NUMBERS or not y.size:
            t = self.beside(y, t)
        self.weight = y.size // y.shape[-1] if y.ndim else 1
        return y - t.astype(y.dtype)

    def beside(self, y, targets):
        """Targets of another shape than y in the shape of y, or an error."""
        return numbers_beside(type(self).__name__, y, targets)
