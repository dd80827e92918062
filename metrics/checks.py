"""The one check of scores and targets: what cannot be is refused in words, by the metric's name."""

import math
from typing import NamedTuple

import numpy as np

from lamina.common.predicted import predicted_classes


class Classes(NamedTuple):
    """What counts of a batch, as flat arrays of class indices."""

    targets: np.ndarray  # (M,), int64
    kept: np.ndarray | None  # (N,), which of all targets these are; None: all
    n_classes: int
    rows: np.ndarray  # (M, C), their scores

    def predictions(self) -> np.ndarray:
        """(M,), as `predicted_classes` has them."""
        return predicted_classes(self.rows)


def classes(metric, scores, targets, ignore_index: int | None = None) -> Classes:
    """Scores and targets of classes, without the positions whose target is `ignore_index`.

    For scores (..., C): class indices (...), or one-hot rows (..., C). For scores (..., 1), one
    score for two classes: 0 or 1, as integers, booleans or floats, of shape (...) or (..., 1).
    """
    scores, targets = numbers(metric, scores), np.asarray(targets)
    name, shape = type(metric).__name__, scores.shape
    if not shape or shape[-1] == 0:
        raise ValueError(f"{name}: expects {metric.needs}; got scores of shape {shape}")
    single = shape[-1] == 1
    n_classes = 2 if single else shape[-1]
    if targets.shape not in (shape[:-1], shape):
        raise ValueError(
            f"{name}: expects targets as class indices {shape[:-1]} or "
            f"{'' if single else 'one-hot '}{shape}, got {targets.shape}"
        )
    one_hot = not single and targets.shape == shape
    if targets.dtype.kind not in ("biuf" if single or one_hot else "iu"):
        known = "0 or 1" if single else f"integers from 0 to {n_classes - 1}"
        raise TypeError(f"{name}: class indices are {known}, got {targets.dtype}")
    if one_hot:
        targets = _from_one_hot(metric, targets)
    t, rows, kept = targets.reshape(-1), scores.reshape(-1, shape[-1]), None
    if ignore_index is not None and not (counts := t != ignore_index).all():
        t, rows, kept = t[counts], rows[counts], counts
    if single and not zeros_and_ones(t):
        raise ValueError(f"{name}: targets of one score are 0 or 1, got {_odd(t)}")
    if t.size and (t.min() < 0 or t.max() >= n_classes):
        wrong = t[(t < 0) | (t >= n_classes)][0]
        raise ValueError(f"{name}: class indices are 0 to {n_classes - 1}, got {wrong}")
    return Classes(t.astype(np.int64, copy=False), kept, n_classes, rows)


def _from_one_hot(metric, targets: np.ndarray) -> np.ndarray:
    if zeros_and_ones(targets) and (targets.sum(axis=-1) == 1).all():
        return targets.argmax(axis=-1)
    name = type(metric).__name__
    several = f"; where several labels may be right: {name}(multilabel=True)"
    raise ValueError(
        f"{name}: targets of the scores' shape {targets.shape} are one-hot, a single 1 in each "
        f"row, else 0; these are not{several if hasattr(metric, 'multilabel') else ''}"
    )


def label_predictions(metric, scores, targets):
    """(scores, targets): scores (M, L) and targets (M, L), True where the label is right.

    Targets are 0 or 1 of the scores' shape; for scores (..., 1) also (...).
    """
    scores, targets = numbers(metric, scores), np.asarray(targets)
    name, shape = type(metric).__name__, scores.shape
    if not shape or shape[-1] == 0:
        raise ValueError(f"{name}: expects scores (..., L), one a label; got shape {shape}")
    if targets.shape != shape and not (shape[-1] == 1 and targets.shape == shape[:-1]):
        raise ValueError(
            f"{name}: expects targets {shape}, 0 or 1 for each label, got {targets.shape}"
        )
    if targets.dtype.kind not in "biuf":
        raise TypeError(f"{name}: labels are 0 or 1, got {targets.dtype}")
    if not zeros_and_ones(targets):
        raise ValueError(f"{name}: labels are 0 or 1, got {_odd(targets)}")
    return scores.reshape(-1, shape[-1]), targets.reshape(-1, shape[-1]) != 0


def values(metric, scores, targets):
    """(scores, targets) as float64 arrays (M, D) of M samples and D outputs.

    Shapes are equal, the last of several axes being the outputs, of images (N, C, H, W) all but the
    first; or one of the two has a last axis of 1 more: nothing else is aligned, since (N, 1)
    against (N,) would broadcast to (N, N).
    """
    scores, targets = numbers(metric, scores), np.asarray(targets)
    name = type(metric).__name__
    if targets.dtype.kind not in "biuf":
        raise TypeError(f"{name}: targets are numbers, got {targets.dtype}")
    a, b = scores.shape, targets.shape
    if not (a == b or a == (*b, 1) or (*a, 1) == b):
        also = f" or {a[:-1]}" if a[-1:] == (1,) else ""
        raise ValueError(f"{name}: expects targets of the scores' shape {a}{also}, got {b}")
    n_outputs = a[-1] if a == b and len(a) > 1 else 1
    if a == b and len(a) > 3:
        n_outputs = math.prod(a[1:])
    if n_outputs == 0:
        raise ValueError(f"{name}: expects {metric.needs}; got scores of shape {a}")
    t = targets.reshape(-1, n_outputs).astype(np.float64)
    if not np.isfinite(t).all():
        raise ValueError(f"{name}: targets are finite, got {t[~np.isfinite(t)][0]}")
    return scores.reshape(-1, n_outputs).astype(np.float64), t


def numbers(metric, scores) -> np.ndarray:
    scores = np.asarray(scores)
    if scores.dtype.kind not in "fiu":
        raise TypeError(f"{type(metric).__name__}: scores are real numbers, got {scores.dtype}")
    return scores


def check_ignore_index(metric, ignore_index) -> None:
    if ignore_index is not None and not is_whole(ignore_index):
        name = type(metric).__name__
        raise TypeError(f"{name}: ignore_index is an integer or None, got {ignore_index!r}")


def same_classes(metric, before: int | None, now: int) -> int:
    """The number of classes, which no batch may change."""
    if before not in (None, now):
        raise ValueError(
            f"{type(metric).__name__}: counts {before} classes, but these scores have {now}; "
            "reset() before another net"
        )
    return now


def zeros_and_ones(t: np.ndarray) -> bool:
    return t.dtype.kind == "b" or bool(((t == 0) | (t == 1)).all())


def is_whole(number) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def _odd(t: np.ndarray):
    """The first number that is neither 0 nor 1."""
    return t[(t != 0) & (t != 1)][0]
