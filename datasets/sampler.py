"""Which rows the next batch has: what all samplers share."""

import numpy as np

from lamina.common.counts import is_count


class Sampler:
    """Endless batches: `next(sampler)` gives the numbers of `batch_size` rows.

    n: the rows of an epoch. begins: whether the batch given last begins anew, so that what a net
    carries from batch to batch is to be put back before it; in shuffled order every batch does.
    coming: the rows that the next batches are taken from, if they are worth being read ahead; a new
    array when they are others. `state()` and `load_state()` hold the place exactly. A data set
    chooses its sampler: `Dataset.sampler`.
    """

    n: int
    batch_size: int
    begins = True
    coming: np.ndarray | None = None

    def __iter__(self):
        return self

    def __next__(self) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no __next__")

    def state(self) -> dict[str, np.ndarray]:
        raise NotImplementedError(f"{type(self).__name__} has no state")

    def load_state(self, state: dict) -> None:
        """Go on where `state()` was taken. Raises ValueError if it belongs to other data."""
        raise NotImplementedError(f"{type(self).__name__} has no load_state")


def check_batch_size(batch_size: int, n: int) -> None:
    if not is_count(batch_size, 1) or batch_size > n:
        raise ValueError(
            f"batch_size: expects 1 to {n}, the number of training samples; got {batch_size}"
        )
