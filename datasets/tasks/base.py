"""What all tasks have: targets, what a net must give for them, which losses fit, what counts.

A task knows no layer and no metric: it names them. `metrics[0]` is the metric that counts (what
chooses looks at it, and `guess` says what it is worth), `losses[0]` the loss to recommend.
"""

import numpy as np

from lamina.datasets.tasks.words import listed

# What each of the house's losses compares; one that is not listed is the user's own.
LOSSES = {
    "SoftmaxWithLoss": "a score for each class with the right class",
    "CrossEntropyError": "a probability for each class with the right class",
    "SVMLoss": "a score for each class with the right class",
    "NegativeSamplingLoss": "a score for each of a few words with the right one",
    "SigmoidWithLoss": "scores with 0 or 1 each",
    "SquaredErrorLoss": "numbers with numbers",
    "AbsoluteErrorLoss": "numbers with numbers",
    "HuberLoss": "numbers with numbers",
}


class Task:
    """What all tasks have. Subclasses: Classification, Regression, MultiLabel, LanguageModel,
    Reconstruction.

    name, metrics and losses are texts; shapes are those of one sample, without the batch axis.
    `metric_options` are arguments for the metrics that know them. Equal facts, equal tasks.
    Targets are arrays, or Rows of files, which need not fit into memory and are read in pieces.
    """

    name = ""
    metrics: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    loss_settings: tuple[str, ...] = ()  # of losses, with which it knows what guessing costs
    fitting: tuple[str, ...] = ()  # more metrics of the house that say something here
    ignore_index: int | None = None  # the target of positions that do not count

    def target_shape(self, t) -> tuple[int, ...]:
        """The shape of one target, given all of them."""
        return tuple(np.shape(t)[1:])

    def output_shape(self, target_shape: tuple = ()) -> tuple[int, ...]:
        """The output that a net must have for targets of this shape."""
        raise NotImplementedError(f"{type(self).__name__} has no output_shape")

    def n_targets(self, t) -> int:
        """How many targets count: one a sample, or one for each position of it."""
        return len(t)

    def check_output(self, shape: tuple, target_shape: tuple = ()) -> None:
        """Raises ValueError unless a net that gives `shape` for a sample can learn this."""
        shape, wanted = tuple(shape), self.output_shape(tuple(target_shape))
        if shape != wanted:
            raise ValueError(
                f"gives {shape} for a sample, but the data have {self._content()}, and need "
                f"{wanted}{self._cure(shape, wanted)}"
            )

    def check_loss(self, loss_name: str, output_shape: tuple = ()) -> None:
        """Raises ValueError, and names the right one, if a loss of the house does not fit. A loss
        whose name is not known is let through."""
        if loss_name in LOSSES and loss_name not in self.losses:
            others = f" (or {', '.join(self.losses[1:])})" if self.losses[1:] else ""
            raise ValueError(
                f"{loss_name} compares {LOSSES[loss_name]}, but the data have {self._content()}: "
                f"take {{type: {self.losses[0]}}}{others}"
            )

    def check_head(self, loss, output_shape: tuple = ()) -> None:
        """Raises ValueError unless this loss, which reads the scores, fits: its kind, and the
        positions that it leaves out. What it has no setting for is not asked."""
        self.check_loss(type(loss).__name__, output_shape)
        if hasattr(loss, "ignore_index"):
            self.check_ignore_index(loss.ignore_index)

    def check_metric(self, name: str) -> None:
        """Raises ValueError, and names those that fit, if a metric of the house says nothing about
        this task: a distance between classes, a share of numbers that are exactly right."""
        fitting = (*self.metrics, *self.fitting)
        if name not in fitting:
            raise ValueError(
                f"{name} says nothing here, since the data have {self._content()}: take "
                f"{', '.join(fitting)}"
            )

    def check_ignore_index(self, given: int | None) -> None:
        """Raises ValueError unless a loss leaves out the same positions as the task."""
        if given != self.ignore_index:
            cure = (
                f"ignore_index: {self.ignore_index}"
                if self.ignore_index is not None
                else "no ignore_index there, or the same one for the data set"
            )
            raise ValueError(
                f"ignore_index is {given} for the loss, but {self.ignore_index} for the data: "
                f"give the loss {cure}"
            )

    def check_targets(self, t) -> None:
        """Raises TypeError or ValueError, saying what was expected and found, unless all of t
        (N, ...) can be targets of this task. The one check, for all that use targets."""
        raise NotImplementedError(f"{type(self).__name__} has no check_targets")

    def guess(self, train_t, t) -> float | None:
        """What guessing by the training targets scores on the targets t, by metrics[0]."""
        return None

    def guessing_loss(self, loss_name: str, train_t, width: int | None = None) -> float | None:
        """The loss per sample of the best scores that are the same for every sample; None if not
        known. Of numbers the loss adds up the last axis of the outputs, `width`: that of the
        targets unless the outputs have one of 1 more. A task that knows what other settings of a
        loss than its defaults cost takes those of `loss_settings` as further arguments."""
        return None

    def predictions(self, scores) -> np.ndarray:
        """What scores (N, ...) say, in the form of targets; of classes and labels UNKNOWN, which no
        target is, where scores are NaN."""
        return scores

    def shown(self, prediction) -> str:
        """One prediction or target in words."""
        return listed(f"{float(value):.4g}" for value in np.ravel(prediction))

    @property
    def metric_options(self) -> dict:
        """Arguments for each metric that takes them."""
        return {} if self.ignore_index is None else {"ignore_index": self.ignore_index}

    def facts(self) -> dict:
        """What a run keeps of its task, in JSON's types; see `task_from_facts`."""
        return {"task": self.name}

    def _content(self) -> str:
        """What the targets are, for errors: "10 classes"."""
        raise NotImplementedError(f"{type(self).__name__} has no _content")

    def _cure(self, shape: tuple, wanted: tuple) -> str:
        if not shape or shape[:-1] == wanted[:-1]:
            return f": let the last layer be {{type: Affine, n_out: {wanted[-1]}}}"
        return ""

    def __eq__(self, other):
        return isinstance(other, Task) and self.facts() == other.facts()

    def __hash__(self):
        return hash((self.name, self._content()))

    def __repr__(self):
        return f"{type(self).__name__}({self._content()})"
