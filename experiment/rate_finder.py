"""A learning rate for a configuration, from one short run, and the picture of it."""

from pathlib import Path

import numpy as np

from lamina.common.colours import COLOURS
from lamina.common.errors import RunError
from lamina.common.figures import label, save_png
from lamina.experiment.build_trainer import build_run
from lamina.experiment.config import Config
from lamina.training.rate_range import RateRange, rate_range
from lamina.training.watch import Watch


def find_rate(config: Config, low: float, high: float, steps: int) -> RateRange:
    """The losses of a run of this configuration whose rate grows from `low` to `high`; nothing is
    written. Raises RunError if already the first step gives no finite loss."""
    trainer = build_run(config, quiet=True, watch=Watch()).trainer
    found = rate_range(trainer, low, high, steps)
    if not len(found.rates):
        raise RunError(f"the first step has no finite loss, whatever the rate ({low:g})")
    return found


def in_words(found: RateRange, name: str) -> str:
    """What was found, for a terminal."""
    first, last = found.rates[0], found.rates[-1]
    head = f"{name}: rates from {_rate(first, 4)} to {_rate(last, 4)} in {len(found.rates)} steps"
    if found.suggested is None and found.began_too_high:
        return (
            f"{head}\nthe running mean of the losses was lowest ({found.means.min():.3g}) in the "
            f"first steps already, at {_rate(found.lowest)}, and then lost: no rate can be "
            "suggested; begin with a lower one (--low)"
        )
    if found.suggested is None:
        return (
            f"{head}\nthe running mean of the losses has not fallen (from {found.start:.3g} to "
            f"{found.means.min():.3g} at best): no rate can be suggested; is anything learned at "
            "all, or are the rates too low (--low, --high)?"
        )
    end = f", lost at {_rate(last)}" if found.diverged else ""
    return (
        f"{head}\nthe running mean of the losses ({found.start:.3g} in the first steps) was "
        f"halfway down at {_rate(found.halfway)}, lowest at {_rate(found.lowest)} "
        f"({found.means.min():.3g}){end}\n"
        f"suggested: lr: {found.suggested:g}"
    )


def _rate(rate: float, digits: int = 2) -> str:
    """To so many digits; no 1e+02 where 100 is as short."""
    return f"{float(f'{rate:.{digits}g}'):g}"


def draw_rates(path: str | Path, found: RateRange, title: str) -> None:
    """Draw the loss over the rate, with the suggested one, into a PNG."""
    from matplotlib.figure import Figure  # late, as in plots

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(found.rates, found.losses, color=COLOURS[0], alpha=0.3, linewidth=0.7)
    axes.plot(found.rates, found.means, color=COLOURS[0], label="running mean of the batches")
    if found.suggested is not None:
        words = f"suggested: {found.suggested:g}"
        axes.axvline(found.suggested, color=COLOURS[1], linestyle="--", label=words)
    low, high = found.means.min(), found.start
    room = max(0.1 * (high - low), 0.02 * abs(high)) or 1.0
    axes.set_ylim(min(low, np.percentile(found.losses, 1)) - room, high + 5 * room)
    axes.set(xscale="log", xlabel="learning rate, growing step by step", ylabel="loss of a batch")
    axes.legend(loc="lower left", fontsize="small")
    axes.grid(alpha=0.3)
    figure.suptitle(label(title, 60))
    save_png(path, figure)
