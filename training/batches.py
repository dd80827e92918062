"""The batches of a run: which samples, in what order, changed how; one state for all of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lamina.datasets import Samples
from lamina.datasets.sampler import Sampler


class Batch(NamedTuple):
    """The rows of the training set that were taken, their inputs (augmented) and their targets."""

    rows: np.ndarray
    X: object
    t: object


class Batches:
    """Endless batches of samples, in the order of a sampler; `augmentation` changes the inputs."""

    def __init__(
        self,
        samples: Samples,
        order: Sampler,
        augmentation: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        self.samples, self.order, self.augmentation = samples, order, augmentation
        # What checkpoints have a part of.
        self._stateful: Any = augmentation if hasattr(augmentation, "state") else None
        self._held: np.ndarray | None = None  # the rows that the samples have been told of

    @property
    def batch_size(self) -> int:
        return self.order.batch_size

    @property
    def begins(self) -> bool:
        """Whether the last batch begins anew: no row of it goes on where the one before ended."""
        return self.order.begins

    def __iter__(self):
        return self

    def __next__(self) -> Batch:
        if self._held is not self.order.coming:
            self._held = self.order.coming
            self.samples.hold(self._held)
        rows = next(self.order)
        X, t = self.samples[rows]
        if self.augmentation is not None:
            X = self.augmentation(X)
        return Batch(rows, X, t)

    def state(self) -> dict[str, dict]:
        """Parts for a checkpoint: "minibatches", and "augmentation" if there is one with a state;
        a plain function has none."""
        parts = {"minibatches": self.order.state()}
        return parts | {"augmentation": self._stateful.state()} if self._augments else parts

    def check_state(self, parts: dict[str, dict]) -> None:
        """Raises ValueError if it was taken with an augmentation and there is none now, or the
        other way round."""
        if self._augments != ("augmentation" in parts):
            words = ("without an", "with an")
            raise ValueError(
                f"Trainer: the state is of a run {words['augmentation' in parts]} augmentation, "
                f"but this one trains {words[self._augments]} augmentation"
            )

    def load_state(self, parts: dict[str, dict]) -> None:
        """Go on where `state()` was taken. Raises ValueError if it is of other data."""
        self.check_state(parts)
        self.order.load_state(parts["minibatches"])
        if self._augments:
            self._stateful.load_state(parts["augmentation"])

    @property
    def _augments(self) -> bool:
        return self._stateful is not None
