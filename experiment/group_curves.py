"""Curves of several groups of runs: of each its mean, and a band of one standard deviation."""

import numpy as np

from lamina.common.colours import looks
from lamina.common.figures import label
from lamina.common.notice import note
from lamina.experiment.curves import STYLES, shown, smooth
from lamina.experiment.groups import Group
from lamina.experiment.spread import deviation, together

NAME = 40  # columns of a name in the legend


def draw_groups(
    loss_axes, panels: dict, runs: dict[str, tuple], groups: list[Group], percent: dict[str, bool]
) -> None:
    """Draw the losses of all groups, and their metrics into `panels`, {metric: axes}, those in per
    cent of which `percent` says so."""
    _say_short(groups, runs)
    for group, look in zip(groups, looks(len(groups)), strict=True):
        members = [runs[name] for name in group.runs]
        losses = together([smooth(losses)[:2] for losses, _ in members])
        _draw_band(loss_axes, losses, "-", look)
        for metric, axes in panels.items():
            _draw_metrics(axes, members, metric, 100 if percent[metric] else 1, look)


def _draw_metrics(axes, members: list, metric: str, factor: int, look: tuple[str, str]) -> None:
    """A line for each set: the mean over the runs of a group, with a band where it is drawn
    solid or dashed; the training set would bury them."""
    for part, style in STYLES.items():
        curve = _curve(members, f"{part}_{metric}")
        if curve is not None:
            epochs, mean, spread = curve
            bare = np.full(len(mean), np.nan)
            scaled = (epochs, factor * mean, bare if part == "train" else factor * spread)
            _draw_band(axes, scaled, style, look)


def _curve(members: list, column: str):
    """(epochs, mean, deviation) of a column of history.csv, None if not all runs have it."""
    if not all(column in history for _, history in members):
        return None
    return together([(history["epoch"], history[column]) for _, history in members])


def _draw_band(axes, curve: tuple, style: str, look: tuple[str, str]) -> None:
    (x, mean, spread), (colour, marker) = curve, look
    few = len(x) < 40
    axes.plot(
        *(x, mean, style),
        color=colour,
        marker=marker,
        markersize=3 if few else 4,
        markevery=1 if few else 0.15,
        linewidth=1.2,
    )
    if np.isfinite(spread).any():
        axes.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)


def styles_in_words(axes) -> str:
    """Which set has which kind of line."""
    words = {":": "dotted: train", "--": "dashed: validation", "-": "solid: test"}
    there = {line.get_linestyle() for line in axes.lines}
    return ", ".join(said for style, said in reversed(words.items()) if style in there)


def labels_of(
    groups: list[Group], runs: dict, metric: tuple[str, bool], kept: dict, width: int = NAME
) -> list[str]:
    """What the legend calls the groups, with the last value of the test set, or that of the rows in
    `kept`, of a `metric`: its name, and whether it is shown in per cent. Names are shortened, and
    numbered where that makes two the same."""
    short = [label(group.name, width) for group in groups]
    if len(set(short)) < len(short):
        short = [f"{i}: {name}" for i, name in enumerate(short, 1)]
    return [
        f"{name}{_figure(group, runs, metric, kept)}"
        for name, group in zip(short, groups, strict=True)
    ]


def _figure(group: Group, runs: dict, metric: tuple[str, bool], kept: dict) -> str:
    counts, percent = metric
    column, members = f"test_{counts}", [runs[name][1] for name in group.runs]
    if not all(len(history.get(column, ())) for history in members):
        return ""
    # Of each run its own end, though the mean curve goes as far as the shortest.
    rows = [-1 if kept.get(name) is None else kept[name] for name in group.runs]
    values = np.array([history[column][row] for history, row in zip(members, rows, strict=True)])
    return f": {shown(percent, float(values.mean()), float(deviation(values)))}"


def draw_legend(
    figure, groups: list[Group], labels: list[str], metric: str, across: bool, kept: bool
) -> None:
    """Outside of the axes, where it covers no curve."""
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=colour, marker=marker, markersize=4)
        for colour, marker in looks(len(groups))
    ]
    sizes = sorted({len(group.runs) for group in groups})
    title = f"{label(metric, 20)} on the test set"
    title += " of the weights kept" if kept else ""
    if sizes[-1] > 1:
        runs = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
        title += f";\nmeans of {runs} runs, each in a\nband of ± 1 standard deviation"
    figure.legend(
        *(lines, labels),
        loc="outside right upper" if across else "outside lower center",
        fontsize="small",
        title=title,
        title_fontsize="small",
    )


def _say_short(groups: list[Group], runs: dict) -> None:
    """A mean over runs goes as far as the shortest of them."""
    for group in groups:
        ends = {name: runs[name][0]["iteration"][-1] for name in group.runs}
        shortest = min(ends, key=ends.__getitem__)
        if ends[shortest] < max(ends.values()):
            note(
                f"{group.name}: the mean goes as far as its shortest run, {shortest} "
                f"({ends[shortest]:.0f} of {max(ends.values()):.0f} iterations)"
            )
