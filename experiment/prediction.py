"""What a finished run says of files that nobody has labelled: pictures, or the rows of a table."""

import dataclasses
import filecmp
import math
from pathlib import Path

import numpy as np

from lamina.common.digits import digits_of
from lamina.common.errors import RunError
from lamina.common.notice import note
from lamina.common.percent import percent
from lamina.common.text_table import as_csv, as_text
from lamina.datasets.cells import Numbers, listed
from lamina.datasets.csv_rows import Rows, check_unit, read_rows
from lamina.datasets.image_folder import files_in
from lamina.datasets.labels import meaning
from lamina.datasets.picture_inputs import PictureInputs
from lamina.datasets.table_inputs import ABSENT, TableInputs
from lamina.datasets.tasks import Classification, MultiLabel, Regression
from lamina.experiment.evaluation.classification import shown_share
from lamina.experiment.load_run import Run
from lamina.experiment.probabilities import has_probabilities, probabilities

SHOWN = 20  # rows on a terminal


@dataclasses.dataclass
class Predictions:
    """What a net says of N samples; `places` are their files or lines, `kind` says which."""

    kind: str
    places: list[str]
    task: Classification | MultiLabel | Regression
    scores: np.ndarray  # (N, C)
    probabilities: np.ndarray | None  # (N, C), if its loss makes them some
    truths: list[list[str]]  # for each target column of the table its N cells, "" if nobody knows
    numbers: Numbers  # how the cells of a regression are written
    trained_on: bool = False  # is this the file that the run was trained on?

    def text(self) -> str:
        """A table for a terminal, of the first ones if they are many, and what is right."""
        header, rows = self._table(short=True)
        text = as_text(header, rows[:SHOWN], numbers=0)
        if (more := len(rows) - SHOWN) > 0:
            text += f"\n... and {more:,} more; -o FILE.csv has all"
        compared = self._compared()
        if compared and self.trained_on:
            compared.append(
                "The run was trained on rows of this file, so that is no figure for new ones: "
                "lamina evaluate RUN has that of its test set"
            )
        return "\n\n".join([text, *compared])

    def csv(self) -> str:
        """All of it, with the probability of each class."""
        return as_csv(*self._table(short=False))

    def _table(self, short: bool) -> tuple[list[str], list[list[str]]]:
        task = self.task
        if isinstance(task, Regression):
            names = list(task.target_names)
            spread = self.scores.std(axis=0, dtype=np.float64)
            # One alone has no others to be told apart from, and is shown as exactly as it is.
            least = [(5 if apart else 7) if short else 9 for apart in spread]
            cells = [list(map(digits_of, row, spread, least)) for row in self.scores]
        elif isinstance(task, MultiLabel):
            names, cells = self._labels(task.label_names, short)
        else:
            names, cells = self._classes(task.class_names, short)
        answers = [f"{name} (in the file)" for name in self._asked()] if self.truths else []
        told = [list(row) for row in zip(*self.truths, strict=True)] or [[] for _ in cells]
        rows = [[p, *c, *t] for p, c, t in zip(self.places, cells, told, strict=True)]
        return [self.kind, *names, *answers], rows

    def _asked(self) -> list[str]:
        task = self.task
        return list(getattr(task, "target_names", getattr(task, "label_names", ("class",))))

    def _classes(self, names: tuple, short: bool) -> tuple[list[str], list[list[str]]]:
        said, p = self.task.predictions(self.scores), self.probabilities
        if p is None:
            return ["class"], [[names[i]] for i in said]
        if short:
            rows = [[names[i], percent(row[i], 1)] for i, row in zip(said, p, strict=True)]
            return ["class", "probability"], rows
        rows = [
            [names[i], f"{row[i]:.6g}", *(f"{value:.6g}" for value in row)]
            for i, row in zip(said, p, strict=True)
        ]
        return ["class", "probability", *(f"probability of {name}" for name in names)], rows

    def _labels(self, names: tuple, short: bool) -> tuple[list[str], list[list[str]]]:
        there, p = self.task.predictions(self.scores), self.probabilities
        if short or p is None:
            said = [listed([n for n, on in zip(names, row, strict=True) if on]) for row in there]
            return ["labels"], [[labels or "none"] for labels in said]
        rows = [
            [*(str(int(on)) for on in row), *(f"{v:.6g}" for v in of)]
            for row, of in zip(there, p, strict=True)
        ]
        return [*names, *(f"probability of {name}" for name in names)], rows

    def _compared(self) -> list[str]:
        """How many are right, or how far off, by the answers that the table has."""
        if not self.truths:
            return []
        if isinstance(self.task, Regression):
            return self._errors(self.task.target_names)
        if isinstance(self.task, MultiLabel):
            return self._right_labels()
        names = self.task.class_names
        known = {meaning(name): i for i, name in enumerate(names)}
        said = self.task.predictions(self.scores)
        told = [(i, text) for i, text in zip(said, self.truths[0], strict=True) if text]
        right = sum(known.get(meaning(text)) == i for i, text in told)
        share = shown_share(right, len(told))
        return [f"{right} of {len(told)} as the file says, {share}"] if told else []

    def _right_labels(self) -> list[str]:
        told = np.array([[self._value(cell) for cell in cells] for cells in self.truths]).T
        known = np.isfinite(told)
        right, of = (told == self.task.predictions(self.scores))[known].sum(), known.sum()
        return [f"{right} of {of} labels as the file says, {shown_share(right, of)}"] if of else []

    def _errors(self, names: tuple) -> list[str]:
        said = []
        for name, cells, column in zip(names, self.truths, self.scores.T, strict=True):
            told = np.array([self._value(cell) for cell in cells])
            there = np.isfinite(told)
            if there.any():
                rmse = np.sqrt(np.mean(np.square(column[there] - told[there])))
                said.append(f"rmse {rmse:.5g} of {name}, by {there.sum()} numbers in the file")
        return ["\n".join(said)] if said else []

    def _value(self, cell: str) -> float:
        try:
            return self.numbers.value(cell)[0]
        except ValueError:
            return math.nan


def predict(
    run: Run, paths: list[Path], *, encoding: str | None = None, separator: str | None = None
) -> Predictions:
    """What the run says of pictures, folders of pictures, or of the rows of one table, made into
    inputs as those of its training. Raises RunError, ValueError for what cannot be."""
    net, task, made = run.without_data()
    if not isinstance(task, (Classification, MultiLabel, Regression)):
        raise RunError(
            f"{run.path}: its task is {task.name}, which says nothing of a single sample; "
            "predict expects classes, labels or numbers"
        )
    if net.gives_pairs:
        raise RunError(
            f"{run.path}: its net gives two vectors for a pair, and no class; `lamina evaluate` "
            "shows how far apart they are, load_run(path).net.predict(X) gives them"
        )
    damaged = f"{run.path}: its provenance.json is damaged: how inputs are made"
    if made.get("kind") == "picture":
        if encoding or separator:
            raise ValueError("--encoding and --separator are for tables; this run is on pictures")
        try:
            pictures = PictureInputs.from_facts(made)
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(f"{damaged} ({error})") from None
        files = [file for path in paths for file in _pictures(path)]
        places, X, truths, kind = list(map(str, files)), pictures.of(files), [], "picture"
        numbers = Numbers()
    else:
        try:
            table, form, targets = TableInputs.from_facts(made)
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(f"{damaged} ({error})") from None
        if len(paths) > 1:
            raise ValueError(f"{run.path}: is on a table; expects one file, got {len(paths)}")
        form = form._replace(
            encoding=encoding or form.encoding, separator=separator or form.separator
        ).checked()
        rows = _rows(paths[0], table, form, targets)
        X = table.of(rows, np.arange(len(rows.lines)), "to predict")
        places, kind = [str(line) for line in rows.lines], "line"
        marks = form.marks
        truths = [["" if cell in marks else cell for cell in cells] for cells in rows.texts]
        numbers = form.numbers
        if isinstance(task, Regression):
            _check_units(rows, truths, form.numbers, dict(table.units or {}))
    scores = net.predict(X)
    labels = isinstance(task, MultiLabel)
    p = probabilities(net, scores, labels) if has_probabilities(net) else None
    if not np.isfinite(scores).all():
        raise RunError(f"{run.path}: the scores of its net are NaN or infinite; see lamina doctor")
    trained_on = bool(truths) and _is_same_file(paths[0], run.file)
    return Predictions(kind, places, task, scores, p, truths, numbers, trained_on)


def _is_same_file(one: Path, other: Path | None) -> bool:
    """Is it the same file, or one of the same contents? None, or one that is gone, is not."""
    return other is not None and other.is_file() and filecmp.cmp(one, other, shallow=False)


def _pictures(path: Path) -> list[Path]:
    return files_in(path) if path.is_dir() else [path]


def _check_units(rows: Rows, truths: list, numbers: Numbers, units: dict[str, str]) -> None:
    """Are the answers of the file in the units of the training? A text is not compared."""
    for name, cells in zip(rows.target, truths, strict=True):
        for row, cell in enumerate(cells):
            try:
                _, unit = numbers.value(cell)
            except ValueError:
                continue
            check_unit(f"{rows.place(row)}: column {name}", units, name, unit)


def _rows(path: Path, table: TableInputs, form, targets: list[str]) -> Rows:
    fills = any(column.get("fill") is not None for column in table.columns)
    fills = fills or any(ABSENT in column.get("categories", ()) for column in table.columns)
    known, units = table.known, table.units
    rows = read_rows(
        *(path, targets, form),
        fills=fills,
        known=known,
        units=units,
        replaced=table.replaced,
        answers=False,
    )
    answers = [name for name in rows.others if name in targets]
    if answers:
        missing = [name for name in targets if name not in answers]
        note(f"{path}: {listed(answers)}: compared only where {listed(missing)} stands there too")
    if unknown := [name for name in rows.others if name not in targets]:
        note(f"{path}: {listed(unknown)}: not among the columns that the run knows, left out")
    return rows
