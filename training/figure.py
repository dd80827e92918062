"""By what a run is judged, as facts.json says it: what its tables cannot be read without."""

import copy
import dataclasses
import math

import numpy as np

from lamina.datasets.rows import pieces
from lamina.datasets.tasks.numbers import mean
from lamina.metrics import make_metric
from lamina.metrics.per_class import PerClass

CHUNK = 1_000_000  # numbers at a time
MOST_CLASSES = 100  # which are tried as the answer to all, the most frequent ones
TRIED = 1e8  # numbers that are gone through for these
NOTHING = 1e-12  # what rounding leaves of an r2 of 0
SURE = 20.0  # a score beside 0 of one that leaves no doubt


@dataclasses.dataclass(frozen=True)
class Drawn:
    """Who draws the answer to each sample, class c with probability shares[c]: by a figure for each
    class that is better than one answer for all, which never finds the others."""

    shares: np.ndarray


def figure_facts(trainer) -> dict | None:
    """Name, direction and limits of the metric that counts, whether it is a share, and what
    guessing scores on each set; None if the run is judged by its loss."""
    if not trainer.evaluator.metrics:
        return None
    metric, dataset = trainer.evaluator.metrics[0], trainer.dataset
    usual = _is_usual(metric, dataset.task)
    low, high = metric.limits
    answers = [] if usual else _answers(trainer)

    best = None if usual else _best_on(metric, answers, dataset.train)

    def guess(part: str) -> float | None:
        if usual:
            return rounded(dataset.guess(part))
        if best is None:
            return None
        value = _value(metric, best, dataset.sets()[part])
        preferring = not isinstance(best, Drawn) and best.ndim > 0
        if metric.limits[0] == 1.0 and preferring:  # where training lacks a class: no preference
            even = _value(metric, np.zeros_like(best), dataset.sets()[part])
            value = min((v for v in (value, even) if v is not None), default=None)
        return rounded(value)

    return {
        "name": metric.name,
        "higher_is_better": metric.higher_is_better,
        "limits": [low if math.isfinite(low) else None, high if math.isfinite(high) else None],
        "percent": metric.percent,
        "guess": guess("test"),
        "train_guess": guess("train"),
        "validation_guess": guess("validation") if dataset.validation is not None else None,
    }


def _is_usual(metric, task) -> bool:
    """Is it the first metric of the task, as the task would make it? It may leave out others."""
    if not task.metrics or metric.name != task.metrics[0]:
        return False
    made = make_metric(task.metrics[0], task.metric_options)
    ignored = (getattr(one, "ignore_index", None) for one in (metric, made))
    return type(metric) is type(made) and len({*ignored}) == 1


def sizes_facts(trainer) -> dict:
    """How many samples each set has, and how many targets of the test set count: of sequences one
    for each position."""
    dataset = trainer.dataset
    sizes = {
        "samples": len(dataset.train),
        "test_samples": len(dataset.test),
        "test_targets": dataset.task.n_targets(dataset.test.t) or None,
    }
    if dataset.validation is not None:
        sizes["validation_samples"] = len(dataset.validation)
    return sizes


def _best_on(metric, answers: list, samples) -> "np.ndarray | Drawn | None":
    """Which of some answers that are the same for all, or are drawn, scores best on a set: who
    guesses knows the training set alone. None where no such answer is known, or the best has
    nothing to guess, as who always says yes has in recall."""
    best, its = None, math.nan
    for answer in answers:
        value = _value(metric, answer, samples)
        if value is None:
            return None
        better = value > its if metric.higher_is_better else value < its
        if math.isfinite(value) and (best is None or better):
            best, its = answer, value
    return None if its in metric.limits else best


def _value(metric, answer: "np.ndarray | Drawn", samples) -> float | None:
    """What the metric says of that answer to all; None if it takes no such answers. Of one that is
    drawn: of the counts that are expected."""
    one = copy.deepcopy(metric)
    one.reset()
    row = np.zeros(len(answer.shares)) if isinstance(answer, Drawn) else answer
    try:
        for _, t in pieces(samples.t, CHUNK // max(row.size, 1)):
            one.update(np.broadcast_to(row, (len(t), *row.shape)), t)
        if isinstance(answer, Drawn):
            one.predictions = one.total * answer.shares
            one.hits = one.support * answer.shares
        value = float(one.value())
    except (TypeError, ValueError):
        return None
    return 0.0 if abs(value) < NOTHING else value


def _answers(trainer) -> "list[np.ndarray | Drawn]":
    """Outputs that could be the same for all samples: of classes the logarithms of their shares in
    the training set, and one class for all; of numbers mean and median. For figures of each class
    also who draws by those shares, or evenly. None for a metric that is not of this project: what
    it takes is not known."""
    if not type(trainer.evaluator.metrics[0]).__module__.startswith("lamina.metrics."):
        return []
    dataset, task = trainer.dataset, trainer.dataset.task
    t = dataset.train.t
    if task.name == "regression":
        several = math.prod(t.shape) <= CHUNK  # else all would have to be in memory
        return [mean(t), *([np.median(t[:], axis=0)] if several else [])]
    shape = trainer.net.output_shape(*dataset.input_shapes)
    if task.name != "classification" or t.ndim != 1 or np.ndim(shape[0]) or len(shape) != 1:
        return []
    n = max(*shape, 2)
    ignored = getattr(trainer.evaluator.metrics[0], "ignore_index", None)
    counts = np.zeros(n)
    for _, piece in pieces(t):
        counted = piece if ignored is None else piece[piece != ignored]
        counts += np.bincount(counted[counted >= 0], minlength=n)[:n]
    shares = np.log(np.maximum(counts / max(counts.sum(), 1.0), 1e-12))
    largest = max(len(samples) for samples in dataset.sets().values())
    tried = int(min(MOST_CLASSES, n, max(TRIED / (largest * n), 1)))
    answers = [shares, np.zeros(n)]
    answers += [SURE * (np.arange(n) == c) for c in (-counts).argsort(kind="stable")[:tried]]
    answers = [answer[1:] - answer[:1] for answer in answers] if shape == (1,) else answers
    if isinstance(trainer.evaluator.metrics[0], PerClass):
        known = counts / max(counts.sum(), 1.0)
        return [*answers, Drawn(known), Drawn(np.where(known > 0, 1.0, 0.0) / (known > 0).sum())]
    return answers


def percent_facts(trainer) -> dict[str, bool]:
    """Which metrics are shown in per cent: a reader of the tables cannot ask those of the user."""
    return {metric.name: bool(metric.percent) for metric in trainer.evaluator.metrics}


def rounded(value: float | None) -> float | None:
    """To six digits; None for what JSON does not have."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
