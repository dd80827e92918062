"""Targets of losses: the one check of class indices and one-hot rows, and of numbers."""

import numpy as np

from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats

NUMBERS = "iufb"  # kinds of dtype


def as_array(targets):
    """Lists and tables as arrays; an array stays of the kind that it is."""
    return targets if hasattr(targets, "__array_function__") else np.asanyarray(targets)


def class_indices(name: str, scores, targets, ignore_index: int | None = None):
    """Targets as a flat array of class indices, for scores (..., C): indices of shape (...) or
    one-hot rows (..., C). `name` is the loss that errors speak of.

    Indices equal to `ignore_index` are let through as they are. Raises ShapeError for another
    shape, TypeError for what is no whole number, ValueError for what is no class.
    """
    check_floats(name, scores)
    targets = as_array(targets)
    n_classes = scores.shape[-1] if scores.ndim else 0
    if n_classes == 0 or scores.size == 0:
        raise ShapeError(name, "scores (..., C) of at least one sample", str(scores.shape))
    if targets.dtype.kind not in NUMBERS:
        raise TypeError(
            f"{name}: class indices are integers, got {_described(targets)}; number the classes "
            "0, 1, ..."
        )
    if targets.shape == scores.shape:
        if not ((targets == 0) | (targets == 1)).all() or (targets.sum(axis=-1) != 1).any():
            raise ValueError(f"{name}: one-hot targets hold a single 1 in each row, else 0")
        return targets.argmax(axis=-1).reshape(-1)
    if targets.shape != scores.shape[:-1]:
        raise ShapeError(
            name,
            f"targets as class indices {scores.shape[:-1]} or one-hot {scores.shape}",
            str(targets.shape),
        )
    if targets.dtype.kind not in "iu":
        hint = "; t.astype(int)" if targets.dtype.kind == "f" else ""
        raise TypeError(f"{name}: class indices are integers, got {targets.dtype}{hint}")
    targets = targets.reshape(-1)
    counted = targets if ignore_index is None else targets[targets != ignore_index]
    if counted.size:
        low, high = (
            np.minimum.reduce(counted),
            np.maximum.reduce(counted),
        )  # as min() and max(), faster
        if low < 0 or high >= n_classes:
            wrong = int(low if low < 0 else high)
            hint = _hint(wrong, int(low), n_classes)
            raise ValueError(f"{name}: class indices are 0 to {n_classes - 1}, got {wrong}; {hint}")
    return targets


def _hint(wrong: int, low: int, n_classes: int) -> str:
    if n_classes == 1:
        return "scores of a single yes or no belong to SigmoidWithLoss"
    if wrong == n_classes and low >= 1:
        return "do they count from 1? t - 1"
    return f"if such positions shall not count: ignore_index={wrong}"


def numbers_beside(name: str, y, targets):
    """Targets as an array of the shape and dtype of y. For y (..., 1) they may be (...), which
    would otherwise be broadcast: (N, 1) - (N,) is (N, N). Raises ShapeError, TypeError."""
    check_floats(name, y)
    targets = as_array(targets)
    if y.size == 0:
        raise ShapeError(name, "at least one sample", str(y.shape))
    if targets.dtype.kind not in NUMBERS:
        raise TypeError(f"{name}: targets are numbers, got {_described(targets)}")
    if targets.shape != y.shape and (*targets.shape, 1) != y.shape:
        either = f"{y.shape} or {y.shape[:-1]}" if y.shape[-1:] == (1,) else f"{y.shape}"
        raise ShapeError(name, f"targets {either}", str(targets.shape))
    return targets.astype(y.dtype).reshape(y.shape)


def _described(targets) -> str:
    kinds = {"U": "text", "S": "text", "T": "text", "O": "objects", "c": "complex numbers"}
    return kinds.get(targets.dtype.kind, str(targets.dtype))
