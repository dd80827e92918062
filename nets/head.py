"""A loss of a net: what it reads, and how much it counts."""

import dataclasses

from lamina.layers.loss import Loss


@dataclasses.dataclass
class Head:
    """A loss of a graph: the blob of scores that it reads, its targets, its weight in the sum."""

    loss: Loss
    input: str | None = None  # default: the first output
    target: str = "t"
    weight: float = 1.0
