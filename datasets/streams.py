"""Batches that go on where the last one ended: several streams of rows side by side."""

import numpy as np

from lamina.datasets.dataset import Samples
from lamina.datasets.sampler import Sampler, check_batch_size


class Streams(Sampler):
    """n rows in their order, cut into `batch_size` stretches of L = n // batch_size rows.

    Row i of batch k is row i · L + k: it follows row i of batch k - 1, which is what truncated
    backpropagation through time carries its state along. An epoch has L batches; with the next one
    all streams begin anew, which `begins` says. The last n - L · batch_size rows, fewer than a
    batch, are left out. Nothing is drawn: the order is always the same.

    Source: Mikolov et al. 2010; the batches of the usual language models on Penn Treebank.
    """

    def __init__(self, n: int, batch_size: int):
        check_batch_size(batch_size, n)
        self.batch_size, self.length = batch_size, n // batch_size
        self.n = self.length * batch_size
        self._heads = np.arange(batch_size) * self.length
        self.cursor = 0
        self.begins = True

    def __next__(self):
        self.begins = self.cursor == 0
        rows = self._heads + self.cursor
        self.cursor = (self.cursor + 1) % self.length
        return rows

    def state(self):
        return {"cursor": np.array(self.cursor), "streams": np.array([self.batch_size, self.n])}

    def load_state(self, state):
        cursor, saved = int(state["cursor"]), [int(number) for number in state["streams"]]
        if saved != [self.batch_size, self.n] or not 0 <= cursor < self.length:
            raise ValueError(
                f"Streams: the saved place is batch {cursor} of streams and rows {saved}, but here "
                f"{self.length} batches have {[self.batch_size, self.n]}"
            )
        self.cursor = cursor


class StreamSamples(Samples):
    """Samples that follow one another: evaluated in streams too, so that a net which carries a
    state is judged as it is trained.

    `batches()` gives all rows: those of up to MOST streams of FEWEST rows or more side by side,
    all equally long. The rows that are left over, fewer than there are streams, follow one by one
    as a stream of their own.
    """

    carries = True
    MOST, FEWEST = 50, 20

    @property
    def order(self):
        return np.concatenate(list(self._rows()))

    def batches(self, rows: int | None = None):
        """As of Samples, with `rows` streams instead."""
        for each in self._rows(rows):
            yield self[each]

    def _rows(self, streams: int | None = None):
        n = len(self)
        streams = min(streams or min(max(n // self.FEWEST, 1), self.MOST), n)
        length = n // streams
        heads = np.arange(streams) * length
        for k in range(length):
            yield heads + k
        for row in range(streams * length, n):
            yield np.array([row])
