"""Cross-entropy of probabilities."""

import math

import numpy as np

from lamina.layers.loss import Loss


class CrossEntropyError(Loss):
    """L = -Σₙ log p[n, tₙ] for probabilities p, times 1/N for the mean.

        dp[n, j] = -1 / p[n, j] · dout / N   for j = tₙ, else 0

    Behind a Softmax layer the chain rule gives (p - onehot(t)) / N, the gradient of
    SoftmaxWithLoss; the fused layer is faster, and right where p rounds to 0. Here p counts as at
    least the root of the smallest normal number, 1e-19 in float32, so that neither the loss (44 a
    sample at most) nor 1 / p overflows; Softmax below then gives such a sample no gradient.
    Shapes: p (..., C), targets (...) or one-hot (..., C), L (). Errors: see Loss.
    Source: note 004 (section 1.2.2).
    """

    def forward(self, p, targets):
        self.t, self.shape = self.class_indices(p, targets), p.shape
        rows = np.arange(len(self.t))
        lowest = math.sqrt(np.finfo(p.dtype).tiny)
        self.p = np.maximum(p.reshape(-1, p.shape[-1])[rows, self.t], lowest)
        return -np.log(self.p).sum() * self.scale(len(self.t))

    def backward(self, dout=1.0):
        dp = np.zeros((len(self.t), self.shape[-1]), self.p.dtype, like=self.p)
        dp[np.arange(len(self.t)), self.t] = -(dout * self.scale(len(self.t))) / self.p
        return dp.reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        one_hot = np.eye(3, dtype=int)
        yield cls(), rng.uniform(0.1, 0.9, (4, 3)), rng.integers(0, 3, 4)
        yield cls("sum"), rng.uniform(0.1, 0.9, (4, 3)), one_hot[rng.integers(0, 3, 4)]
        yield cls(), rng.uniform(0.1, 0.9, (2, 3, 4)), rng.integers(0, 4, (2, 3))
        yield cls(), rng.uniform(0.1, 0.9, 5), rng.integers(0, 5)
