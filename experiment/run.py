"""A run from its configuration to its files; and the same run, going on where it was."""

import shlex
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.folder import Folder
from lamina.common.notice import note
from lamina.datasets.idx import IdxError
from lamina.diagnosis.doctor import glance
from lamina.experiment.build_trainer import build_run
from lamina.experiment.config import Config, save_config
from lamina.experiment.curves import read_run
from lamina.experiment.plots import plot_curves
from lamina.experiment.provenance import provenance, write_provenance
from lamina.experiment.resume import resumed_trainer
from lamina.experiment.run_directory import claimed, locked, new_directory, refuse_used, require_run
from lamina.layers.errors import ShapeError
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
) -> tuple[str, int]:
    """Train and leave the files of the run in run_dir (default: runs/<name>-<time>). `callbacks`
    are called beside those of the configuration.

    Returns a summary line and the exit status: 0, or 128 + n if signal n interrupted the run. The
    summary is of the weights that are left: those of the last evaluation, or with keep_best of the
    best one.
    """
    if run_dir is not None:
        refuse_used(run_dir)
    trainer, config = build_run(config, quiet=quiet)
    run_dir = Path(run_dir) if run_dir else new_directory(name)
    with claimed(run_dir) as folder:
        save_config(folder / "config.yaml", config)
        trainer.files.provenance = provenance(trainer, config)
        write_provenance(folder, trainer.files.provenance)
        return _train(trainer, folder, callbacks)


def resume(
    config: Config, run_dir: str | Path, quiet: bool = False, callbacks: tuple = ()
) -> tuple[str, int]:
    """Go on in a run directory, from its newest whole checkpoint, exactly as if the run had never
    stopped. Returns what `run` returns."""
    run_dir = Path(run_dir)
    require_run(run_dir)
    with locked(run_dir) as folder:
        trainer, config = resumed_trainer(config, folder, quiet=quiet)
        save_config(folder / "config.yaml", config)
        write_provenance(folder, trainer.files.provenance)
        return _train(trainer, folder, callbacks)


def _train(trainer: Trainer, folder: Folder, callbacks: tuple) -> tuple[str, int]:
    trainer.run_dir = folder
    trainer.callbacks += callbacks
    trainer.run()
    return _report(trainer, folder)


def _report(trainer: Trainer, folder: Folder) -> tuple[str, int]:
    """Draw the curves, and say in a line how the run has ended."""
    run_dir = folder.now()  # it may have been moved
    if trainer.interrupted:
        line = f"interrupted at iteration {trainer.iteration}; to go on: "
        command = f"python train.py --resume {shlex.quote(str(run_dir))}"
        return f"{line}{command}", 128 + trainer.interrupted
    losses, history = read_run(folder)
    plot_curves(folder / "curves.png", {run_dir.name: (losses, history)}, run_dir.name)
    first, last = losses["loss"][0], history["loss"][-1]
    if causes := glance(folder):
        command = f"lamina doctor {shlex.quote(str(run_dir))}"
        note(f"{command} finds: {causes}")
    elif last > RISEN * first:
        note(
            f"the loss has risen, from {first:.3g} to {last:.3g}: "
            f"a smaller learning rate (now {trainer.optimizer.lr:g}) usually helps"
        )
    return f"{_result(trainer, history)}, run in {run_dir}", 0


def _result(trainer: Trainer, history: dict) -> str:
    """The figures of every set, for the weights that are left."""
    i, evaluator = -1, trainer.evaluator
    kept = trainer.best.keep and trainer.best.iteration
    if kept:
        i = int(np.flatnonzero(history["iteration"] == trainer.best.iteration)[0])
    row = {column: float(history[column][i]) for column in evaluator.columns}
    result = ", ".join(f"{part} {evaluator.shown(row, part)}" for part in evaluator.sets)
    if kept:
        result += f" (best by the validation set, iteration {trainer.best.iteration})"
    if trainer.ended_by:
        result += f"; ended by {trainer.ended_by} at iteration {trainer.iteration}"
    return result
