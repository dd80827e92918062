"""What recall, precision and F1 share: hits, predictions and targets, counted per class."""

import math

import numpy as np

from lamina.common.names import suggest
from lamina.common.predicted import UNKNOWN
from lamina.metrics.base import Metric
from lamina.metrics.checks import (
    check_ignore_index,
    classes,
    label_predictions,
    same_classes,
)

AVERAGES = ("macro", "micro", "weighted", "binary")


class PerClass(Metric):
    """A figure per class, and one of them all, by `average`:

        "macro"     the plain mean over the classes (the default)
        "weighted"  the mean weighted by how often a class is the target
        "micro"     the figure of all hits, predictions and targets added up
        "binary"    that of class 1 of two

    Zero by zero is 0, as scikit-learn's default has it: so is the precision of a class that is
    never predicted, and the recall of one that is predicted but never the target. A class that is
    neither does not count in the mean, and `per_class()` has NaN there. With `multilabel=True` each
    label is a class of its own, predicted where its score is above 0, and all count.

    NaN among the scores makes the figure NaN: what was predicted is not known. Targets equal to
    `ignore_index` do not count.

    Shapes: scores (..., C), targets (...) or one-hot (..., C); scores (..., 1), targets of 0 and 1
    (...) or (..., 1), two classes; with `multilabel`, scores and targets (..., L). Errors:
    ValueError or TypeError for targets that are no classes or labels.
    """

    percent = True
    needs = "scores (..., C) with class indices (...) or one-hot rows (..., C)"

    def __init__(
        self,
        average: str = "macro",
        *,
        multilabel: bool = False,
        ignore_index: int | None = None,
    ):
        name = type(self).__name__
        if average not in AVERAGES:
            raise ValueError(f"{name}: unknown average {average!r}{suggest(average, AVERAGES)}")
        check_ignore_index(self, ignore_index)
        if multilabel and average == "binary":
            raise ValueError(f'{name}: average "binary" is for two classes, not for labels')
        self.average, self.multilabel, self.ignore_index = average, multilabel, ignore_index
        if average != "macro":
            self.name = f"{type(self).name}_{average}"
        super().__init__()

    def reset(self):
        self.n_classes, self.total, self.unknown = None, 0, False
        # Per class: predicted and right, predicted, and the target.
        self.hits = self.predictions = self.support = np.zeros(0, np.int64)

    def update(self, scores, targets):
        counts = self._labels if self.multilabel else self._classes
        n_classes, counted, unknown, *numbers = counts(scores, targets)
        if self.n_classes is None:
            self.hits, self.predictions, self.support = np.zeros((3, n_classes), np.int64)
        self.n_classes = same_classes(self, self.n_classes, n_classes)
        self.total += counted
        self.unknown |= bool(unknown)
        for kept, now in zip((self.hits, self.predictions, self.support), numbers, strict=True):
            kept += now

    def _classes(self, scores, targets):
        counted = classes(self, scores, targets, self.ignore_index)
        predicted, t, n = counted.predictions(), counted.targets, counted.n_classes
        if self.average == "binary" and n != 2:
            raise ValueError(
                f'{type(self).__name__}: average "binary" is for two classes, these scores have {n}'
            )
        known = predicted != UNKNOWN
        made, hit = predicted[known], t[predicted == t]
        numbers = (np.bincount(indices, minlength=n) for indices in (hit, made, t))
        return n, len(t), not known.all(), *numbers

    def _labels(self, scores, targets):
        rows, t = label_predictions(self, scores, targets)
        predicted = rows > 0
        numbers = (x.sum(axis=0) for x in (predicted & t, predicted, t))
        return t.shape[1], len(t), np.isnan(rows).any(), *numbers

    def figure(self, hits, predictions, support):
        """The figure from the three counts, arrays of equal shape; subclasses have it."""
        raise NotImplementedError(f"{type(self).__name__} has no figure")

    def per_class(self) -> np.ndarray:
        """The figure of each class, (C,); NaN where a class is neither target nor prediction."""
        figures = self.figure(self.hits, self.predictions, self.support)
        if self.unknown or not self.total:
            return np.full(len(figures), math.nan)
        if self.multilabel:
            return figures
        return np.where(self.predictions + self.support > 0, figures, math.nan)

    def value(self):
        if self.unknown or not self.total:
            return math.nan
        figures = self.figure(self.hits, self.predictions, self.support)
        if self.average == "binary":
            return float(figures[1])
        if self.average == "micro":
            counts = (np.array([x.sum()]) for x in (self.hits, self.predictions, self.support))
            return float(self.figure(*counts)[0])
        if self.average == "weighted":
            return float(ratio((figures * self.support).sum(), self.support.sum()))
        return float(np.nanmean(self.per_class()))


def ratio(part, whole) -> np.ndarray:
    """part / whole, 0 where whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
