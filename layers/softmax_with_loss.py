"""Softmax and cross-entropy in one layer."""

import numpy as np

from lamina.layers.loss import Loss


class SoftmaxWithLoss(Loss):
    """L = -Σₙ log p[n, tₙ] with p = softmax(scores), times 1/N for the mean.

    Both are computed from scores shifted by their maximum, so scores of ±1e4 neither overflow nor
    give log(0):  -log p[t] = log Σⱼ exp(sⱼ - max) - (s[t] - max).

        dscores = (p - onehot(t)) · dout / N

    Shapes: scores (..., C), targets (...) or one-hot (..., C), L (). Errors: see Loss.
    Source: notes 000 (self-check 2) and 004 (section 1.2.2). Note 004's code sets the entry of the
    right class to 1 where its formula subtracts 1; the formula is right.
    """

    def forward(self, scores, targets):
        t = self.class_indices(scores, targets)
        s = scores.reshape(-1, scores.shape[-1])
        s = s - s.max(axis=1, keepdims=True)
        rows = np.arange(len(t))
        exp = np.exp(s)
        total = exp.sum(axis=1, keepdims=True)
        self.p, self.t, self.shape = exp / total, t, scores.shape
        return (np.log(total[:, 0]) - s[rows, t]).sum() * self.scale(len(t))

    def backward(self, dout=1.0):
        dscores = self.p.copy()
        dscores[np.arange(len(self.t)), self.t] -= 1.0
        return (dscores * (dout * self.scale(len(self.t)))).reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        one_hot = np.eye(3, dtype=int)
        yield cls(), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls("sum"), rng.standard_normal((4, 3)), one_hot[rng.integers(0, 3, 4)]
        yield cls(), rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
        yield cls(), rng.standard_normal(5), rng.integers(0, 5)
