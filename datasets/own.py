"""People's own data: a CSV file with a column of targets, or an NPZ file with arrays."""

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np

from lamina.common.npz import open_npz
from lamina.datasets.dataset import Dataset, Samples

_LARGEST = 1e37  # what float32, and sums of it, can hold
_SHORT = 60  # characters of a cell in an error


class CSV(Dataset):
    """A CSV file with a header: one column of class labels, the other columns numbers.

    target: the name of the label column (default: the last). Labels may be any text; their sorted
    values are the classes. test: another file to test on; without it a random `test_share` of the
    rows, the same for the same seed. standardise: bring each column of numbers to mean 0 and
    deviation 1 by the training rows. Raises ValueError naming the row and column of what is wrong.
    """

    def __init__(
        self,
        path: Path,
        *,
        target: str | None = None,
        test: Path | None = None,
        test_share: float = 0.2,
        seed: int = 0,
        standardise: bool = True,
    ):
        columns, X, labels = _read(path, target)
        if test is None:
            split = _split(path, len(X), test_share, seed)
            parts = [(X[rows], [labels[i] for i in rows]) for rows in split]
        else:
            same, X_test, labels_test = _read(test, target)
            if same != columns:
                raise ValueError(
                    f"{test}: has the columns {_list(same)}; expects those of {path}, "
                    f"{_list(columns)}"
                )
            parts = [(X, labels), (X_test, labels_test)]
        classes = _classes(parts[0][1] + parts[1][1])
        if len(classes) < 2:
            raise ValueError(f"{path}: has only one class, {classes[0]}: nothing to tell apart")
        index = {label: i for i, label in enumerate(classes)}
        if standardise:
            mean, deviation = parts[0][0].mean(axis=0), parts[0][0].std(axis=0)
            # A constant column becomes 0; its deviation may be a rounding error instead of 0.
            deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0
            parts = [((X - mean) / deviation, labels) for X, labels in parts]
        train, test_part = (
            Samples(X.astype(np.float32), np.array([index[label] for label in labels]))
            for X, labels in parts
        )
        super().__init__(train, test_part, classes)


class NPZ(Dataset):
    """An .npz file with x_train, t_train, x_test and t_test.

    Inputs are (N, ...), any numbers, scaled by `scale` if given (uint8 images: 0.00392157);
    targets are class indices (N,). Raises ValueError naming the array that is wrong.
    """

    def __init__(self, path: Path, *, scale: float | None = None):
        names = ("x_train", "t_train", "x_test", "t_test")
        try:
            with open_npz(path) as entries:
                missing = [name for name in names if name not in entries]
                if missing:
                    raise ValueError(
                        f"{path}: expects {', '.join(names)}; {', '.join(missing)} missing, there "
                        f"are {_list(list(entries)) or 'none'}"
                    )
                arrays = {name: entries[name].read() for name in names}
        except OSError as error:
            raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
        n_classes = 0
        parts = []
        for part in ("train", "test"):
            X, t = arrays[f"x_{part}"], arrays[f"t_{part}"]
            if X.dtype.kind not in "fiu" or X.ndim < 2 or not len(X):
                raise ValueError(f"{path}: x_{part}: expects numbers (N, ...), got {_kind(X)}")
            if X.dtype.kind == "f" and not np.isfinite(X).all():
                row = int(np.argwhere(~np.isfinite(X))[0][0])
                raise ValueError(f"{path}: x_{part}: row {row} holds NaN or infinity")
            if t.dtype.kind not in "iu" or t.shape != X.shape[:1] or t.min() < 0:
                raise ValueError(
                    f"{path}: t_{part}: expects class indices ({len(X)},), got {_kind(t)}"
                )
            n_classes = max(n_classes, int(t.max()) + 1)
            X = X if scale is not None else X.astype(np.float32)
            parts.append(Samples(X, t.astype(np.intp), scale=scale))
        if parts[0].X.shape[1:] != parts[1].X.shape[1:]:
            raise ValueError(
                f"{path}: x_train and x_test have different shapes, "
                f"{parts[0].X.shape} and {parts[1].X.shape}"
            )
        super().__init__(*parts, range(n_classes))


def _kind(array) -> str:
    return f"{array.dtype} {array.shape}"


def _read(path: Path, target: str | None):
    """(names of the columns, the target last; numbers (N, n) in float64; labels) of a CSV file."""
    line = 0
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = []
            for row in reader:
                line = reader.line_num
                if row:
                    rows.append((line, row))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error})") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: cannot be read as CSV ({error}); save it as UTF-8") from None
    except csv.Error as error:  # a cell of more than 131,072 characters: a quote never closed?
        message = f"cannot be read as CSV after line {line} ({error}); is a quote not closed?"
        raise ValueError(f"{path}: {message}") from None
    if len(rows) < 2:
        raise ValueError(f"{path}: expects a header and at least one row of data")
    if zeros := next((line for line, row in rows if any("\0" in cell for cell in row)), None):
        raise ValueError(f"{path}, line {zeros}: holds zero bytes: no text; save it as UTF-8")
    header = [name.strip() for name in rows[0][1]]
    if len(header) < 2:
        hint = "; are the columns parted by semicolons? use commas" if ";" in header[0] else ""
        got = f"{_short(header[0])}{hint}"
        raise ValueError(f"{path}: expects a header of two or more names, got {got}")
    if twice := [name for name, times in Counter(header).items() if times > 1]:
        raise ValueError(
            f"{path}: expects different names in the header, but {_short(twice[0])} stands twice; "
            "is there no header, and the first row is data?"
        )
    target = header[-1] if target is None else target
    if target not in header:
        raise ValueError(f"{path}: has no column {target}; there are {_list(header)}")
    place = header.index(target)
    numbers, labels = [], []
    for line, row in rows[1:]:
        if len(row) != len(header):
            raise ValueError(
                f"{path}, line {line}: has {len(row)} cells, but the header has {len(header)}"
            )
        labels.append(row[place].strip())
        if not labels[-1]:
            raise ValueError(f"{path}, line {line}: column {target}: the label is empty")
        numbers.append(
            [_number(path, line, header[i], cell) for i, cell in enumerate(row) if i != place]
        )
    # The target last: two files must agree on all of their columns.
    return [*(name for name in header if name != target), target], np.array(numbers), labels


def _number(path: Path, line: int, column: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        what = f"the text {_short(cell)}" if cell.strip() else "nothing"
        raise ValueError(
            f"{path}, line {line}: column {column}: expects a number, got {what}"
        ) from None
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise ValueError(
            f"{path}, line {line}: column {column}: expects a finite number, got {cell[:_SHORT]}"
        )
    return value


def _short(cell: str) -> str:
    return repr(cell) if len(cell) <= _SHORT else f"{cell[:_SHORT]!r}..."


def _list(names: list[str]) -> str:
    more = f", and {len(names) - 50} more" if len(names) > 50 else ""
    return ", ".join(name[:_SHORT] for name in names[:50]) + more


def _split(path: Path, n: int, test_share: float, seed: int):
    """Row numbers for training and for testing."""
    n_test = round(n * test_share) if 0 < test_share < 1 else 0
    if not 0 < n_test < n:
        raise ValueError(
            f"{path}: a test_share of {test_share} leaves {n - n_test} of {n} rows to train on and "
            f"{n_test} to test on; give a share between 0 and 1, or a file: test: PATH"
        )
    order = np.random.default_rng(seed).permutation(n)
    return order[n_test:], order[:n_test]


def _classes(labels: list[str]) -> list[str]:
    """The different labels: by number if all are whole numbers, else by the alphabet."""
    different = set(labels)
    try:
        return sorted(different, key=int)
    except ValueError:
        return sorted(different)
