"""One pass over a set: the scores of the net, its figures, and the report of its task."""

import dataclasses
from pathlib import Path

import numpy as np

from lamina.datasets import LMDB, Classification, Dataset, Samples
from lamina.datasets.tasks import Task
from lamina.datasets.words import WordSamples
from lamina.experiment.evaluation import (
    classification,
    multilabel,
    pairs,
    reconstruction,
    regression,
    sequences,
    word_vectors,
)
from lamina.experiment.evaluation.pictures import Look, look_of
from lamina.training.evaluator import Evaluator

# Each has PICTURE, report(evaluation) -> str, and draw(path, evaluation) -> whether it drew one.
REPORTS = {
    "classification": classification,
    "regression": regression,
    "multilabel": multilabel,
    "language_model": sequences,
    "reconstruction": reconstruction,
}


_KEPT = 256 << 20  # bytes of scores and targets that a report is made of


@dataclasses.dataclass
class Evaluation:
    """What a net says about the samples of one set, beside what is right."""

    part: str
    samples: Samples
    task: Task
    rows: np.ndarray  # (N,) the samples that are kept: all, or some of many, drawn at random
    scores: np.ndarray  # (N, ...) of these
    targets: np.ndarray  # (N, ...)
    figures: dict[str, float]
    shown: str  # the figures in words
    vocabulary: tuple = ()  # of word vectors
    look: Look = dataclasses.field(default_factory=Look)  # of its inputs as pictures
    gap: int | None = None  # where in the tokens of a text the one stands that is asked for
    of_pairs: bool = False  # are its scores two vectors side by side, as ContrastiveLoss has them?

    @property
    def predictions(self) -> np.ndarray:
        return self.task.predictions(self.scores)

    def report(self) -> str:
        """The figures, and what the task shows of them."""
        n = len(self.samples)
        head = f"{self.part} set, {n:,} sample{'s' * (n != 1)}: {self.shown}"
        if words := self.of_how_many:
            head += f"\n\n{words}:"
        return f"{head}\n\n{self._kind.report(self)}"

    @property
    def of_how_many(self) -> str:
        """Of how many samples tables and pictures are, where that is not all of them."""
        few = len(self.rows) < len(self.samples)
        return f"of {len(self.rows):,} of them, drawn at random" if few else ""

    def draw(self, folder: str | Path) -> Path | None:
        """Draw the picture of the task into this folder; returns its path, None without one."""
        path = Path(folder) / self._kind.PICTURE
        return path if self._kind.draw(path, self) else None

    @property
    def of_words(self) -> bool:
        """Are its classes the places of words, as of word vectors, which mean nothing?"""
        return isinstance(self.samples, WordSamples)

    @property
    def _kind(self):
        if self.of_pairs:
            return pairs
        if self.of_words:
            return word_vectors
        if self.task.name == "classification" and self.targets.ndim > 1:
            return sequences
        return REPORTS[self.task.name]


def evaluate(net, dataset: Dataset, part: str = "test", metrics=None) -> Evaluation:
    """Evaluate a net on one set of a data set. Raises ValueError if there is no such set."""
    sets = dataset.sets()
    if part not in sets:
        raise ValueError(f"there is no {part} set; the data have {', '.join(sets)}")
    samples = sets[part]
    evaluator = Evaluator(net, dataset, metrics)
    seen = Spread(_KEPT)
    figures = evaluator.figures(samples.batches(), seen=seen, carries=samples.carries)
    row = {f"{part}_{name}": value for name, value in figures.items()}
    shown = ", ".join([f"loss {figures['loss']:.4g}", *evaluator.words(row, part)])
    rows, scores, targets = (np.concatenate(arrays) for arrays in zip(*seen.kept, strict=True))
    rows = rows if samples.order is None else samples.order[rows]
    of_pairs = net.gives_pairs
    if isinstance(dataset.task, Classification) and not of_pairs:
        targets = dataset.task.indices(targets)
    if not of_pairs:
        scores, targets = _beside(dataset.task, scores, targets)
    gap = getattr(dataset, "gap", None)
    vocabulary = getattr(dataset, "vocabulary", ())
    look = look_of(dataset.preparation, samples.X, isinstance(dataset, LMDB))
    return Evaluation(
        part=part,
        samples=samples,
        task=dataset.task,
        rows=rows,
        scores=scores,
        targets=targets,
        figures=figures,
        shown=shown,
        vocabulary=vocabulary,
        look=look,
        gap=gap,
        of_pairs=of_pairs,
    )


def _beside(task: Task, scores, targets) -> tuple:
    """Both without a last axis of 1 that the other does not have, which losses and metrics take:
    one score for two classes, one number."""
    shape = task.predictions(scores[:1]).shape[1:]
    if shape == (*targets.shape[1:], 1):
        return scores[..., 0], targets
    return scores, targets[..., 0] if targets.shape[1:] == (*shape, 1) else targets


LEAST = 1000  # rows that are kept in any case


class Spread:
    """`kept`: (rows, scores, targets) of the batches that it is given, all, or as many as `limit`
    bytes hold: if there are more, a half, a quarter, ... of the rows, drawn at random and always
    the same. Neighbours are often of one class."""

    def __init__(self, limit: int):
        self.limit = limit
        self.kept: list[tuple] = []
        self._share, self._rows, self._bytes = 1.0, 0, 0
        self._rng = np.random.default_rng(0)

    def append(self, batch: tuple) -> None:
        scores, targets = batch
        rows = np.arange(self._rows, self._rows + len(targets))
        self._rows += len(targets)
        self.kept.append(self._some((rows, scores, targets), self._share))
        self._bytes += _bytes(self.kept[-1])
        while self._bytes > self.limit and sum(len(rows) for rows, *_ in self.kept) > LEAST:
            self.kept, self._share = [self._some(one, 0.5) for one in self.kept], self._share / 2.0
            self._bytes = sum(map(_bytes, self.kept))

    def _some(self, arrays: tuple, share: float) -> tuple:
        """That share of the rows."""
        if share == 1.0:
            return arrays
        drawn = self._rng.random(len(arrays[0])) < share
        return tuple(array[drawn] for array in arrays)


def _bytes(arrays: tuple) -> int:
    return sum(array.nbytes for array in arrays)
