"""Targets that are arrays: the task that they speak for, and whether they can be targets of it.

For the data sets of one's own arrays. All of it looks at arrays in pieces, so they may be Rows of
files. `where` says for errors what the targets of a set are, as "my.npz: t_train".
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamina.datasets.rows import Rows, pieces
from lamina.datasets.tasks import (
    MAX_CLASSES,
    Classification,
    LanguageModel,
    MultiLabel,
    Regression,
    Task,
)
from lamina.datasets.tasks.numbers import are_zero_or_one, as_float32

_FEW = 20  # whole numbers: classes rather than measurements
_SPARE = 1000  # classes that no target names, at most, besides one for each target


def check_options(task, scale, indices, names, n_words, vocabulary, ignore_index) -> None:
    """Refuse options that contradict one another or the task."""
    if indices and scale is not None:
        raise ValueError("indices: true keeps whole numbers as they are; leave out scale")
    if indices and task == "reconstruction":
        raise ValueError("task: reconstruction compares numbers; leave out indices")
    if (n_words is not None or vocabulary is not None) and task != "language_model":
        raise ValueError("n_words and vocabulary are for task: language_model")
    if task == "language_model" and sum(x is not None for x in (names, n_words, vocabulary)) != 1:
        raise ValueError(
            "task: language_model needs the number of its words, n_words: 10000, or the words, "
            "vocabulary: FILE with one on each line, or names: [...]; one of these"
        )
    if n_words is not None and not 2 <= n_words <= MAX_CLASSES:
        raise ValueError(f"n_words: expects 2 to {MAX_CLASSES}, got {n_words}")
    if names is not None and task == "reconstruction":
        raise ValueError("task: reconstruction has no names")
    if ignore_index is not None and task not in (None, "classification", "language_model"):
        raise ValueError(f"ignore_index is for classes and words, not for task: {task}")


def kind_of_task(where: str, t) -> str:
    """The task that targets speak for. Raises ValueError if they could be two."""
    if t.ndim > 1 and t.dtype.kind in "biuf" and are_zero_or_one(t):
        one_hot = (
            "one-hot rows, which t.argmax(axis=-1) makes class indices"
            if all((piece.sum(axis=-1) == 1).all() for _, piece in pieces(t))
            else "one of two classes for each position: task: classification"
        )
        raise ValueError(
            f"{where}: {kind(t)} of 0 and 1 may be labels that hold or not: task: multilabel; or "
            f"{one_hot}; say which"
        )
    if t.dtype.kind in "iu":
        return "classification"
    if t.dtype.kind == "f":
        if _are_few_whole_numbers(t):
            raise ValueError(
                f"{where}: {kind(t)} of few whole numbers may be numbers to learn: task: "
                "regression; or classes, which t.astype(int) makes class indices; say which"
            )
        return "regression"
    raise ValueError(
        f"{where}: expects class indices, whole numbers (N,) or (N, T), or floats (N,) or (N, D) "
        f"for regression; got {kind(t)}"
    )


def _are_few_whole_numbers(t) -> bool:
    seen: set[float] = set()
    for _, piece in pieces(t):
        if not (np.isfinite(piece).all() and (piece == np.rint(piece)).all()):
            return False
        seen.update(np.unique(piece)[: _FEW + 1].tolist())
        if len(seen) > _FEW:
            return False
    return True


def task_and_targets(
    path, where: Callable[[str], str], task: str, t: dict, names, n_words, ignore_index
):
    """The task of that name, and the targets of each set as it takes them."""
    made: Task
    if task in ("classification", "language_model"):
        if n_words is not None:
            names = range(n_words)
        elif names is None:
            names = range(_n_classes(path, where, t, ignore_index))
        words = task == "language_model"
        if words and t["train"].ndim < 2:
            raise ValueError(
                f"{where('train')}: expects a word for each position (N, T), got {kind(t['train'])}"
            )
        make = LanguageModel if words else Classification
        made = _said(path, make, names, ignore_index=ignore_index)
        _check(where, made, t)
        return made, {name: targets.astype(np.intp) for name, targets in t.items()}
    if ignore_index is not None:
        raise ValueError(f"{path}: ignore_index is for classes and words, not for {task}")
    width = t["train"].shape[-1] if t["train"].ndim > 1 else 1
    made = _said(
        path, Regression if task == "regression" else MultiLabel, names or _numbered(task, width)
    )
    if task == "regression":
        for name, targets in t.items():
            if targets.dtype.kind not in "iuf":
                raise ValueError(f"{where(name)}: expects numbers, got {kind(targets)}")
        t = {name: _said(where(name), as_float32, targets) for name, targets in t.items()}
        # A net gives (N, 1), so that is what it is compared with.
        t = {name: _column(targets) for name, targets in t.items()}
    _check(where, made, t)
    return made, {name: targets.astype(np.float32, copy=False) for name, targets in t.items()}


def _column(t):
    if t.ndim > 1:
        return t
    return t.column() if isinstance(t, Rows) else t[:, np.newaxis]


def _numbered(task: str, n: int) -> list[str]:
    word = "target" if task == "regression" else "label"
    return [word] if n == 1 else [f"{word}{i}" for i in range(1, n + 1)]


def _n_classes(path, where: Callable[[str], str], t: dict, ignore_index) -> int:
    """One more than the largest index, if so many classes can be."""
    largest, n_targets = 0, 0
    for name, targets in t.items():
        if targets.dtype.kind not in "iu":
            expected = f"class indices, whole numbers ({len(targets)},)"
            raise ValueError(f"{where(name)}: expects {expected}, got {kind(targets)}")
        for piece in _counted(targets, ignore_index):
            largest = max(largest, int(piece.max(initial=0)))
        n_targets += targets.size
    if largest >= n_targets + _SPARE:
        raise ValueError(
            f"{path}: the target {largest} would make {largest + 1} classes, for {n_targets} "
            "targets in all; class indices count from 0 without large gaps"
        )
    if not largest:
        raise ValueError(f"{where('train')}: has only one class, 0: nothing to tell apart")
    return largest + 1


def _counted(t, ignore_index):
    """The targets that count, in pieces."""
    for _, piece in pieces(t):
        yield piece if ignore_index is None else piece[piece != ignore_index]


def _said(path, make, names, **options) -> Task:
    try:
        return make(names, **options)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _check(where: Callable[[str], str], made: Task, t: dict) -> None:
    for name, targets in t.items():
        try:
            made.check_targets(targets)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where(name)}: {error}") from None


def check_known(path, where: Callable[[str], str], made: Classification, t: dict) -> None:
    """No class that the training samples lack, and more than one that they have."""
    there = {name: np.zeros(len(made.class_names), bool) for name in t}
    for name, targets in t.items():
        for piece in _counted(targets, made.ignore_index):
            there[name][piece] = True
    known = there["train"]
    if known.sum() < 2:
        only = made.shown(known.argmax())
        raise ValueError(f"{where('train')}: has only one class, {only}: nothing to tell apart")
    if not any(classes[0] for classes in there.values()):
        raise ValueError(
            f"{path}: the class 0 is in no sample; do the labels start at "
            f"{int(known.argmax())}? Classes are counted from 0: subtract it"
        )
    for name, classes in there.items():
        strange = np.flatnonzero(classes & ~known)
        if strange.size:
            raise ValueError(
                f"{where(name)}: the class {made.shown(strange[0])} is in no training sample; "
                "no net can learn what it never sees"
            )


def words_of(path: Path) -> list[str]:
    """The words of a text file, one on each line."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read().removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"vocabulary: {path} cannot be read ({error})") from None


def check_bytes(X: dict, where) -> None:
    """Are the inputs of all sets bytes, or those of none? Bytes are scaled, so that others beside
    them would be of another size. `where(name)` is the place of a set. Raises ValueError."""
    for name, x in X.items():
        if (x.dtype == np.uint8) != (X["train"].dtype == np.uint8):
            raise ValueError(
                f"{where(name)}: holds {x.dtype}, and {where('train')} {X['train'].dtype}; bytes "
                "(uint8) are scaled and others are not: save both as the same type"
            )


def kind(array) -> str:
    return f"{array.dtype} {array.shape}"
