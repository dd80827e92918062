"""The share of targets among the k highest scores."""

import numpy as np

from lamina.metrics.base import Metric, share
from lamina.metrics.checks import check_ignore_index, classes, is_whole


class TopK(Metric):
    """The share of samples whose target is among the k classes with the highest scores.

    Equal scores stand in the order of the classes, so TopK(1) is Accuracy to the bit, and a net
    that gives all classes the same score predicts the first k. (scikit-learn's
    top_k_accuracy_score takes them in the opposite order.) A row of scores that holds a NaN is
    wrong; targets equal to `ignore_index` do not count.

    Shapes: scores (..., C) with C > k, targets (...) or one-hot (..., C). Errors: ValueError or
    TypeError for targets that are no classes, and where k classes are all there are.
    """

    percent = True
    needs = "scores (..., C) with class indices (...) or one-hot rows (..., C)"

    def __init__(self, k: int = 5, *, ignore_index: int | None = None):
        if not is_whole(k) or k < 1:
            raise ValueError(f"TopK: k is a whole number from 1 on, got {k!r}")
        check_ignore_index(self, ignore_index)
        self.k, self.ignore_index, self.name = int(k), ignore_index, f"top{k}"
        super().__init__()

    def reset(self):
        self.right = self.total = 0

    def update(self, scores, targets):
        t, _, n_classes, rows = classes(self, scores, targets, self.ignore_index)
        if self.k >= rows.shape[1]:
            raise ValueError(
                f"TopK: of {n_classes} classes in {rows.shape[1]} scores the {self.k} highest are "
                "always right; k is smaller than the number of scores"
            )
        of_target = rows[np.arange(len(t)), t][:, np.newaxis]
        earlier = np.arange(n_classes) < t[:, np.newaxis]
        # A right one has less than k classes before it. NaN is before nothing, so it is asked for.
        before = ((rows > of_target) | ((rows == of_target) & earlier)).sum(axis=1)
        right = (before < self.k) & ~np.isnan(rows).any(axis=1)
        self.right += int(np.count_nonzero(right))
        self.total += len(t)

    def value(self):
        return share(self.right, self.total)
