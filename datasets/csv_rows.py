"""Reading a CSV file row by row: its numbers, the texts of some columns, and where each stands."""

import array
import csv
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

LARGEST = 1e37  # what float32, and sums of it, can hold
_SHORT = 60  # characters of a cell in an error


class Rows(NamedTuple):
    """A CSV file of N rows."""

    path: Path
    columns: list[str]  # those of numbers
    target: list[str]  # those of targets
    X: np.ndarray  # (N, n) float64
    texts: list[list[str]]  # for each target column, its N cells
    lines: np.ndarray  # (N,), the line of each row in the file, from 1


def read_rows(path: Path, targets: Iterable[str] | None) -> Rows:
    """The rows of a CSV file with a header; `targets` are columns of text (None: the last one), all
    others are numbers.

    Read as a stream: in memory are the numbers, 8 bytes each, and one copy of each different text.
    Raises ValueError naming file, line and column of what is wrong.
    """
    line, lines, numbers = 0, array.array("q"), array.array("d")
    known: dict[str, str] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = ((reader.line_num, row) for row in reader if row)
            line, first = next(rows, (0, None))
            header = _header(path, line, first)
            targets = [header[-1]] if targets is None else list(targets)
            places = _places(path, header, targets)
            of_numbers = [i for i in range(len(header)) if i not in set(places)]
            texts: list[list[str]] = [[] for _ in places]
            for line, row in rows:
                _check_row(path, line, row, header)
                for kept, place in zip(texts, places, strict=True):
                    text = row[place].strip()
                    if not text:
                        message = f"column {header[place]}: the target is empty"
                        raise ValueError(f"{path}, line {line}: {message}")
                    kept.append(known.setdefault(text, text))
                numbers.extend(_numbers(path, line, header, row, of_numbers))
                lines.append(line)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error}); save it as UTF-8") from None
    except csv.Error as error:  # a cell of more than 131,072 characters: a quote never closed?
        message = f"cannot be read as CSV after line {line} ({error}); is a quote not closed?"
        raise ValueError(f"{path}: {message}") from None
    if not lines:
        raise ValueError(f"{path}: expects a header and at least one row of data")
    X = np.frombuffer(numbers).reshape(len(lines), len(of_numbers))
    columns = [header[i] for i in of_numbers]
    return Rows(path, columns, targets, X, texts, np.frombuffer(lines, np.int64))


def _numbers(path: Path, line: int, header: list[str], row: list[str], places: list[int]):
    """The cells of these places as numbers."""
    cells = [row[i] for i in places]
    try:
        values = list(map(float, cells))
        good = sum(map(abs, values)) <= LARGEST and "_" not in "".join(cells)
    except ValueError:
        good = False
    if good:
        return values
    return [number(path, line, header[i], row[i]) for i in places]  # one by one: which is wrong?


def number(path: Path, line: int, column: str, cell: str) -> float:
    """A cell as a finite number. Raises ValueError naming the place."""
    try:
        if "_" in cell:  # 1_000 is Python's alone
            raise ValueError
        value = float(cell)
    except ValueError:
        what = f"the text {short(cell)}" if cell.strip() else "nothing"
        raise ValueError(
            f"{path}, line {line}: column {column}: expects a number, got {what}"
        ) from None
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError(
            f"{path}, line {line}: column {column}: expects a finite number, got {cell[:_SHORT]}"
        )
    return value


def short(cell: str) -> str:
    """A cell for an error: on one line, and no longer than that."""
    return repr(cell) if len(cell) <= _SHORT else f"{cell[:_SHORT]!r}..."


def listed(names: list[str]) -> str:
    """Names of columns for an error."""
    more = f", and {len(names) - 50} more" if len(names) > 50 else ""
    return ", ".join(name[:_SHORT] for name in names[:50]) + more


def _header(path: Path, line: int, first: list[str] | None) -> list[str]:
    if first is None:
        raise ValueError(f"{path}: expects a header and at least one row of data")
    _check_zeros(path, line, first)
    header = [name.strip() for name in first]
    if len(header) < 2:
        hint = "; are the columns parted by semicolons? use commas" if ";" in header[0] else ""
        got = f"{short(header[0])}{hint}"
        raise ValueError(f"{path}: expects a header of two or more names, got {got}")
    if twice := [name for name, times in Counter(header).items() if times > 1]:
        raise ValueError(
            f"{path}: expects different names in the header, but {short(twice[0])} stands twice; "
            "is there no header, and the first row is data?"
        )
    return header


def _places(path: Path, header: list[str], targets: list[str]) -> list[int]:
    """Where the target columns stand."""
    for target in targets:
        if target not in header:
            raise ValueError(f"{path}: has no column {target}; there are {listed(header)}")
    if len(targets) == len(header):
        raise ValueError(
            f"{path}: all its columns are targets, {listed(header)}; no inputs are left"
        )
    return [header.index(target) for target in targets]


def _check_row(path: Path, line: int, row: list[str], header: list[str]) -> None:
    _check_zeros(path, line, row)
    if len(row) != len(header):
        raise ValueError(
            f"{path}, line {line}: has {len(row)} cells, but the header has {len(header)}"
        )


def _check_zeros(path: Path, line: int, row: list[str]) -> None:
    if any("\0" in cell for cell in row):
        raise ValueError(f"{path}, line {line}: holds zero bytes: no text; save it as UTF-8")
