"""What a net answers on its training set, output by output: outputs.csv, some rows an evaluation.

    iteration, output, counted, samples, predicted, right, low, high

A row for each class or label: how many samples there are, are of it, were predicted as it, and
both; low and high are the ends of its scores. Where there are no classes, or more than MOST, one
row, (all), has the ends alone. The counts show a class that is never found behind a fine accuracy,
the ends a last layer that squashes what it gives. The rows are the same bits for the same seed.
"""

import contextlib
import time
from pathlib import Path

import numpy as np

from lamina.common.folder import Folder, placed
from lamina.common.table import Table
from lamina.metrics import Recall

OUTPUTS = ("iteration", "output", "counted", "samples", "predicted", "right", "low", "high")
MOST = 100  # classes that are told apart
_FOLD = 10  # rows whose numbers lie side by side: NumPy is slow on narrow ones


class Answers:
    """Takes in the batches of an evaluation, `append((scores, targets))` each, and writes its rows.

    `begin` forgets an evaluation that was broken off.
    """

    def __init__(self, folder: str | Path | Folder, trainer):
        # The last evaluation of a run that goes on was not of the run that never stopped.
        self._table = Table(placed(folder) / "outputs.csv", OUTPUTS, trainer.history.evaluated)
        task, self._recall = trainer.dataset.task, None
        of_classes = not trainer.net.gives_pairs
        if of_classes and task.name in ("classification", "multilabel", "language_model"):
            self._recall = Recall(**task.metric_options)
        self.flush = self._table.flush
        self.begin()

    def begin(self) -> None:
        self.seconds = 0.0
        if self._recall is not None:
            self._recall.reset()
        self._ends: tuple[np.ndarray, np.ndarray] | None = None  # the lowest and highest scores

    def append(self, batch: tuple) -> None:
        started = time.perf_counter()
        self._take_in(*batch)
        self.seconds += time.perf_counter() - started

    def _take_in(self, scores, targets) -> None:
        if not isinstance(scores, np.ndarray) or not scores.ndim or not scores.size:
            return
        rows = scores.reshape(-1, scores.shape[-1])
        low, high = _ends(rows)
        if self._ends is not None and self._ends[0].shape == low.shape:
            low, high = np.minimum(self._ends[0], low), np.maximum(self._ends[1], high)
        self._ends = low, high
        if self._recall is not None and scores.shape[-1] <= MOST:
            with contextlib.suppress(TypeError, ValueError):  # a net that answers something else
                self._recall.update(scores, targets)

    def write(self, iteration: int) -> None:
        if self._ends is None:
            return
        lowest, highest = self._ends
        counts = self._recall
        if counts is None or not counts.n_classes:
            self._row(iteration, "(all)", ("", "", "", ""), lowest.min(), highest.max())
            return
        ends = zip(*np.broadcast_arrays(lowest, highest, counts.hits)[:2], strict=True)
        numbers = zip(counts.support, counts.predictions, counts.hits, strict=True)
        for i, (three, (low, high)) in enumerate(zip(numbers, ends, strict=True)):
            self._row(iteration, i, (counts.total, *three), low, high)

    def _row(self, iteration: int, output, counts, low, high) -> None:
        self._table.write((iteration, output, *counts, f"{low:.6g}", f"{high:.6g}"))


def _ends(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and the largest number of each column."""
    whole = len(rows) // _FOLD * _FOLD
    parts = [rows[whole:]]
    if whole:
        folded = np.ascontiguousarray(rows[:whole]).reshape(whole // _FOLD, -1)
        ends = (folded.min(axis=0), folded.max(axis=0))
        parts += [end.reshape(_FOLD, -1) for end in ends]
    together = np.concatenate(parts)
    return together.min(axis=0), together.max(axis=0)
