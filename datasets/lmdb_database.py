"""Images and labels in Caffe's LMDB databases, which need not fit into memory (extra `lmdb`)."""

from pathlib import Path

import numpy as np

from lamina.datasets.array_targets import check_bytes, check_known, task_and_targets
from lamina.datasets.dataset import TO_UNIT, Dataset, Samples, standardising
from lamina.datasets.lmdb_rows import LMDBRows
from lamina.datasets.npy_files import IN_MEMORY
from lamina.datasets.rows import Rows
from lamina.datasets.split import check_split_seed, check_validation, split_off, validation_out_of
from lamina.datasets.tasks import Classification, Reconstruction, Task, check_task_name


class LMDB(Dataset):
    """Images (C, H, W) from LMDB databases of Caffe, folders with a data.mdb, in the order of keys.

    Those to train on are in `path`, those to test on in `test`. Bytes are scaled, batch by batch,
    to 0-1, by `scale` if given, or with `normalise` to mean 0 and deviation 1, by those to train
    on; floats are taken as they are, times `scale` if given. task: "classification", by the labels,
    or "reconstruction". `validation_share` or `n_validation` of the images to train on are held
    back, class by class and fixed by `split_seed`.

    Images of more than 64 MB stay in their database until it is their turn. LMDB itself believes
    what it reads: open no database of people you do not trust.

    Raises ValueError, naming the database and the entry, for what is no database of images of one
    shape and type, for encoded images, labels below 0, and where the package lmdb is missing.
    """

    def __init__(
        self,
        path: Path,
        test: Path,
        *,
        task: str = "classification",
        scale: float | None = None,
        normalise: bool = False,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
    ):
        check_task_name(task, ("classification", "reconstruction"))
        check_split_seed(split_seed)
        check_validation(validation_share, n_validation)
        if normalise and scale is not None:
            raise ValueError("normalise: finds the scale itself; leave out scale")
        sources = {"train": LMDBRows(path), "test": LMDBRows(test)}
        where = {name: str(source.path) for name, source in sources.items()}
        X = {
            name: Rows(source[:] if source.nbytes <= IN_MEMORY else source, where[name])
            for name, source in sources.items()
        }
        check_bytes(X, where.__getitem__)
        t: dict = X
        made: Task = Reconstruction()
        if task == "classification":
            t = {name: _labels(source) for name, source in sources.items()}
            made, t = task_and_targets(where["train"], where.__getitem__, task, t, None, None, None)
        if isinstance(made, Classification):
            check_known(where["train"], where.__getitem__, made, t)
        if n_off := validation_out_of(len(X["train"]), validation_share, n_validation):
            x, classes = X["train"], None if t is X else t["train"]
            pair = split_off(len(x), n_off, split_seed, classes)
            for name, rows in zip(("train", "validation"), pair, strict=True):
                X[name] = x.only(rows)
                if classes is not None:
                    t[name] = classes[rows]
        scaling = _scaling(X["train"], scale, normalise)
        sets = {name: Samples(X[name], t[name], *scaling) for name in X}
        super().__init__(sets["train"], sets["test"], made, sets.get("validation"))


def _labels(source: LMDBRows) -> np.ndarray:
    if (lowest := source.labels.min()) < 0:
        row = int(source.labels.argmin())
        raise ValueError(f"{source.path}: row {row} has the label {lowest}; expects 0 or more")
    return source.labels


def _scaling(X: Rows, scale: float | None, normalise: bool) -> tuple:
    if normalise:
        if X.dtype != np.uint8:
            raise ValueError(f"normalise: is for images of bytes, but {X.where} has {X.dtype}")
        return standardising(X)
    return TO_UNIT if scale is None and X.dtype == np.uint8 else (scale, 0.0)
