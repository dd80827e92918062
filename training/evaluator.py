"""How good a net is on each set of the data: its loss and metrics, from one pass over each."""

import math
from collections.abc import Callable, Iterable
from numbers import Real

import numpy as np

from lamina.datasets import Classification, Dataset, MultiLabel, Task
from lamina.datasets.tasks.base import LOSSES
from lamina.layers.carried import carried_by
from lamina.metrics import METRICS, Metric, make_metric
from lamina.training.parallel import len_of
from lamina.training.squashed import SQUASHES, is_one_of, last_before


class Evaluator:
    """Gives a row of figures: `<set>_loss` and `<set>_<metric>` for every set of a data set.

    `metrics` are names, or objects with the interface of lamina.metrics.Metric (default: those of
    the task). The first is the one that counts; without any it is the loss. Raises ValueError for
    unknown names, for two metrics of one name, for one's own under a name of this project, for
    those that are no single number, for those that the outputs of the net's loss do not fit, and
    for a net whose scores no loss has seen; when it is called, for a loss that does not fit the
    task, so that scores would be read in another way than they were learned.
    """

    def __init__(self, net, dataset: Dataset, metrics=None):
        self.net, self.dataset = net, dataset
        given = dataset.task.metrics if metrics is None else metrics
        self.metrics: list[Metric] = [_made(metric, dataset.task) for metric in given]
        names = ["loss", *(metric.name for metric in self.metrics)]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"metrics: {twice} stands twice; keep one")
        for metric in self.metrics:
            self._check_loss(metric)
        if message := misjudged(net, dataset.task):
            raise ValueError(message)
        self._fits: tuple | None = None  # the shape of scores that have been looked at
        self.sets = tuple(dataset.sets())
        self.columns = tuple(f"{part}_{name}" for part in self.sets for name in names)

    def _check_loss(self, metric) -> None:
        kinds = [cls.__name__ for cls in type(self.net.loss_of_scores).__mro__]
        kind = kinds[0]
        if self.net.gives_pairs and type(metric) in METRICS.values():
            raise ValueError(
                f"metrics: {metric.name} reads scores, and what {kind} takes are two vectors side "
                "by side: metrics: [] shows its loss alone"
            )
        if not set(kinds).isdisjoint(getattr(metric, "unfit", ())):
            raise ValueError(
                f"metrics: {metric.name} takes scores that a softmax makes probabilities of, and "
                f"those that {kind} takes are others; let the loss be {{type: SoftmaxWithLoss}}"
                + (", without the Softmax before it" if "CrossEntropyError" in kinds else "")
            )

    @property
    def counts(self) -> str:
        """The name of the figure that counts."""
        return self.metrics[0].name if self.metrics else "loss"

    @property
    def higher_is_better(self) -> bool:
        return bool(self.metrics) and self.metrics[0].higher_is_better

    def __call__(self, check: Callable[[], None] = lambda: None, seen=None) -> dict[str, float]:
        """{column: figure}, in evaluation mode. `check` is called before every batch; `seen` gets
        (scores, targets) of every batch of the training set."""
        row: dict[str, float] = {}
        for part, samples in self.dataset.sets().items():
            told = seen if part == "train" else None
            figures = self.figures(samples.batches(), check, told, samples.carries)
            row |= {f"{part}_{name}": value for name, value in figures.items()}
        return row

    def figures(
        self,
        batches: Iterable[tuple],
        check: Callable[[], None] = lambda: None,
        seen=None,
        carries: bool = False,
    ) -> dict[str, float]:
        """{"loss": ..., metric: ..., ...} of batches (X, t); `seen`, a list or what has an
        `append`, gets (scores, targets) of every batch, for whoever wants more of them. With
        `carries` each batch goes on where the last one ended (Samples.carries)."""
        for metric in self.metrics:
            metric.reset()
        sums: dict[str, list[float]] = {name: [0.0, 0.0] for name in self.net.heads}
        mode, carried, rows = self.net.training, carried_by(self.net), 0
        self.net.set_training(False)  # what is carried begins anew
        try:
            for X, t in batches:
                check()
                if not carries or len_of(X) != rows:  # other rows are other sequences
                    for held in carried:
                        held.reset(training=False)
                    rows = len_of(X)
                scores, losses = self.net.scores_and_losses(X, t)
                self._check_scores(scores)
                for name, (summed, weight) in losses.items():
                    sums[name][0] += summed
                    sums[name][1] += weight
                targets = self.targets(t)
                for metric in self.metrics:
                    metric.update(scores, targets)
                if seen is not None:
                    seen.append((scores, targets))
        finally:
            self.net.set_training(mode)
            self.net.forget()
        return {"loss": self._loss(sums), **{m.name: _value(m) for m in self.metrics}}

    def words(self, row: dict, part: str) -> list[str]:
        """Each metric of one set with its name: ["rmse 1.23", "r2 0.51"]."""
        return [f"{m.name} {m.shown(row[f'{part}_{m.name}'])}" for m in self.metrics]

    def shown(self, row: dict, part: str) -> str:
        """The figures of one set in words: "97.26 %", if that is the usual one of the task, else
        "rmse 1.23, r2 0.51"; "loss 0.12" without metrics."""
        if not self.metrics:
            return f"loss {row[f'{part}_loss']:.4g}"
        words = self.words(row, part)
        is_usual = self.counts == self.dataset.task.metrics[0]
        if len(words) == 1 and words[0].endswith("%") and is_usual:
            return words[0].removeprefix(f"{self.counts} ")
        return ", ".join(words)

    def _check_scores(self, scores) -> None:
        """Their shape is known for certain only when they are there."""
        shape, loss = np.shape(scores)[1:], self.net.loss_of_scores
        own = all(h.target != "t" for h in self.net.heads.values() if h.loss is loss)
        if not shape and not own and type(loss).__name__ in LOSSES:
            raise ValueError(
                "the net gives one number for a sample as (N,), which a loss takes for a single "
                "sample of N numbers: give (N, 1)"
            )
        if self._fits != shape and not own:  # of other targets than those of the task
            self.dataset.task.check_head(loss, shape)
            self._check_border(shape)
        self._fits = shape

    def _check_border(self, shape: tuple) -> None:
        """A yes is read from a score above 0, which what a Sigmoid gives always is."""
        task, readers = self.dataset.task, ("accuracy", "f1", "precision", "recall", "exact_match")
        if not isinstance(task, MultiLabel) and shape[-1:] != (1,):
            return
        reads = [m.name for m in self.metrics if type(m) in map(METRICS.get, readers)]
        try:
            found = last_before(self.net, self.net.outputs[0]) if reads else None
        except NotImplementedError:  # a net of one's own that does not say its steps
            return
        if found and is_one_of(found[1], SQUASHES):
            name, kind = found[0], type(found[1]).__name__
            raise ValueError(
                f"metrics: {reads[0]} takes a score above 0 for a yes, and those of {name} "
                f"({kind}) always are: let the loss take scores of any size, and take {name} out, "
                "or name metrics of your own"
            )

    def _loss(self, sums: dict) -> float:
        means = [
            (self.net.heads[name].weight, summed / weight if weight else math.nan)
            for name, (summed, weight) in sums.items()
        ]
        return sum(weight * mean for weight, mean in means) if means else math.nan

    def targets(self, t):
        """Those of the first output: what a net with several losses is judged by."""
        if not isinstance(t, dict):
            return t
        first = self.net.outputs[0]
        heads = [h for h in self.net.heads.values() if h.input == first] or [
            *self.net.heads.values()
        ]
        return t[heads[0].target]


def _value(metric: Metric) -> float:
    value = metric.value()
    if isinstance(value, Real) or (isinstance(value, np.ndarray) and value.shape == ()):
        return float(value)
    raise TypeError(
        f"{type(metric).__name__}.value(): expects a number, NaN if nothing counted, got "
        f"{value!r:.60}"
    )


def _made(metric, task) -> Metric:
    metric = make_metric(metric, task.metric_options)
    for name, cls in METRICS.items():
        if type(metric) is cls and metric.scalar:
            try:
                task.check_metric(name)
            except ValueError as error:
                raise ValueError(f"metrics: {error}") from None
    taken = METRICS.get(metric.name)
    if taken is not None and not isinstance(metric, taken):
        raise ValueError(
            f"metrics: {type(metric).__name__} calls itself {metric.name}, which is the name of "
            f"{taken.__name__}; give it one of its own, so that its figures are not taken for those"
        )
    if not metric.scalar:
        raise ValueError(f"metrics: {metric.name} is no single number; `lamina evaluate` shows it")
    return metric


def misjudged(net, task: Task) -> str:
    """What is wrong with a net that is judged by other numbers than its losses learn from: classes
    and labels are read from its first output as from scores, which a Softmax or Sigmoid behind
    those is not; "" if a loss reads it, or one of one's own, of which nothing is known."""
    losses = [type(head.loss).__name__ for head in net.heads.values()]
    scored = isinstance(task, (Classification, MultiLabel)) and set(losses) <= set(LOSSES)
    if not scored or not losses or net.loss_of_scores is not None:
        return ""
    name, head = next(iter(net.heads.items()))
    return (
        f"the net is judged by its first output, {net.outputs[0]}, which no loss reads "
        f"({name} reads {head.input}): let the outputs begin with {head.input}; "
        "probabilities are made of scores wherever they are asked for"
    )
