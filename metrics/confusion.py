"""The confusion matrix: which classes are taken for which."""

import math

import numpy as np

from lamina.common.predicted import UNKNOWN
from lamina.metrics.base import Metric
from lamina.metrics.checks import (
    check_ignore_index,
    classes,
    same_classes,
)


class ConfusionMatrix(Metric):
    """`counts[i, j]`: how many samples of class i were predicted as class j.

    No single figure: `value()` is NaN, `scalar` False, and history.csv has no column for it.
    Samples whose scores hold a NaN are predicted as no class: they stand in `unpredicted[i]`, so
    that all samples are `counts.sum() + unpredicted.sum()`. Before the first batch `counts` is
    (0, 0). Targets equal to `ignore_index` do not count.

    Shapes: scores (..., C), targets (...) or one-hot (..., C); scores (..., 1), targets of 0 and 1
    (...) or (..., 1); counts (C, C), unpredicted (C,), int64. Errors: ValueError or TypeError for
    targets that are no classes.
    """

    name = "confusion"
    scalar = False
    needs = "scores (..., C) with class indices (...) or one-hot rows (..., C)"

    def __init__(self, *, ignore_index: int | None = None):
        check_ignore_index(self, ignore_index)
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self):
        self.n_classes = None
        self.counts, self.unpredicted = np.zeros((0, 0), np.int64), np.zeros(0, np.int64)

    def update(self, scores, targets):
        counted = classes(self, scores, targets, self.ignore_index)
        predicted, t, n = counted.predictions(), counted.targets, counted.n_classes
        if self.n_classes is None:
            self.counts, self.unpredicted = np.zeros((n, n), np.int64), np.zeros(n, np.int64)
        self.n_classes = same_classes(self, self.n_classes, n)
        known = predicted != UNKNOWN
        pairs = n * t[known] + predicted[known]
        self.counts += np.bincount(pairs, minlength=n * n).reshape(n, n)
        self.unpredicted += np.bincount(t[~known], minlength=n)

    def value(self):
        return math.nan
