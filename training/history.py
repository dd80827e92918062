"""What happens in a run: its losses and evaluations, and their tables."""

import contextlib
import time
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.folder import File, Folder, placed
from lamina.common.table import Table, read_table

BEFORE, AFTER = ("iteration", "epoch", "loss"), ("lr",)  # around the figures of the sets
TIMING = (
    *("iteration", "seconds", "samples_per_second"),
    *("checkpoint_seconds", "recorder_seconds"),
)


class History:
    """Collects losses and evaluations, and writes them into tables if it is given a folder.

    loss.csv has a row per iteration, history.csv a row per evaluation, with `columns` for the
    figures of the sets (train_loss, test_rmse, ...). timing.csv stands apart, so that these two are
    the same bits for the same seed: `seconds` of the whole run since it began to train, earlier
    parts of a run that went on included (one that is interrupted gets a row for it, without a
    rate), of one that was killed up to the last evaluation before its checkpoint;
    `samples_per_second` of the steps alone, since the evaluation before; and of `seconds` those for
    checkpoints and for the watch. `losses` and `evaluations` are those of this process, and
    `evaluated` is the iteration of the last evaluation.
    """

    def __init__(self, columns: tuple[str, ...] = ()):
        self.columns = (*BEFORE, *columns, *AFTER)
        self.losses: list[float] = []
        self.evaluations: list[dict] = []
        self.evaluated = 0
        self._since: list[float] = []  # losses since the last evaluation
        self._tables: dict[str, Table] = {}
        self._started = time.perf_counter()  # set anew when the run begins
        self.checkpoint_seconds, self.recorder_seconds = 0.0, 0.0

    def open(self, folder: str | Path | Folder, iteration: int) -> None:
        """Write tables into this folder: begin them, or continue those of a run that goes on after
        this iteration. Raises RunError, and changes nothing, if they do not reach up to it."""
        folder = placed(folder)
        if iteration:
            _check_reach(folder / "loss.csv", iteration, 1)
            _check_reach(folder / "history.csv", self.evaluated, None)
        # The evaluation at the end of a run goes; what it says of the time up to there stays true.
        spent: dict[str, float] = {}
        with contextlib.suppress(RunError):  # what is damaged there is cut off below
            spent = _last_row(folder / "timing.csv", iteration)
        self._tables = {
            "loss": Table(folder / "loss.csv", ("iteration", "loss"), iteration),
            "history": Table(folder / "history.csv", self.columns, self.evaluated),
            "timing": Table(folder / "timing.csv", TIMING, self.evaluated),
        }
        self._started = time.perf_counter()
        if spent := spent or _last_row(folder / "timing.csv", self.evaluated):
            self._started -= spent["seconds"]
            self.checkpoint_seconds = spent["checkpoint_seconds"]
            self.recorder_seconds = spent["recorder_seconds"]

    def add_loss(self, iteration: int, loss: float) -> None:
        """The loss of an iteration; its row is written at the next flush."""
        self.losses.append(loss)
        self._since.append(loss)
        if self._tables:
            self._tables["loss"].write((iteration, f"{loss:.9g}"))

    def mean_loss(self) -> float:
        """The mean loss of the iterations since the last evaluation."""
        return float(np.mean(self._since))

    def add_evaluation(self, row: dict, images: int, seconds: float) -> None:
        """One evaluation; since the one before, the steps took `seconds` for so many `images`. Of
        none, as where a run goes on from a checkpoint of just then, there is no speed."""
        self.evaluations.append(row)
        self.evaluated, self._since = row["iteration"], []
        if self._tables:
            self._tables["history"].write(_text(row[key]) for key in self.columns)
            known = images > 0 and seconds > 0
            self._add_timing(row["iteration"], f"{images / seconds:.0f}" if known else "")
            self.flush()

    def add_interruption(self, iteration: int) -> None:
        """The run ends here without an evaluation, and may go on: what it took counts then."""
        if self._tables:
            self._add_timing(iteration, "")

    def _add_timing(self, iteration: int, rate: str) -> None:
        elapsed = time.perf_counter() - self._started
        times = (elapsed, self.checkpoint_seconds, self.recorder_seconds)
        seconds, *aside = (f"{s:.3f}" for s in times)
        self._tables["timing"].write((iteration, seconds, rate, *aside))

    def flush(self, sync: bool = False) -> None:
        """Write what has been collected; with `sync`, down to the disk."""
        for table in self._tables.values():
            table.flush(sync)

    def state(self) -> dict[str, np.ndarray]:
        """What the next evaluation will say depends on."""
        return {"evaluated": np.array(self.evaluated), "losses": np.array(self._since, float)}

    def load_state(self, state: dict) -> None:
        """Go on where `state()` was taken. Raises ValueError for anything else."""
        if state["losses"].ndim != 1:
            raise ValueError(f"History: expects losses (n,), got {state['losses'].shape}")
        self.evaluated, self._since = int(state["evaluated"]), state["losses"].tolist()


def _check_reach(path: Path | File, last: int, step: int | None) -> None:
    """A table that was shortened by hand cannot be continued as if nothing had happened: a row
    for iteration `last` must be there, and if `step` is 1 for every one before."""
    present = read_table(path).get("iteration", np.empty(0))
    present = present[present <= last]
    if last and (last not in present or (step == 1 and len(present) != last)):
        raise RunError(
            f"{path}: expects the rows up to iteration {last}, which the checkpoint has behind it, "
            f"and has {len(present)} of them, the last for {int(max(present, default=0))}"
        )


def _last_row(path: Path | File, iteration: int) -> dict[str, float]:
    """The last row of timing.csv up to this iteration, {} without one."""
    if not iteration or not path.is_file():
        return {}
    table = read_table(path)
    past = np.flatnonzero(table.get("iteration", np.empty(0)) <= iteration)
    return {name: float(column[past[-1]]) for name, column in table.items()} if len(past) else {}


def _text(value) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)
