"""Checkpoints: all that decides how a run goes on, in one .npz file with a checksum."""

import hashlib
import re
from pathlib import Path

import numpy as np

from lamina.common.counts import check_count
from lamina.common.errors import RunError
from lamina.common.files import remove
from lamina.common.folder import File, Folder, placed
from lamina.common.npz import NpzError, read_npz, write_npz
from lamina.layers.finite import refuse_nan

_NAME = re.compile(r"checkpoint-(\d{8,})\.npz")
_DIGEST = "sha256"


class CheckpointError(RunError):
    """A checkpoint is damaged, none, or of another run; says which file and what is wrong."""


def save_checkpoint(path: str | Path | File, parts: dict[str, dict]) -> None:
    """{"net": net.state(), ...} in one file, the names joined as in "net/affine1.W". Raises
    FloatingPointError if an array holds a NaN, but a callback's: nobody could go on from there."""
    flat = {f"{part}/{name}": a for part, state in parts.items() for name, a in state.items()}
    refuse_nan(path, {name: a for name, a in flat.items() if not name.startswith("callbacks/")})
    write_npz(path, {_DIGEST: np.array(digest(flat)), **flat})


def load_checkpoint(path: str | Path | File) -> dict[str, dict]:
    """What `save_checkpoint` was given. Raises CheckpointError unless every bit of it is there."""
    try:
        flat = read_npz(path, packed=False)  # as save_checkpoint writes it
    except NpzError as error:
        raise CheckpointError(f"{error}; the checkpoint is damaged") from None
    if _DIGEST not in flat:
        raise CheckpointError(f"{path} is no checkpoint: it has no checksum")
    if str(flat.pop(_DIGEST)) != digest(flat):
        raise CheckpointError(
            f"{path}: its content does not have its checksum; the checkpoint is damaged"
        )
    parts: dict[str, dict] = {}
    for name, array in flat.items():
        part, _, rest = name.partition("/")
        parts.setdefault(part, {})[rest] = array
    return parts


def digest(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of names, types, shapes and contents, whatever the order."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


class Checkpoints:
    """When a run writes checkpoints, and which of them it keeps.

    One every `every` iterations (None: only where the run ends or is interrupted), of which the
    newest `keep` stay; with `keep_best`, that of the best evaluation is written too, and stays.
    """

    def __init__(self, *, every: int | None = 1000, keep: int = 3, keep_best: bool = False):
        for name, value in (("every", every), ("keep", keep)):
            if value is not None:
                check_count(name, value)
        self.every, self.keep, self.keep_best = every, keep, keep_best

    def due(self, iteration: int) -> bool:
        return self.every is not None and iteration > 0 and iteration % self.every == 0

    def save(self, folder: str | Path | Folder, parts: dict[str, dict], iteration: int, best: int):
        """Write one, then remove those that need not stay; returns its path. `best` is the
        iteration of the best evaluation."""
        path = placed(folder) / f"checkpoint-{iteration:08d}.npz"
        save_checkpoint(path, parts)
        saved = saved_checkpoints(folder)
        past = [n for n in saved if n <= iteration]  # a damaged one may lie ahead, to be replaced
        stay = past[-self.keep :] + ([best] if self.keep_best else [])
        for other in set(past) - set(stay):
            remove(saved[other])
        return path


def saved_checkpoints(folder: str | Path | Folder) -> dict[int, Path | File]:
    """The checkpoints in a run directory by their iterations, in ascending order."""
    found = {int(m[1]): p for p in placed(folder).iterdir() if (m := _NAME.fullmatch(p.name))}
    return dict(sorted(found.items()))
