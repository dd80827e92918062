"""The tables of a run: loss.csv, history.csv and timing.csv."""

import csv
import time
from pathlib import Path

import numpy as np

EVALUATION = ("iteration", "epoch", "loss", "train_accuracy", "test_accuracy", "lr")


class History:
    """Collects what happens in a run and writes it as it comes.

    loss.csv has a row per iteration, history.csv a row per evaluation; timing.csv has the seconds,
    apart, so that the other two are the same bits for the same seed. Nothing is written without a
    folder.
    """

    def __init__(self, folder: Path | None = None):
        self.losses: list[float] = []
        self.evaluations: list[dict] = []
        self._files = {}
        self._started = time.perf_counter()
        self._written = 0
        if folder is not None:
            self._open(folder, "loss", ("iteration", "loss"))
            self._open(folder, "history", EVALUATION)
            self._open(folder, "timing", ("iteration", "seconds", "images_per_second"))

    def _open(self, folder: Path, name: str, header: tuple) -> None:
        file = open(folder / f"{name}.csv", "w", newline="", encoding="utf-8")  # noqa: SIM115
        self._files[name] = (file, csv.writer(file, lineterminator="\n"))
        self._files[name][1].writerow(header)

    def add_loss(self, loss: float) -> None:
        self.losses.append(loss)

    def add_evaluation(self, row: dict, images: int, seconds: float) -> None:
        """One evaluation; `images` were trained on in `seconds` since the one before."""
        self.evaluations.append(row)
        if self._files:
            new = self.losses[self._written :]
            numbered = enumerate(new, self._written + 1)
            self._files["loss"][1].writerows((i, f"{loss:.9g}") for i, loss in numbered)
            self._written = len(self.losses)
            self._files["history"][1].writerow(_text(row[key]) for key in EVALUATION)
            rate = f"{images / seconds:.0f}" if seconds else ""
            elapsed = f"{time.perf_counter() - self._started:.3f}"
            self._files["timing"][1].writerow((row["iteration"], elapsed, rate))
            for file, _ in self._files.values():
                file.flush()

    def close(self) -> None:
        for file, _ in self._files.values():
            file.close()


def _text(value) -> str:
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def read_table(path: Path) -> dict[str, np.ndarray]:
    """A CSV file of a run as columns of floats."""
    with open(path, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    columns = np.array([[float(cell) for cell in row] for row in rows], ndmin=2)
    return dict(zip(header, columns.reshape(-1, len(header)).T, strict=True))
