"""health.png: the layers of a run over time.

Above, a row for each layer, the input on top: the spread of outputs, that of gradients, and the
share of dead or saturated units. Below, over the same iterations: the gradients of the weights, the
size of their updates beside the rule of thumb, and the loss with the figure that counts.
"""

import math
from pathlib import Path

import numpy as np

from lamina.common.figures import label, save_png
from lamina.diagnosis.record import Record
from lamina.diagnosis.statistics import ENOUGH

TITLE, NAME = 120, 24  # columns of the title, and of a layer's name
DEAD = ("dead", "saturated")
GREY = "0.88"  # where there is no number
GOOD = (1e-4, 1e-2)  # update / weight, a factor of ten around the rule of thumb


def plot_health(path: str | Path, record: Record) -> None:
    """Draw the recorded layers into a PNG. Needs no display. Raises ValueError without records."""
    if not record.layers:
        raise ValueError(f"{record.path}: has no layers.csv, so there is nothing to draw")
    from matplotlib.figure import Figure  # late: half a second that only plotting needs

    names = list(record.layers)
    height = min(max(0.19 * len(names), 1.5), 12.0)
    figure = Figure(figsize=(13, height + 4.0), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=(height, 3.2))
    maps = [figure.add_subplot(grid[0, i]) for i in range(3)]
    for axes, (title, values, logarithmic) in zip(maps, _maps(record), strict=True):
        _draw_map(figure, axes, record, title, values, logarithmic)
    every = -(-len(names) // 60)
    size = 8 if len(names) <= 20 else 6.5
    maps[0].set_yticks(
        range(0, len(names), every), [label(n, NAME) for n in names[::every]], size=size
    )
    below = [figure.add_subplot(grid[1, i]) for i in range(3)]
    _draw_lines(below[0], record, "gradient_norm", "gradient norm of the weights")
    _draw_lines(below[1], record, "update_ratio", "update / weight", GOOD)
    below[1].axhspan(*GOOD, color="tab:green", alpha=0.10, linewidth=0)
    below[1].axhline(1e-3, color="tab:green", linewidth=1.0, linestyle="--")
    _draw_loss(below[2], record)
    for axes in (*maps, *below):
        _set_iterations(axes, max(record.iterations, 1))
    for axes in below:
        axes.set_xlabel("iteration")
        axes.grid(alpha=0.25, which="major")
    figure.suptitle(label(record.path.resolve().name, TITLE))
    save_png(path, figure)


def _maps(record: Record) -> list[tuple]:
    """(title, a row of values for each layer, logarithmic) of the three maps."""
    layers = list(record.layers.values())
    kinds = [c for c in DEAD if any(not np.isnan(s[c]).all() for s in layers)]
    words = {"dead": "dead ReLUs", "saturated": "saturated units"}
    relus = any(series.type == "Relu" for series in layers)  # of a few samples that is not known
    none = f"dead ReLUs: not known of fewer than {ENOUGH} samples"
    none = none if relus else "dead or saturated units: none can be"
    title = " and ".join(words[k] for k in kinds) or none
    shares = [np.fmax(series["dead"], series["saturated"]) for series in layers]
    return [
        ("spread of outputs", [series["std"] for series in layers], True),
        ("spread of gradients", [series["gradient_std"] for series in layers], True),
        (title, shares, False),
    ]


def _draw_map(figure, axes, record: Record, title: str, rows: list, logarithmic: bool) -> None:
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm, Normalize

    all_iterations = [series.iterations for series in record.layers.values()]
    iterations = np.unique(np.concatenate(all_iterations))
    values = np.full((len(rows), len(iterations)), np.nan)
    for row, (own, numbers) in enumerate(zip(all_iterations, rows, strict=True)):
        values[row, np.searchsorted(iterations, own)] = numbers
    low, high = 0.0, 1.0
    norm, colours = Normalize(low, high), colormaps["OrRd"]
    if logarithmic:
        zero = values == 0
        values[~(np.isfinite(values) & (values > 0))] = np.nan
        low, high = _range(values)
        norm, colours = LogNorm(low, high), colormaps["viridis"].with_extremes(under="black")
        values[zero] = low / 10
        title += " (black: 0)" if zero.any() else ""
    axes.set_facecolor(GREY)
    mesh = axes.pcolormesh(
        _edges(iterations),
        np.arange(len(rows) + 1) - 0.5,
        np.ma.masked_invalid(values),
        norm=norm,
        cmap=colours,
    )
    axes.set_ylim(len(rows) - 0.5, -0.5)  # the input on top
    axes.set_yticks([])
    axes.tick_params(axis="y", length=0)
    axes.set_title(title, fontsize=10)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, fraction=0.05, aspect=30)
    if logarithmic:
        ticks = _ticks(low, high)
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks], minor=False)
        bar.minorticks_off()
    else:
        bar.set_ticks([0, 0.5, 1], labels=["0 %", "50 %", "100 %"])
    bar.ax.tick_params(labelsize=7)


def _ticks(low: float, high: float) -> list[float]:
    """Powers of ten in between, at most eight; where these are few, their 2- and 5-fold too."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max((last - first) // 8, 1)
    steps = (1.0, 2.0, 5.0) if last - first <= 3 else (1.0,)
    ticks = [step * 10.0**e for e in range(first, last + 1, every) for step in steps]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def _set_iterations(axes, iterations: int) -> None:
    """A logarithmic axis of iterations: most of what goes wrong goes wrong early."""
    axes.set_xscale("log")
    axes.set_xlim(0.8, max(iterations * 1.15, 1.5))
    ticks = _ticks(1.0, max(iterations, 2.0))
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks], fontsize=8)
    axes.minorticks_off()


def _range(values: np.ndarray) -> tuple[float, float]:
    """The ends of a logarithmic scale: those of the values, but at least a decade apart."""
    there = values[~np.isnan(values)]
    if not len(there):
        return 0.1, 1.0
    low, high = math.log10(there.min()), math.log10(there.max())
    missing = max(1.0 - (high - low), 0.0) / 2
    return 10.0 ** (low - missing), 10.0 ** (high + missing)


def _edges(iterations: np.ndarray) -> np.ndarray:
    """Where one column of a map ends and the next begins: halfway, on a logarithmic axis."""
    logs = np.log10(iterations)
    if len(logs) == 1:
        return 10.0 ** np.array([logs[0] - 0.1, logs[0] + 0.1])
    middle = (logs[1:] + logs[:-1]) / 2
    return 10.0 ** np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]])


def _draw_lines(axes, record: Record, column: str, title: str, shown: tuple = ()) -> None:
    """A line for each matrix of weights, from the lowest, dark, to the highest, light; the axis
    holds the values in `shown` as well."""
    from matplotlib import colormaps

    weights = record.weights or {n: s for n, s in record.parameters.items() if n != "(all)"}
    colours = colormaps["plasma"](np.linspace(0.0, 0.85, max(len(weights), 1)))
    named = range(len(weights)) if len(weights) <= 6 else (0, len(weights) // 2, len(weights) - 1)
    drawn = list(shown)
    for i, (name, series) in enumerate(weights.items()):
        values = np.where(series[column] > 0, series[column], np.nan)
        drawn += list(values[np.isfinite(values)])
        nothing = ": 0" if np.isnan(values).all() else ""
        axes.plot(
            series.iterations,
            values,
            color=colours[i],
            linewidth=1.3 if len(weights) <= 12 else 0.9,
            marker="o" if len(series.iterations) < 40 else None,
            markersize=4 if len(series.iterations) < 3 else 2,
            label=label(name, NAME) + nothing if i in named else None,
        )
    axes.set_yscale("log")
    axes.set_title(title, fontsize=10)
    low, high = _range(np.array(drawn))
    room = (high / low) ** 0.06
    axes.set_ylim(low / room, high * room**3)  # room for the names
    if high / low < 100.0:  # powers of ten alone would be one or two
        ticks = _ticks(low / room, high * room**3)
        axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    if weights:
        spacing = {"handlelength": 1.2, "columnspacing": 1.0}
        axes.legend(fontsize=6.5, loc="upper center", ncols=3, frameon=False, **spacing)


def _draw_loss(axes, record: Record) -> None:
    losses, history = record.loss, record.history
    axes.plot(losses["iteration"], losses["loss"], color="0.8", linewidth=0.6)
    marker = "o" if record.iterations < 3 else None
    lines = axes.plot(*_means(losses), color="C0", marker=marker, markersize=4, label="loss")
    finite = losses["loss"][np.isfinite(losses["loss"])]
    if len(finite) and finite.min() > 0 and finite.max() > 30 * np.median(finite):
        axes.set_yscale("log")
    figure = record.figure
    axes.set_title(f"loss (left), {figure.name} (right)" if figure else "loss", fontsize=10)
    if figure and len(history["iteration"]):
        right, scale = axes.twinx(), 100 if figure.percent else 1
        for part, style in (("train", ":"), ("validation", "--"), ("test", "-")):
            if len(values := record.values(part)):
                lines += right.plot(
                    *(history["iteration"], scale * values, style),
                    color="C1",
                    marker="o",
                    markersize=2.5,
                    label=f"{part} %" if figure.percent else part,
                )
        if figure.percent:
            right.set_ylim(0, 102)
    axes.legend(lines, [line.get_label() for line in lines], fontsize=7, loc="lower left")


def _means(losses: dict) -> tuple[np.ndarray, np.ndarray]:
    """Means over stretches that are equally long on a logarithmic axis, 30 for a factor of ten."""
    stretch = np.floor(30 * np.log10(losses["iteration"]))
    if not len(stretch):
        return losses["iteration"], losses["loss"]
    stretch[stretch == stretch[-1]] -= 1  # the last one may have only begun
    _, starts, counts = np.unique(stretch, return_index=True, return_counts=True)
    at, means = (np.add.reduceat(losses[c], starts) / counts for c in ("iteration", "loss"))
    return at, means
