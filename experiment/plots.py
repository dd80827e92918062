"""Learning curves of one run, or of several beside each other.

lamina plots runs/a runs/b -o compare.png
"""

from pathlib import Path

import numpy as np

from lamina.common.files import whole_file
from lamina.common.table import read_table


def plot_curves(path: Path, runs: dict[str, tuple[dict, dict]], title: str = "") -> None:
    """Draw the smoothed loss and the accuracies of runs into a PNG. Needs no display.

    `runs` maps a name to its columns (loss.csv, history.csv), as `read_run` gives them.
    """
    from matplotlib.figure import Figure  # late: half a second that only plotting needs

    figure = Figure(figsize=(10, 4), layout="constrained")
    loss_axes, accuracy_axes = figure.subplots(1, 2)
    alone = len(runs) == 1
    for i, (name, (losses, history)) in enumerate(runs.items()):
        name = name.replace("$", r"\$")  # a name with $ in it is no formula
        _draw_loss(loss_axes, losses, f"C{i}", None if alone else name)
        for key, style in (("train_accuracy", ":"), ("test_accuracy", "-")):
            part = key.split("_")[0]
            values = 100 * history[key]
            label = f"{part if alone else f'{name}, {part}'}: {values[-1]:.2f} %"
            if not alone and part == "train":
                label = None
            accuracy_axes.plot(
                history["epoch"],
                values,
                style,
                color=f"C{i + (alone and part == 'test')}",
                marker="o" if len(values) < 40 else None,
                markersize=3,
                label=label,
            )
    loss_axes.set(xlabel="iteration", ylabel="loss (training batches)")
    loss_axes.set_ylim(0, _top(runs))
    accuracy_axes.set(xlabel="epoch", ylabel="accuracy (%)")
    accuracy_axes.legend(loc="lower right")
    if not alone:
        accuracy_axes.set_title("solid: test, dotted: train", fontsize="medium")
        loss_axes.legend(loc="upper right")
    for axes in (loss_axes, accuracy_axes):
        axes.grid(alpha=0.3)
    figure.suptitle(title, parse_math=False)
    with whole_file(path) as file:
        figure.savefig(file, format="png", dpi=120)


def read_run(run_dir: Path) -> tuple[dict, dict]:
    """The columns of loss.csv and history.csv. Raises OSError or ValueError if it is no run."""
    for name in ("loss", "history"):
        if not (run_dir / f"{name}.csv").is_file():
            raise ValueError(f"{run_dir}: is no run directory: it has no {name}.csv")
    tables = [read_table(run_dir / f"{name}.csv") for name in ("loss", "history")]
    if not all(len(table["iteration"]) for table in tables):
        raise ValueError(f"{run_dir}: has no evaluation yet")
    return tables[0], tables[1]


def _smooth(losses: dict):
    """(iterations, running means) over a hundredth of the run."""
    window = max(len(losses["loss"]) // 100, 1)
    means = np.convolve(losses["loss"], np.ones(window) / window, mode="valid")
    return losses["iteration"][window - 1 :], means, window


def _draw_loss(axes, losses: dict, color: str, name: str | None) -> None:
    iterations, means, window = _smooth(losses)
    if name is None:
        axes.plot(losses["iteration"], losses["loss"], color=color, alpha=0.25, linewidth=0.5)
        axes.plot(iterations, means, color=color, label=f"mean of {window} batches")
        axes.legend(loc="upper right")
    else:
        axes.plot(iterations, means, color=color, label=name)


def _top(runs) -> float:
    """The upper end of the loss axis: a few wild batches must not flatten the curves."""
    tops = []
    for losses, _ in runs.values():
        _, means, _ = _smooth(losses)
        tops.append(max(np.percentile(losses["loss"], 99), np.percentile(means, 99.5)))
    return 1.1 * max(tops) or 1.0
