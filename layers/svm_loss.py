"""Multiclass support vector machine loss."""

import numpy as np

from lamina.layers.loss import Loss


class SVMLoss(Loss):
    """L = Σₙ Σ_{j ≠ tₙ} max(0, s[n, j] - s[n, tₙ] + Δ), times 1/N for the mean; Δ is the margin.

        dscores[n, j]  = 1[s[n, j] - s[n, tₙ] + Δ > 0] · dout / N          for j ≠ tₙ
        dscores[n, tₙ] = minus the sum of the others in the row

    Shapes: scores (..., C), targets (...) or one-hot (..., C), L (). Errors: see Loss.
    Source: note 000 (self-check 3); Weston and Watkins 1999.
    """

    def __init__(self, reduction: str = "mean", *, margin: float = 1.0):
        super().__init__(reduction)
        if not margin > 0:
            raise ValueError(f"SVMLoss: margin is positive, got {margin}")
        self.margin = margin

    def forward(self, scores, targets):
        self.t, self.shape = self.class_indices(scores, targets), scores.shape
        s = scores.reshape(-1, scores.shape[-1])
        rows = np.arange(len(self.t))
        violations = np.maximum(s - s[rows, self.t][:, np.newaxis] + self.margin, 0)
        violations[rows, self.t] = violations[rows, self.t] - self.margin  # j = t; NaN stays NaN
        self.mask = (violations > 0).astype(scores.dtype)
        return violations.sum() * self.scale(len(self.t))

    def backward(self, dout=1.0):
        dscores = self.mask * (dout * self.scale(len(self.t)))
        dscores[np.arange(len(self.t)), self.t] = -dscores.sum(axis=1)
        return dscores.reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        one_hot = np.eye(3, dtype=int)
        yield cls(), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls("sum", margin=0.5), rng.standard_normal((4, 3)), one_hot[rng.integers(0, 3, 4)]
        yield cls(), rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
        yield cls(), rng.standard_normal(5), rng.integers(0, 5)
