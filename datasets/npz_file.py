"""An .npz file of one's own: arrays of inputs and targets for each set."""

from pathlib import Path

import numpy as np

from lamina.common.npz import open_npz
from lamina.datasets.csv_rows import listed
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.split import check_split_seed, check_validation, split_off, validation_out_of
from lamina.datasets.tasks import (
    MAX_CLASSES,
    TASKS,
    Classification,
    LanguageModel,
    MultiLabel,
    Reconstruction,
    Regression,
    Task,
    check_task_name,
)

_SETS = ("train", "validation", "test")
_FEW = 20  # whole numbers: classes rather than measurements
_SPARE = 1000  # classes that no target names, at most, besides one for each target


class NPZ(Dataset):
    """An .npz file with x_train, t_train, x_test, t_test, and perhaps x_validation, t_validation.

    Inputs are (N, ...), any numbers, scaled by `scale` if given (uint8 images: 0.00392157). They
    become float32; with `indices` they stay the whole numbers that they are, for an Embedding.

    Without `task` the targets say what is learned: whole numbers (N,) or (N, T) a class for each
    sample or position, floats (N,) or (N, D) numbers (regression). What could be either has to be
    said: "classification", "regression", "multilabel" (0 and 1, (N, L)), "language_model" (a word
    for each position (N, T)) or "reconstruction" (the inputs; t_train and the others may be
    missing). names: of the classes, numbers, labels or words; n_words: how many words, or
    vocabulary: a text file with a word on each line. Positions whose target is `ignore_index` do
    not count.

    Without x_validation, `validation_share` or `n_validation` of the training samples are for
    validation, class by class and fixed by `split_seed`. Raises ValueError naming the array that is
    wrong.
    """

    def __init__(
        self,
        path: Path,
        *,
        task: str | None = None,
        scale: float | None = None,
        indices: bool = False,
        names: tuple | None = None,
        n_words: int | None = None,
        vocabulary: Path | None = None,
        ignore_index: int | None = None,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
    ):
        check_task_name(task, tuple(TASKS))
        check_split_seed(split_seed)
        wanted = check_validation(validation_share, n_validation)
        _check_options(task, scale, indices, names, n_words, vocabulary, ignore_index)
        arrays = _read(path, targets=task != "reconstruction")
        X = {name: arrays[f"x_{name}"] for name in _SETS if f"x_{name}" in arrays}
        for name in X:
            X[name] = _inputs(f"{path}: x_{name}", X[name], scale is not None, indices)
        if wanted and "validation" in X:
            raise ValueError(
                f"{path}: has x_validation already; leave out validation_share and n_validation"
            )
        if task == "reconstruction":
            made, t = Reconstruction(), X
        else:
            t = {name: arrays[f"t_{name}"] for name in X}
            for name in t:
                if t[name].shape[:1] != X[name].shape[:1]:
                    raise ValueError(
                        f"{path}: t_{name}: expects a target for each of {len(X[name])} samples, "
                        f"got {_kind(t[name])}"
                    )
            kind = task or _kind_of_task(f"{path}: t_train", t["train"])
            if vocabulary is not None:
                names = _words(vocabulary)
            made, t = _task_and_targets(path, kind, t, names, n_words, ignore_index)
        try:
            if n_off := validation_out_of(len(X["train"]), validation_share, n_validation):
                by = type(made) is Classification and t["train"].ndim == 1
                rows = split_off(len(X["train"]), n_off, split_seed, t["train"] if by else None)
                pair = dict(zip(("train", "validation"), rows, strict=True))
                x, y = X["train"], t["train"]
                X |= {name: x[chosen] for name, chosen in pair.items()}
                t = X if t is X else t | {name: y[chosen] for name, chosen in pair.items()}
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        if type(made) is Classification:
            _check_known(path, made, t)
        sets = {name: Samples(X[name], t[name], scale=scale) for name in X}
        try:
            super().__init__(sets["train"], sets["test"], made, sets.get("validation"))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def _read(path, targets: bool) -> dict[str, np.ndarray]:
    """The arrays that are there and of use, by name."""
    needed = [f"{part}_{name}" for name in ("train", "test") for part in ("x", "t")]
    if not targets:
        needed = [name for name in needed if name.startswith("x")]
    try:
        with open_npz(path) as entries:
            validation = [n for n in ("x_validation", "t_validation") if n in entries]
            if validation and targets:
                needed += ["x_validation", "t_validation"]
            elif "x_validation" in validation:
                needed.append("x_validation")
            missing = [name for name in needed if name not in entries]
            if missing:
                raise ValueError(
                    f"{path}: expects {', '.join(needed)}; {', '.join(missing)} missing, there "
                    f"are {listed(list(entries)) or 'none'}"
                )
            return {name: entries[name].read() for name in needed}
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None


def _inputs(where: str, X: np.ndarray, scaled: bool, indices: bool) -> np.ndarray:
    kinds, expected = ("iu", "whole numbers") if indices else ("fiu", "numbers")
    if not X.size:
        raise ValueError(f"{where}: is empty, {_kind(X)}; expects samples with numbers in them")
    if X.dtype.kind not in kinds or X.ndim < 2:
        raise ValueError(f"{where}: expects {expected} (N, ...), got {_kind(X)}")
    if indices and X.min() < 0:
        raise ValueError(f"{where}: expects indices of at least 0, got {X.min()}")
    if indices or (scaled and X.dtype.kind != "f"):
        return X
    with np.errstate(over="ignore"):  # said below
        small = X if scaled else X.astype(np.float32)
    if X.dtype.kind == "f" and not (finite := np.isfinite(small)).all():
        row = int(np.argwhere(~finite)[0][0])
        what = "NaN or infinity" if not np.isfinite(X[row]).all() else "a number beyond float32"
        raise ValueError(f"{where}: row {row} holds {what}")
    return small


def _check_options(task, scale, indices, names, n_words, vocabulary, ignore_index) -> None:
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


def _kind_of_task(where: str, t: np.ndarray) -> str:
    """The task that targets speak for. Raises ValueError if they could be two."""
    binary = t.ndim > 1 and t.dtype.kind in "biuf" and bool(((t == 0) | (t == 1)).all())
    if binary:
        one_hot = (
            "one-hot rows, which t.argmax(axis=-1) makes class indices"
            if (t.sum(axis=-1) == 1).all()
            else "one of two classes for each position: task: classification"
        )
        raise ValueError(
            f"{where}: {_kind(t)} of 0 and 1 may be labels that hold or not: task: multilabel; or "
            f"{one_hot}; say which"
        )
    if t.dtype.kind in "iu":
        return "classification"
    if t.dtype.kind == "f":
        finite = np.isfinite(t).all()
        if finite and (t == np.rint(t)).all() and len(np.unique(t)) <= _FEW:
            raise ValueError(
                f"{where}: {_kind(t)} of few whole numbers may be numbers to learn: task: "
                "regression; or classes, which t.astype(int) makes class indices; say which"
            )
        return "regression"
    raise ValueError(
        f"{where}: expects class indices, whole numbers (N,) or (N, T), or floats (N,) or (N, D) "
        f"for regression; got {_kind(t)}"
    )


def _task_and_targets(path, kind: str, t: dict, names, n_words, ignore_index):
    """The task, and the targets of each set as it takes them."""
    made: Task
    if kind in ("classification", "language_model"):
        if n_words is not None:
            names = range(n_words)
        elif names is None:
            names = range(_n_classes(path, t, ignore_index))
        words = kind == "language_model"
        if words and t["train"].ndim < 2:
            raise ValueError(
                f"{path}: t_train: expects a word for each position (N, T), got {_kind(t['train'])}"
            )
        make = LanguageModel if words else Classification
        made = _said(path, make, names, ignore_index=ignore_index)
        _check(path, made, t)
        return made, {name: targets.astype(np.intp) for name, targets in t.items()}
    if ignore_index is not None:
        raise ValueError(f"{path}: ignore_index is for classes and words, not for {kind}")
    width = t["train"].shape[-1] if t["train"].ndim > 1 else 1
    made = _said(
        path, Regression if kind == "regression" else MultiLabel, names or _numbered(kind, width)
    )
    if kind == "regression":
        for name, targets in t.items():
            if targets.dtype.kind not in "iuf":
                raise ValueError(f"{path}: t_{name}: expects numbers, got {_kind(targets)}")
        with np.errstate(over="ignore"):  # said by the check
            t = {name: targets.astype(np.float32) for name, targets in t.items()}
        # A net gives (N, 1), so that is what it is compared with.
        t = {name: x[:, np.newaxis] if x.ndim == 1 else x for name, x in t.items()}
    _check(path, made, t)
    return made, {name: targets.astype(np.float32, copy=False) for name, targets in t.items()}


def _numbered(kind: str, n: int) -> list[str]:
    word = "target" if kind == "regression" else "label"
    return [word] if n == 1 else [f"{word}{i}" for i in range(1, n + 1)]


def _n_classes(path, t: dict, ignore_index) -> int:
    """One more than the largest index, if so many classes can be."""
    largest, n_targets = 0, 0
    for name, targets in t.items():
        if targets.dtype.kind not in "iu":
            expected = f"class indices, whole numbers ({len(targets)},)"
            raise ValueError(f"{path}: t_{name}: expects {expected}, got {_kind(targets)}")
        counted = targets if ignore_index is None else targets[targets != ignore_index]
        largest = max(largest, int(counted.max(initial=0)))
        n_targets += targets.size
    if largest >= n_targets + _SPARE:
        raise ValueError(
            f"{path}: the target {largest} would make {largest + 1} classes, for {n_targets} "
            "targets in all; class indices count from 0 without large gaps"
        )
    if not largest:
        raise ValueError(f"{path}: t_train: has only one class, 0: nothing to tell apart")
    return largest + 1


def _said(path, make, names, **options) -> Task:
    try:
        return make(names, **options)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _check(path, made: Task, t: dict) -> None:
    for name, targets in t.items():
        try:
            made.check_targets(targets)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: t_{name}: {error}") from None


def _check_known(path, made: Classification, t: dict) -> None:
    """No class that the training samples lack, and more than one that they have."""
    known = np.zeros(len(made.class_names), bool)
    counted = {
        name: x[x != made.ignore_index] if made.ignore_index is not None else x
        for name, x in t.items()
    }
    known[counted["train"]] = True
    if known.sum() < 2:
        only = made.shown(known.argmax())
        raise ValueError(f"{path}: t_train: has only one class, {only}: nothing to tell apart")
    if not known[0] and not any((x == 0).any() for x in counted.values()):
        raise ValueError(
            f"{path}: the class 0 is in no sample; do the labels start at "
            f"{int(known.argmax())}? Classes are counted from 0: subtract it"
        )
    for name, targets in counted.items():
        strange = targets[~known[targets]]
        if strange.size:
            raise ValueError(
                f"{path}: t_{name}: the class {made.shown(strange[0])} is in no training sample; "
                "no net can learn what it never sees"
            )


def _words(path: Path) -> list[str]:
    """The words of a text file, one on each line."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read().removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"vocabulary: {path} cannot be read ({error})") from None


def _kind(array) -> str:
    return f"{array.dtype} {array.shape}"
