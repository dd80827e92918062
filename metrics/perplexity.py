"""Perplexity: among how many equally likely classes a model seems to choose."""

import math

import numpy as np

from lamina.metrics.base import Metric, share
from lamina.metrics.checks import check_ignore_index, classes


class Perplexity(Metric):
    """exp of the mean cross-entropy,  exp(-1/N Σₙ log p[n, tₙ])  with p = softmax(scores).

    Guessing among C classes gives C, certainty 1. Targets equal to `ignore_index` do not count. The
    mean runs over all positions that count, not over batches. Scores that hold a NaN make it NaN; a
    target whose score is -inf has the probability 0 and makes it infinite.

    Shapes: scores (..., C) before a softmax, C at least 2; targets (...) or one-hot (..., C).
    Errors: ValueError or TypeError for targets that are no classes, and for a single score.
    Source: Jelinek et al. 1977.
    """

    name = "perplexity"
    higher_is_better = False
    limits = (1.0, math.inf)
    # Scores behind a softmax of their own, or that none is meant to stand behind.
    unfit = ("CrossEntropyError", "NegativeSamplingLoss", "SquaredErrorLoss", "SVMLoss")
    needs = "two scores or more, (..., C), with class indices (...) or one-hot rows (..., C)"

    def __init__(self, *, ignore_index: int | None = None):
        check_ignore_index(self, ignore_index)
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self):
        self.sum, self.total = 0.0, 0

    def update(self, scores, targets):
        t, _, _, rows = classes(self, scores, targets, self.ignore_index)
        if rows.shape[1] == 1:
            raise ValueError(f"Perplexity: expects {self.needs}; got scores {np.shape(scores)}")
        if rows.dtype.kind != "f":  # unsigned integers would wrap around
            rows = rows.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # inf - inf: NaN, which value() says
            shifted = rows - rows.max(axis=1, keepdims=True)  # so that exp does not overflow
            total = np.exp(shifted).sum(axis=1, dtype=np.float64)
            right = shifted[np.arange(len(t)), t]
            self.sum += float((np.log(total) - right).sum(dtype=np.float64))
        self.total += len(t)

    def value(self):
        mean = share(self.sum, self.total)
        return math.inf if mean > 709 else math.exp(mean)  # exp(710) is beyond float64
