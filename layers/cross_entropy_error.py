"""Cross-entropy of probabilities."""

import math

import numpy as np

from lamina.autodiff import primal
from lamina.layers.classification_loss import ClassificationLoss


class CrossEntropyError(ClassificationLoss):
    """L = -Σₙ log p[n, tₙ] for probabilities p, times 1/N for the mean.

        dp[n, j] = -1 / p[n, j] · dout / N   for j = tₙ, else 0

    Behind a Softmax layer the chain rule gives (p - onehot(t)) / N, the gradient of
    SoftmaxWithLoss; the fused layer is faster, and right where p rounds to 0. Here p counts as at
    least the root of the smallest normal number, 1e-19 in float32, so that neither the loss (44 a
    sample at most) nor 1 / p overflows; Softmax below then gives such a sample no gradient.

    `ignore_index`, `class_weights` and `label_smoothing` as in SoftmaxWithLoss; with smoothing
    dp = -shares / p · dout / W. Shapes: p (..., C), targets (...) or one-hot (..., C), L ().
    Errors: ValueError for p that are no probabilities; else see ClassificationLoss.
    Source: note 004 (section 1.2.2).
    """

    def forward(self, p, targets):
        self.t, self.w, self.shares = self.counted(p, targets)
        _check_probabilities(primal(p))
        self.shape = p.shape
        rows = np.arange(len(self.t))
        lowest = math.sqrt(np.finfo(p.dtype).tiny)
        p = p.reshape(-1, p.shape[-1])
        self.p = np.maximum(p if self.shares is not None else p[rows, self.t], lowest)
        losses = -np.log(self.p)
        if self.shares is not None:
            losses = self.shares * losses
        elif self.w is not None:
            losses = self.w * losses
        return losses.sum() * self.scale(self.weight)

    def backward(self, dout=1.0):
        factor = -(dout * self.scale(self.weight))
        if self.shares is not None:
            return (self.shares * factor / self.p).reshape(self.shape)
        dp = np.zeros((len(self.t), self.shape[-1]), self.p.dtype, like=self.p)
        of_targets = factor / self.p
        if self.w is not None:
            of_targets = self.w * of_targets
        dp[np.arange(len(self.t)), self.t] = of_targets
        return dp.reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        def p(*shape):
            return _distributions(rng, shape)

        one_hot = np.eye(3, dtype=int)
        yield cls(), p(4, 3), rng.integers(0, 3, 4)
        yield cls("sum"), p(4, 3), one_hot[rng.integers(0, 3, 4)]
        yield cls(), p(2, 3, 4), rng.integers(0, 4, (2, 3))
        yield cls(), p(5), rng.integers(0, 5)
        weights = (0.5, 2.0, 0.0, 1.0)
        ignoring = cls(ignore_index=-1, class_weights=weights)
        yield ignoring, p(5, 4), np.array([0, -1, 3, 1, 2])
        all_three = cls(ignore_index=3, class_weights=weights, label_smoothing=0.3)
        yield all_three, p(5, 4), np.array([0, 3, 2, 1, 0])


def _check_probabilities(p) -> None:
    """Raise ValueError if rows do not add up to 1, or hold negative numbers. NaN passes.

    The tolerance is a thousandth, in float16 the few roundings of a softmax. It is there to tell
    probabilities from scores, logarithms and single sigmoids, which are off by a tenth or more, and
    leaves alone what is moved a little to measure a derivative: one entry by 1e-4, or a row of C
    entries by 1e-5 each.
    """
    tolerance = max(1e-3, 32 * float(np.finfo(p.dtype).eps))
    lowest, sums = np.minimum.reduce(p, axis=None), np.add.reduce(p, axis=-1)
    off = np.abs(sums - 1.0)
    if lowest < -tolerance:
        got = f"a value of {lowest:.4g}"
    elif off.max() > tolerance:
        got = f"a row that adds up to {sums.reshape(-1)[off.argmax()]:.4g}"
    else:
        return
    raise ValueError(
        "CrossEntropyError: expects probabilities, rows of numbers from 0 to 1 that add up to 1, "
        f"got {got}; put a Softmax before it, or use SoftmaxWithLoss on the scores"
    )


def _distributions(rng, shape: tuple):
    """Random probabilities (..., C), none of them near 0."""
    p = rng.uniform(0.1, 0.9, shape)
    return p / p.sum(axis=-1, keepdims=True)
