"""Minibatches: shuffled passes over the data, without end."""

import numpy as np

from lamina.common.generators import generator_state, set_generator_state


class Minibatches:
    """Endless index arrays of `batch_size` rows; every row once per epoch, in a new random order.

    `rng` is a generator or a seed.

    A batch that reaches the end of an epoch goes on into the next one, so all batches have the
    same size, whatever the number of rows. `state()` and `load_state()` hold the place exactly.
    """

    def __init__(self, n: int, batch_size: int, rng):
        if not 1 <= batch_size <= n:
            raise ValueError(
                f"batch_size: expects 1 to {n}, the number of training samples; got {batch_size}"
            )
        self.n, self.batch_size, self.rng = n, batch_size, np.random.default_rng(rng)
        self.order, self.cursor = self.rng.permutation(n), 0

    def __iter__(self):
        return self

    def __next__(self) -> np.ndarray:
        rows = self.order[self.cursor : self.cursor + self.batch_size]
        self.cursor += self.batch_size
        if self.cursor >= self.n:
            self.order, self.cursor = self.rng.permutation(self.n), self.cursor - self.n
            rows = np.concatenate([rows, self.order[: self.cursor]])
        return rows

    def state(self) -> dict[str, np.ndarray]:
        """The order, the place in it and the generator, as arrays."""
        order = self.order.astype(np.min_scalar_type(self.n - 1))  # a copy, of as few bytes as do
        place = {"order": order, "cursor": np.array(self.cursor)}
        return place | {"rng": generator_state(self.rng)}

    def load_state(self, state: dict) -> None:
        """Go on where `state()` was taken. Raises ValueError if it belongs to other data."""
        order, cursor = state["order"].astype(self.order.dtype), int(state["cursor"])
        if order.shape != self.order.shape:
            raise ValueError(
                f"Minibatches: the saved order has {order.size} rows, the data {self.n}"
            )
        if not (np.array_equal(np.sort(order), np.arange(self.n)) and 0 <= cursor < self.n):
            raise ValueError("Minibatches: the saved order does not have every row once")
        self.order, self.cursor = order, cursor
        set_generator_state(self.rng, state["rng"])
