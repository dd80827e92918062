"""Which places of a source file have been run? To the column, by the positions of instructions."""

import ast
import contextlib
import functools
import sys
from collections.abc import Callable, Container
from types import CodeType

Place = tuple[tuple[int, int], tuple[int, int]]  # (line, column) of its start and of its end


class Executed:
    """Notes what is run, while `watched`, of the code that is `wanted`; line by line, which is
    faster, of that which is `plain`: no line of it has two places."""

    def __init__(self, wanted: Callable[[CodeType], bool], plain: Container[CodeType] = ()):
        self._wanted, self._plain = wanted, plain
        self._run: dict[CodeType, set[int]] = {}  # offsets of instructions
        self._lines: set[int] = set()

    @contextlib.contextmanager
    def watched(self):
        """For the time of a call."""

        def trace(frame, event, argument):
            if not self._wanted(frame.f_code):
                return None
            if frame.f_code not in self._plain:
                frame.f_trace_opcodes = True
            self._run.setdefault(frame.f_code, set()).add(frame.f_lasti)
            self._lines.add(frame.f_lineno)
            return trace

        previous = sys.gettrace()
        sys.settrace(trace)
        try:
            yield
        finally:
            sys.settrace(previous)

    @property
    def count(self) -> int:
        """How many different instructions and lines have been run so far."""
        return len(self._lines) + sum(map(len, self._run.values()))

    def has_run(self, place: Place) -> bool:
        """Has anything between these two ends? By line, where Python has left no instruction for
        it: numbers alone are reckoned up when a file is compiled."""
        inside = [
            offset in run
            for code, run in self._run.items()
            for offset, (line, end, column, end_column) in _positions(code)
            if place[0] <= (line, column) and (end, end_column) <= place[1]
        ]
        return any(inside) if inside else place[0][0] in self._lines


def place_of(node: ast.expr | ast.stmt, indent: int = 0) -> Place:
    """Where a node is, of a file whose columns were moved by so many bytes before it was parsed."""
    end, column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return (node.lineno, node.col_offset + indent), (end, column + indent)


@functools.lru_cache(256)
def _positions(code: CodeType) -> list[tuple[int, tuple]]:
    """(offset, position) of all instructions of which the position is known."""
    known = enumerate(code.co_positions())
    return [(2 * i, position) for i, position in known if None not in position]
