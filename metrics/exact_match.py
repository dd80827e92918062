"""The share of samples of which everything is right."""

import numpy as np

from lamina.metrics.base import Metric, share
from lamina.metrics.checks import (
    check_ignore_index,
    classes,
    label_predictions,
    numbers,
)


class ExactMatch(Metric):
    """The share of sequences of which every position that counts is right; with `multilabel=True`,
    of samples of which every label is right (predicted where its score is above 0).

    Positions are predicted as Accuracy has it, and those whose target is `ignore_index` do not
    count; a sequence of which none counts does not count itself. A NaN among the scores that count
    makes its sequence wrong.

    Where a net is given the right answer so far, as by Additions, each position is predicted after
    the right ones before it (teacher forcing). All of them being right is still the same as that a
    net which writes by itself, taking its best token each time and reading what it has written,
    writes exactly that answer: up to its first mistake it reads the same. Of the single positions,
    accuracy, that cannot be said.

    Shapes: scores (N, T, C), targets (N, T) or one-hot (N, T, C); with `multilabel`, scores and
    targets (N, L). Without T a sample is one position. Errors: ValueError or TypeError for targets
    that are no classes or labels.
    """

    name = "exact_match"
    percent = True
    needs = "scores (N, T, C) with class indices (N, T) or one-hot rows (N, T, C)"

    def __init__(self, *, multilabel: bool = False, ignore_index: int | None = None):
        check_ignore_index(self, ignore_index)
        self.multilabel, self.ignore_index = multilabel, ignore_index
        super().__init__()

    def reset(self):
        self.right = self.total = 0

    def update(self, scores, targets):
        scores = numbers(self, scores)
        if scores.ndim < 2:
            needs = "scores (N, L), one a label" if self.multilabel else self.needs
            raise ValueError(f"ExactMatch: expects {needs}; got scores of shape {scores.shape}")
        count = self._labels if self.multilabel else self._sequences
        right, counted = count(scores, targets)
        self.right += int(np.count_nonzero(right & counted))
        self.total += int(np.count_nonzero(counted))

    def _sequences(self, scores, targets):
        """Per sequence: whether all that counts is right, and whether anything counts."""
        counted = classes(self, scores, targets, self.ignore_index)
        counts = np.ones(scores.shape[:-1], bool)
        if counted.kept is not None:
            counts = counted.kept.reshape(counts.shape)
        wrong = np.zeros_like(counts)
        wrong[counts] = counted.predictions() != counted.targets
        positions = tuple(range(1, counts.ndim))
        return ~wrong.any(axis=positions), counts.any(axis=positions)

    def _labels(self, scores, targets):
        rows, t = label_predictions(self, scores, targets)
        right = (((rows > 0) == t) & ~np.isnan(rows)).reshape(scores.shape)
        return right.all(axis=tuple(range(1, scores.ndim))), np.ones(len(scores), bool)

    def value(self):
        return share(self.right, self.total)
