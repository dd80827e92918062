"""Multiclass support vector machine loss."""

import numpy as np

from lamina.layers.classification_loss import ClassificationLoss


class SVMLoss(ClassificationLoss):
    """L = Σₙ Σ_{j ≠ tₙ} max(0, s[n, j] - s[n, tₙ] + Δ), times 1/N for the mean; Δ is the margin.

        dscores[n, j]  = 1[s[n, j] - s[n, tₙ] + Δ > 0] · dout / N          for j ≠ tₙ
        dscores[n, tₙ] = minus the sum of the others in the row

    `ignore_index` and `class_weights` as in SoftmaxWithLoss: sample n counts w[tₙ], and the mean
    divides by Σₙ w[tₙ]. (PyTorch's MultiMarginLoss divides by C and N, whatever its weights.)
    Shapes: scores (..., C), targets (...) or one-hot (..., C), L (). Errors: see
    ClassificationLoss. Source: note 000 (self-check 3); Weston and Watkins 1999.
    """

    def __init__(
        self,
        reduction: str = "mean",
        *,
        margin: float = 1.0,
        ignore_index: int | None = None,
        class_weights: tuple | None = None,
    ):
        super().__init__(reduction, ignore_index=ignore_index, class_weights=class_weights)
        if not margin > 0:
            raise ValueError(f"SVMLoss: margin is positive, got {margin}")
        self.margin = margin

    def forward(self, scores, targets):
        self.t, w, _ = self.counted(scores, targets)
        self.shape = scores.shape
        s = scores.reshape(-1, scores.shape[-1])
        rows = np.arange(len(self.t))
        violations = np.maximum(s - s[rows, self.t][:, np.newaxis] + self.margin, 0)
        violations[rows, self.t] = violations[rows, self.t] - self.margin  # j = t; NaN stays NaN
        self.mask = (violations > 0).astype(scores.dtype)
        if w is not None:
            violations, self.mask = violations * w[:, np.newaxis], self.mask * w[:, np.newaxis]
        return violations.sum() * self.scale(self.weight)

    def backward(self, dout=1.0):
        dscores = self.mask * (dout * self.scale(self.weight))
        dscores[np.arange(len(self.t)), self.t] = -dscores.sum(axis=1)
        return dscores.reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        one_hot = np.eye(3, dtype=int)
        yield cls(), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls("sum", margin=0.5), rng.standard_normal((4, 3)), one_hot[rng.integers(0, 3, 4)]
        yield cls(), rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
        yield cls(), rng.standard_normal(5), rng.integers(0, 5)
        weighted = cls(ignore_index=-1, class_weights=(0.5, 2.0, 0.0, 1.0))
        yield weighted, rng.standard_normal((5, 4)), np.array([0, -1, 3, 1, 2])
