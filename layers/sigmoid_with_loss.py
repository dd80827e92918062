"""Sigmoid and binary cross-entropy in one layer."""

import numbers

import numpy as np

from lamina.layers.beside import beside
from lamina.layers.loss import Loss
from lamina.layers.loss_options import checked_ignore_index, checked_weights
from lamina.layers.targets import numbers_beside


class SigmoidWithLoss(Loss):
    """L = -Σ t log p + (1 - t) log(1 - p) with p = σ(scores), divided by their number for the mean.

        dscores = (p - t) · dout / number

    One yes or no for each score: one label of many, or one output of two classes. Each is a
    question of its own, so the mean is over all labels of all samples, as in PyTorch's
    BCEWithLogitsLoss: guessing costs log 2 however many there are.

    Computed from scores, with terms that are never negative, so that nothing overflows or cancels:
    L = Σ (1 - t) max(s, 0) + t max(-s, 0) + log(1 + exp(-|s|)).

    `positive_weights`, a number or one for each label, multiplies t log p, for labels that are
    rare (PyTorch's pos_weight; the mean divides by the number all the same). `ignore_index`: a
    target such as -1 that says "not known", and does not count.

    Shapes: scores (..., L), targets (..., L), or (...) for L = 1, from 0 to 1, usually 0 or 1; the
    loss (). Errors: ShapeError, TypeError or ValueError for other targets.
    """

    def __init__(
        self,
        reduction: str = "mean",
        *,
        positive_weights: float | tuple | None = None,
        ignore_index: int | None = None,
    ):
        super().__init__(reduction)
        if isinstance(positive_weights, numbers.Real):
            positive_weights = (positive_weights,)
        if positive_weights is not None:
            positive_weights = checked_weights(
                "SigmoidWithLoss", "positive_weights", positive_weights
            )
        self.positive_weights = positive_weights
        self.ignore_index = checked_ignore_index("SigmoidWithLoss", ignore_index)
        if self.ignore_index in (0, 1):
            raise ValueError(
                f"SigmoidWithLoss: ignore_index {ignore_index} is a label that counts; use -1"
            )

    def forward(self, scores, targets):
        t = numbers_beside("SigmoidWithLoss", scores, targets)
        counts = None if self.ignore_index is None else t != self.ignore_index
        self._check_range(t if counts is None else t[counts])
        self.weight = t.size if counts is None else int(counts.sum())
        yes, no = t if self.positive_weights is None else t * self._weights_of(scores), 1.0 - t
        if counts is not None:
            yes, no = yes * counts, no * counts
        self.s, self.yes, self.both = scores, yes, yes + no
        losses = no * np.maximum(scores, 0) - yes * np.minimum(scores, 0)
        losses = losses + self.both * np.log1p(np.exp(-np.abs(scores)))
        return losses.sum() * self.scale(self.weight)

    def backward(self, dout=1.0):
        p = 0.5 * np.tanh(0.5 * self.s) + 0.5
        return (self.both * p - self.yes) * (dout * self.scale(self.weight))

    def _check_range(self, t) -> None:
        if not ((t >= 0) & (t <= 1)).all():
            wrong = t[~((t >= 0) & (t <= 1))].reshape(-1)[0]
            hint = "; for labels that are not known: ignore_index=-1" if wrong == -1 else ""
            raise ValueError(f"SigmoidWithLoss: targets are from 0 to 1, got {wrong:.4g}{hint}")

    def _weights_of(self, scores):
        """The weight of the positives of each label, (L,) or (1,)."""
        weights = beside(scores, np.array(self.positive_weights, scores.dtype))
        n_labels = scores.shape[-1] if scores.ndim else 1
        if len(weights) not in (1, n_labels):
            raise ValueError(
                f"SigmoidWithLoss: positive_weights has {len(weights)} numbers, and the scores are "
                f"of {n_labels} labels"
            )
        return weights if scores.ndim else weights[0]

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 3)), rng.integers(0, 2, (4, 3))
        yield cls("sum"), rng.standard_normal((4, 1)), rng.uniform(0, 1, 4)
        yield cls(), rng.standard_normal((2, 3, 4)), rng.integers(0, 2, (2, 3, 4))
        yield cls(), rng.standard_normal(5), rng.integers(0, 2, 5)
        weighted = cls(positive_weights=(0.5, 3.0, 1.0), ignore_index=-1)
        yield weighted, rng.standard_normal((4, 3)), rng.integers(-1, 2, (4, 3))
