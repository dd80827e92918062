"""Huber's loss: squared errors near 0, absolute ones far off."""

import math

import numpy as np

from lamina.layers.regression_loss import RegressionLoss


class HuberLoss(RegressionLoss):
    """L = Σₙⱼ h(y[n, j] - t[n, j]), times 1/N for the mean, where

        h(e) = ½ e²              for |e| ≤ δ
               δ (|e| - ½ δ)     beyond
        dy = clip(y - t, -δ, δ) · dout / N

    so no single error pulls harder than δ. Both cases are a (|e| - ½ a) with a = min(|e|, δ).
    Shapes: y (..., C); targets (..., C), or (...) for C = 1; L (). PyTorch's HuberLoss divides by
    C too. Errors: see RegressionLoss. Source: Huber 1964, "Robust estimation of a location
    parameter".
    """

    def __init__(self, reduction: str = "mean", *, delta: float = 1.0):
        super().__init__(reduction)
        if not 0 < delta < math.inf:
            raise ValueError(f"HuberLoss: delta is positive, got {delta}")
        self.delta = delta

    def forward(self, y, targets):
        self.difference = self.error(y, targets)
        size = np.abs(self.difference)
        near = np.minimum(size, self.delta)
        return (near * (size - 0.5 * near)).sum() * self.scale(self.weight)

    def backward(self, dout=1.0):
        clipped = np.clip(self.difference, -self.delta, self.delta)
        return clipped * (self.scale(self.weight) * dout)

    @classmethod
    def examples(cls, rng):
        yield cls(), 2.0 * rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
        yield cls("sum", delta=0.5), rng.standard_normal((4, 1)), rng.standard_normal(4)
        yield cls(delta=2.0), 3.0 * rng.standard_normal(5), rng.standard_normal(5)
