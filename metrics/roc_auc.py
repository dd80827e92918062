"""The area under the receiver operating characteristic."""

import math

import numpy as np

from lamina.metrics.base import Metric
from lamina.metrics.checks import check_ignore_index, classes, label_predictions, numbers


class RocAuc(Metric):
    """How often a sample of class 1 has a higher score than one of class 0; ties count half.

    Of two classes the score is the one that there is, or the second minus the first. With
    `multilabel=True` it is the mean over the labels. Exact, by ranks: all scores are kept until
    `reset()`. If only one class occurs it is NaN; labels of which that is so are left out of the
    mean (scikit-learn's is NaN then). Scores that hold a NaN have no ranks and make it NaN.

    Shapes: scores (..., 2) or (..., 1), targets of 0 and 1 (...), one-hot (..., 2) or (..., 1);
    scores (N,) with targets (N,); with `multilabel`, scores and targets (..., L). Errors:
    ValueError for more than two classes, it or TypeError for targets that are no classes or labels.
    Source: Mann and Whitney 1947; Hanley and McNeil 1982.
    """

    name = "roc_auc"
    needs = "one score (..., 1) or two scores (..., 2) with targets of 0 and 1 (...)"

    def __init__(self, *, multilabel: bool = False, ignore_index: int | None = None):
        check_ignore_index(self, ignore_index)
        self.multilabel, self.ignore_index = multilabel, ignore_index
        super().__init__()

    def reset(self):
        self.scores, self.targets = [], []  # per batch (M, L), L = 1 without labels

    def update(self, scores, targets):
        two = self._labels if self.multilabel else self._classes
        scores, t = two(scores, targets)
        if self.scores and scores.shape[1] != self.scores[0].shape[1]:
            raise ValueError(
                f"RocAuc: counts {self.scores[0].shape[1]} labels, but these scores have "
                f"{scores.shape[1]}; reset() before another net"
            )
        self.scores.append(scores)
        self.targets.append(t)

    def _labels(self, scores, targets):
        rows, t = label_predictions(self, scores, targets)
        return rows.copy(), t  # the caller may write into its array again

    def _classes(self, scores, targets):
        scores = numbers(self, scores)
        if scores.ndim == 1 and scores.shape == np.shape(targets):
            scores = scores[:, np.newaxis]
        if scores.ndim == 0 or scores.shape[-1] not in (1, 2):
            raise ValueError(
                f"RocAuc: expects {self.needs}; got scores {scores.shape}"
                "; for labels of which several may be right, RocAuc(multilabel=True)"
            )
        t, _, _, rows = classes(self, scores, targets, self.ignore_index)
        if rows.shape[1] == 1:
            return rows.copy(), t[:, np.newaxis] == 1
        with np.errstate(invalid="ignore"):  # inf - inf: NaN, which value() says
            # In float64, so that no two differences become equal by rounding.
            difference = rows[:, 1:].astype(np.float64) - rows[:, :1]
        return difference, t[:, np.newaxis] == 1

    def per_label(self) -> np.ndarray:
        """The area of each label, (L,); without labels there is one."""
        if not self.scores:
            return np.zeros(0)
        scores, t = np.concatenate(self.scores), np.concatenate(self.targets)
        return np.array([_area(s[y], s[~y]) for s, y in zip(scores.T, t.T, strict=True)])

    def value(self):
        if any(np.isnan(scores).any() for scores in self.scores):
            return math.nan
        areas = self.per_label()
        areas = areas[~np.isnan(areas)]
        return float(areas.mean()) if areas.size else math.nan


def _area(positive, negative) -> float:
    """The share of pairs in which the positive one has the higher score, ties counting half."""
    if (
        not (positive.size and negative.size)
        or np.isnan(positive).any()
        or np.isnan(negative).any()
    ):
        return math.nan
    negative = np.sort(negative)
    below = np.searchsorted(negative, positive, "left").sum(dtype=np.int64)
    not_above = np.searchsorted(negative, positive, "right").sum(dtype=np.int64)
    return int(below + not_above) / (2 * positive.size * negative.size)
