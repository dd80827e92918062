"""Trains the last stretch of a run once more, and compares it bit by bit."""

import itertools
import tempfile
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.files import opened
from lamina.common.folder import File
from lamina.common.npz import read_npz
from lamina.common.table import read_rows
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import Config
from lamina.experiment.resume import newest_whole, taken_from
from lamina.experiment.run_directory import locked, require_run
from lamina.training.callbacks import Tracker
from lamina.training.checkpoint import load_checkpoint, saved_checkpoints
from lamina.training.trainer import Trainer

_TABLES = ("loss.csv", "history.csv", "timing.csv")
_COMPARED = ("loss.csv", "history.csv", "layers.csv", "parameters.csv")
_OF_EVALUATIONS = ("history.csv", "outputs.csv")


def verify(config: Config, run_dir: str | Path, quiet: bool = False) -> tuple[str, int]:
    """Train again from the last checkpoint but one (or from the start) to the last one, in a
    temporary directory, and compare parameters, states, losses, evaluations, the records of layers
    and parameters, row by row, and weights.npz. Returns a line that says what came out, and 0 if
    all of it is the same, else 1; or 128 + n if signal n came. Raises RunError if there is no
    checkpoint to compare with."""
    run_dir = Path(run_dir)
    require_run(run_dir)
    with locked(run_dir) as held, tempfile.TemporaryDirectory() as folder:
        saved = saved_checkpoints(held)
        last, there = newest_whole(saved)
        if last is None:
            raise RunError(f"{run_dir} has no checkpoint yet: nothing to verify")
        end = int(there["trainer"]["iteration"])
        trainer = _before(config, {n: p for n, p in saved.items() if n < end}, quiet)
        trainer.plan.iterations, trainer.plan.patience = end, None
        # What is trained once more is no news to a log.
        trainer.callbacks = [c for c in trainer.callbacks if not isinstance(c, Tracker)]
        begin, again = trainer.iteration, Path(folder)
        for name in _TABLES if begin else ():
            with opened(held / name) as file:
                (again / name).write_bytes(file.read())
        trainer.run_dir = again
        trainer.run()
        if trainer.interrupted:
            return "verifying was interrupted", 128 + trainer.interrupted
        wrong = _arrays(there, load_checkpoint(again / last.name))
        # Runs that are older than these have none.
        newer = [name for name in ("outputs.csv", "steps.csv") if (held / name).exists()]
        for name in (*_COMPARED, *newer):
            if (again / name).exists() or (held / name).exists():
                wrong += _rows(held / name, again / name, begin, end)
        beyond = sum(int(row[0]) > end for row in _numbered(held / "loss.csv"))
        evaluated = [int(row[0]) for row in _numbered(held / "history.csv")]
        # Interrupted in its last evaluation, a run does not know whether that is the best.
        known = beyond or end in evaluated or not trainer.best.keep
        if known and (beyond == 0 or (held / "weights.npz").exists()):
            other = _weights(held / "weights.npz", again / "weights.npz")
            if beyond and other:
                other.append(
                    f"loss.csv goes on beyond the last checkpoint: if the run was cut off there, "
                    f"weights.npz may be of an earlier end; --resume {run_dir} makes it anew"
                )
            wrong += other
    stretch = f"iterations {begin + 1} to {end} of {run_dir}"
    if wrong:
        return f"{stretch} come out differently: {'; '.join(wrong)}", 1
    rest = f"; the {beyond} rows of loss.csv after them were not compared" if beyond else ""
    return f"verified: {stretch} give the same bits again{rest}", 0


def _before(config: Config, saved: dict[int, Path | File], quiet: bool) -> Trainer:
    """A trainer that stands at the newest of these checkpoints; at the start if there are none."""
    first, parts = newest_whole(saved)
    if first is None:
        return build_trainer(config, quiet=quiet)
    return taken_from(first, parts, config, quiet).trainer


def _arrays(before: dict, now: dict) -> list[str]:
    """What differs between two checkpoints of the same iteration."""
    # What callbacks remember may be seconds, or another thing that no training repeats.
    parts = (before.keys() | now.keys()) - {"provenance", "callbacks"}
    if before.get("history", {}).get("evaluated") != now.get("history", {}).get("evaluated"):
        # The signal that ended that run came in the middle of an evaluation, which it left out.
        parts -= {"history", "best", "best_net"}
    wrong = []
    for part in sorted(parts):
        a, b = before.get(part, {}), now.get(part, {})
        for name in sorted(a.keys() | b.keys()):
            if name not in a or name not in b:
                wrong.append(f"{part}/{name} is in one of them only")
            elif a[name].tobytes() != b[name].tobytes():
                wrong.append(f"{part}/{name}{_extent(a[name], b[name])}")
    return wrong


def _extent(a, b) -> str:
    if a.shape != b.shape or a.dtype.kind != "f":
        return ""
    different = a != b
    largest = np.abs(a[different] - b[different]).max(initial=0.0)
    return f" ({np.count_nonzero(different)} of {a.size} numbers, by up to {largest:.3g})"


def _rows(before: Path | File, now: Path | File, begin: int, end: int) -> list[str]:
    """The first row of the iterations after `begin`, up to `end`, in which two tables differ."""
    if not (before.exists() and now.exists()):
        return [f"{before.name} is {'there, and none is made' if before.exists() else 'missing'}"]
    a, b = (
        [row for row in _numbered(path) if begin < int(row[0]) <= end] for path in (before, now)
    )
    if before.name in _OF_EVALUATIONS and (not a or int(a[-1][0]) != end):
        # Only the end of a run gets an evaluation that was not due.
        b = [row for row in b if int(row[0]) != end]
    for one, other in itertools.zip_longest(a, b):
        if one != other:
            said = (ascii(",".join(row or ["no row"]))[1:-1][:200] for row in (one, other))
            return [
                "{} at iteration {}: {} before, {} now".format(
                    before.name, (one or other)[0], *said
                )
            ]
    return []


def _numbered(path: Path | File) -> list[list[str]]:
    """The rows of a table, each of which begins with an iteration."""
    _, rows = read_rows(path)
    for line, row in enumerate(rows, start=2):
        if not (row[0].isascii() and row[0].isdigit() and len(row[0]) < 20):
            raise RunError(f"{path}, line {line}: expects an iteration, got {row[0][:40]!r}")
    return rows


def _weights(before: Path | File, now: Path | File) -> list[str]:
    """What differs between two files of weights, number by number."""
    a, b = (read_npz(path, packed=False) for path in (before, now))
    parts = _arrays({"weights.npz": a}, {"weights.npz": b})
    return parts if a.keys() == b.keys() else [*parts, f"{before.name} has other names"]
