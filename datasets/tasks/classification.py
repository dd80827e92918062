"""One class of C for each sample, or for each position of it."""

import numpy as np

from lamina.common.predicted import predicted_classes
from lamina.common.printable import printable
from lamina.datasets.rows import pieces
from lamina.datasets.tasks.base import LOSSES, Task
from lamina.datasets.tasks.numbers import are_zero_or_one, as_array, smallest_and_largest
from lamina.datasets.tasks.words import checked_names, listed, odd_type, whole


class Classification(Task):
    """One class of C for each sample, or for each position of it.

    Targets: class indices 0 to C - 1, (N,) or (N, ...), or one-hot rows (N, ..., C); outputs
    (*target_shape, C). Two classes may have one score for both, (*target_shape, 1), with
    SigmoidWithLoss: above 0 it says the second class. Positions whose target is `ignore_index` do
    not count. Raises ValueError for fewer than two classes, or names that stand twice.
    """

    name = "classification"
    metrics: tuple[str, ...] = ("accuracy",)
    losses: tuple[str, ...] = (
        *("SoftmaxWithLoss", "SVMLoss", "CrossEntropyError", "SquaredErrorLoss"),
        "NegativeSamplingLoss",
    )
    loss_settings: tuple[str, ...] = ("class_weights", "label_smoothing")
    fitting: tuple[str, ...] = (
        "f1",
        "precision",
        "recall",
        "roc_auc",
        "top_k",
        "exact_match",
        "perplexity",
    )
    _one, _all = "class", "classes"

    def __init__(self, class_names, *, ignore_index: int | None = None):
        self.class_names = checked_names(self, class_names, self._all)
        if len(self.class_names) < 2:
            raise ValueError(
                f"{type(self).__name__}: expects two or more {self._all}, got "
                f"{listed(map(printable, self.class_names)) or 'none'}: nothing to tell apart"
            )
        self.ignore_index = None if ignore_index is None else whole(self, ignore_index)

    def target_shape(self, t):
        return tuple(np.shape(t)[1:-1] if self._is_one_hot(t) else np.shape(t)[1:])

    def n_targets(self, t):
        return int(self._counts(t).sum())

    def output_shape(self, target_shape=()):
        return (*target_shape, len(self.class_names))

    def check_output(self, shape, target_shape=()):
        if not self._is_single(shape) or tuple(shape[:-1]) != tuple(target_shape):
            super().check_output(shape, target_shape)

    def check_loss(self, loss_name, output_shape=()):
        single = self._is_single(output_shape)
        if single and loss_name in LOSSES and loss_name != "SigmoidWithLoss":
            raise ValueError(
                f"{loss_name} does not fit a net that gives one score for two {self._all}: take "
                "{type: SigmoidWithLoss}, or let the last layer be {type: Affine, n_out: 2}"
            )
        if loss_name == "SigmoidWithLoss" and not single and len(self.class_names) == 2:
            raise ValueError(
                f"SigmoidWithLoss takes one score for two {self._all}, but the net gives two: let "
                "the last layer be {type: Affine, n_out: 1}, or take {type: SoftmaxWithLoss}"
            )
        if not single:
            super().check_loss(loss_name, output_shape)

    def check_targets(self, t):
        t, last = as_array(t), len(self.class_names) - 1
        expected = f"expects {self._one} indices, whole numbers from 0 to {last}"
        if t.dtype.kind not in "iu" and not self._is_one_hot(t):
            raise TypeError(f"{expected}; got {odd_type(t)}")
        if t.dtype.kind not in "iu" or not t.size:
            return
        low, high = smallest_and_largest(t)
        if low >= 0 and high <= last:
            return
        first, wrong = None, set()
        for start, piece in pieces(t):
            outside = (piece < 0) | (piece > last)
            if self.ignore_index is not None:
                outside &= piece != self.ignore_index
            if first is None and outside.any():
                place = tuple(int(i) for i in np.argwhere(outside)[0])
                first, value = (start + place[0], *place[1:]), int(piece[place])
            wrong.update(np.unique(piece[outside])[:2].tolist())
        if first is None:
            return
        hint = ""
        if low == 1 and high == last + 1:
            hint = "; are they counted from 1? subtract 1"
        elif value in (255, -1, -100) and wrong == {value}:
            hint = f"; if that marks what does not count: ignore_index: {value}"
        raise ValueError(
            f"{expected} ({last + 1} {self._all}); got {value} in row {first[0]}"
            f"{f', position {first[1:]}' if first[1:] else ''}{hint}"
        )

    def guess(self, train_t, t):
        counts, there = self._counts(train_t), self._counts(t)
        if not counts.any() or not there.any():
            return None
        # Of several that are most frequent any may be said, whatever their numbers are.
        return float(there[counts == counts.max()].mean() / there.sum())

    def guessing_loss(
        self, loss_name, train_t, width=None, *, class_weights=None, label_smoothing=0.0
    ):
        counts = self._counts(train_t)
        weights = np.ones(len(counts)) if class_weights is None else np.asarray(class_weights)
        if len(weights) != len(counts) or not (weights * counts).any():
            return None
        weighed = weights * counts / (weights * counts).sum()
        p = np.sort(weighed)[::-1]
        if loss_name in ("SoftmaxWithLoss", "CrossEntropyError", "SigmoidWithLoss"):
            # What the targets of all samples are in the mean; weights with smoothing add up to more
            # than 1. Nothing costs less than to say just that.
            spread = weights * counts.sum() / (weights * counts).sum() / len(counts)
            p = (1.0 - label_smoothing) * weighed + label_smoothing * spread
            p = p[p > 0]
            return float(-(p * np.log(p / p.sum())).sum())
        if label_smoothing:
            return None
        if loss_name == "SVMLoss":
            return _guessing_svm(p)
        if loss_name == "SquaredErrorLoss":  # to the one-hot rows
            return float(0.5 * (1.0 - (p * p).sum()))
        return None

    def predictions(self, scores):
        return predicted_classes(scores)

    def indices(self, t) -> np.ndarray:
        """Targets as class indices, which one-hot rows become."""
        return t.argmax(axis=-1) if self._is_one_hot(t) else t

    def shown(self, prediction):
        prediction = np.asarray(prediction)
        if prediction.ndim and self._is_one_hot(prediction[np.newaxis]):
            prediction = prediction.argmax(axis=-1)
        return listed((self._shown_index(int(i)) for i in np.ravel(prediction)), " ")

    def facts(self):
        names = self.class_names
        kept = {"task": self.name, "classes": len(names)}
        if names != tuple(map(str, range(len(names)))):
            kept["class_names"] = list(names)
        if self.ignore_index is not None:
            kept["ignore_index"] = self.ignore_index
        return kept

    def _content(self):
        return f"{len(self.class_names)} {self._all}"

    def _cure(self, shape, wanted):
        if wanted[:-1] == (1,) and shape == wanted[-1:]:
            return (
                f": the targets are (N, 1); t[:, 0] makes them (N,), one {self._one} for a sample"
            )
        if len(shape) == len(wanted) - 1:
            positions = "x".join(map(str, wanted[:-1]))
            return f": a {self._one} for each of {positions} positions, not one for a whole sample"
        if len(shape) == len(wanted) + 1 and shape[-1:] == wanted[-1:]:
            return f": one {self._one} for a whole sample, not one for each position"
        return super()._cure(shape, wanted)

    def _is_single(self, shape) -> bool:
        return len(self.class_names) == 2 and len(shape) > 0 and shape[-1] == 1

    def _is_one_hot(self, t) -> bool:
        t = as_array(t)
        if t.ndim < 2 or t.shape[-1] != len(self.class_names) or t.dtype.kind not in "biuf":
            return False
        return are_zero_or_one(t) and all((p.sum(axis=-1) == 1).all() for _, p in pieces(t))

    def _counts(self, t) -> np.ndarray:
        """How often each class is a target that counts: (C,)."""
        t, one_hot = as_array(t), self._is_one_hot(t)
        counts = np.zeros(len(self.class_names), np.intp)
        for _, piece in pieces(t):
            piece = (piece.argmax(axis=-1) if one_hot else piece).reshape(-1)
            if self.ignore_index is not None:
                piece = piece[piece != self.ignore_index]
            counts += np.bincount(piece, minlength=len(counts))
        return counts

    def _shown_index(self, i: int) -> str:
        known = 0 <= i < len(self.class_names) and i != self.ignore_index
        return printable(self.class_names[i]) if known else f"({i})"


def _guessing_svm(p) -> float:
    """The least Σ_t p[t] Σ_{j ≠ t} max(0, s[j] - s[t] + 1) over all scores s, for shares p that
    fall.

    A linear programme of differences, so some best s are whole numbers; they fall as p does, and
    more than 1 apart costs more. So the classes stand in levels, one margin below each other: one
    that reaches from class i to k costs k times what is not above it, and `least[k]` is the least
    for the first k classes.
    """
    below = 1.0 - np.concatenate([[0.0], np.cumsum(p)[:-1]])
    least = np.zeros(len(p) + 1)
    for k in range(1, len(p) + 1):
        least[k] = (least[:k] + k * below[:k]).min()
    return float(max(least[-1] - 1.0, 0.0))
