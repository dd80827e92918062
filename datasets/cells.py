"""What a cell of a table says: a number as people write it, nothing, a date or a text."""

import math
import re
from typing import NamedTuple

LARGEST = 1e37  # what float32, and sums of it, can hold
SHORT = 60  # characters of a cell in an error
# What programs write into a cell that holds nothing; further ones are `missing_marks`.
MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL", "?")
_PERHAPS_MISSING = ("-", "--", ".", "none", "n/a", "missing", "unknown", "nil", "#value!")

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[ap]m)?(?:\s*(?:z|[+-]\d{2}:?\d{2}))?"
_DATES = (
    rf"\d{{4}}([-/.])\d{{1,2}}\1\d{{1,2}}(?:[ t]{_TIME})?",
    rf"\d{{1,2}}([-/.])\d{{1,2}}\2\d{{2,4}}(?: {_TIME})?",
    r"\d{4}\. ?\d{1,2}\. ?\d{1,2}\.?",
    r"\d{4}년 ?\d{1,2}월(?: ?\d{1,2}일)?",
    rf"{_MONTH}[ -]\d{{1,4}}(?:[, -]{{1,2}}\d{{2,4}})?",
    rf"\d{{1,2}}[ -]{_MONTH}(?:[ -]\d{{2,4}})?",
    _TIME,
)
_DATE = re.compile("|".join(f"(?:{date})" for date in _DATES), re.IGNORECASE)
_COMMA = re.compile(r"[+-]?\d+,\d+")
_GROUP = r"[+-]?[1-9]\d{0,2}"  # the first of thousands that are parted: 0,125 is a fraction
_IN_THREES = re.compile(rf"{_GROUP}(,\d{{3}})+(\.\d*)?")
_SPACED = re.compile(rf"{_GROUP}([ '\u00a0]\d{{3}})+([.,]\d*)?")
_GERMAN = re.compile(rf"{_GROUP}(\.\d{{3}})+(,\d*)?")
_DIGITS = re.compile(r"[+-]?[.,]?\d[\d.,]*")
_CALLED = {",": "comma", ".": "point"}
_MINUS = "\u2212"  # as it is typeset; Python and spreadsheets write a hyphen
_DASHES = f"\\-\u2010-\u2015{_MINUS}"
_NEGATIVE = re.compile(rf"\([\d.,]+\)|[\u2010-\u2015]\s*[\d.,]+|[\d.,]+[{_DASHES}]")
_WITH_UNIT = re.compile(r"([^\w\s+\-.,'\"]{0,2})\s*[+-]?[\d.,]*\d\s*([^\d\s.,'\"]{0,6})")


class Numbers(NamedTuple):
    """How numbers are written: `decimal` is the sign before the fraction, `thousands` the one
    between groups of three digits ("" for none), `signs` what may stand before or after them."""

    decimal: str = "."
    thousands: str = ""
    signs: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Are they as Python writes them?"""
        return self == Numbers()

    def check(self) -> None:
        """Raises ValueError for signs that cannot tell numbers apart."""
        if self.decimal not in (".", ","):
            raise ValueError(f'decimal: expects "." or ",", got {self.decimal!r}')
        if self.thousands not in ("", ".", ",", " ", "'", "\u00a0") or len(self.thousands) > 1:
            raise ValueError(
                f'thousands: expects ",", ".", " " or "\'", got {short(self.thousands)}'
            )
        if self.thousands == self.decimal:
            raise ValueError(f"thousands: is {self.thousands!r}, as decimal is; expects another")
        for unit in self.signs:
            if (
                not isinstance(unit, str)
                or not unit.strip()
                or re.search(rf"[\d+.,(){_DASHES}]", unit)
            ):
                raise ValueError(
                    'signs: expects signs without digits and dashes, as ["%", "$"], got '
                    + repr(unit)
                )

    def value(self, cell: str) -> tuple[float, str]:
        """The number, and the unit beside it. Raises ValueError if it is none."""
        cell, unit = self._parted(_stripped(cell))
        if self.thousands and self.thousands in cell:
            sign, point = re.escape(self.thousands), re.escape(self.decimal)
            if not re.fullmatch(rf"{_GROUP}({sign}\d{{3}})+({point}\d*)?", cell):
                raise ValueError
            cell = cell.replace(self.thousands, "")
        if self.decimal == ",":
            if "." in cell:
                raise ValueError
            cell = cell.replace(",", ".")
        if "_" in cell:  # 1_000 is Python's alone
            raise ValueError
        return float(cell), unit

    def _parted(self, cell: str) -> tuple[str, str]:
        """A cell without its unit, and the unit."""
        for unit in self.signs:
            bare = cell.removeprefix(unit).removesuffix(unit).strip()
            if bare != cell:
                return bare, unit
        return cell, ""

    def hint(self, cell: str, column: str) -> str:
        """What to do about a text among the numbers of a column, to be put behind an error."""
        cell = _stripped(cell)
        named = quoted(column)
        if _NEGATIVE.fullmatch(cell):
            return "; if that is a negative number: write it with a - in front"
        if is_date(cell):
            return f"; {about_dates(column)}"
        if other := self.other_way(cell):
            return other
        if cell.lower() in _PERHAPS_MISSING:
            return f"; if that marks a missing cell: missing_marks: [{quoted(cell)}]"
        if (found := _WITH_UNIT.fullmatch(cell)) and any(found.groups()):
            signs = ", ".join(quoted(unit) for unit in found.groups() if unit)
            return f"; if that is a unit: signs: [{signs}]; if a category: categories: [{named}]"
        return (
            f"; if the column holds categories: categories: [{named}]; if it is of no use: "
            f"ignore: [{named}]"
        )

    def other_way(self, cell: str) -> str:
        """What to say so that a cell is a number that is none as they are now; "" if nothing is."""
        cell, _ = self._parted(_stripped(cell))
        if not self.thousands and (spaced := _SPACED.fullmatch(cell)):
            return f'; if that parts thousands: thousands: "{spaced[1][0]}"'
        if self.thousands in _CALLED and self.thousands in cell and _DIGITS.fullmatch(cell):
            sign, other = _CALLED[self.thousands], _CALLED[self.decimal]
            return (
                f"; a {sign} parts thousands here; if it is decimal in all numbers: decimal: "
                f'"{self.thousands}" without thousands; if in some: write it as a {other} there'
            )
        if self.decimal == ".":
            if _IN_THREES.fullmatch(cell):
                point = _COMMA.fullmatch(cell)
                either = '; if it is a decimal comma: decimal: ","' if point else ""
                return f'; if the comma parts thousands: thousands: ","{either}'
            if _COMMA.fullmatch(cell):
                return '; if that is a decimal comma: decimal: ","'
            if _GERMAN.fullmatch(cell):
                return '; if points part thousands: decimal: "," and thousands: "."'
        elif "." in cell and _DIGITS.fullmatch(cell):
            return '; if points part thousands: thousands: "."; if they are decimal: decimal: "."'
        return ""


def _stripped(cell: str) -> str:
    """A cell without blanks around it, its minus as Python has it."""
    cell = cell.strip()
    return cell.replace(_MINUS, "-", 1) if _MINUS in cell else cell


def shared_unit(cells: list[str]) -> bool:
    """Are these numbers, all with the same unit?"""
    found = [_WITH_UNIT.fullmatch(cell) for cell in cells]
    signs = {match.groups() for match in found if match}
    return all(found) and len(signs) == 1 and any(signs.pop())


def is_date(cell: str) -> bool:
    return _DATE.fullmatch(cell) is not None


def about_dates(column: str) -> str:
    """What to do about a column of dates, in words."""
    return (
        f"these are dates, which are no numbers: ignore: [{quoted(column)}], or write what matters "
        "of them, such as the month or the days since the first one, into columns of numbers"
    )


def number(place: str, cell: str, numbers: Numbers, column: str) -> tuple[float, str]:
    """A cell as a finite number, and its unit. `place` names file, line and column for errors."""
    try:
        value, unit = numbers.value(cell)
    except ValueError:
        raise ValueError(
            f"{place}: expects a number, got the text {short(cell)}{numbers.hint(cell, column)}"
        ) from None
    if not abs(value) <= LARGEST:
        expected = "a finite number" if not math.isfinite(value) else f"at most {LARGEST:g} in size"
        raise ValueError(f"{place}: expects {expected}, got {cell.strip()[:SHORT]}")
    return value, unit


def short(cell: str) -> str:
    """A cell for an error: on one line, and no longer than that."""
    return repr(cell) if len(cell) <= SHORT else f"{cell[:SHORT]!r}..."


def quoted(name: str) -> str:
    """A name as YAML takes it in a list."""
    plain = re.fullmatch(r"[^\W\d][\w .()/%-]*", name) and not name.endswith(" ")
    return name[:SHORT] if plain else f'"{name[:SHORT]}"'


def listed(names: list[str]) -> str:
    """Names of columns for an error."""
    more = f", and {len(names) - 50} more" if len(names) > 50 else ""
    return ", ".join(name[:SHORT] for name in names[:50]) + more
