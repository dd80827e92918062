"""Softmax and cross-entropy in one layer."""

from typing import Any

import numpy as np

from lamina.layers.classification_loss import ClassificationLoss


class SoftmaxWithLoss(ClassificationLoss):
    """L = -Σₙ log p[n, tₙ] with p = softmax(scores), times 1/N for the mean.

    Both are computed from scores shifted by their maximum, so scores of ±1e4 neither overflow nor
    give log(0):  -log p[t] = log Σⱼ exp(sⱼ - max) - (s[t] - max).

        dscores = (p - onehot(t)) · dout / N

    Options, as in PyTorch's CrossEntropyLoss: `ignore_index`, a class index that does not count;
    `class_weights`, C numbers wⱼ, which turn N into Σₙ w[tₙ]; `label_smoothing` ε, with which
    log p[n, tₙ] becomes (1 - ε) log p[n, tₙ] + ε / C · Σⱼ log p[n, j]. With all of them

        L = -Σₙⱼ shares[n, j] log p[n, j] / W    dscores = (p Σⱼ shares[n, j] - shares) · dout / W

    Shapes: scores (..., C), targets (...) or one-hot (..., C), L (). What the shares and W are,
    and errors: see ClassificationLoss. Source: notes 000 (self-check 2) and 004 (section 1.2.2);
    label smoothing: Szegedy et al. 2016, section 7. Note 004's code sets the entry of the right
    class to 1 where its formula subtracts 1; the formula is right.
    """

    def forward(self, scores, targets):
        t, self.w, self.shares = self.counted(scores, targets)
        s = scores.reshape(-1, scores.shape[-1])
        s = s - s.max(axis=1, keepdims=True)
        rows = np.arange(len(t))
        exp = np.exp(s)
        total = exp @ np.ones((s.shape[1], 1), s.dtype, like=s)  # a product adds up rows fastest
        self.p, self.t, self.shape = exp / total, t, scores.shape
        if self.shares is not None:
            losses = self.shares * (np.log(total) - s)
        else:
            losses = np.log(total[:, 0]) - s[rows, t]
            losses = losses if self.w is None else self.w * losses
        return losses.sum() * self.scale(self.weight)

    def backward(self, dout=1.0):
        factor: Any = dout * self.scale(self.weight)
        if self.shares is not None:
            dscores = (self.p * self.shares.sum(axis=1, keepdims=True) - self.shares) * factor
        else:
            if self.w is not None:
                factor = self.w[:, np.newaxis] * factor
            dscores = self.p * factor
            dscores[np.arange(len(self.t)), self.t] -= factor if self.w is None else factor[:, 0]
        return dscores.reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        one_hot = np.eye(3, dtype=int)
        yield cls(), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls("sum"), rng.standard_normal((4, 3)), one_hot[rng.integers(0, 3, 4)]
        yield cls(), rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
        yield cls(), rng.standard_normal(5), rng.integers(0, 5)
        weights = (0.5, 2.0, 0.0, 1.0)
        ignoring = cls(ignore_index=-1, class_weights=weights)
        yield ignoring, rng.standard_normal((5, 4)), np.array([0, -1, 3, 1, 2])
        all_three = cls(ignore_index=3, class_weights=weights, label_smoothing=0.3)
        yield all_three, rng.standard_normal((5, 4)), np.array([0, 3, 2, 1, 0])
