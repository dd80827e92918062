"""A CSV file of one's own: columns of numbers and of texts, and one or more columns of targets."""

from pathlib import Path

import numpy as np

from lamina.common.notice import note
from lamina.datasets.cells import listed, number
from lamina.datasets.csv_checks import check_inputs
from lamina.datasets.csv_format import CsvFormat
from lamina.datasets.csv_rows import Rows, check_unit, read_rows
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.labels import check_known, classes_of, labels_of_zero_and_one
from lamina.datasets.split import (
    check_split_seed,
    check_validation,
    n_test_out_of,
    split_off,
    validation_out_of,
)
from lamina.datasets.table_inputs import TableInputs, check_missing
from lamina.datasets.tasks import (
    Classification,
    MultiLabel,
    Reconstruction,
    Regression,
    check_task_name,
)
from lamina.datasets.tasks.numbers import as_float32

TASKS = ("classification", "regression", "multilabel", "reconstruction")


class CSV(Dataset):
    """A CSV file: columns of numbers and of texts, and the targets in one or more columns.

    target: the name of the column of targets, or a list of names (default: the last column).
    task, and what its targets are:

    - "classification" (the default): one column of labels, any text; their values are the classes,
      ordered as numbers if all are whole, else by the alphabet
    - "regression": columns of numbers, learned as they are
    - "multilabel": columns of 0 and 1
    - "reconstruction": the inputs; a `target` that is named is left out of them

    A column of texts becomes one-hot: a column of 0 and 1 for each category of the training rows,
    ordered as classes are. `categories` names columns whose numbers are such too; `ignore` columns
    that are not looked at. A category of no training row is 0 in all of them, which a line says.

    missing: "mean", "median" or "constant" (`fill`) of the training rows fills cells that hold
    nothing; in a column of texts these are a category of their own. Without it they are refused.
    missing_marks: what else holds nothing, beside empty cells, NA, N/A, #N/A, NaN, null and ?; a
    number, such as "-999", however it is written.

    How the file is written: `separator` (a sign, or tab, space), `decimal` ("." or ","; "." if
    it is not said),
    `thousands`, `signs` beside numbers, `quote`, `encoding`, `skip_lines` above the header;
    `header`: false if there is none, with `names` for the columns.

    test, validation: other files to test and to validate on. Without a test file a random
    `test_share` of the rows is for testing; `stratify` takes that share of every class. Of the
    other rows `validation_share` or `n_validation` are for validation, always class by class.
    `split_seed` decides which, and nothing else does. standardise: bring each column of numbers to
    mean 0 and deviation 1 by the training rows.

    `preparation` has all that makes inputs of another file as it has made these.

    Raises ValueError naming the row and column of what is wrong: no number, two spellings of one
    class, a class that is in no training row, many different numbers as classes, ...
    """

    def __init__(
        self,
        path: Path,
        *,
        task: str | None = None,
        target: str | tuple | None = None,
        ignore: str | tuple = (),
        categories: str | tuple = (),
        missing: str | None = None,
        fill: float | None = None,
        missing_marks: str | tuple = (),
        separator: str = ",",
        decimal: str | None = None,
        thousands: str = "",
        signs: str | tuple = (),
        quote: str = '"',
        encoding: str = "utf-8",
        skip_lines: int = 0,
        header: bool | None = None,
        names: tuple | None = None,
        test: Path | None = None,
        test_share: float = 0.2,
        stratify: bool = False,
        validation: Path | None = None,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
        standardise: bool = True,
    ):
        check_task_name(task, TASKS)
        check_split_seed(split_seed)
        if check_validation(validation_share, n_validation) and validation is not None:
            raise ValueError(
                "validation_share and n_validation take rows of the training file; with a "
                f"validation file ({validation}) leave them out"
            )
        check_missing(missing, fill)
        form = CsvFormat(
            *(separator, decimal, thousands, _several(signs), quote, encoding, skip_lines, header),
            None if names is None else tuple(names),
            *map(_several, (ignore, categories, missing_marks)),
        ).checked()
        kind = task or "classification"
        targets = _targets(target, kind)
        train = read_rows(Path(path), targets, form, fills=missing is not None)
        for said in check_inputs(train, form):
            note(said)
        files = {"train": train}
        known = {name: name not in train.words for name in train.columns}
        for name, other in (("validation", validation), ("test", test)):
            if other is not None:
                files[name] = read_rows(
                    Path(other),
                    train.target,
                    form,
                    fills=missing is not None,
                    known=known,
                    units=train.units,
                    replaced=train.replaced,
                )
                _check_columns(files[name], train)
        made, t = _task_and_targets(kind, files, form, sure=task is not None)
        classes = t["train"] if kind == "classification" else None
        # Which rows of which file each set has.
        rows = {name: (name, np.arange(len(file.lines))) for name, file in files.items()}
        try:
            if test is None:
                stay, tested = _split(len(train.lines), test_share, split_seed, stratify, classes)
                rows |= {"train": ("train", stay), "test": ("train", tested)}
            stay = rows["train"][1]
            if n_off := validation_out_of(len(stay), validation_share, n_validation):
                inner = split_off(
                    len(stay), n_off, split_seed, None if classes is None else classes[stay]
                )
                rows |= {
                    "train": ("train", stay[inner[0]]),
                    "validation": ("train", stay[inner[1]]),
                }
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        if kind == "classification":
            others = {n: (files[f], r, t[f][r]) for n, (f, r) in rows.items() if n != "train"}
            check_known(t["train"][rows["train"][1]], others, made.class_names)
        prepared = TableInputs.learned(train, rows["train"][1], missing, fill, standardise)
        self._preparation = prepared.facts(form, train.target)
        sets = {}
        for name, (file, chosen) in rows.items():
            inputs = prepared.of(files[file], chosen, name)
            own = inputs if kind == "reconstruction" else t[file][chosen]
            sets[name] = Samples(inputs, own)
        super().__init__(sets["train"], sets["test"], made, sets.get("validation"))

    @property
    def preparation(self) -> dict:
        return self._preparation


def _several(names: str | tuple) -> tuple:
    """One name stands for a list of one."""
    return (names,) if isinstance(names, str) else tuple(names)


def _targets(target, kind: str) -> list[str] | None:
    """The target columns; None stands for the last one."""
    if target is None:
        return [] if kind == "reconstruction" else None
    names = [target] if isinstance(target, str) else list(target)
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"target: expects the name of a column, or a list of names, got {target}")
    if len(set(names)) < len(names):
        raise ValueError(f"target: a column stands twice in {', '.join(names)}")
    if kind == "classification" and len(names) > 1:
        raise ValueError(
            f"target: {len(names)} columns ({listed(names)}), but classification has one column "
            "of labels; columns of 0 and 1: task: multilabel; of numbers: task: regression"
        )
    return names


def _check_columns(other: Rows, train: Rows) -> None:
    if other.others:
        there = listed([*other.columns, *other.target, *other.others])
        raise ValueError(
            f"{other.path}: has the columns {there}; expects those of {train.path}, "
            f"{listed([*train.columns, *train.target])}"
        )


def _task_and_targets(kind: str, files: dict[str, Rows], form: CsvFormat, sure: bool):
    """The task, and the targets of each file; a reconstruction has none of its own."""
    columns = files["train"].target
    if kind == "classification":
        names, indices = classes_of(files, columns[0], sure)
        return Classification(names), dict(zip(files, indices, strict=True))
    if kind == "regression":
        units = files["train"].units
        numbers = {name: _numbers(rows, form, units) for name, rows in files.items()}
        return Regression(columns), numbers
    if kind == "multilabel":
        labels = {name: labels_of_zero_and_one(rows, columns) for name, rows in files.items()}
        return MultiLabel(columns), labels
    return Reconstruction(), {}


def _numbers(rows: Rows, form: CsvFormat, units: dict[str, str]) -> np.ndarray:
    """(N, D) float32: the cells of the target columns as numbers, each column of one unit."""
    made = []
    for name, cells in zip(rows.target, rows.texts, strict=True):
        column = np.empty(len(cells))
        for row, cell in enumerate(cells):
            place = f"{rows.place(row)}: column {name}"
            column[row], unit = number(place, cell, form.numbers, name)
            check_unit(place, units, name, unit)
        try:
            made.append(as_float32(column))
        except ValueError as error:
            raise ValueError(f"{rows.path}: column {name}: {error}") from None
    return np.stack(made, axis=1)


def _split(n: int, test_share: float, split_seed: int, stratify: bool, classes):
    """Row numbers for training and for testing."""
    n_test = n_test_out_of(n, test_share, "rows", "a file: test: PATH")
    if stratify and classes is None:
        raise ValueError("stratify: true splits class by class, and there are no classes")
    if stratify:
        try:
            return split_off(n, n_test, split_seed, classes, b"test")
        except ValueError as error:
            raise ValueError(f"test_share: {error}") from None
    order = np.random.default_rng(split_seed).permutation(n)
    return order[n_test:], order[:n_test]
