"""The tables of a run: loss.csv, history.csv and timing.csv."""

import csv
import time
from pathlib import Path

import numpy as np

EVALUATION = ("iteration", "epoch", "loss", "train_accuracy", "test_accuracy", "lr")
TIMING = ("iteration", "seconds", "images_per_second", "recorder_seconds")


class History:
    """Collects what happens in a run and writes it as it comes.

    loss.csv has a row per iteration, history.csv a row per evaluation; timing.csv has the seconds,
    apart, so that the other two are the same bits for the same seed. `start` is the number of
    iterations done before, when a run goes on; its tables are then continued. Nothing is written
    without a folder. Losses are written at each evaluation and when the history is closed.
    """

    def __init__(self, folder: Path | None = None, start: int = 0):
        self.losses: list[float] = []
        self.evaluations: list[dict] = []
        self._start, self._evaluated, self._written = start, 0, 0
        self._started = time.perf_counter()
        self._tables = {}
        if folder is not None:
            for name, header in (
                ("loss", ("iteration", "loss")),
                ("history", EVALUATION),
                ("timing", TIMING),
            ):
                self._tables[name] = Table(folder / f"{name}.csv", header)

    def add_loss(self, loss: float) -> None:
        """The loss of the next iteration."""
        self.losses.append(loss)

    def mean_loss(self) -> float:
        """The mean loss of the iterations since the last evaluation."""
        return float(np.mean(self.losses[self._evaluated :]))

    def add_evaluation(
        self, row: dict, images: int, seconds: float, recorder_seconds: float = 0.0
    ) -> None:
        """One evaluation; `images` were trained on in `seconds` since the one before, of all the
        seconds of the run `recorder_seconds` went into looking after its health."""
        self.evaluations.append(row)
        self._evaluated = len(self.losses)
        if self._tables:
            self._write_losses()
            self._tables["history"].write(_text(row[key]) for key in EVALUATION)
            rate = f"{images / seconds:.0f}" if seconds else ""
            elapsed = f"{time.perf_counter() - self._started:.3f}"
            watching = f"{recorder_seconds:.3f}"
            self._tables["timing"].write((row["iteration"], elapsed, rate, watching))
            for table in self._tables.values():
                table.file.flush()

    def close(self) -> None:
        """Write what is left, whatever ended the run."""
        if self._tables:
            self._write_losses()
        for table in self._tables.values():
            table.file.close()

    def _write_losses(self) -> None:
        for i in range(self._written, len(self.losses)):
            self._tables["loss"].write((self._start + i + 1, f"{self.losses[i]:.9g}"))
        self._written = len(self.losses)


class Table:
    """A CSV file that is begun with its header, or continued."""

    def __init__(self, path: Path, header: tuple):
        new = not path.exists()
        self.file = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115  closed by History
        self.write = csv.writer(self.file, lineterminator="\n").writerow
        if new:
            self.write(header)


def _text(value) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """A CSV file of a run as columns of floats; an empty cell is NaN."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = np.array([[float(cell or "nan") for cell in row] for row in rows], ndmin=2)
    return dict(zip(header, columns.reshape(-1, len(header)).T, strict=True))
