"""Labels that hold or not, any number of them."""

import numpy as np

from lamina.common.predicted import UNKNOWN
from lamina.common.printable import printable
from lamina.datasets.rows import pieces
from lamina.datasets.tasks.base import Task
from lamina.datasets.tasks.numbers import as_array, mean
from lamina.datasets.tasks.words import checked_names, listed, odd_type


class MultiLabel(Task):
    """Labels that hold or not, any number of them: targets (N, L) of 0 and 1, outputs (N, L).

    A label is said where its score is above 0, so SigmoidWithLoss alone fits: outputs that a
    squared error brings to 0 and 1 would nearly all say yes. F1 counts, the mean over the labels:
    where labels are rare, saying none at all is right about most of them, and earns 0 here. Exact
    match, all labels of a sample right, stands beside it.
    """

    name = "multilabel"
    metrics = ("f1", "exact_match")
    fitting = ("precision", "recall", "roc_auc")
    losses = ("SigmoidWithLoss",)

    def __init__(self, label_names):
        self.label_names = checked_names(self, label_names, "labels")

    def output_shape(self, target_shape=()):
        return tuple(target_shape) or (len(self.label_names),)

    @property
    def metric_options(self):
        return {"multilabel": True}

    def check_targets(self, t):
        t, n = as_array(t), len(self.label_names)
        if t.dtype.kind not in "biuf":
            raise TypeError(f"expects labels of 0 and 1; got {odd_type(t)}")
        if t.ndim < 2 or t.shape[-1] != n:
            raise ValueError(f"expects 0 or 1 for each of {n} labels, (N, {n}); got {t.shape}")
        for start, piece in pieces(t):
            wrong = (piece != 0) & (piece != 1)
            if wrong.any():
                first = tuple(np.argwhere(wrong)[0])
                label = printable(self.label_names[first[-1]])
                message = f"expects 0 or 1 for each label; got {piece[first]} in row "
                raise ValueError(f"{message}{start + first[0]}, label {label}")

    def guess(self, train_t, t):
        """Of all answers that are the same for every sample, saying all labels has the best F1."""
        p = mean(t).reshape(-1, len(self.label_names)).mean(axis=0)
        return float((2 * p / (1 + p)).mean())

    def guessing_loss(self, loss_name, train_t, width=None):
        if loss_name != "SigmoidWithLoss":
            return None
        p = mean(train_t)
        p = np.stack([p, 1 - p])[:, (p > 0) & (p < 1)]  # a label that never changes costs nothing
        return float(-(p * np.log(p)).sum()) / mean(train_t).size

    def predictions(self, scores):
        return np.where(np.isnan(scores), UNKNOWN, scores > 0)

    def shown(self, prediction):
        rows = np.reshape(prediction, (-1, len(self.label_names)))
        said = (
            listed(printable(self.label_names[i]) for i in np.flatnonzero(row)) or "none"
            for row in rows
        )
        return listed(said, "; ")

    def facts(self):
        return {"task": self.name, "label_names": list(self.label_names)}

    def _content(self):
        n = len(self.label_names)
        return f"{n} label{'s' * (n > 1)} of 0 and 1"
