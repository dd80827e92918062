""".npy files of one's own, which need not fit into memory."""

from pathlib import Path

import numpy as np

from lamina.datasets.array_targets import (
    check_bytes,
    check_known,
    check_options,
    kind,
    kind_of_task,
    task_and_targets,
    words_of,
)
from lamina.datasets.channels import check_channels_first, check_channels_last
from lamina.datasets.dataset import TO_UNIT, Dataset, Samples, standardising
from lamina.datasets.rows import FileRows, Rows
from lamina.datasets.split import (
    check_split_seed,
    check_validation,
    n_test_out_of,
    split_off,
    validation_out_of,
)
from lamina.datasets.tasks import TASKS, Classification, Reconstruction, check_task_name
from lamina.datasets.tasks.numbers import check_float32, smallest_and_largest

IN_MEMORY = 64 << 20  # bytes: an array up to that is read at once, a larger one row by row


class NPY(Dataset):
    """.npy files with inputs (N, ...) and targets, each one file or a list of pieces of one array.

    Of arrays that are large only the rows of a batch are read, when it is their turn; nothing is
    ever held whole. Inputs of uint8 stay bytes and are scaled, batch by batch, to 0-1, by `scale`
    if given, or with `normalise` to mean 0 and deviation 1, by those to train on. Others,
    booleans too, become float32, times `scale` if given; with `indices` whole numbers stay what
    they are, for an Embedding.

    task, channels ("first" or "last"), names, n_words, vocabulary, ignore_index: as for NPZ;
    without `task` the targets say what
    is learned.

    test_inputs, test_targets, validation_inputs, validation_targets: further files. Without those
    to test, `test_share` of the samples are for testing; of the others `validation_share` or
    `n_validation` for validation; class by class and fixed by `split_seed`.

    Raises ValueError naming the file that is wrong; DataError, while training, for a number that
    is not finite or a file that has changed.
    """

    def __init__(
        self,
        inputs: Path | tuple,
        targets: Path | tuple | None = None,
        *,
        task: str | None = None,
        scale: float | None = None,
        channels: str | None = None,
        normalise: bool = False,
        indices: bool = False,
        names: tuple | None = None,
        n_words: int | None = None,
        vocabulary: Path | None = None,
        ignore_index: int | None = None,
        test_inputs: Path | tuple | None = None,
        test_targets: Path | tuple | None = None,
        test_share: float = 0.2,
        validation_inputs: Path | tuple | None = None,
        validation_targets: Path | tuple | None = None,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
    ):
        check_task_name(task, tuple(TASKS))
        check_split_seed(split_seed)
        if check_validation(validation_share, n_validation) and validation_inputs is not None:
            raise ValueError(
                "validation_share and n_validation take samples of those to train on; with "
                "validation_inputs leave them out"
            )
        check_options(task, scale, indices, names, n_words, vocabulary, ignore_index)
        pairs = {
            "train": ("", inputs, targets),
            "validation": ("validation_", validation_inputs, validation_targets),
            "test": ("test_", test_inputs, test_targets),
        }
        rebuild = task == "reconstruction"
        for pair in pairs.values():
            _check_pair(*pair, rebuild)
        pairs = {name: pair for name, pair in pairs.items() if pair[1] is not None}
        X = {
            name: _inputs(_open(f"{prefix}inputs", x), indices, scale is not None, normalise)
            for name, (prefix, x, _) in pairs.items()
        }
        if channels not in (None, "first", "last"):
            raise ValueError(f"channels: expects first or last, got {channels}")
        if channels == "last":
            for x in X.values():
                check_channels_last(x.where, x)
            X = {name: x.channels_first() for name, x in X.items()}
        elif channels is None and not indices:
            for x in X.values():
                check_channels_first(x.where, x)
        if not indices:
            check_bytes(X, lambda name: X[name].where)
        if rebuild:
            made, t = Reconstruction(), X
        else:
            t = {name: _open(f"{prefix}targets", t) for name, (prefix, _, t) in pairs.items()}
            for name in t:
                if len(t[name]) != len(X[name]):
                    raise ValueError(
                        f"{t[name].where}: expects a target for each of the {len(X[name])} rows "
                        f"of {X[name].where}, got {kind(t[name])}"
                    )
            where = {name: rows.where for name, rows in t.items()}
            said = task or kind_of_task(where["train"], t["train"])
            if vocabulary is not None:
                names = tuple(words_of(vocabulary))
            made, t = task_and_targets(
                where["train"], where.__getitem__, said, t, names, n_words, ignore_index
            )
        for name, rows in _split(
            X, t, made, test_share, validation_share, n_validation, split_seed
        ).items():
            X[name], t[name] = rows
        if type(made) is Classification:
            check_known(
                t["train"].where, lambda name: f"{t[name].where}, the {name} samples", made, t
            )
        scaling = _scaling(X["train"], indices, scale, normalise)
        sets = {name: Samples(X[name], t[name], *scaling) for name in X}
        super().__init__(sets["train"], sets["test"], made, sets.get("validation"))


def _check_pair(prefix: str, inputs, targets, rebuild: bool) -> None:
    """Inputs have targets, and targets inputs."""
    if rebuild and targets is not None:
        raise ValueError(
            f"{prefix}targets: task: reconstruction compares with the inputs; leave out"
        )
    if inputs is None and targets is not None:
        raise ValueError(f"{prefix}targets: needs {prefix}inputs too")
    if inputs is not None and targets is None and not rebuild:
        raise ValueError(f"{prefix}inputs: needs {prefix}targets too, or task: reconstruction")


def _open(key: str, paths) -> Rows:
    """The rows of a file, or of several; small ones in memory."""
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    if not paths or not all(isinstance(path, (str, Path)) for path in paths):
        raise ValueError(f"{key}: expects the path of an .npy file, or a list of paths")
    rows = FileRows(paths)
    where = str(paths[0]) if len(paths) == 1 else f"{paths[0]} ... {paths[-1]}"
    # Targets are looked at before training, inputs when they are met.
    of_inputs = key.endswith("inputs")
    found = Rows(rows[:] if rows.nbytes <= IN_MEMORY else rows, where, finite=of_inputs)
    # False and True are the classes, or labels, 0 and 1; as inputs they are no bytes to be scaled.
    return found if of_inputs or found.dtype != bool else found.astype(np.uint8)


def _inputs(X: Rows, indices: bool, scaled: bool, normalise: bool) -> Rows:
    """Inputs as a batch of them is read, before it is scaled."""
    if X.ndim < 2:
        raise ValueError(f"{X.where}: expects inputs (N, ...), got {kind(X)}")
    if indices:
        if X.dtype.kind not in "iu":
            raise ValueError(f"{X.where}: expects whole numbers (N, ...), got {kind(X)}")
        if X.dtype.kind == "i" and (lowest := smallest_and_largest(X)[0]) < 0:
            raise ValueError(f"{X.where}: expects indices of at least 0, got {lowest}")
        return X
    if normalise and X.dtype != np.uint8:
        raise ValueError(f"normalise: is for images of bytes, but {X.where} has {kind(X)}")
    check_float32(X.where, X)
    return X if X.dtype == np.uint8 or (scaled and X.dtype.kind in "iu") else X.astype(np.float32)


def _scaling(X: Rows, indices: bool, scale: float | None, normalise: bool) -> tuple:
    """Scale and offset of all sets, by the inputs to train on."""
    if normalise:
        if scale is not None or indices:
            raise ValueError("normalise: finds the scale itself; leave out scale and indices")
        return standardising(X)
    pixels = X.dtype == np.uint8 and not indices
    return TO_UNIT if pixels and scale is None else (scale, 0.0)


def _split(
    X: dict, t: dict, made, test_share, validation_share, n_validation, split_seed
) -> dict[str, tuple[Rows, Rows]]:
    """The sets that are taken out of the samples to train on, and what is left of these."""
    x, y = X["train"], t["train"]
    classes = y.stored() if type(made) is Classification and y.ndim == 1 else None
    n, rows = len(x), {}
    if "test" not in X:
        n_test = n_test_out_of(n, test_share, "samples", "test_inputs and test_targets")
        rows["train"], rows["test"] = split_off(n, n_test, split_seed, classes, b"test")
    stay = rows.get("train")
    if n_off := validation_out_of(n if stay is None else len(stay), validation_share, n_validation):
        if classes is not None and stay is not None:
            classes = classes[stay]
        pair = split_off(n if stay is None else len(stay), n_off, split_seed, classes)
        rows["train"], rows["validation"] = pair if stay is None else (stay[i] for i in pair)
    return {
        name: ((only := x.only(chosen)), only if y is x else y.only(chosen))
        for name, chosen in rows.items()
    }
