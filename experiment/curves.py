"""The tables of a run as curves: losses smoothed, values in words."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.errors import no_run
from lamina.common.folder import Folder, placed
from lamina.common.percent import places_of
from lamina.common.table import read_table
from lamina.diagnosis.kept import kept_row
from lamina.diagnosis.notes import read_facts
from lamina.experiment.config import load_config
from lamina.metrics import make_metric

_COLUMNS = (("iteration", "loss"), ("iteration", "epoch"))  # that a run always has
FAR = 50.0  # times, which no linear axis shows
STYLES = {"train": ":", "validation": "--", "test": "-"}


def metrics_of(history: dict) -> list[str]:
    """The metrics that history.csv has, in its order; the first is the one that counts."""
    names = (column.removeprefix("train_") for column in history if column.startswith("train_"))
    return [name for name in names if name != "loss"]


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
        raise NothingYet(f"{run_dir}: has no evaluation yet")
    return tables[0], tables[1]


def kept_of(run_dir: str | Path) -> int | None:
    """The row of history.csv whose weights are kept, if these are not the last. Raises OSError or
    ValueError."""
    run_dir = Path(run_dir)
    if not (run_dir / "config.yaml").is_file():
        return None
    config, facts = load_config(run_dir / "config.yaml").data, read_facts(run_dir / "facts.json")
    return kept_row(config, facts, read_table(run_dir / "history.csv"))


class NothingYet(ValueError):
    """A run that has come to no evaluation."""


def percents(run_dirs: Iterable[str | Path | Folder]) -> dict[str, bool]:
    """Which metrics these runs say are shown in per cent, the first that has one. Raises OSError
    or ValueError."""
    said: dict[str, bool] = {}
    for run_dir in run_dirs:
        facts = read_facts(placed(run_dir) / "facts.json")
        figure = facts.get("figure")
        counts = {figure["name"]: figure["percent"]} if figure else {}
        said = counts | facts.get("percent", {}) | said
    return said


def is_share(metric: str, said: dict[str, bool]) -> bool:
    """Is it shown in per cent? What the runs have `said` counts, a metric of the user's own is
    known from there alone."""
    if metric in said:
        return said[metric]
    try:
        return make_metric(metric).percent
    except ValueError:
        return False


def shown(percent: bool, mean: float, spread: float = math.nan) -> str:
    """The last value of a curve in words, with its deviation if it has one."""
    if percent:
        places = places_of(mean)
        deviation = "" if math.isnan(spread) else f" ± {100 * spread:.{places}f}"
        return f"{100 * mean:.{places}f}{deviation} %"
    return f"{mean:.4g}" + ("" if math.isnan(spread) else f" ± {spread:.2g}")


def smooth(losses: dict):
    """(iterations, running means) over a hundredth of the run, of the losses that are finite."""
    there = np.isfinite(losses["loss"])
    loss, iterations = losses["loss"][there], losses["iteration"][there]
    window = max(len(loss) // 100, 1)
    means = np.convolve(loss, np.ones(window) / window, mode="valid") if len(loss) else loss
    return iterations[window - 1 :], means, window


def far_apart(runs: dict) -> bool:
    """Do the losses of one run reach FAR times as high as those of another, and all lie above 0?"""
    means = [means for means in (smooth(losses)[1] for losses, _ in runs.values()) if len(means)]
    if len(means) < 2 or min(curve.min() for curve in means) <= 0:
        return False
    highs = [curve.max() for curve in means]
    return bool(max(highs) > FAR * min(highs))


def limits(runs) -> tuple[float, float]:
    """The ends of the loss axis: a few wild batches must not flatten the curves, and a loss below 0
    is not cut off."""
    lows, highs = [0.0], []
    for losses, _ in runs.values():
        _, means, _ = smooth(losses)
        if not len(means):
            continue
        loss = losses["loss"][np.isfinite(losses["loss"])]
        highs.append(max(np.percentile(loss, 99), np.percentile(means, 99.5)))
        lows.append(min(np.percentile(loss, 1), np.percentile(means, 0.5)))
    low, high = min(lows), max(highs, default=0.0)
    room = 0.1 * (high - low) or 1.0
    return (low - room if low < 0 else 0.0), high + room
