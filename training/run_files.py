"""What a run leaves in its directory beside the tables: checkpoints and weights."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamina.common.files import remove, unwritable, write_json
from lamina.common.folder import Folder
from lamina.layers.base import Layer
from lamina.nets.weights import save_weights
from lamina.training.checkpoint import Checkpoints, load_checkpoint
from lamina.training.described import describe_run, described
from lamina.training.figure import figure_facts, percent_facts, sizes_facts
from lamina.training.provenance import provenance_of, write_provenance

_OF_A_RUN = ("loss.csv", "history.csv", "weights.npz")


class RunFiles:
    """The files in `folder`; without one nothing is written. A `Folder` is held on to, also if it
    is renamed meanwhile. `provenance` goes into each checkpoint, to be read by whoever takes the
    run up."""

    def __init__(
        self,
        folder: Path | Folder | None,
        checkpoints: Checkpoints | None = None,
        provenance: dict[str, np.ndarray] | None = None,
    ):
        self.folder, self.checkpoints = folder, checkpoints or Checkpoints()
        self.provenance = provenance or {}
        self.saved = 0  # the iteration of the last checkpoint; the start needs none

    def claim(self, trainer) -> None:
        """Make the directory if need be, hold on to it, and describe the run in it. Raises
        FileExistsError if a run that begins would write over another."""
        folder = self._needed()
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.folder = folder = Folder(folder)
        except OSError as error:
            raise unwritable(folder, error) from error
        there = [name for name in _OF_A_RUN if (folder / name).exists()]
        if there and not trainer.iteration:
            raise FileExistsError(
                f"{folder}: there is a run already ({', '.join(there)}); choose another run_dir"
            )
        if not (folder / "config.yaml").exists():
            data = described(trainer)
            describe_run(folder / "config.yaml", data)
            write_provenance(folder, provenance_of(trainer, data))
        if not trainer.iteration:  # what a Diagnosis writes there has more
            said = sizes_facts(trainer)
            said |= {"figure": figure_facts(trainer), "percent": percent_facts(trainer)}
            write_json(folder / "facts.json", said)

    def let_go(self) -> None:
        """Hold on to the directory no longer; it is found by its name again."""
        if isinstance(self.folder, Folder):
            self.folder.close()

    def is_due(self, iteration: int) -> bool:
        """Is a checkpoint due after this iteration?"""
        return self.checkpoints.due(iteration)

    def save(self, state: dict[str, dict], iteration: int, best: int) -> Callable[[], dict]:
        """Write a checkpoint; returns what reads it again. `best` is the best evaluation's
        iteration."""
        parts = {**state, "provenance": self.provenance}
        path = self.checkpoints.save(self._needed(), parts, iteration, best)
        self.saved = iteration
        return functools.partial(load_checkpoint, path)

    def save_weights(self, net: Layer) -> None:
        """Write weights.npz: what prediction needs."""
        if self.folder is not None:
            save_weights(self.folder / "weights.npz", net)

    def outdate(self) -> None:
        """Take away weights.npz, where a run goes on: those of an earlier end, beside figures of
        later iterations, would be taken for what these are of."""
        if self.folder is not None:
            remove(self.folder / "weights.npz")

    def _needed(self) -> Path | Folder:
        """The folder, for what only a run with a directory does."""
        if self.folder is None:
            raise ValueError("RunFiles: has no folder to write into")
        return self.folder
