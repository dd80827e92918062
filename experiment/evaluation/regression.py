"""Numbers: the errors of each target, the worst samples, predictions over what is right."""

from pathlib import Path

import numpy as np

from lamina.common.digits import digits_of
from lamina.common.figures import label, save_png
from lamina.common.width import left, width_of
from lamina.experiment.evaluation.classification import ROWS, row_names

PICTURE = "predictions.png"
MOST_TARGETS, WORST = 6, 5
NAME = 24  # columns of a name beside an axis


def report(evaluation) -> str:
    """Errors of each target in its own units, and the samples that are furthest off, as text."""
    y, t = _columns(evaluation)
    names = row_names(_names(evaluation, t.shape[1]))
    error, spread = y - t, t.std(axis=0)
    width = max(map(width_of, ("target", *names)))
    lines = [f"{'target':<{width}}  {'rmse':>10}  {'mean error':>10}  {'spread':>10}"]
    for i, name in enumerate(names):
        rmse = np.sqrt(np.mean(np.square(error[:, i])))
        lines.append(
            f"{left(name, width)}  {rmse:>10.4g}  {error[:, i].mean():>10.4g}  {spread[i]:>10.4g}"
        )
    lines += ["", "spread: the standard deviation of what is right, whatever the net says"]
    lines += ["", f"furthest off, of {len(t):,} sample{'s' * (len(t) != 1)} {ROWS}:"]
    off = np.abs(error / np.where(spread > 0, spread, 1.0)).max(axis=1)
    off[np.isnan(off)] = np.inf
    for row in np.argsort(-off, kind="stable")[:WORST]:
        lines.append(
            f"  row {evaluation.rows[row]}: is {_numbers(t[row], error[row])}, "
            f"said {_numbers(y[row], error[row])}"
        )
    return "\n".join(lines)


def draw(path: Path, evaluation) -> bool:
    """A point for each sample, what the net said over what is right, a panel for each target."""
    from matplotlib.figure import Figure  # late, as in plots

    y, t = _columns(evaluation)
    names = _names(evaluation, t.shape[1])[:MOST_TARGETS]
    figure = Figure(figsize=(4.2 * len(names), 4.2), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for i, (axes, name) in enumerate(zip(panels, names, strict=True)):
        axes.plot(t[:, i], y[:, i], ".", markersize=3, alpha=0.6)
        there = np.isfinite(y[:, i])
        if there.any():
            both = np.concatenate([t[there, i], y[there, i]])
            ends = [both.min(), both.max()]
            axes.plot(ends, ends, color="0.6", linewidth=1, zorder=0)
        if not there.all():
            axes.set_title(f"{np.count_nonzero(~there)} without a finite number", fontsize=9)
        axes.set_xlabel(f"{label(name, NAME)}, right")
        axes.set_ylabel(f"{label(name, NAME)}, said")
        axes.grid(alpha=0.3)
    figure.suptitle(f"{evaluation.part} set", fontsize=10)
    save_png(path, figure)
    return True


def _columns(evaluation) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets as (N, D) in float64."""
    t = evaluation.targets.reshape(len(evaluation.targets), -1).astype(float)
    return evaluation.predictions.reshape(t.shape).astype(float), t


def _names(evaluation, n: int) -> list[str]:
    """A name for each of the n columns: of sequences each target stands there once a position."""
    names = list(evaluation.task.target_names)
    if len(names) == n:
        return names
    return [f"{names[i % len(names)]}, position {i // len(names)}" for i in range(n)]


def _numbers(row: np.ndarray, error: np.ndarray) -> str:
    return ", ".join(digits_of(*both, least=4) for both in zip(row, error, strict=True))
