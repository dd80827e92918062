"""The tables of a run, and its configuration, as they were written: columns of numbers."""

import dataclasses
from pathlib import Path

import numpy as np

from lamina.common.files import opened
from lamina.common.folder import File
from lamina.common.strict_yaml import MAX_BYTES, YamlError, parse
from lamina.common.table import read_rows, read_table


@dataclasses.dataclass
class Series:
    """The numbers of one layer or parameter over time, a column each; NaN where there is none."""

    name: str
    type: str
    iterations: np.ndarray
    columns: dict[str, np.ndarray]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def median(self, values: str | np.ndarray) -> float:
        """The median over the iterations from the first record to the last, of a column or of what
        was made of columns: each record stands for the iterations that are nearest to it, as most
        are made early in a run. Without what is not finite; NaN if nothing is."""
        given = self[values] if isinstance(values, str) else np.asarray(values, float)
        halfway = (self.iterations[1:] + self.iterations[:-1]) / 2
        ends = np.r_[self.iterations[0] - 0.5, halfway, self.iterations[-1] + 0.5]
        order = np.argsort(given)  # NaN last
        ordered, stands_for = given[order], np.diff(ends)[order]
        finite = np.isfinite(ordered)
        if not finite.any():
            return np.nan
        ordered, so_far = ordered[finite], np.cumsum(stands_for[finite])
        half = so_far[-1] / 2
        low, high = np.searchsorted(so_far, half), np.searchsorted(so_far, half, "right")
        return float((ordered[low] + ordered[high]) / 2)

    @property
    def since(self) -> str:
        """When its first record is of, in words: a recorder may be turned on later."""
        first = self.iterations[0]
        return "at the start" if first == 1 else f"at iteration {first:,.0f}"

    def at_start(self, column: str) -> float:
        """The number of the first iteration; NaN where the recorder was not on yet."""
        return float(self[column][0]) if self.iterations[0] == 1 else np.nan


def read_config(path: Path | File) -> dict:
    """The data of a configuration; nothing that it names is built."""
    try:
        with opened(path) as file:
            data, _ = parse(file.read(MAX_BYTES + 1).decode())
    except (YamlError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expects a mapping (dataset:, net:, ...)")
    return data


def _rows(path: Path | File, wanted: tuple) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file with a column of names; both empty if it is not there."""
    if not path.is_file():
        return [], []
    header, rows = read_rows(path)
    if header:
        _check_header(path, header, wanted)
    return header, rows


def number_columns(path: Path | File, wanted: tuple) -> dict[str, np.ndarray]:
    """The columns of numbers of a CSV file; empty ones if it is not there, or cut off at once."""
    if not path.is_file() or not read_rows(path)[0]:
        return {name: np.empty(0) for name in wanted}
    table = read_table(path)
    _check_header(path, list(table), wanted)
    _check_iterations(path, table["iteration"])
    return table


def _check_iterations(path: Path | File, iterations: np.ndarray) -> None:
    counted = (iterations >= 1) & (iterations < 2**53)  # NaN is neither
    if not counted.all() or (np.diff(iterations) <= 0).any():
        raise ValueError(f"{path}: is damaged: its iterations do not grow from row to row")


def _check_header(path: Path | File, header: list[str], wanted: tuple) -> None:
    for name in wanted:
        if name not in header:
            raise ValueError(f"{path}: has no column {name}; is it a file of a run?")


def series_by_name(path: Path | File, key: str, wanted: tuple) -> dict[str, Series]:
    """The numbers of each name in the column `key` of a CSV file; empty if it is not there."""
    header, rows = _rows(path, ("iteration", key, *wanted))
    if not rows:
        return {}
    names, texts = header.index(key), {key, "type"}
    grouped: dict[str, list] = {}
    for row in rows:
        grouped.setdefault(row[names], []).append(row)
    result = {}
    for name, own in grouped.items():
        columns = {
            column: _numbers(path, [row[i] for row in own])
            for i, column in enumerate(header)
            if column not in texts
        }
        kind = own[0][header.index("type")] if "type" in header else ""
        iterations = columns.pop("iteration")
        _check_iterations(path, iterations)
        result[name] = Series(name, kind, iterations, columns)
    return result


def _numbers(path: Path | File, cells: list[str]) -> np.ndarray:
    try:
        return np.array([float(cell or "nan") for cell in cells])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
