"""What looks on at every step: stops a run at the first number that is infinite or NaN."""

import contextlib
import math
import time
from collections.abc import Callable

from lamina.layers.finite import first_bad_weight, first_not_finite
from lamina.layers.sparse_rows import entries


class NonFiniteError(FloatingPointError):
    """A loss, a gradient or a parameter is infinite or NaN: training cannot go on from it.

    `iteration` is that of the step (the first is 1), `noticed` says in a line what was noticed
    first, and `in_loss` whether that was the loss; `culprit` is what a search has found, or None
    (lamina.diagnosis.Diagnosis searches).
    """

    def __init__(
        self,
        iteration: int,
        noticed: str,
        said: str | None = None,
        culprit=None,
        *,
        in_loss: bool = False,
    ):
        self.iteration, self.noticed, self.culprit = iteration, noticed, culprit
        self.in_loss = in_loss
        super().__init__(said or noticed)


class Watch:
    """Checks losses, gradients and weights before the update, so that the weights which it would
    spoil are kept. `seconds` is the time that it has taken.

    A subclass may look at more: lamina.diagnosis.Diagnosis records the health of the layers, and
    finds out where a NaN came from.
    """

    def __init__(self):
        self.seconds = 0.0

    def started(self, trainer) -> None:
        """A run begins, or goes on; `trainer.run_dir` is known."""

    def around_step(self, trainer):
        """A context for the step that is about to be taken."""
        return contextlib.nullcontext()

    def loss(self, trainer, loss: float) -> None:
        """Raises NonFiniteError if the loss of this step is infinite or NaN."""
        if not math.isfinite(loss):
            noticed = f"the loss is {loss} at iteration {trainer.iteration + 1}"
            advice = f"a smaller learning rate (now {trainer.optimizer.lr:g}) usually helps"
            if not trainer.iteration:
                advice = "before any update: look at the inputs, the targets and the first weights"
            said = f"{noticed}; {advice}"
            raise NonFiniteError(trainer.iteration + 1, noticed, said, in_loss=True)

    def gradients(self, trainer) -> None:
        """Raises NonFiniteError if the gradient of a parameter is not finite."""
        started = time.perf_counter()
        total = 0.0
        for param in trainer.optimizer.parameters.values():
            gradient = entries(param.grad)
            if gradient is not None:
                flat = gradient if gradient.ndim == 1 else gradient.ravel("K")
                total += float(flat.dot(flat))  # adding NumPy's own scalars takes twice as long
        if not math.isfinite(total):
            _refuse_bad_gradient(trainer)
        self.seconds += time.perf_counter() - started

    def weights(self, trainer) -> None:
        """Raises NonFiniteError if a parameter is not, or a state such as a running mean is NaN."""
        started = time.perf_counter()
        if (name := first_bad_weight(trainer.net)) is not None:
            iteration = trainer.iteration
            raise NonFiniteError(iteration, f"{name} is not finite at iteration {iteration}")
        self.seconds += time.perf_counter() - started

    def evaluating(self, trainer):
        """An evaluation begins; returns what is told of the training set, batch by batch:
        `append((scores, targets))`. None: nobody."""

    def evaluated(self, trainer) -> None:
        """That evaluation is done."""

    def saved(self, load: Callable[[], dict]) -> None:
        """`load()` gives a good state of the trainer, from which a failure may be replayed."""

    def explained(self, trainer, error: NonFiniteError, check: Callable[[], None]):
        """The error to raise instead of this one; `check` raises Interrupted if a signal comes."""
        return error

    def flush(self, sync: bool = False) -> None:
        """Write what has been noted; with `sync`, down to the disk."""


def _refuse_bad_gradient(trainer) -> None:
    parameters = trainer.optimizer.parameters
    gradients = {n: entries(p.grad) for n, p in parameters.items() if p.grad is not None}
    if (name := first_not_finite(gradients)) is not None:
        iteration = trainer.iteration + 1
        raise NonFiniteError(
            iteration, f"the gradient of {name} is not finite at iteration {iteration}"
        )
