"""What a layer carries from one batch to the next."""

from typing import Any

import numpy as np

from lamina.autodiff import primal


class Carried:
    """Such as the hidden states at the end of sequences that the next batch goes on with: an array
    with a row for each sequence. No gradient goes through it (truncated backpropagation in time).

    It begins anew, at what the layer does without it, before the first batch, after `Layer.reset`,
    and for a batch of another number of rows, which are other sequences. It is in `Layer.state`,
    and so in checkpoints, but is no weight. Training and evaluation carry their own each: that of
    evaluation moves too, is never saved, and begins anew whenever a layer is put into evaluation.
    `shape` is that of a row.
    """

    __slots__ = ("data", "evaluated", "shape")

    def __init__(self, *shape: int):
        self.shape = shape
        nothing: Any = np.zeros((0, *shape), np.float32)  # no rows, yet; later any library's array
        self.data = self.evaluated = nothing

    def __repr__(self):
        return f"Carried {self.shape}, {len(self.data)} rows"

    def of(self, n: int, training: bool):
        """The rows for a batch of n, in this mode; None if it begins anew."""
        rows = self.data if training else self.evaluated
        return rows if len(rows) == n else None

    def update(self, rows, training: bool) -> None:
        """Replace the rows of this mode. Derivatives are stripped: it is a record, not a result."""
        rows = primal(rows).copy()  # not a view, which would hold on to all that it is a part of
        if rows.shape[1:] != self.shape:
            raise ValueError(f"Carried: expects rows of shape {self.shape}, got {rows.shape[1:]}")
        if training:
            self.data = rows
        else:
            self.evaluated = rows

    def reset(self, training: bool) -> None:
        """Begin anew in this mode."""
        self.update(np.zeros((0, *self.shape), np.float32), training)


def carried_by(layer) -> list[Carried]:
    """All that a layer or net carries, once each."""
    return [held for _, held in layer.walk() if isinstance(held, Carried)]
