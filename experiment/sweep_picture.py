"""The picture of a sweep: the figure of each trial over each of its values."""

import itertools
import math
from pathlib import Path
from typing import Any

from lamina.common.figures import label, save_png
from lamina.common.folder import File
from lamina.common.notice import note
from lamina.experiment.curves import FAR, shown
from lamina.experiment.importance import importances
from lamina.experiment.plots import DPI, NARROW, PANEL
from lamina.experiment.sweep_values import UNDER_WAY, SweepValues, Varied, read_sweep
from lamina.experiment.trial import FAILED, FINISHED, PRUNED

ACROSS, MOST = 3, 12  # panels side by side, and in all
_TICKS = 6  # values of a list that stand on its axis one by one
_LETTERS = 16  # of a text on an axis, at least
_LOOKS: dict[str, dict[str, Any]] = {
    FINISHED: {"marker": "o", "color": "#0072B2", "alpha": 0.75},
    PRUNED: {"marker": "o", "edgecolors": "#0072B2", "facecolors": "none", "alpha": 0.75},
    UNDER_WAY: {"marker": "^", "edgecolors": "#0072B2", "facecolors": "none", "alpha": 0.75},
    FAILED: {"marker": "x", "color": "#D55E00"},
}
_IMPORTANCE = (
    "importance: its part in what sets the best quarter,\nand what is as good, apart (Optuna)"
)
_WORDS = {
    PRUNED: "pruned, where it was ended",
    UNDER_WAY: "no end noted, its last evaluation",
    FAILED: "failed (NaN), no figure",
}
_WORDS_OF_BEST = {  # with keep_best
    **_WORDS,
    PRUNED: "pruned, its best until then",
    UNDER_WAY: "no end noted, its best so far",
}


def plot_sweep(path: str | Path | File, folder: str | Path, width: int | None = None) -> None:
    """Draw the trials of a sweep's folder into a PNG, a panel for each key that varies: on an axis
    of logarithms what was drawn from them, or is a list that reaches far. Failed trials lie on the
    worse edge. `width` is that of the picture in pixels; in a narrow one the panels stand one below
    the other. Needs no display. Raises what `read_sweep` does."""
    from matplotlib.figure import Figure  # late: half a second that only plotting needs

    sweep = read_sweep(folder)
    shares = importances(sweep)
    varied = sorted(sweep.varied, key=lambda one: -shares.get(one.name, 0.0))
    if len(varied) > MOST:
        note(f"{folder}: {len(varied)} keys vary; the picture has {MOST} of them")
        varied = varied[:MOST]
    narrow = width is not None and width < NARROW
    across = 1 if narrow else min(ACROSS, len(varied))
    down = math.ceil(len(varied) / across)
    inches = width / DPI if width is not None else max(across * PANEL[0], 1.3 * PANEL[0])
    panel = 0.85 * inches if narrow else PANEL[1]
    figure = Figure(figsize=(inches, down * panel + (1.4 if narrow else 0.9)), layout="constrained")
    axes = [*figure.subplots(down, across, squeeze=False, sharey=True).flat]
    for one, place in zip(varied, axes, strict=False):
        _draw(place, sweep, one, shares, narrow)
    for place in axes[len(varied) :]:
        place.set_visible(False)
    for place in axes[: len(varied) : across]:
        part, _, name = sweep.column.partition("_")
        unit = " (%)" if sweep.percent else ""
        place.set_ylabel(f"{label(name, 20)}{unit}\non the {part} set")
    handles, words = axes[0].get_legend_handles_labels()
    there = dict(zip(words, handles, strict=True))
    figure.legend(
        *(there.values(), there.keys()),
        loc="outside lower center",
        ncols=1 if narrow else len(there),
        fontsize="small",
        title=_IMPORTANCE if shares else None,
        title_fontsize="small",
    )
    save_png(path, figure, DPI)


def _draw(axes, sweep: SweepValues, varied: Varied, shares: dict, narrow: bool) -> None:
    factor = 100 if sweep.percent else 1
    places = varied.places
    x = varied.values if varied.numeric else [places.index(value) for value in varied.values]
    y = [factor * figure for figure in sweep.figures]
    words = _WORDS_OF_BEST if sweep.kept else _WORDS
    for state, look in _LOOKS.items():
        chosen = [i for i, s in enumerate(sweep.states) if s == state]
        if not chosen:
            continue
        failed = state == FAILED
        axes.scatter(
            [x[i] for i in chosen],
            [(0.0 if sweep.higher_is_better else 1.0) if failed else y[i] for i in chosen],
            s=26,
            zorder=3,
            clip_on=not failed,
            transform=axes.get_xaxis_transform() if failed else axes.transData,
            label=f"{words.get(state, state)}: {len(chosen)}",
            **look,
        )
    if (best := sweep.best) is not None:
        ring = {"s": 120, "facecolors": "none", "edgecolors": "#000000"}
        axes.scatter(
            x[best], y[best], label=f"best: {shown(sweep.percent, sweep.figures[best])}", **ring
        )
    there = [value for value in y if math.isfinite(value)]
    if factor == 1 and there and min(there) > 0 and max(there) > FAR * min(there):
        axes.set_yscale("log")
    _scale(axes, varied, places, narrow)
    title = f"importance {100 * shares[varied.name]:.0f} %" if varied.name in shares else ""
    axes.set_title(title, fontsize="medium")
    axes.set_xlabel(label(varied.name, 30))
    axes.grid(alpha=0.3)


def _scale(axes, varied: Varied, places: list, narrow: bool) -> None:
    """The axis of the values, with room on both sides."""
    if not varied.numeric:
        axes.set_xlim(-0.5, len(places) - 0.5)
        letters = (24 if narrow else 36) // len(places)  # for each, side by side
        names = [label(value, max(letters, _LETTERS)) for value in places]
        slanted = any(len(name) > letters for name in names)
        turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
        axes.set_xticks(range(len(places)), names, fontsize="small", **turned)
        return
    along = [math.log10(value) if varied.log else value for value in places]
    room = 0.05 * (along[-1] - along[0]) or 0.5
    low, high = along[0] - room, along[-1] + room
    if varied.log:
        axes.set_xscale("log")
        low, high = 10**low, 10**high
    axes.set_xlim(low, high)
    gaps = [(b - a) / (12 * room) for a, b in itertools.pairwise(along)]
    if len(places) <= _TICKS and min(gaps, default=1.0) > (0.2 if narrow else 0.12) / 1.2:
        axes.set_xticks(places, [f"{value:g}" for value in places], fontsize="small")
        axes.minorticks_off()
