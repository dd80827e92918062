"""The cells of a table that hold nothing, by what stands in them."""

import math
from collections.abc import Iterable

from lamina.datasets.cells import Numbers


class Marks:
    """Texts that stand for nothing: `cell in marks`. One that is a number, such as -999, stands for
    it however it is written (-999.0); `values` are these numbers."""

    def __init__(self, texts: Iterable[str], numbers: Numbers):
        self._texts, self._numbers = frozenset(texts), numbers
        self.values = frozenset(filter(math.isfinite, map(self._value, self._texts)))

    def __contains__(self, cell: str) -> bool:
        return cell in self._texts or (bool(self.values) and self._value(cell) in self.values)

    def _value(self, cell: str) -> float:
        try:
            return self._numbers.value(cell)[0]
        except ValueError:
            return math.nan
