"""Is a run what its configuration gives? Its last stretch once more, compared bit by bit."""

import shutil
import tempfile
from pathlib import Path

import numpy as np

from training.build_trainer import build_trainer
from training.checkpoint import load_checkpoint, saved_checkpoints
from training.config import Config
from training.resume import about, newest_whole, restore_from
from training.run_directory import locked

_TABLES = ("loss.csv", "history.csv", "timing.csv")


def verify(config: Config, run_dir: Path, quiet: bool = False) -> tuple[str, int]:
    """Train again from the last checkpoint but one (or from the start) to the last one, in a
    temporary directory, and compare parameters, states, losses, evaluations and, of a finished run,
    the weights. Returns a line that says what came out, and 0 if all of it is the same, else 1; or
    128 + n if signal n came. Raises CheckpointError if there is no checkpoint to compare with."""
    with locked(run_dir), tempfile.TemporaryDirectory() as folder:
        again = Path(folder)
        saved = saved_checkpoints(run_dir)
        last = newest_whole(saved)
        if last is None:
            raise ValueError(f"{run_dir} has no checkpoint yet: nothing to verify")
        before = {n: p for n, p in saved.items() if p.name < last.name}
        first = newest_whole(before)
        end = int(load_checkpoint(last)["trainer"]["iteration"])
        finished = end == config.data["training"]["iterations"]
        config.data["training"]["iterations"] = end
        if first is None:
            trainer = build_trainer(config, quiet=quiet)
        else:
            trainer = restore_from(first, config, quiet)
            for name in _TABLES:
                shutil.copy(run_dir / name, again / name)
        begin = trainer.iteration
        trainer.run_dir, trainer.about = again, about(trainer, config)
        trainer.run()
        if trainer.interrupted:
            return "verifying was interrupted", 128 + trainer.interrupted
        wrong = _arrays(load_checkpoint(last), load_checkpoint(again / last.name))
        wrong += _rows(run_dir / "loss.csv", again / "loss.csv", end)
        wrong += _rows(run_dir / "history.csv", again / "history.csv", end)
        if finished:
            wrong += _weights(run_dir / "weights.npz", again / "weights.npz")
    if wrong:
        stretch = f"iterations {begin + 1} to {end} of {run_dir}"
        return f"{stretch} come out differently: {'; '.join(wrong)}", 1
    return f"verified: iterations {begin + 1} to {end} of {run_dir} give the same bits again", 0


def _arrays(before: dict, now: dict) -> list[str]:
    """What differs between two checkpoints of the same iteration."""
    parts = (before.keys() | now.keys()) - {"about"}
    if before["history"]["evaluated"] != now["history"]["evaluated"]:
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
    a, b = (
        {int(row.partition(",")[0]): row for row in path.read_text().splitlines()[1:]}
        for path in (before, now)
    )
    if end not in a:  # only the end of a run gets an evaluation that was not due
        b.pop(end, None)
    for i in sorted(k for k in a.keys() | b.keys() if k <= end):
        if a.get(i) != b.get(i):
            return [f"{before.name} at iteration {i}: {a.get(i)} before, {b.get(i)} now"]
    return []


def _weights(before: Path, now: Path) -> list[str]:
    return [] if before.read_bytes() == now.read_bytes() else [f"{before.name} has other weights"]
