"""Minibatches: shuffled passes over the data, without end."""

import numpy as np

from lamina.common.counts import check_count
from lamina.common.generators import generator_state, set_generator_state
from lamina.datasets.sampler import Sampler, check_batch_size

POOL = 256  # blocks of rows that are shuffled together


class Minibatches(Sampler):
    """Endless index arrays of `batch_size` rows; every row once per epoch, in a new random order.

    `rng` is a generator or a seed. A batch that reaches the end of an epoch goes on into the next
    one, so all batches have the same size, whatever the number of rows.

    With a `block` rows come from pools of about POOL blocks of so many neighbours: the blocks of
    an epoch are shuffled, and the rows of a pool. So they can be read in long stretches, those of
    a pool, `coming`, ahead. If there is only one pool, the shuffle is uniform.
    """

    def __init__(self, n: int, batch_size: int, rng, block: int | None = None):
        check_batch_size(batch_size, n)
        if block is not None:
            check_count("shuffle_block", block)
        self.n, self.batch_size, self.rng = n, batch_size, np.random.default_rng(rng)
        self.block = n if block is None else min(block, n)
        self.n_blocks = -(-n // self.block)
        self.n_pools = -(-self.n_blocks // POOL)
        self.pool = self.n_pools - 1  # as if an epoch had ended
        self._next_pool()

    def __next__(self):
        rows = self.order[self.cursor : self.cursor + self.batch_size]
        self.cursor += len(rows)
        while self.cursor == len(self.order):
            self._next_pool()
            missing = self.batch_size - len(rows)
            rows = np.concatenate([rows, self.order[:missing]]) if missing else rows
            self.cursor = min(missing, len(self.order))
        return rows

    def state(self):
        """The order, the place in it and the generator, as arrays."""
        order = self.order.astype(np.min_scalar_type(self.n - 1))  # a copy, of as few bytes as do
        place = {"order": order, "cursor": np.array(self.cursor)}
        if self.n_blocks > 1:
            blocks = self.blocks.astype(np.min_scalar_type(self.n_blocks - 1))
            place |= {"blocks": blocks, "pool": np.array(self.pool)}
        return place | {"rng": generator_state(self.rng)}

    def load_state(self, state):
        if ("blocks" in state) != (self.n_blocks > 1):
            raise ValueError("Minibatches: the saved order is of another shuffle_block")
        blocks, pool = state.get("blocks", np.zeros(1, np.intp)), int(state.get("pool", 0))
        order, cursor = state["order"].astype(np.intp), int(state["cursor"])
        blocks = blocks.astype(np.intp)
        if not (_is_permutation(blocks, self.n_blocks) and 0 <= pool < self.n_pools):
            raise ValueError("Minibatches: the saved order does not have every block once")
        rows = self._rows_of_pool(blocks, pool)
        if order.shape != rows.shape:
            raise ValueError(
                f"Minibatches: the saved order has {order.size} rows, the data {len(rows)}"
            )
        if not (np.array_equal(np.sort(order), rows) and 0 <= cursor < len(order)):
            raise ValueError("Minibatches: the saved order does not have every row once")
        self.order, self.cursor, self.blocks, self.pool = order, cursor, blocks, pool
        self.coming = rows if self.n_blocks > 1 else None
        set_generator_state(self.rng, state["rng"])

    def _next_pool(self) -> None:
        self.pool = (self.pool + 1) % self.n_pools
        if self.n_blocks == 1:  # a shuffle of all rows
            self.blocks, self.order = np.zeros(1, np.intp), self.rng.permutation(self.n)
        else:
            if self.pool == 0:
                self.blocks = self.rng.permutation(self.n_blocks)
            self.coming = self._rows_of_pool(self.blocks, self.pool)
            self.order = self.rng.permutation(self.coming)
        self.cursor = 0

    def _rows_of_pool(self, blocks: np.ndarray, pool: int) -> np.ndarray:
        # Pools differ by a block: a last one of a block or two would hardly be shuffled.
        first, last = (self.n_blocks * i // self.n_pools for i in (pool, pool + 1))
        begin = self.block * np.sort(blocks[first:last])
        rows = (begin[:, np.newaxis] + np.arange(self.block)).reshape(-1)
        return rows[rows < self.n]


def _is_permutation(numbers: np.ndarray, n: int) -> bool:
    return numbers.shape == (n,) and np.array_equal(np.sort(numbers), np.arange(n))
