"""The share of right predictions."""

import numpy as np

from lamina.metrics.base import Metric, share
from lamina.metrics.checks import check_ignore_index, classes


class Accuracy(Metric):
    """The share of samples, or positions of sequences, whose highest score is the target's.

    Of equal scores the first one is the prediction, as argmax has it; a row of scores that holds a
    NaN is wrong. One score for two classes predicts class 1 above 0. Targets equal to
    `ignore_index` do not count.

    Shapes: scores (..., C), targets (...) or one-hot (..., C); or scores (..., 1), targets of 0 and
    1 (...) or (..., 1). Errors: ValueError or TypeError for targets that are no classes.
    """

    name = "accuracy"
    percent = True
    needs = "scores (..., C) with class indices (...) or one-hot rows (..., C)"

    def __init__(self, *, ignore_index: int | None = None):
        check_ignore_index(self, ignore_index)
        self.ignore_index = ignore_index
        super().__init__()

    def reset(self):
        self.right = self.total = 0

    def update(self, scores, targets):
        counted = classes(self, scores, targets, self.ignore_index)
        self.right += int(np.count_nonzero(counted.predictions() == counted.targets))
        self.total += len(counted.targets)

    def value(self):
        return share(self.right, self.total)
