"""Learning curves of one run, or of several beside each other."""

from pathlib import Path

import numpy as np

from lamina.common.errors import no_run
from lamina.common.figures import label, save_png
from lamina.common.folder import Folder, placed
from lamina.common.table import read_table
from lamina.diagnosis.record import read_record
from lamina.metrics import make_metric

_COLUMNS = (("iteration", "loss"), ("iteration", "epoch"))  # that a run always has
STYLES = {"train": ":", "validation": "--", "test": "-"}
NAME, TITLE = 24, 100  # columns of a name in a legend, and above two panels
MOST_PANELS = 3  # of metrics; the first of a run are the ones that count


def plot_curves(
    path: str | Path,
    runs: dict[str, tuple[dict, dict]],
    title: str = "",
    kept: dict[str, int | None] | None = None,
) -> None:
    """Draw the smoothed loss and the metrics of runs into a PNG. Needs no display.

    `runs` maps a name to its columns (loss.csv, history.csv), as `read_run` gives them. Each metric
    has a panel of its own, with a line for each set. The legend has the figures of the last row, or
    of that in `kept`, which then has a ring.
    """
    from matplotlib.figure import Figure  # late: half a second that only plotting needs

    names = list(dict.fromkeys(n for _, history in runs.values() for n in metrics_of(history)))
    names = names[:MOST_PANELS] or ["loss"]
    figure = Figure(figsize=(5 * (1 + len(names)), 4), layout="constrained")
    loss_axes, *panels = figure.subplots(1, 1 + len(names))
    alone = len(runs) == 1
    rows = [(kept or {}).get(name) for name in runs]
    runs = dict(zip(_labels(runs), runs.values(), strict=True))
    for i, (name, (losses, _)) in enumerate(runs.items()):
        _draw_loss(loss_axes, losses, f"C{i}", None if alone else name)
    loss_axes.set(xlabel="iteration", ylabel="loss (training batches)")
    loss_axes.set_ylim(*_limits(runs))
    if not alone:
        loss_axes.legend(loc="upper right")
    loss_axes.grid(alpha=0.3)
    for axes, metric in zip(panels, names, strict=True):
        _draw_metric(axes, runs, metric, rows)
    figure.suptitle(label(title, TITLE))
    save_png(path, figure)


def metrics_of(history: dict) -> list[str]:
    """The metrics that history.csv has, in its order; the first is the one that counts."""
    names = (column.removeprefix("train_") for column in history if column.startswith("train_"))
    return [name for name in names if name != "loss"]


def _labels(names) -> list[str]:
    """What a legend calls the runs: shortened, and numbered where that makes them the same."""
    short = [label(name, NAME) for name in names]
    apart = len(set(short)) == len(short)
    return short if apart else [f"{i}: {name}" for i, name in enumerate(short, 1)]


def _draw_metric(axes, runs: dict, metric: str, kept: list) -> None:
    """A line for each set of each run; of several runs, the train set's has no label."""
    alone = len(runs) == 1
    percent = _is_share(metric)
    styles = {}
    for i, (name, (_, history)) in enumerate(runs.items()):
        for j, (part, style) in enumerate(STYLES.items()):
            if f"{part}_{metric}" not in history:
                continue
            values = (100 if percent else 1) * history[f"{part}_{metric}"]
            row = -1 if kept[i] is None else kept[i]
            said = f"{values[row]:.2f} %" if percent else f"{values[row]:.4g}"
            words = f"{part if alone else f'{name}, {part}'}: {said}"
            words += "" if kept[i] is None else f" (kept, epoch {history['epoch'][row]:.3g})"
            color = f"C{(0, 2, 1)[j] if alone else i}"
            axes.plot(
                history["epoch"],
                values,
                style,
                color=color,
                marker="o" if len(values) < 40 else None,
                markersize=3,
                label=words if alone or part != "train" else None,
            )
            if kept[i] is not None:
                ring = {"markersize": 9, "fillstyle": "none", "color": color}
                axes.plot(history["epoch"][row], values[row], "o", **ring)
            styles[part] = {":": "dotted", "--": "dashed", "-": "solid"}[style]
    shown = label(metric)
    axes.set(xlabel="epoch", ylabel=f"{shown} (%)" if percent else shown)
    if axes.lines:
        axes.legend(loc="best")
    if not alone:
        words = ", ".join(f"{style}: {part}" for part, style in reversed(styles.items()))
        axes.set_title(words, fontsize="medium")
    axes.grid(alpha=0.3)


def _is_share(metric: str) -> bool:
    """Is it shown in per cent? A metric of the user's own is not."""
    try:
        return make_metric(metric).percent
    except ValueError:
        return False


def read_run(run_dir: str | Path | Folder) -> tuple[dict, dict]:
    """The columns of loss.csv and history.csv. Raises OSError or ValueError if it is no run."""
    run_dir = placed(run_dir)
    for name in ("loss", "history"):
        if not (run_dir / f"{name}.csv").is_file():
            raise ValueError(no_run(run_dir, f"{name}.csv"))
    tables = [read_table(run_dir / f"{name}.csv") for name in ("loss", "history")]
    for name, table, wanted in zip(("loss", "history"), tables, _COLUMNS, strict=True):
        if missing := [column for column in wanted if column not in table]:
            raise ValueError(f"{run_dir / f'{name}.csv'}: has no column {missing[0]}")
    if not all(len(table["iteration"]) for table in tables):
        raise ValueError(f"{run_dir}: has no evaluation yet")
    return tables[0], tables[1]


def kept_of(run_dir: str | Path | Folder) -> int | None:
    """The row of history.csv whose weights are kept, if these are not the last. Raises OSError or
    ValueError."""
    if not (placed(run_dir) / "config.yaml").is_file():
        return None
    return read_record(run_dir).kept


def _smooth(losses: dict):
    """(iterations, running means) over a hundredth of the run, of the losses that are finite."""
    there = np.isfinite(losses["loss"])
    loss, iterations = losses["loss"][there], losses["iteration"][there]
    window = max(len(loss) // 100, 1)
    means = np.convolve(loss, np.ones(window) / window, mode="valid") if len(loss) else loss
    return iterations[window - 1 :], means, window


def _draw_loss(axes, losses: dict, color: str, name: str | None) -> None:
    iterations, means, window = _smooth(losses)
    if name is None:
        axes.plot(losses["iteration"], losses["loss"], color=color, alpha=0.25, linewidth=0.5)
        axes.plot(
            iterations,
            means,
            color=color,
            marker="o" if len(means) == 1 else None,
            markersize=3,
            label=_words(len(means), window),
        )
        axes.legend(loc="upper right")
    else:
        axes.plot(iterations, means, color=color, label=name)


def _words(drawn: int, window: int) -> str:
    if not drawn:
        return "no loss is finite"
    return f"mean of {window} batches" if window > 1 else "loss of a batch"


def _limits(runs) -> tuple[float, float]:
    """The ends of the loss axis: a few wild batches must not flatten the curves, and a loss below 0
    is not cut off."""
    lows, highs = [0.0], []
    for losses, _ in runs.values():
        _, means, _ = _smooth(losses)
        if not len(means):
            continue
        loss = losses["loss"][np.isfinite(losses["loss"])]
        highs.append(max(np.percentile(loss, 99), np.percentile(means, 99.5)))
        lows.append(min(np.percentile(loss, 1), np.percentile(means, 0.5)))
    low, high = min(lows), max(highs, default=0.0)
    room = 0.1 * (high - low) or 1.0
    return (low - room if low < 0 else 0.0), high + room
