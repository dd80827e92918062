"""Learning curves of one run, or of several beside each other.

python -m training.plots runs/a runs/b -o compare.png
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from datasets.files import whole_file
from training.table import read_table


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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.plots", description="Draw the learning curves of runs."
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run directory")
    parser.add_argument("-o", "--output", type=Path, help="(default: RUN/curves.png, curves.png)")
    options = parser.parse_args(arguments)
    alone = len(options.runs) == 1
    output = options.output or (options.runs[0] / "curves.png" if alone else Path("curves.png"))
    try:
        # Two runs of one name, in different folders, are told apart by their paths.
        names = [run.resolve().name for run in options.runs]
        names = names if len(set(names)) == len(names) else [str(run) for run in options.runs]
        runs = {n: read_run(run) for n, run in zip(names, options.runs, strict=True)}
        plot_curves(output, runs, names[0] if alone else "")
    except (OSError, ValueError) as error:
        print(f"training.plots: {error}", file=sys.stderr)
        return 2
    print(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
