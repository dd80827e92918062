"""A run from its configuration to its files; and the same run, going on where it was."""

import contextlib
import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lamina.common.errors import RunError
from lamina.common.folder import Folder
from lamina.common.notice import note
from lamina.common.ranks import Alone
from lamina.datasets.idx import IdxError
from lamina.diagnosis.doctor import glance
from lamina.diagnosis.notes import read_facts
from lamina.diagnosis.progress import risen
from lamina.diagnosis.recorded import guessing_loss_of
from lamina.experiment.build_trainer import build_run
from lamina.experiment.config import Config, save_config
from lamina.experiment.curves import percents, read_run
from lamina.experiment.plots import plot_curves
from lamina.experiment.provenance import provenance
from lamina.experiment.resume import resumed_trainer
from lamina.experiment.run_directory import claimed, locked, new_directory, refuse_used, require_run
from lamina.experiment.same_on_all_ranks import refuse_other_runs, refuse_other_software
from lamina.layers.errors import ShapeError
from lamina.training.provenance import write_provenance
from lamina.training.trainer import Trainer

RISEN = 1.2  # times the first loss: less may be the noise of one batch
# What a user's mistake or the world may raise; anything else is a bug and shows its traceback.
USER_ERRORS = (IdxError, ShapeError, FloatingPointError, RunError)


def run(
    config: Config,
    name: str,
    run_dir: str | Path | None = None,
    quiet: bool = False,
    callbacks: tuple = (),
    ranks: Alone | None = None,
) -> tuple[str, int]:
    """Train and leave the files of the run in run_dir (default: runs/<name>-<time>), on these
    `ranks`, all of which call this: see lamina.common.ranks. The first alone writes. `callbacks`
    are called beside those of the configuration.

    Returns a summary line and the exit status: 0, or 128 + n if signal n interrupted the run. The
    summary is of the weights that are left: those of the last evaluation, or with keep_best of the
    best one.
    """
    ranks = ranks or Alone()
    ranks.to_go_on("nothing has been written")
    refuse_other_software(ranks)
    if run_dir is not None:
        ranks.on_first(lambda: refuse_used(run_dir))
    trainer, config = build_run(config, quiet=quiet, ranks=ranks)
    trainer.files.provenance = provenance(trainer, config)
    refuse_other_runs(trainer)

    def taken(stack: contextlib.ExitStack) -> Folder:
        folder = stack.enter_context(claimed(run_dir or new_directory(name)))
        save_config(folder / "config.yaml", config)
        write_provenance(folder, trainer.files.provenance)
        return folder

    with contextlib.ExitStack() as stack:
        return _train(trainer, ranks.on_first(lambda: taken(stack)), callbacks)


def resume(
    config: Config,
    run_dir: str | Path,
    quiet: bool = False,
    callbacks: tuple = (),
    ranks: Alone | None = None,
) -> tuple[str, int]:
    """Go on in a run directory, from its newest whole checkpoint, exactly as if the run had never
    stopped. Returns what `run` returns."""
    run_dir, ranks = Path(run_dir), ranks or Alone()
    ranks.to_go_on(f"to go on: {_command(run_dir, ranks.size)}")
    refuse_other_software(ranks)
    ranks.on_first(lambda: require_run(run_dir))
    with contextlib.ExitStack() as stack:
        folder = ranks.on_first(lambda: stack.enter_context(locked(run_dir)))
        trainer, config = resumed_trainer(config, folder or run_dir, quiet, ranks)
        refuse_other_runs(trainer)

        def noted() -> None:
            save_config(folder / "config.yaml", config)
            write_provenance(folder, trainer.files.provenance)

        ranks.on_first(noted)
        return _train(trainer, folder, callbacks)


def _train(trainer: Trainer, folder: Any, callbacks: tuple) -> tuple[str, int]:
    """`folder` is the Folder of the run on the first rank, None on the others."""
    ranks, trainer.run_dir = trainer.ranks, folder
    if ranks.is_first:
        trainer.callbacks += callbacks
    if ranks.size > 1:
        ranks.to_go_on(f"to go on: {ranks.from_first(lambda: _command(folder, ranks.size))}")
    trainer.run()
    return ranks.from_first(lambda: _report(trainer, folder))


def _command(run_dir, n: int = 1) -> str:
    """What takes the run up again, on n ranks; other numbers would do as well. It is what was
    started: where Lamina is installed there may be no train.py."""
    launcher = f"mpiexec -n {n} " if n > 1 else ""
    train = "python train.py" if Path(sys.argv[0]).name == "train.py" else "lamina train"
    return f"{launcher}{train} --resume {shlex.quote(str(run_dir))}"


def _report(trainer: Trainer, folder: Folder) -> tuple[str, int]:
    """Draw the curves, and say in a line how the run has ended."""
    run_dir = folder.now()  # it may have been moved
    if trainer.interrupted:
        line = f"interrupted at iteration {trainer.iteration}; to go on: "
        return f"{line}{_command(run_dir, trainer.ranks.size)}", 128 + trainer.interrupted
    losses, history = read_run(folder)
    curves, kept = {run_dir.name: (losses, history)}, {run_dir.name: _kept(trainer, history)}
    plot_curves(folder / "curves.png", curves, run_dir.name, kept=kept, said=percents([folder]))
    first, last = losses["loss"][0], history["loss"][-1]
    if causes := glance(folder):
        command = f"lamina doctor {shlex.quote(str(run_dir))}"
        note(f"{command} finds: {causes}")
    elif last - first > (RISEN - 1.0) * abs(first) and risen(
        losses["loss"], _guessing_loss(folder), history.get("train_loss", ())
    ):
        note(
            f"the loss has risen, from {first:.3g} to {last:.3g}: "
            f"a smaller learning rate (lr {trainer.optimizer.base_lr:g}) usually helps"
        )
    return f"{_result(trainer, history)}, run in {run_dir}", 0


def _guessing_loss(folder: Folder) -> float | None:
    with contextlib.suppress(ValueError, OSError):  # it only bears on a note
        return guessing_loss_of(read_facts(folder / "facts.json"))
    return None


def _result(trainer: Trainer, history: dict) -> str:
    """The figures of every set, for the weights that are left."""
    i, evaluator = _kept(trainer, history), trainer.evaluator
    row = {column: float(history[column][-1 if i is None else i]) for column in evaluator.columns}
    result = ", ".join(f"{part} {evaluator.shown(row, part)}" for part in evaluator.sets)
    if i is not None:
        result += f" (best by the validation set, iteration {trainer.best.iteration})"
    if trainer.ended_by:
        result += f"; ended by {trainer.ended_by} at iteration {trainer.iteration}"
    return result


def _kept(trainer: Trainer, history: dict) -> int | None:
    """The row of the weights that keep_best has put back, if it has."""
    if not (trainer.best.keep and trainer.best.iteration):
        return None
    return int(np.flatnonzero(history["iteration"] == trainer.best.iteration)[0])
