"""What an experiment of the ledger is: figures with the bands that they are expected in."""

import dataclasses
import inspect
import math
from typing import Any


@dataclasses.dataclass(frozen=True)
class Band:
    """A figure, and from where to where it is expected, both included; a NaN is in no band. `why`
    says where that comes from. What is fixed here was fixed before the experiment was run."""

    what: str
    low: float
    high: float = math.inf
    unit: str = ""
    why: str = ""

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self):
        if number(self.low) == number(self.high):
            return self.shown(self.low)
        if self.high == math.inf:
            return f"at least {self.shown(self.low)}"
        if self.low == -math.inf:
            return f"at most {self.shown(self.high)}"
        return f"{number(self.low)} to {self.shown(self.high)}"

    def shown(self, value: float) -> str:
        """A value with its unit."""
        return f"{number(value)} {self.unit}".rstrip()


def number(value: float) -> str:
    """Four digits, and commas between thousands."""
    if 1e3 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}"


@dataclasses.dataclass(frozen=True)
class Found:
    """What an experiment has given: {band: value}, and its picture, a matplotlib figure."""

    values: dict[str, float]
    figure: Any


class Entry:
    """One experiment. A subclass has in its docstring what is done and what its source says of it.

    name      that of its files, and of the command
    source    the figure, section or line that it repeats
    quick     the bands of its quick form, on digits that are drawn; () if it has none
    full      those of its full form, on the data of the source
    minutes   how long the full form takes, one thread on an idle core
    remark    what the result has shown, beside its bands
    """

    name: str
    title: str
    source: str
    quick: tuple[Band, ...] = ()
    full: tuple[Band, ...] = ()
    minutes: float
    remark: str = ""

    @property
    def text(self) -> str:
        return inspect.getdoc(self) or ""

    def bands(self, full: bool) -> tuple[Band, ...]:
        return self.full if full else self.quick

    def run(self, full: bool) -> Found:
        """Do it, in one of its forms. Reproducible, but for figures that are times."""
        raise NotImplementedError(f"{type(self).__name__} has no run")
