"""Learning curves of one run, or of several beside each other."""

import math
from pathlib import Path

from lamina.common.figures import label, save_png
from lamina.common.folder import File
from lamina.common.width import width_of
from lamina.experiment.curves import STYLES, far_apart, is_share, limits, metrics_of, shown, smooth
from lamina.experiment.group_curves import (
    NAME,
    draw_groups,
    draw_legend,
    labels_of,
    styles_in_words,
)
from lamina.experiment.groups import Group

TITLE = 100  # columns above two panels
MOST_PANELS = 3  # of metrics; the first of a run are the ones that count
DPI, PANEL = 120, (5.0, 4.0)  # inches of a panel
LEAST = 3.0  # inches that a panel beside others is wide at least
_COLUMN, _ROW = 0.075, 0.2  # inches of a column and a row of text in the legend, with some room
_LETTER = 0.066  # inches of a letter there, on average
NARROW = 800  # pixels below which panels stand one below the other


def plot_curves(
    path: str | Path | File,
    runs: dict[str, tuple[dict, dict]],
    title: str = "",
    groups: list[Group] | None = None,
    width: int | None = None,
    kept: dict[str, int | None] | None = None,
    said: dict[str, bool] | None = None,
) -> None:
    """Draw the smoothed loss and the metrics of runs into a PNG. Needs no display.

    `runs` maps a name to its columns (loss.csv, history.csv), as `read_run` gives them. Each metric
    has a panel of its own, with a line for each set. Of several runs each of the `groups` (default:
    each run) has a colour: its mean, and a band of one standard deviation on both sides. `width` is
    that of the picture in pixels; in a narrow one the panels stand one below the other. The figures
    in the legend are those of the last row of a run, or of that in `kept`; a run that is alone has
    a ring there. `said` is what the runs say is shown in per cent, as `percents` has it.
    """
    from matplotlib.figure import Figure  # late: half a second that only plotting needs

    names = list(dict.fromkeys(n for _, history in runs.values() for n in metrics_of(history)))
    names = names[:MOST_PANELS] or ["loss"]
    percent = {name: is_share(name, said or {}) for name in names}
    alone = len(runs) == 1
    groups = groups or [Group(name, [name], None) for name in runs]
    narrow = width is not None and width < NARROW
    columns = min(NAME, int((width / DPI - 0.7) / _LETTER) - 17) if width and narrow else NAME
    kept = kept or {}
    labels = [] if alone else labels_of(groups, runs, (names[0], percent[names[0]]), kept, columns)
    grid = _grid(1 + len(names), width, bool(labels))
    size = _size(*grid, labels, width)
    figure = Figure(figsize=size, layout="constrained")
    loss_axes, *others = figure.subplots(*grid, squeeze=False).flat
    others, left_over = others[: len(names)], others[len(names) :]
    for axes in left_over:
        axes.axis("off")
    panels = dict(zip(names, others, strict=True))
    if alone:
        ((name, (losses, history)),) = runs.items()
        _draw_loss(loss_axes, losses)
        for metric, axes in panels.items():
            _draw_metric(axes, history, metric, percent[metric], kept.get(name))
    else:
        draw_groups(loss_axes, panels, runs, groups, percent)
        of_kept = any(row is not None for row in kept.values())
        draw_legend(figure, groups, labels, names[0], across=not narrow, kept=of_kept)
        for axes in others:
            words = styles_in_words(axes)
            axes.set_title(words if width is None else words.replace(", ", "\n"), fontsize="medium")
    loss_axes.set(xlabel="iteration", ylabel="loss in training")
    if far_apart(runs):
        loss_axes.set_yscale("log")  # one that was lost would flatten all others
    else:
        loss_axes.set_ylim(*limits(runs))
    for metric, axes in panels.items():
        name = label(metric)
        axes.set(xlabel="epoch", ylabel=f"{name} (%)" if percent[metric] else name)
    for axes in (loss_axes, *others):
        axes.grid(alpha=0.3)
    figure.suptitle(label(title, min(TITLE, int(size[0] / 0.11))))
    save_png(path, figure, DPI)


def _draw_loss(axes, losses: dict) -> None:
    iterations, means, window = smooth(losses)
    axes.plot(losses["iteration"], losses["loss"], color="C0", alpha=0.25, linewidth=0.5)
    axes.plot(
        iterations,
        means,
        color="C0",
        marker="o" if len(means) == 1 else None,
        markersize=3,
        label=_words(len(means), window),
    )
    axes.legend(loc="upper right")


def _words(drawn: int, window: int) -> str:
    if not drawn:
        return "no loss is finite"
    return f"mean of {window} iterations" if window > 1 else "loss of an iteration"


def _draw_metric(axes, history: dict, metric: str, percent: bool, kept: int | None) -> None:
    """A line for each set, each of a colour and with its last value, or that of the row kept."""
    factor = 100 if percent else 1
    for colour, (part, style) in zip(("C0", "C2", "C1"), STYLES.items(), strict=True):
        if f"{part}_{metric}" not in history:
            continue
        values = history[f"{part}_{metric}"]
        row = -1 if kept is None else kept
        axes.plot(
            history["epoch"],
            factor * values,
            style,
            color=colour,
            marker="o" if len(values) < 40 else None,
            markersize=3,
            label=f"{part}: {shown(percent, values[row])}",
        )
        if kept is not None:
            ring = {"markersize": 9, "fillstyle": "none", "color": colour}
            axes.plot(history["epoch"][row], factor * values[row], "o", **ring)
    if axes.lines:
        title = f"weights kept, epoch {history['epoch'][kept]:.3g}" if kept is not None else None
        axes.legend(loc="best", title=title, fontsize="small", title_fontsize="small")


def _grid(n: int, width: int | None, beside: bool) -> tuple[int, int]:
    """Rows and columns of n panels, with room for a legend `beside` them. A panel that is narrower
    than its own legend shows nothing."""
    if width is None:
        return 1, n
    if width < NARROW:
        return n, 1
    columns = min(max(int(width / DPI / LEAST) - beside, 1), n)
    rows = math.ceil(n / columns)
    return rows, math.ceil(n / rows)  # 4 panels are two rows of two, not three and one


def _size(rows: int, columns: int, labels: list[str], width: int | None) -> tuple[float, float]:
    """Inches of the picture with so many panels, and a legend if there are labels."""
    legend = _ROW * (len(labels) + 4) if labels else 0.0
    if width is not None and width < NARROW:
        return width / DPI, rows * 0.9 * min(PANEL[1], width / DPI) + legend
    beside = 0.6 + _COLUMN * max([30, *map(width_of, labels)]) if labels else 0.0
    height = max(rows * PANEL[1], legend)
    return columns * PANEL[0] + beside if width is None else width / DPI, height
