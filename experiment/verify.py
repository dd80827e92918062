"""Trains the last stretch of a run once more, and compares it bit by bit."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.npz import read_npz
from lamina.common.table import read_rows
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import Config
from lamina.experiment.resume import newest_whole, taken_from
from lamina.experiment.run_directory import locked, require_run
from lamina.training.checkpoint import load_checkpoint, saved_checkpoints
from lamina.training.trainer import Trainer

_TABLES = ("loss.csv", "history.csv", "timing.csv")


def verify(config: Config, run_dir: str | Path, quiet: bool = False) -> tuple[str, int]:
    """Train again from the last checkpoint but one (or from the start) to the last one, in a
    temporary directory, and compare parameters, states, losses, evaluations and, if the run ended
    there, the weights. Returns a line that says what came out, and 0 if all of it is the same, else
    1; or 128 + n if signal n came. Raises RunError if there is no checkpoint to compare with."""
    run_dir = Path(run_dir)
    require_run(run_dir)
    with locked(run_dir), tempfile.TemporaryDirectory() as folder:
        saved = saved_checkpoints(run_dir)
        last, there = newest_whole(saved)
        if last is None:
            raise RunError(f"{run_dir} has no checkpoint yet: nothing to verify")
        end = int(there["trainer"]["iteration"])
        trainer = _before(config, {n: p for n, p in saved.items() if n < end}, quiet)
        trainer.plan.iterations, trainer.plan.patience = end, None
        begin, again = trainer.iteration, Path(folder)
        for name in _TABLES if begin else ():
            shutil.copy(run_dir / name, again / name)
        trainer.run_dir = again
        trainer.run()
        if trainer.interrupted:
            return "verifying was interrupted", 128 + trainer.interrupted
        wrong = _arrays(there, load_checkpoint(again / last.name))
        for name in ("loss.csv", "history.csv"):
            wrong += _rows(run_dir / name, again / name, end)
        ended_here = max(map(int, _by_iteration(run_dir / "loss.csv"))) == end
        # Interrupted in its last evaluation, a run does not know whether that is the best.
        known = str(end) in _by_iteration(run_dir / "history.csv") or not trainer.best.keep
        if ended_here and known:
            wrong += _weights(run_dir / "weights.npz", again / "weights.npz")
    stretch = f"iterations {begin + 1} to {end} of {run_dir}"
    if wrong:
        return f"{stretch} come out differently: {'; '.join(wrong)}", 1
    return f"verified: {stretch} give the same bits again", 0


def _before(config: Config, saved: dict[int, Path], quiet: bool) -> Trainer:
    """A trainer that stands at the newest of these checkpoints; at the start if there are none."""
    first, parts = newest_whole(saved)
    if first is None:
        return build_trainer(config, quiet=quiet)
    return taken_from(first, parts, config, quiet).trainer


def _arrays(before: dict, now: dict) -> list[str]:
    """What differs between two checkpoints of the same iteration."""
    parts = (before.keys() | now.keys()) - {"provenance"}
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


def _rows(before: Path, now: Path, end: int) -> list[str]:
    """The first row, up to iteration `end`, in which two tables differ."""
    a, b = _by_iteration(before), _by_iteration(now)
    if str(end) not in a:  # only the end of a run gets an evaluation that was not due
        b.pop(str(end), None)
    for i in sorted((k for k in a.keys() | b.keys() if int(k) <= end), key=int):
        if a.get(i) != b.get(i):
            said = (",".join(row.get(i, ["no row"])) for row in (a, b))
            return ["{} at iteration {}: {} before, {} now".format(before.name, i, *said)]
    return []


def _by_iteration(path: Path) -> dict[str, list[str]]:
    """The rows of a table by what stands in their first cells."""
    _, rows = read_rows(path)
    for line, row in enumerate(rows, start=2):
        if not (row[0].isascii() and row[0].isdigit() and len(row[0]) < 20):
            raise RunError(f"{path}, line {line}: expects an iteration, got {row[0][:40]!r}")
    return {row[0]: row for row in rows}


def _weights(before: Path, now: Path) -> list[str]:
    """What differs between two files of weights, number by number."""
    a, b = read_npz(before), read_npz(now)
    parts = _arrays({"weights.npz": a}, {"weights.npz": b})
    return parts if a.keys() == b.keys() else [*parts, f"{before.name} has other names"]
