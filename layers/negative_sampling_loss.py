"""Negative sampling: which of a few words really stands there, each asked for by itself."""

import numpy as np

from lamina.layers.loss import Loss


class NegativeSamplingLoss(Loss):
    """L = -Σₙ (log σ(s[n, tₙ]) + Σ_{k ≠ tₙ} log σ(-s[n, k])), times 1/N for the mean.

        dscores = (σ(scores) - onehot(t)) · dout / N

    The scores are of a few words for each place: the one that stands there, of index t, and some
    that were drawn. So a step costs what those cost, where a softmax would need the scores of the
    whole vocabulary. Unlike SigmoidWithLoss it is a mean over places, not over places and words.

    Computed as log(1 + exp(-|s|)) + max(∓s, 0), so that nothing overflows. Shapes: scores (..., K),
    targets (...) or one-hot (..., K), L (). Errors: ShapeError, TypeError or ValueError for targets
    that do not fit the scores. Source: Mikolov et al. 2013, "Distributed representations of words
    and phrases and their compositionality", equation 4; book 2, chapter 4.
    """

    def forward(self, scores, targets):
        t = self.class_indices(scores, targets)
        s = scores.reshape(-1, scores.shape[-1])
        sign = np.ones(s.shape, s.dtype, like=s)  # of the drawn ones, whose scores should be low
        sign[np.arange(len(t)), t] = -1.0
        self.s, self.sign, self.shape = s, sign, scores.shape
        losses = np.log1p(np.exp(-np.abs(s))) + np.maximum(sign * s, 0)
        return losses.sum() * self.scale(len(t))

    def backward(self, dout=1.0):
        wrong = 0.5 * np.tanh(0.5 * self.sign * self.s) + 0.5  # the probability of the other answer
        return (self.sign * wrong * (dout * self.scale(self.weight))).reshape(self.shape)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 3)), rng.integers(0, 3, 4)
        yield cls("sum"), rng.standard_normal((4, 3)), np.eye(3, dtype=int)[rng.integers(0, 3, 4)]
        yield cls(), rng.standard_normal((2, 3, 4)), rng.integers(0, 4, (2, 3))
        yield cls(), rng.standard_normal(5), rng.integers(0, 5)
