"""An .npz file of one's own: arrays of inputs and targets for each set."""

from pathlib import Path

import numpy as np

from lamina.common.npz import open_npz
from lamina.datasets.array_targets import (
    check_known,
    check_options,
    kind,
    kind_of_task,
    task_and_targets,
    words_of,
)
from lamina.datasets.cells import listed
from lamina.datasets.channels import check_channels_first, check_channels_last
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.split import check_split_seed, check_validation, split_off, validation_out_of
from lamina.datasets.tasks import TASKS, Classification, Reconstruction, check_task_name
from lamina.datasets.tasks.numbers import check_float32

_SETS = ("train", "validation", "test")
_VALIDATION = ("x_validation", "t_validation")


class NPZ(Dataset):
    """An .npz file with x_train, t_train, x_test, t_test, and perhaps x_validation, t_validation;
    or with y_train and so on, as Keras calls them, where one number for each sample may be (N, 1).

    Inputs are (N, ...), any numbers, scaled by `scale` if given (uint8 images: 0.00392157). They
    become float32; with `indices` they stay the whole numbers that they are, for an Embedding.
    channels: "last" turns images (N, H, W, C) into (N, C, H, W), as layers take them, and "none"
    gives grey ones, (N, H, W), their axis; what looks like channels last is refused without it,
    unless it is said to be "first".

    Without `task` the targets say what is learned: whole numbers (N,) or (N, T) a class for each
    sample or position, floats (N,) or (N, D) numbers (regression). What could be either has to be
    said: "classification", "regression", "multilabel" (0 and 1, (N, L)), "language_model" (a word
    for each position (N, T)) or "reconstruction" (the inputs; t_train and the others may be
    missing). names: of the classes, numbers, labels or words (default: an array class_names in the
    file); n_words: how many words, or
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
        channels: str | None = None,
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
        check_options(task, scale, indices, names, n_words, vocabulary, ignore_index)

        def where(name: str) -> str:
            return f"{path}: t_{name}"

        if channels not in (None, "first", "last", "none"):
            raise ValueError(f"channels: expects first, last or none, got {channels}")
        arrays = _read(path, targets=task != "reconstruction")
        if names is None and task != "language_model" and "class_names" in arrays:
            names = tuple(map(str, arrays["class_names"].ravel()))
        X = {name: arrays[f"x_{name}"] for name in _SETS if f"x_{name}" in arrays}
        _check_alike(path, X)
        for name in X:
            X[name] = _inputs(f"{path}: x_{name}", X[name], scale is not None, indices)
            X[name] = _channels_first(f"{path}: x_{name}", X[name], channels)
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
                        f"got {kind(t[name])}"
                    )
            said = task or kind_of_task(where("train"), t["train"])
            if vocabulary is not None:
                names = tuple(words_of(vocabulary))
            made, t = task_and_targets(path, where, said, t, names, n_words, ignore_index)
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
            check_known(path, where, made, t)
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
            called = {name: _called(path, name, entries) for name in (*needed, *_VALIDATION)}
            validation = [name for name in _VALIDATION if called[name] in entries]
            if validation and targets:
                needed += _VALIDATION
            elif "x_validation" in validation:
                needed.append("x_validation")
            missing = [name for name in needed if called[name] not in entries]
            if missing:
                raise ValueError(
                    f"{path}: expects {', '.join(needed)}; {', '.join(missing)} missing, there "
                    f"are {listed(list(entries)) or 'none'}"
                )
            arrays = {name: entries[called[name]].read() for name in needed}
            if "class_names" in entries:
                arrays["class_names"] = entries["class_names"].read()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
    for name in needed:
        if called[name].startswith("y") and arrays[name].shape[1:] == (1,):  # as Keras' CIFAR has
            arrays[name] = arrays[name][:, 0]
    return arrays


def _called(path, name: str, entries) -> str:
    """What an array is called in the file: t_train may be y_train, x_validation x_val."""
    part, _, of = name.partition("_")
    parts = (part, "y") if part == "t" else (part,)
    sets = (of, "val") if of == "validation" else (of,)
    found = [n for p in parts for s in sets if (n := f"{p}_{s}") in entries]
    if len(found) > 1:
        raise ValueError(f"{path}: has {' and '.join(found)}, which are one; expects one of them")
    return found[0] if found else name


def _channels_first(where: str, X: np.ndarray, channels: str | None) -> np.ndarray:
    """Images (N, C, H, W), from what `channels` says that they are."""
    if channels == "none":
        if X.ndim != 3:
            raise ValueError(f"{where}: channels: none expects images (N, H, W), got {kind(X)}")
        return X[:, np.newaxis]
    if channels == "last":
        check_channels_last(where, X)
        return np.ascontiguousarray(X.transpose(0, 3, 1, 2))
    if channels is None:
        check_channels_first(where, X)
    return X


def _check_alike(path, X: dict[str, np.ndarray]) -> None:
    """Raise ValueError for bytes in one set and floats in another: the ones go from 0 to 255, the
    others, as a rule, from 0 to 1."""
    bytes_, floats = ([n for n in X if X[n].dtype.kind == k] for k in ("u", "f"))
    bytes_ = [n for n in bytes_ if X[n].dtype.itemsize == 1]
    if bytes_ and floats:
        raise ValueError(
            f"{path}: x_{floats[0]}: expects uint8, as x_{bytes_[0]} has, got "
            f"{kind(X[floats[0]])}; bring both to one scale: bytes / 255 are floats from 0 to 1"
        )


def _inputs(where: str, X: np.ndarray, scaled: bool, indices: bool) -> np.ndarray:
    kinds, expected = ("iu", "whole numbers") if indices else ("fiu", "numbers")
    if not X.size:
        raise ValueError(f"{where}: is empty, {kind(X)}; expects samples with numbers in them")
    if X.dtype.kind not in kinds or X.ndim < 2:
        raise ValueError(f"{where}: expects {expected} (N, ...), got {kind(X)}")
    if indices and X.min() < 0:
        raise ValueError(f"{where}: expects indices of at least 0, got {X.min()}")
    if indices or (scaled and X.dtype.kind != "f"):
        return X
    check_float32(where, X)
    with np.errstate(over="ignore"):  # said below
        small = X if scaled else X.astype(np.float32)
    if X.dtype.kind == "f" and not (finite := np.isfinite(small)).all():
        row = int(np.argwhere(~finite)[0][0])
        what = "NaN or infinity" if not np.isfinite(X[row]).all() else "a number beyond float32"
        raise ValueError(f"{where}: row {row} holds {what}")
    return small
