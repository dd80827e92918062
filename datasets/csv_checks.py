"""Columns of a training file that can be no inputs, or had better be none, and what to do."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from lamina.datasets.cells import about_dates, is_date, quoted, short
from lamina.datasets.csv_format import CsvFormat
from lamina.datasets.csv_rows import Rows
from lamina.datasets.labels import meaning

_FEW = 10  # rows that say nothing about a column all of whose cells differ
_MANY = 20  # different texts, in fewer than twice as many rows, are no categories
_JOINERS = "\u200c\u200d"  # have no width, but what stands around them looks otherwise
_MINUS = "\u2212"
_NAMELESS = re.compile(r"Unnamed: \d+")  # as pandas calls them
_OF_ROWS = re.compile(
    r"(^|[\W_])(id|idx|index|no|nr|number|key|row|rownames)\.?$|.[a-z]I[dD]$|번호$|순번$|아이디$",
    re.IGNORECASE,
)


def check_inputs(rows: Rows, form: CsvFormat) -> list[str]:
    """What there is to say of the inputs of a training file. Raises ValueError for columns that can
    be no inputs: dates, names of the rows, numbers among texts, an index without a name."""
    for name in rows.columns:
        if _NAMELESS.fullmatch(name):
            raise ValueError(
                f"{rows.path}: column {int(name.split()[1]) + 1} has no name, like the numbers of "
                f'rows that pandas and R write: ignore: ["{name}"]; or give it a name'
            )
    n = len(rows.lines)
    for name, words in rows.words.items():
        different = Counter(word for word in words if word is not None)
        if name in form.categories:
            continue
        if different and all(map(is_date, different)):
            date = short(next(iter(different)))
            raise ValueError(f"{rows.path}: column {name} holds {date}: {about_dates(name)}")
        _check_no_numbers(rows, name, different, form)
        if name in different and form.header is None:
            raise ValueError(
                f"{rows.path}: the name {name} is a value of its own column too; is there no "
                "header, and the first row is data? header: false; if it is one: header: true"
            )
        if n >= _FEW and (len(different) == n or len(different) > max(_MANY, n / 2)):
            raise ValueError(
                f"{rows.path}: column {name} holds {len(different)} different texts in {n} rows; "
                f"if they only name the rows: ignore: [{quoted(name)}]; if they are categories all "
                f"the same: categories: [{quoted(name)}]"
            )
    return _say_names_of_rows(rows) + _say_alike(rows)


def _check_no_numbers(rows: Rows, name: str, different, form: CsvFormat) -> None:
    for text in different:
        try:
            form.numbers.value(text)
        except ValueError:
            continue
        line = rows.place(rows.words[name].index(text))
        raise ValueError(
            f"{line}: column {name}: the number {short(text)} among texts; if all of them are "
            f"categories: categories: [{quoted(name)}]"
        )


def _say_names_of_rows(rows: Rows) -> list[str]:
    """Columns of numbers that may only name the rows: by their name, and since all differ."""
    said = []
    for i, name in enumerate(rows.numbers):
        if len(rows.columns) > 1 and len(rows.lines) >= _FEW and _OF_ROWS.search(name):
            column = rows.X[:, i]
            if (column == np.rint(column)).all() and len(np.unique(column)) == len(column):
                said.append(
                    f"{rows.path}: column {name} has another number in every row; if it only names "
                    f"the rows: ignore: [{quoted(name)}]"
                )
    return said


def _say_alike(rows: Rows) -> list[str]:
    """Texts that differ in nothing but capitals, or in what looks alike in print: two, as they are
    written, and perhaps one. 1E5 and 1e5 are one number; what is one text in two forms of Unicode
    is refused elsewhere."""
    columns: list[tuple[str, Iterable[str | None]]] = list(rows.words.items())
    columns += zip(rows.target, rows.texts, strict=True)
    said = []
    for name, texts in columns:
        spelt: dict[str, str] = {}
        for text in sorted({text for text in texts if text is not None}):
            other = spelt.setdefault(_in_print(text).lower(), text)
            if meaning(other) == meaning(text) or isinstance(meaning(text), Decimal):
                continue
            how = "differ in capitals alone"
            if other.lower() != text.lower():
                signs = [unicodedata.name(c, f"U+{ord(c):04X}") for c in {*other} ^ {*text}]
                how = (
                    f"look alike in print ({', '.join(sorted(signs)) or 'blanks, or their order'})"
                )
            said.append(
                f"{rows.path}: column {name}: {short(other)} and {short(text)} {how}, and are two; "
                "if they are one, spell them in one way"
            )
            break
    return said


def _in_print(text: str) -> str:
    """As one sees it: all blanks and all dashes are one, wide letters are letters, and what has no
    width is not there."""
    if text.isascii():
        return " ".join(text.split())
    kinds = ((c, unicodedata.category(c)) for c in unicodedata.normalize("NFC", text))
    seen = (
        "-" if kind == "Pd" or c == _MINUS else _narrow(c)
        for c, kind in kinds
        if kind != "Cf" or c in _JOINERS
    )
    return " ".join("".join(seen).split())


def _narrow(sign: str) -> str:
    wide = unicodedata.decomposition(sign).startswith("<wide>")
    return unicodedata.normalize("NFKC", sign) if wide else sign
