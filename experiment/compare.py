"""Runs in a table: mean and standard deviation over seeds, best first, and what they differ in."""

import dataclasses
import math
import shlex
from pathlib import Path

import numpy as np

from lamina.common.names import suggest
from lamina.common.notice import note
from lamina.common.percent import places_of
from lamina.common.text_table import as_csv, as_latex, as_markdown, as_text
from lamina.diagnosis.doctor import glance
from lamina.experiment.curves import is_share, percents
from lamina.experiment.differing import differing, said, short_names
from lamina.experiment.groups import Group, grouped
from lamina.experiment.outcome import FAILED, read_outcome
from lamina.experiment.spread import deviation
from lamina.metrics import make_metric
from lamina.training.provenance import FILE

NONE = "-"  # a cell without a figure
_LISTED = 4  # runs that a remark names


@dataclasses.dataclass
class Row:
    """Runs that differ by their seed alone: `figures` are (mean, standard deviation) by the columns
    of history.csv, over those of them that have ended well."""

    group: Group
    good: list[str]
    figures: dict[str, tuple[float, float]]


class Comparison:
    """The table of some runs, {name: directory}: a `Row` for each group.

    Best first by the figure that counts on the validation set, or by the column `by`. The test set
    chooses nothing by itself: without a validation set the rows stand in the order of their
    settings. Raises ValueError for what is no run, and for a column that cannot be sorted by.
    """

    def __init__(self, runs: dict[str, Path], by: str | None = None):
        self.runs = runs
        self.outcomes = {name: read_outcome(path) for name, path in runs.items()}
        self.percents = percents(runs.values())
        groups = grouped({name: outcome.settings for name, outcome in self.outcomes.items()})
        self.places = differing([group.settings or {} for group in groups])
        self.rows = [self._row(group) for group in groups]
        self.columns = self._columns()
        self.by = self._sorted_by(by)
        if self.by:
            higher, column = self._higher(self.by), self.by
            self.rows.sort(key=lambda row: _rank(row.figures.get(column), higher))

    def _row(self, group: Group) -> Row:
        found = {name: self.outcomes[name] for name in group.runs}
        good = [name for name, outcome in found.items() if not outcome.trouble]
        ends = {found[name].iterations for name in good}
        if len(ends) > 1 and not _may_end_early(group):
            note(f"{group.name}: its runs stand at {min(ends)} to {max(ends)} iterations")
        figures = {}
        for column in dict.fromkeys(column for name in good for column in found[name].figures):
            values = np.array([found[name].figures.get(column, math.nan) for name in good])
            with np.errstate(all="ignore"):
                figures[column] = float(values.mean()), float(deviation(values))
        return Row(group, good, figures)

    def _columns(self) -> list[str]:
        """Of the figure that counts all sets, of the others those that were not trained on."""
        counts = list(dict.fromkeys(o.counts for o in self.outcomes.values() if o.counts))
        there = dict.fromkeys(column for row in self.rows for column in row.figures)
        names = dict.fromkeys([*counts, *(column.partition("_")[2] for column in there)])
        return [
            f"{part}_{name}"
            for name in names
            for part in ("validation", "test", "train")
            if f"{part}_{name}" in there and (part != "train" or name in counts)
        ]

    def _sorted_by(self, by: str | None) -> str:
        if by is not None and by not in self.columns:
            raise ValueError(f"--by: there is no column {by}{suggest(by, self.columns)}")
        if by is not None:
            return by
        counts = {outcome.counts for outcome in self.outcomes.values()}
        usual = f"validation_{next(iter(counts))}"
        return usual if len(counts) == 1 and usual in self.columns else ""

    def _higher(self, column: str) -> bool:
        """Is more of this figure better?"""
        name = column.partition("_")[2]
        for outcome in self.outcomes.values():
            if outcome.counts == name:
                return outcome.higher_is_better
        if name == "loss":
            return False
        try:
            return make_metric(name).higher_is_better
        except ValueError:
            raise ValueError(
                f"--by: whether more or less of {name} is better is not known; it is no metric of "
                "this project, and not the first of these runs"
            ) from None

    # The table

    def text(self) -> str:
        """The table for a terminal, how it is sorted, where the best runs are, and which runs have
        come to no figure."""
        return "\n".join([as_text(*self.cells(), self._numbers), "", *self.remarks()])

    def markdown(self) -> str:
        return as_markdown(*self.cells(), self._numbers)

    def latex(self) -> str:
        return as_latex(*self.cells(), self._numbers)

    def csv(self) -> str:
        """Shares as they are, not in per cent; mean and deviation apart, and the runs by name."""
        header = [*self._names(), "runs", "without_figures"]
        header += [f"{column}_{part}" for column in self.columns for part in ("mean", "std")]
        lines = []
        for row in self.rows:
            line = [*self._settings(row), " ".join(row.group.runs)]
            line.append(str(len(row.group.runs) - len(row.good)))
            for column in self.columns:
                pair = row.figures.get(column, (math.nan, math.nan))
                line += ["" if math.isnan(value) else f"{value:.9g}" for value in pair]
            lines.append(line)
        return as_csv(header, lines)

    def remarks(self) -> list[str]:
        """What stands below the table."""
        lines = []
        if any(len(row.group.runs) > 1 for row in self.rows):
            lines.append("mean ± standard deviation over seeds")
            lines += self._unknown()
        if self.by and len(self.rows) > 1:
            lines.append(f"best first by {_words(self.by)}")
            lines += self._best()
        elif len(self.rows) > 1 and any(c.startswith("validation_") for c in self.columns):
            judged = dict.fromkeys(o.counts for o in self.outcomes.values() if o.counts)
            lines.append(
                "in the order of the settings: not one figure on the validation set counts for all "
                f"(the first metrics: {', '.join(judged)}); --by validation_... sorts by one"
            )
        elif len(self.rows) > 1:
            lines.append(
                "in the order of the settings: there is no validation set to say which is the best "
                "(dataset: {..., validation_share: 0.1}; --by test_... sorts all the same)"
            )
        for name, outcome in self.outcomes.items():
            if outcome.trouble == FAILED:
                causes = glance(self.runs[name])
                lines.append(f"{name} has failed{': ' if causes else ''}{causes}")
            elif outcome.trouble:
                lines.append(f"{name} has come to no evaluation")
            elif not outcome.has_weights:
                lines.append(
                    f"{name} has no weights.npz, as a run that is not over, or was killed: "
                    f"it stands at iteration {outcome.iterations:,}, its figures are of the "
                    f"evaluation at {outcome.iteration:,}, {outcome.which}"
                )
            elif outcome.late:
                lines.append(
                    f"{name} stands at iteration {outcome.iterations:,}; its figures are those of "
                    f"iteration {outcome.iteration:,}, its last evaluation"
                )
        return lines

    def _unknown(self) -> list[str]:
        """Which runs may have been trained on other data than those they stand in a row with."""
        old = [
            name
            for row in self.rows
            for name in row.group.runs
            if len(row.group.runs) > 1 and self.outcomes[name].settings.facts is None
        ]
        if not old:
            return []
        more = ["..."] if len(old) > _LISTED else []
        names = ", ".join(old[:_LISTED] + more)
        return [f"without {FILE}, so that their data and code may be others: {names}"]

    def _best(self) -> list[str]:
        """The runs of the first row, and of those that are as good."""
        ranks = [_rank(row.figures.get(self.by), self._higher(self.by)) for row in self.rows]
        rows = [row for row, rank in zip(self.rows, ranks, strict=True) if rank == ranks[0]]
        if not math.isfinite(ranks[0]):
            return []
        said = (shlex.quote(str(self.runs[name])) for row in rows for name in row.good)
        return [f"the best{', equally good' if len(rows) > 1 else ''}: {' '.join(said)}"]

    @property
    def _numbers(self) -> int:
        return 1 + len(self.columns)

    def _names(self) -> list[str]:
        return short_names(self.places) or ["run"]

    def _settings(self, row: Row) -> list[str]:
        if not self.places:
            return [row.group.name]
        return [said(row.group.settings or {}, place) for place in self.places]

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Header and rows of the table, as texts; the figures are the last columns."""
        header = [*self._names(), "runs", *map(self._head, self.columns)]
        rows = []
        for row in self.rows:
            n, good = len(row.group.runs), len(row.good)
            count = f"{n}" if n == good else f"{good} of {n}"
            cells = (self._cell(column, row.figures.get(column)) for column in self.columns)
            rows.append([*self._settings(row), count, *cells])
        return header, rows

    def _head(self, column: str) -> str:
        return f"{_words(column)} (%)" if self._percent(column) else _words(column)

    def _cell(self, column: str, pair: tuple[float, float] | None) -> str:
        """Both to the same place: "97.26 ± 0.12" of shares, else four digits of the mean."""
        if pair is None or math.isnan(pair[0]):
            return NONE
        mean, spread = pair
        if self._percent(column):
            text = f"{{:.{places_of(mean)}f}}"
            mean, spread = 100 * mean, 100 * spread
        elif mean and 1e-6 < abs(mean) < 1e6:
            text = f"{{:.{max(3 - math.floor(math.log10(abs(mean))), 0)}f}}"
        else:
            text = "{:.4g}"
        return text.format(mean) + ("" if math.isnan(spread) else f" ± {text.format(spread)}")

    def _percent(self, column: str) -> bool:
        return is_share(column.partition("_")[2], self.percents)


def _rank(pair: tuple[float, float] | None, higher: bool) -> float:
    """A key that sorts the best first, and what has no figure last."""
    mean = math.nan if pair is None else pair[0]
    if math.isnan(mean):
        return math.inf
    mean = float(f"{mean:.8g}")  # history.csv has nine digits, so means that are equal may differ
    return -mean if higher else mean


def _may_end_early(group: Group) -> bool:
    """May its runs be of different lengths?"""
    return any(place[:2] in _ENDS for place in group.settings or {})


_ENDS = (("training", "patience"), ("training", "callbacks"))


def _words(column: str) -> str:
    part, _, name = column.partition("_")
    return f"{part} {name}"
