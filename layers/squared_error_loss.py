"""Sum of squared errors."""

import numpy as np

from lamina.layers.errors import ShapeError
from lamina.layers.loss import Loss


class SquaredErrorLoss(Loss):
    """L = factor · Σₙ ‖yₙ - tₙ‖², times 1/N for the mean.

        dy = 2 · factor · (y - t) · dout / N

    factor ½ gives note 002's ½‖t - y‖², factor 1 note 003's ‖y - f‖².
    Shapes: y (..., C); targets (..., C) of numbers, or class indices (...), which stand for their
    one-hot rows; L (). Raises ShapeError for other targets.
    """

    def __init__(self, reduction: str = "mean", *, factor: float = 0.5):
        super().__init__(reduction)
        if not factor > 0:
            raise ValueError(f"SquaredErrorLoss: factor is positive, got {factor}")
        self.factor = factor

    def forward(self, y, targets):
        if np.shape(targets) == y.shape:
            t = np.asanyarray(targets).astype(y.dtype)
        elif y.ndim and np.asanyarray(targets).dtype.kind in "iu":
            t = np.eye(y.shape[-1], dtype=y.dtype)[self.class_indices(y, targets)].reshape(y.shape)
        else:
            raise ShapeError("SquaredErrorLoss", f"targets {y.shape}", str(np.shape(targets)))
        self.error = y - t
        self.n = y.size // y.shape[-1] if y.ndim else 1
        return np.square(self.error).sum() * (self.factor * self.scale(self.n))

    def backward(self, dout=1.0):
        return self.error * (2.0 * self.factor * self.scale(self.n) * dout)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
        yield cls("sum", factor=1.0), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls(), rng.standard_normal(5), rng.standard_normal(5)
