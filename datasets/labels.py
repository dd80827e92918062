"""From the labels of a CSV file, texts, to classes: their order, and what cannot be classes."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import numpy as np

from lamina.datasets.cells import short
from lamina.datasets.csv_rows import Rows

_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MANY = 20  # so many different numbers may well be measured ones
_SOME = 10  # rows that are enough to say so of fractions, most of which differ
_ROWS_EACH = 5  # for each of which fewer rows than that make no class


class Place(NamedTuple):
    """Where a label stands first."""

    rows: Rows
    row: int

    def __str__(self):
        return f"{self.rows.path}, line {self.rows.lines[self.row]}"


def classes_of(sets: dict[str, Rows], column: str, sure: bool) -> tuple[list[str], list]:
    """(names of the classes, class indices of each set) of the labels of these sets.

    Classes are in the order of their numbers if all are whole numbers, else of the alphabet.
    Raises ValueError for two spellings of one class, for a single class, and, unless the user is
    `sure` that these are classes, for numbers that look measured.
    """
    first: dict[str, Place] = {}
    for rows in sets.values():
        for row, label in enumerate(rows.texts[0]):
            if label not in first:
                first[label] = Place(rows, row)
    check_spellings(first, column)
    path, n = sets["train"].path, sum(len(rows.lines) for rows in sets.values())
    if len(first) < 2:
        only = short(next(iter(first))).strip("'")
        raise ValueError(f"{path}: has only one class, {only}: nothing to tell apart")
    many = len(first) > _MANY and n < _ROWS_EACH * len(first)
    if n >= _SOME and not all(map(_WHOLE.fullmatch, first)):  # fractions are measured more likely
        many = many or len(first) > n / 2
    if many and not sure and all(map(_NUMBER.fullmatch, first)):
        raise ValueError(
            f"{path}: column {column} has {len(first)} different numbers in {n} rows, too many for "
            "classes: task: regression learns numbers; if they are classes all the same, say task: "
            "classification"
        )
    names = in_order(first)
    index = {name: i for i, name in enumerate(names)}
    indices = [np.array([index[label] for label in rows.texts[0]]) for rows in sets.values()]
    return names, indices


def check_known(trained, sets: dict[str, tuple[Rows, np.ndarray, np.ndarray]], names) -> None:
    """Raises ValueError if a set has a class that no training sample has.

    trained: the class indices of the training samples; sets: (rows of the file, which of them the
    set has, their class indices) by name.
    """
    known = np.zeros(len(names), bool)
    known[trained] = True
    for name, (rows, chosen, t) in sets.items():
        strange = np.flatnonzero(~known[t])
        if len(strange):
            i = strange[0]
            label = short(names[t[i]])
            raise ValueError(
                f"{Place(rows, chosen[i])}: the class {label} is among the {name} rows, but in no "
                "row to train on; no net can learn what it never sees"
                + (
                    ""
                    if len(chosen) == len(rows.lines)
                    else ": stratify: true splits class by class"
                )
            )


def labels_of_zero_and_one(rows: Rows, columns: list[str]) -> np.ndarray:
    """(N, L) of 0 and 1, float32, one column for each label. Raises ValueError for other cells."""
    labels = np.empty((len(rows.lines), len(columns)), np.float32)
    known = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0}
    for i, (column, texts) in enumerate(zip(columns, rows.texts, strict=True)):
        for row, text in enumerate(texts):
            if text not in known:
                raise ValueError(
                    f"{Place(rows, row)}: column {column}: expects 0 or 1, whether the label "
                    f"holds; got {short(text)}"
                )
            labels[row, i] = known[text]
    return labels


def in_order(labels) -> list[str]:
    """Different labels in the order of their numbers if all are whole, else of the alphabet. No two
    are equal in either, so nothing depends on the order in which they were found."""
    return sorted(labels, key=Decimal if all(map(_WHOLE.fullmatch, labels)) else None)


def check_spellings(first: dict, column: str, what: str = "class") -> None:
    """Refuse 1 beside 1.0 or 01, and one text in two Unicode forms: two classes that are one.
    `first` says where each label stands first."""
    seen: dict = {}
    for label, place in first.items():
        key = meaning(label)
        if key in seen:
            other = seen[key]
            raise ValueError(
                f"column {column}: the {what} {short(other)} ({first[other]}) is also spelt "
                f"{short(label)} ({place}); spell it in one way"
            )
        seen[key] = label


def meaning(label: str):
    """What a label means: a number if it is one, exactly."""
    if _NUMBER.fullmatch(label):
        try:
            return Decimal(label)
        except InvalidOperation:  # of an exponent beyond everything
            pass
    return unicodedata.normalize("NFC", label)
