"""Reading a CSV file row by row: its numbers, the texts of some columns, and where each stands."""

import array
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lamina.common.notice import note
from lamina.datasets.cells import LARGEST, Numbers, listed, number, quoted, shared_unit, short
from lamina.datasets.csv_format import CsvFormat
from lamina.datasets.csv_text import read_text

_BEGINS_AS_NUMBER = re.compile(r"\W{0,3}\d")
_FIRST = 1000  # rows by which columns of numbers are told from those of texts
_CODE = re.compile(r"0\d{2,}")
_OF_THREE = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")


class Rows(NamedTuple):
    """A CSV file of N rows."""

    path: Path
    columns: list[str]  # those of inputs
    numbers: list[str]  # the inputs that are numbers
    words: dict[str, list[str | None]]  # the N cells of each other input; None is a missing one
    target: list[str]  # the columns of targets; [] if an answer need not be there, and is not
    X: np.ndarray  # (N, len(numbers)) float64; NaN is a missing cell
    texts: list[list[str]]  # for each target column, its N cells
    lines: np.ndarray  # (N,), the line of each row in the file, from 1
    others: list[str]  # columns that are neither, nor ignored
    units: dict[str, str]  # of each column of numbers that are not as Python writes them
    replaced: list[str] | None  # the names in the first line, where `form` has others for them

    def place(self, row: int) -> str:
        return f"{self.path}, line {self.lines[row]}"


def read_rows(
    path: Path,
    targets: Iterable[str] | None,
    form: CsvFormat | None = None,
    *,
    fills: bool = False,
    known: dict[str, bool] | None = None,
    units: dict[str, str] | None = None,
    replaced: list[str] | None = None,
    answers: bool = True,
) -> Rows:
    """The rows of a CSV file; `targets` are columns of text (None: the last one), all others are
    inputs unless `form` ignores them: numbers, or texts where no cell is a number.

    known: the inputs of other rows, {name: is it of numbers?}, which this file must have, in
    whatever order; what else it has is in `others`. units: those of their numbers, which must be
    the same here. replaced: the names in their first line, if `form` has others for them. With
    `fills` cells may be missing. Without `answers` the targets need not be there.

    Read as a stream: in memory are the numbers, 8 bytes each, and one copy of each different text.
    Raises ValueError naming file, line and column of what is wrong.
    """
    form = form or CsvFormat()
    if known is not None and form.header is False and form.names is None:
        # A column is known by its place alone, so they are counted as in the other rows.
        form = form._replace(names=_numbered(len({*known, *(targets or ()), *form.ignore})))
    marks, how = form.marks, form.numbers
    with read_text(path, form.separator, form.quote, form.encoding, form.skip_lines) as lines:
        without = () if answers else (targets or ())
        header, rows, own = _header(path, lines, form, without, known or (), replaced)
        targets = [header[-1]] if targets is None else list(targets)
        if not answers and not set(targets) <= set(header):
            targets = []
        places = _places(path, header, targets, form, known is None)
        inputs = _inputs(path, header, targets, form, known)
        rows = (_full(path, line, row, header) for line, row in rows)
        first = list(itertools.islice(rows, _FIRST))
        if not first:
            raise ValueError(f"{path}: expects a header and at least one row of data")
        if known is None and form.separator == ";" and (form.decimal, form.thousands) == (None, ""):
            columns = {
                name: [cell for _, row in first if (cell := row[place].strip()) not in marks]
                for place, name in enumerate(header)
                if name not in (*form.ignore, *form.categories)
            }
            _check_points(path, {n: c for n, c in columns.items() if _are_numbers(c, how)})
        if known is None:
            known = {
                name: name not in form.categories
                and _are_numbers([c for _, row in first if (c := row[i].strip()) not in marks], how)
                for name, i in inputs
            }
            for name, i in inputs:
                if known[name]:
                    _say_codes(path, name, [row[i].strip() for _, row in first])
        reading = _Reading(path, form, inputs, known, fills, units or {})
        texts: list[list[str]] = [[] for _ in places]
        seen: dict[str, str] = {}
        for line, row in itertools.chain(first, rows):
            for kept, place in zip(texts, places, strict=True):
                text = row[place].strip()
                if answers and text in marks:
                    what = f"empty ({text})" if text else "empty"
                    message = f"column {header[place]}: the target is {what}"
                    raise ValueError(f"{path}, line {line}: {message}; take such rows out")
                kept.append(seen.setdefault(text, text))
            reading.take(line, row)
    used = {*targets, *form.ignore, *(name for name, _ in inputs)}
    others = [name for name in header if name not in used]
    return Rows(
        path,
        [name for name, _ in inputs],
        *(reading.names, reading.words, targets, reading.numbers(), texts),
        *(np.frombuffer(reading.lines, np.int64), others, reading.units, own),
    )


class _Reading:
    """The inputs of the rows that it has taken."""

    def __init__(
        self, path: Path, form: CsvFormat, inputs: list, known: dict, fills: bool, units: dict
    ):
        self.path, self.form, self.fills = path, form, fills
        of_numbers = [(name, place) for name, place in inputs if known[name]]
        self.names = [name for name, _ in of_numbers]
        self.places = [place for _, place in of_numbers]
        self.of_words = [(name, place) for name, place in inputs if not known[name]]
        self.words: dict[str, list] = {name: [] for name, _ in self.of_words}
        self.lines = array.array("q")
        self._numbers, self._plain = array.array("d"), form.numbers.plain
        self._marks = form.marks
        self._seen: dict[str, str] = {}
        self.units = dict(units)  # of each column, that of its first number

    def take(self, line: int, row: list[str]) -> None:
        cells = [row[i] for i in self.places]
        good = False
        if self._plain:  # all at once, and one by one only if that fails: which is wrong?
            try:
                values = list(map(float, cells))
                good = sum(map(abs, values)) <= LARGEST and "_" not in "".join(cells)
                good = good and self._marks.values.isdisjoint(values)
            except ValueError:
                pass
        if not good:
            values = [self._number(line, *cell) for cell in zip(self.names, cells, strict=True)]
        self._numbers.extend(values)
        for name, place in self.of_words:
            text = row[place].strip()
            if nothing := text in self._marks:
                self._missing(line, name, text)
            self.words[name].append(None if nothing else self._seen.setdefault(text, text))
        self.lines.append(line)

    def numbers(self) -> np.ndarray:
        return np.frombuffer(self._numbers).reshape(len(self.lines), len(self.names))

    def _number(self, line: int, name: str, cell: str) -> float:
        if cell.strip() in self._marks:
            self._missing(line, name, cell.strip())
            return math.nan
        place = f"{self.path}, line {line}: column {name}"
        value, unit = number(place, cell, self.form.numbers, name)
        check_unit(place, self.units, name, unit)
        return value

    def _missing(self, line: int, name: str, cell: str) -> None:
        if not self.fills:
            got = f"nothing ({cell})" if cell else "nothing"
            raise ValueError(
                f"{self.path}, line {line}: column {name}: expects a value, got {got}; missing: "
                "median fills such cells by the training rows (or mean, or constant)"
            )


def _say_codes(path: Path, name: str, cells: list[str]) -> None:
    """Nobody writes zeros before a number; before a month or an hour one."""
    if code := next(filter(_CODE.fullmatch, cells), None):
        note(
            f"{path}: column {name}: {code} is read as the number {int(code)}; if it is a code: "
            f"categories: [{quoted(name)}]"
        )


def check_unit(place: str, units: dict[str, str], name: str, unit: str) -> None:
    """Raises ValueError for a number of another unit than the first of its column has, here or
    among the rows to train on; the first is noted."""
    if units.setdefault(name, unit) != unit:
        said = " and ".join(repr(u) if u else "none" for u in (units[name], unit))
        raise ValueError(f"{place}: two units in one column, {said}; write it in one")


def _header(
    path: Path,
    rows,
    form: CsvFormat,
    without: Iterable[str],
    known: Iterable[str],
    replaced: list[str] | None,
):
    """The names of the columns, the rows of data, and the names that were replaced. `without`:
    columns that a file without a header may lack; `known`: those of which one may be all that
    there is."""
    line, first = next(rows, (0, None))
    if first is None:
        raise ValueError(f"{path}: expects a header and at least one row of data")
    cells = [cell.strip() for cell in first]
    own = None
    if form.header is False:
        names = _by_place(path, line, cells, form.names or _numbered(len(cells)), without)
        rows = itertools.chain([(line, first)], rows)
    elif form.names is None:
        names = cells
    else:
        if replaced and not any(_is_number(name, form.numbers) for name in replaced):
            _check_is_header(path, line, cells, form.numbers)
        names, own = _renamed(path, line, cells, form.names, replaced), cells
    if len(cells) < 2 and names[0] not in known:
        raise ValueError(
            f"{path}: expects a header of two or more names, got {short(cells[0])}"
            f"{_other_separator(cells[0])}"
        )
    names = [name or f"Unnamed: {i}" for i, name in enumerate(names)]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(
            f"{path}: expects different names in the header, but {short(twice[0])} stands twice; "
            "is there no header, and the first row is data? header: false; or give other names: "
            "names: [...] and header: true"
        )
    if form.quote == '"' and all(n[:1] == n[-1:] == "'" and n[1:] for n in names):
        raise ValueError(f'{path}, line {line}: all names are in single quotes: quote: "\'"')
    if form.header is None:
        _check_is_header(path, line, names, form.numbers)
    return names, rows, own


def _by_place(path: Path, line: int, cells: list[str], names, without) -> list[str]:
    """The names of columns without a header: all, or all but those that it may be `without`."""
    shorter = [name for name in names if name not in without]
    if len(cells) not in (len(names), len(shorter)):
        message = f"{len(cells)} cells, but {len(names)} names, {listed(list(names))}"
        if len(shorter) < len(names):
            message += f"; only {listed(list(without))} may be missing"
        if len(cells) == 1:
            message += _other_separator(cells[0])
        raise ValueError(f"{path}, line {line}: {message}")
    return list(names) if len(cells) == len(names) else shorter


def _renamed(path: Path, line: int, cells: list[str], names, replaced) -> list[str]:
    """The names for a first line that they replace: itself, if these very names stand there;
    by its own names, if they are those that were `replaced` in the training file, in whatever
    order; else, which is said, by place."""
    if replaced is None or cells == replaced:
        return list(names)
    if sorted(cells) == sorted(names):
        return cells
    new = dict(zip(replaced, names, strict=False))  # R writes a name less than columns
    if len(new) == len(names) and set(cells) <= set(new):
        return [new[cell] for cell in cells]
    note(
        f"{path}, line {line}: begins otherwise than the file that was trained on, with "
        f"{short(listed(cells))}; its columns are taken by their places: {listed(list(names))}"
    )
    return list(names)


def _check_points(path: Path, columns: dict[str, list[str]]) -> None:
    """In a file with semicolons commas may be decimal: then 1.234 beside 950 is no fraction. But
    one number with a point that parts no thousands, in any column, says that it is."""
    with_points = {name: [c for c in cells if "." in c] for name, cells in columns.items()}
    if not all(_OF_THREE.fullmatch(cell) for cells in with_points.values() for cell in cells):
        return
    for name, points in with_points.items():
        if points and len(points) < len(columns[name]):
            raise ValueError(
                f"{path}: column {name}: each point has three digits behind it, as in {points[0]}, "
                'and other numbers have none; if it parts thousands: decimal: "," and thousands: '
                '"."; if it is decimal: decimal: "."'
            )


def _numbered(n: int) -> tuple[str, ...]:
    """The names of n columns that have none."""
    return tuple(f"column{i + 1}" for i in range(n))


def _other_separator(line: str) -> str:
    for sign, key in ((";", '";"'), ("\t", "tab"), ("|", '"|"'), (",", '","'), (" ", "space")):
        if sign in line:
            said = {";": "semicolons", "\t": "tabs", " ": "spaces"}.get(sign, f"{sign} signs")
            return f"; are the columns parted by {said}? separator: {key}"
    return ""


def _check_is_header(path: Path, line: int, names: list[str], numbers: Numbers) -> None:
    """A number is no name, unless all are, counted."""
    if names == [str(i) for i in range(len(names))]:
        return
    for name in names:
        if _BEGINS_AS_NUMBER.match(name) and _is_number(name, numbers):
            raise ValueError(
                f"{path}, line {line}: the first line has the number {short(name)} where names are "
                "expected; if the file has no header: header: false (columns are then column1, "
                "column2, ...), or names: [...] too; if that is a name all the same: header: true"
            )


def _is_number(cell: str, numbers: Numbers) -> bool:
    try:
        numbers.value(cell)
    except ValueError:
        return False
    return True


def _are_numbers(cells: list[str], numbers: Numbers) -> bool:
    """Is it a column of numbers, by its first cells? One that is a number, or is written as one in
    another way than has been said, will do: a text is said where it stands."""
    return (
        not cells
        or any(_is_number(cell, numbers) or numbers.other_way(cell) for cell in cells)
        or shared_unit(cells)
    )


def _places(path, header: list[str], targets: list[str], form: CsvFormat, first: bool):
    """Where the target columns stand; of the first file all columns that are named are there."""
    named = (("ignore", form.ignore), ("categories", form.categories)) if first else ()
    for key, names in (("", targets), *named):
        for name in names:
            if name not in header:
                there = f"has no column {name}; there are {listed(header)}"
                raise ValueError(f"{path}: {key and f'{key}: '}{there}")
    if both := set(targets) & set(form.ignore):
        raise ValueError(f"{path}: the target {min(both)} is ignored; there would be none")
    if len(targets) == len(header):
        raise ValueError(
            f"{path}: all its columns are targets, {listed(header)}; no inputs are left"
        )
    return [header.index(target) for target in targets]


def _inputs(path, header: list[str], targets, form: CsvFormat, known) -> list[tuple[str, int]]:
    """(name, place) of the columns that are inputs."""
    place = {name: i for i, name in enumerate(header)}
    if known is not None:
        if lost := [name for name in known if name not in place]:
            raise ValueError(
                f"{path}: lacks the column{'s' * (len(lost) > 1)} {listed(lost)}; there are "
                f"{listed(header)}"
            )
        return [(name, place[name]) for name in known]
    left_out = {*targets, *form.ignore}
    inputs = [(name, i) for name, i in place.items() if name not in left_out]
    if not inputs:
        raise ValueError(f"{path}: no inputs are left: all columns are ignored, or targets")
    return inputs


def _full(path: Path, line: int, row: list[str], header: list[str]) -> tuple[int, list[str]]:
    if len(row) != len(header):
        hint = ""
        if len(row) == len(header) + 1:
            hint = (
                "; if every row is so, it ends with a separator, or begins with the name of the "
                "row: names: [...] for all columns, and header: true"
            )
        raise ValueError(
            f"{path}, line {line}: has {len(row)} cells, but the header has {len(header)}{hint}"
        )
    return line, row
