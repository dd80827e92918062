"""Sum of squared errors."""

import numpy as np

from lamina.layers.beside import beside
from lamina.layers.regression_loss import RegressionLoss


class SquaredErrorLoss(RegressionLoss):
    """L = factor · Σₙ ‖yₙ - tₙ‖², times 1/N for the mean.

        dy = 2 · factor · (y - t) · dout / N

    factor ½ gives note 002's ½‖t - y‖², factor 1 note 003's ‖y - f‖².
    Shapes: y (..., C); targets (..., C) of numbers, or (...) for C = 1, or for C > 1 class indices
    (...), which stand for their one-hot rows; L (). Errors: see RegressionLoss.
    """

    def __init__(self, reduction: str = "mean", *, factor: float = 0.5):
        super().__init__(reduction)
        if not factor > 0:
            raise ValueError(f"SquaredErrorLoss: factor is positive, got {factor}")
        self.factor = factor

    def forward(self, y, targets):
        self.difference = self.error(y, targets)
        return np.square(self.difference).sum() * (self.factor * self.scale(self.weight))

    def backward(self, dout=1.0):
        return self.difference * (2.0 * self.factor * self.scale(self.weight) * dout)

    def beside(self, y, targets):
        if y.ndim and y.shape[-1] > 1 and targets.dtype.kind in "iu":
            one_hot = beside(y, np.eye(y.shape[-1], dtype=y.dtype))
            targets = one_hot[self.class_indices(y, targets)].reshape(y.shape)
        return super().beside(y, targets)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
        yield cls("sum", factor=1.0), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls(), rng.standard_normal(5), rng.standard_normal(5)
        yield cls(), rng.standard_normal((4, 1)), rng.standard_normal(4)
