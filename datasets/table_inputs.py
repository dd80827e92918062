"""How the rows of a table become inputs: what is learned from the training rows, and kept."""

import math
from collections import Counter

import numpy as np

from lamina.common.notice import note
from lamina.datasets.cells import listed, short
from lamina.datasets.csv_format import CsvFormat
from lamina.datasets.csv_rows import Rows
from lamina.datasets.labels import check_spellings, in_order, meaning
from lamina.datasets.tasks.numbers import SAME, lost_in_float32

MISSING = ("mean", "median", "constant")
ABSENT = "(missing)"  # the category of cells that hold nothing
_MOST = 1 << 20  # numbers of an input that is made from facts of a file


class TableInputs:
    """Columns of numbers, filled and scaled, and columns of texts, one-hot, side by side in the
    order of the file.

    `columns` are facts in JSON's types: {"name", "kind": "number", "fill", "mean", "deviation"} or
    {"name", "kind": "category", "categories"}; fill is None where no cell may be missing. All of
    it is learned from training rows: see `learned`.
    """

    def __init__(
        self,
        columns: list[dict],
        units: dict[str, str] | None = None,
        replaced: list[str] | None = None,
    ):
        self.columns, self.units = columns, units  # None: not known, of an older run
        self.replaced = replaced  # the names in the first line, if they were replaced
        self.width = sum(len(c.get("categories", (0,))) for c in columns)

    @classmethod
    def learned(
        cls,
        rows: Rows,
        chosen: np.ndarray,
        missing: str | None,
        fill: float | None,
        standardise: bool,
    ) -> "TableInputs":
        """From the `chosen` rows, those to train on. Raises ValueError for a column with nothing in
        them, and for one category in two spellings."""
        X = rows.X[chosen]
        fills: list[float | None] = [None] * len(rows.numbers)
        if missing is not None:
            found = _fills(rows, X, missing, fill)
            fills, X = [*found], np.where(np.isnan(X), found, X)
        mean, deviation = np.zeros(X.shape[1]), np.ones(X.shape[1])
        if standardise:
            mean, deviation = _mean_and_deviation(X)
        else:
            _check_float32(rows, X)
        numbers = dict(
            zip(
                rows.numbers,
                zip(fills, mean.tolist(), deviation.tolist(), strict=True),
                strict=True,
            )
        )
        columns = []
        for name in rows.columns:
            if name in numbers:
                parts = dict(zip(("fill", "mean", "deviation"), numbers[name], strict=True))
                columns.append({"name": name, "kind": "number", **parts})
            else:
                kinds = _categories(rows, name, chosen)
                columns.append({"name": name, "kind": "category", "categories": kinds})
        return cls(columns, rows.units, rows.replaced)

    @property
    def known(self) -> dict[str, bool]:
        """{name: is it of numbers?}, as `read_rows` takes it."""
        return {column["name"]: column["kind"] == "number" for column in self.columns}

    def of(self, rows: Rows, chosen: np.ndarray, part: str) -> np.ndarray:
        """(len(chosen), width) float32. A category that was not there to learn is 0 in all of its
        columns, which is said, naming the `part`."""
        inputs = np.zeros((len(chosen), self.width), np.float32)
        of_numbers = [column for column in self.columns if column["kind"] == "number"]
        X = rows.X[chosen]
        if any(column["fill"] is not None for column in of_numbers):
            X = np.where(np.isnan(X), [_or_nan(column["fill"]) for column in of_numbers], X)
        if any((column["mean"], column["deviation"]) != (0.0, 1.0) for column in of_numbers):
            X -= np.array([column["mean"] for column in of_numbers])
            X /= np.array([column["deviation"] for column in of_numbers])
        at, places = 0, []
        for column in self.columns:
            if column["kind"] == "number":
                places.append(at)
                at += 1
                continue
            words = rows.words[column["name"]]
            index = {meaning(category): i for i, category in enumerate(column["categories"])}
            places_of = {w: index.get(meaning(_named(w)), -1) for w in {words[r] for r in chosen}}
            found = [places_of[words[row]] for row in chosen]
            self._say_unknown(rows, chosen, found, column["name"], part)
            there = np.flatnonzero(np.array(found) >= 0)
            inputs[there, at + np.array(found)[there]] = 1.0
            at += len(index)
        inputs[:, places] = X
        return inputs

    def _say_unknown(self, rows: Rows, chosen, found: list[int], name: str, part: str) -> None:
        unknown = [int(row) for row, i in zip(chosen, found, strict=True) if i < 0]
        if not unknown:
            return
        first = short(_named(rows.words[name][unknown[0]]))
        n = len({meaning(_named(rows.words[name][row])) for row in unknown})
        others = f" and {n - 1} other{'s' * (n > 2)}" if n > 1 else ""
        more = f" and {len(unknown) - 1} more" if unknown[1:] else ""
        note(
            f"{rows.place(unknown[0])}{more} ({part}): column {name}: the category {first}{others} "
            f"{'is' if n == 1 else 'are'} in no row that was trained on; the columns of "
            "the categories are all 0 there"
        )

    def facts(self, form: CsvFormat, target: list[str]) -> dict:
        """All that is needed to make inputs of another file, in JSON's types."""
        return {
            "kind": "table",
            "input_shape": [self.width],
            "format": form._asdict(),
            "target": target,
            "columns": self.columns,
            **({"units": self.units} if self.units else {}),
            **({"replaced": self.replaced} if self.replaced else {}),
        }

    @classmethod
    def from_facts(cls, facts: dict) -> tuple["TableInputs", CsvFormat, list[str]]:
        """(the inputs, the format of the file, the targets) of `facts()`, read from a file. Raises
        ValueError, TypeError or KeyError for what is none."""
        units = facts.get("units")
        if not all(isinstance(unit, str) for unit in dict(units or {}).values()):
            raise TypeError("no units")
        replaced = facts.get("replaced")
        if not all(isinstance(name, str) for name in list(replaced or ())):
            raise TypeError("no names that were replaced")
        made = cls([_checked(column) for column in facts["columns"]], units, replaced)
        if facts["input_shape"] != [made.width] or not 0 < made.width <= _MOST:
            raise ValueError("no inputs of a table")
        target = facts["target"]
        if not all(isinstance(name, str) for name in target):
            raise TypeError("no targets")
        return made, CsvFormat.from_facts(facts["format"]), list(target)


def check_missing(missing: str | None, fill: float | None) -> None:
    """Raises ValueError for a way to fill that there is not."""
    if missing is not None and missing not in MISSING:
        raise ValueError(f"missing: expects {', '.join(MISSING)}, got {short(str(missing))}")
    if (missing == "constant") != (fill is not None):
        raise ValueError("fill: the number for missing: constant; one needs the other")


def _fills(rows: Rows, X: np.ndarray, missing: str, fill: float | None) -> list[float]:
    empty = np.isnan(X).all(axis=0)
    if missing == "constant":
        return [float(fill or 0.0)] * X.shape[1]
    if empty.any():
        names = listed([name for name, none in zip(rows.numbers, empty, strict=True) if none])
        raise ValueError(
            f"{rows.path}: column {names}: has nothing in all rows to train on, and so no "
            f"{missing}; ignore: [{names}]"
        )
    return (np.nanmean if missing == "mean" else np.nanmedian)(X, axis=0).tolist()


def _mean_and_deviation(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each column; by these, one that is constant, or but for rounding, becomes 0."""
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    # Where numbers lie close together, both are lost in the rounding of the mean: these are
    # counted from the first row on, which is exact.
    close = deviation <= 1e-6 * np.abs(mean)
    first = X[0, close]
    off = X[:, close] - first
    mean[close], deviation[close] = first + off.mean(axis=0), off.std(axis=0)
    size = np.abs(mean)
    rounded = (deviation > 0) & (deviation <= SAME * size)
    deviation[rounded] = size[rounded]
    deviation[deviation == 0] = 1.0
    return mean, deviation


def _check_float32(rows: Rows, X: np.ndarray) -> None:
    """As the net gets these numbers as they are, in float32, that must tell them apart."""
    if lost := lost_in_float32(X):
        (place,), said = lost
        raise ValueError(
            f"{rows.path}: column {rows.numbers[place]}: {said}; standardise: true does it"
        )


def _categories(rows: Rows, name: str, chosen: np.ndarray) -> list[str]:
    """The categories of a column in a fixed order; cells that hold nothing are one, the last."""
    words = rows.words[name]
    first = {word: rows.place(row) for row, word in reversed(list(enumerate(words)))}
    first.pop(None, None)
    check_spellings(first, name, "category")
    counts = Counter(words[row] for row in chosen)
    nothing = counts.pop(None, 0)
    return in_order(counts) + [ABSENT] * bool(nothing)


def _named(word: str | None) -> str:
    return ABSENT if word is None else word


def _or_nan(fill: float | None) -> float:
    return math.nan if fill is None else fill


def _checked(column: dict) -> dict:
    """A column from a file. Raises ValueError, TypeError or KeyError for what is none."""
    name, kind = column["name"], column["kind"]
    if not isinstance(name, str):
        raise TypeError("no name of a column")
    if kind == "category":
        categories = column["categories"]
        if not isinstance(categories, list) or not all(isinstance(c, str) for c in categories):
            raise TypeError("no categories")
        return {"name": name, "kind": kind, "categories": categories}
    if kind != "number":
        raise ValueError("no kind of a column")
    fill = None if column["fill"] is None else float(column["fill"])
    mean, deviation = float(column["mean"]), float(column["deviation"])
    if not all(map(math.isfinite, (fill or 0.0, mean, deviation))) or deviation <= 0:
        raise ValueError("no numbers of a column")
    return {"name": name, "kind": kind, "fill": fill, "mean": mean, "deviation": deviation}
