"""How a run has ended: the figures of the weights that it has left, or why there are none."""

import dataclasses
from pathlib import Path

import numpy as np

from lamina.common.errors import no_run
from lamina.common.table import read_table
from lamina.diagnosis.figure import what_counts
from lamina.diagnosis.kept import kept_row
from lamina.diagnosis.notes import read_culprit, read_facts
from lamina.experiment.config import load_config
from lamina.experiment.groups import Settings, settings_in
from lamina.experiment.provenance import read_provenance

FAILED, NOTHING = "failed", "nothing"  # a NaN has ended it; it has come to no evaluation


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`figures`, {column of history.csv: value}, are those of the last evaluation, or with
    keep_best of the best one by the validation set; none if the run has `trouble`: FAILED or
    NOTHING. `counts` is the figure that counts, such as "accuracy", and whether more of it is
    better; "" if that is not known."""

    settings: Settings
    iteration: int  # of these figures
    iterations: int  # that the run has done
    figures: dict[str, float]
    counts: str
    higher_is_better: bool
    trouble: str = ""
    late: bool = False  # it has gone on since these figures, and has not come to others
    kept: bool = False  # these are of the best evaluation, which need not be the last
    has_weights: bool = True  # a run that is not over, or was killed, has none

    @property
    def which(self) -> str:
        """Which evaluation so far the figures of a run without weights are of."""
        return "the best one so far" if self.kept else "its last one"


def read_outcome(run_dir: str | Path) -> Outcome:
    """What the files of a run say of it. Raises OSError or ValueError if it is none, or if one of
    them is damaged."""
    run_dir = Path(run_dir)
    if not (run_dir / "config.yaml").is_file():
        raise ValueError(no_run(run_dir, "config.yaml"))
    data = load_config(run_dir / "config.yaml").data
    settings = settings_in(data, read_provenance(run_dir))
    history = _columns(run_dir / "history.csv")
    done = _columns(run_dir / "loss.csv").get("iteration", np.empty(0))
    iterations = int(done[-1]) if len(done) else 0
    facts = read_facts(run_dir / "facts.json")
    counts, higher = what_counts(facts, history)
    if read_culprit(run_dir / "culprit.json"):
        return Outcome(settings, 0, iterations, {}, counts, higher, FAILED)
    if not len(history.get("iteration", ())):
        return Outcome(settings, 0, iterations, {}, counts, higher, NOTHING)
    kept = kept_row(data, facts, history)
    row = -1 if kept is None else kept
    figures = {
        column: float(values[row])
        for column, values in history.items()
        if column.partition("_")[0] in ("train", "validation", "test")
    }
    at = int(history["iteration"][row])
    late = kept is None and at != iterations
    has_weights = (run_dir / "weights.npz").is_file()
    return Outcome(
        settings,
        at,
        iterations,
        figures,
        counts,
        higher,
        late=late,
        kept=kept is not None,
        has_weights=has_weights,
    )


def _columns(path: Path) -> dict[str, np.ndarray]:
    """A table, {} if it is not there or has not come to its first row."""
    return read_table(path) if path.is_file() and path.stat().st_size else {}
