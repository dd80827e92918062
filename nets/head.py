"""A head of a net: a loss, and what it is given."""

import dataclasses
from typing import Any


@dataclasses.dataclass
class Head:
    """A loss: the blob of scores that it reads, the name of its targets, its weight in the sum."""

    loss: Any  # a Loss; a plain Layer may be one too, where nothing has to be added up
    input: str | None = None  # default: the first output
    target: str = "t"
    weight: float = 1.0

    def targets(self, name: str, t):
        """Those of this head, which the net calls `name`, among the targets of a batch: an array
        for all heads, or a dict by target. Raises ValueError if they are not in it."""
        if not isinstance(t, dict):
            return t
        if self.target not in t:
            raise ValueError(f"loss {name}: no targets {self.target}, got {', '.join(t)}")
        return t[self.target]
