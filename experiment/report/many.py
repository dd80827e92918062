"""Several runs as a page: the table of their figures, and their curves."""

import contextlib
import shlex
from pathlib import Path

from lamina.experiment.compare import Comparison
from lamina.experiment.curves import NothingYet, kept_of, percents, read_run
from lamina.experiment.groups import grouped, read_settings
from lamina.experiment.plots import plot_curves
from lamina.experiment.report.page import page, paragraph, picture, table, verbatim
from lamina.experiment.sweep_picture import plot_sweep

_RUNS = 200  # that the page lists with their commands


def report_on_many(runs: dict[str, Path], title: str = "", sweep: Path | None = None) -> str:
    """The page of runs, {name: directory}, all of them those of the folder of a `sweep` if that is
    given. Raises ValueError for what is no run."""
    comparison = Comparison(runs)
    header, rows = comparison.cells()
    parts = [table(header, rows, 1 + len(comparison.columns))]
    parts += [paragraph(f"{_begun(line, runs)}.") for line in comparison.remarks()]
    sections = [("Table", parts)]
    if sweep is not None and (values := _values(sweep)):
        sections.append(("Values", values))
    if curves := _curves(runs):
        sections.append(("Curves", curves))
    listed = [f"lamina report {shlex.quote(str(path))}" for path in list(runs.values())[:_RUNS]]
    sections.append(("Each run", [verbatim("\n".join(listed))]))
    return page(title or _runs(len(runs)), sections, [paragraph(_in_groups(comparison))])


def _runs(n: int) -> str:
    return f"{n} run{'s' * (n != 1)}"


def _in_groups(comparison: Comparison) -> str:
    """How many runs there are, and how many of them are the same but for the seed."""
    n, groups = len(comparison.runs), len(comparison.rows)
    if n == 1:
        return "1 run."
    if groups == 1:
        return f"{n} runs of one setting."
    if groups == n:
        return f"{n} runs, all of which differ by more than a seed."
    return f"{n} runs in {groups} groups that differ by more than a seed."


def _values(sweep: Path) -> list[str]:
    def draw(path: Path, width: int) -> None:
        with contextlib.suppress(NothingYet):
            plot_sweep(path, sweep, width)

    caption = (
        "Each point is a trial: its figure over one of the values that vary. Crosses on the worse "
        "edge are trials that a NaN has ended, and which have no figure."
    )
    drawn = picture(draw, "the figure of each trial over each value", caption)
    return [drawn] if drawn else []


def _begun(line: str, runs: dict[str, Path]) -> str:
    """A line as a sentence; one that begins with the name of a run leaves the name as it is."""
    of_run = any(line.partition(verb)[0] in runs for verb in (" has ", " stands "))
    return line if of_run else f"{line[:1].upper()}{line[1:]}"


def _curves(runs: dict[str, Path]) -> list[str]:
    read, kept = {}, {}
    for name, path in runs.items():
        try:
            read[name], kept[name] = read_run(path), kept_of(path)
        except (NothingYet, ValueError):
            continue
    if not read:
        return []
    said = percents(runs[name] for name in read)
    groups = grouped({name: read_settings(runs[name]) for name in read})

    def draw(path: Path, width: int) -> None:
        plot_curves(path, read, "", groups, width, kept, said)

    caption = "A curve is the mean of a group, the band one standard deviation over its seeds."
    return [picture(draw, "learning curves of all groups", caption)]
