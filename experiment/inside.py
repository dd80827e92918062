"""What a net looks at and what it holds while it reads: weights of attention, hidden states."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from lamina.common.figures import label, save_png
from lamina.common.printable import printable
from lamina.datasets.pairs import Pairs
from lamina.datasets.tokens import END, PAD, START
from lamina.layers import MultiHeadAttention
from lamina.layers.recurrent import Recurrent
from lamina.nets.probes import Probes, places_of

MOST = 64  # positions of a text, the last ones, that are still read in a picture
HEADS = 4  # side by side
SIGNS = {PAD: "·", START: "‹", END: "›", " ": "␣"}  # short ones, so that they fit beside each other


@dataclasses.dataclass
class Axis:
    """A sequence that a net reads: what it is called, and its tokens."""

    name: str
    tokens: list[str]


def look(net, X) -> dict[str, np.ndarray]:
    """{layer: what it has of one sample}, in the order of the pass: the weights of an attention
    (n_heads, T, S), or the hidden states (T, H) of a recurrent layer, by position.
    X is what `net.predict` takes, of one sample."""
    seen = _Seen()
    with Probes(places_of(net), seen):
        net.predict(X)
    return seen.arrays


class _Seen:
    def __init__(self):
        self.arrays: dict[str, np.ndarray] = {}

    def forward(self, place, inputs, outputs) -> None:
        layer = place.layer
        if isinstance(layer, MultiHeadAttention):
            self.arrays[place.name] = layer.A[0].copy()
        elif isinstance(layer, Recurrent):
            self.arrays[place.name] = layer.out_of_time(layer.h[1:])[0].copy()

    def backward(self, place, douts, dXs) -> None:
        pass


def draw_text(path: Path, net, dataset, text: str) -> None:
    """The picture of a text that a net reads, its end if it is long. Raises ValueError for a net
    that has no such layers."""
    task, most = dataset.task, min(dataset.input_shape[0], MOST)
    indices = task.encode(text).tolist()
    if START in task.vocabulary:
        indices = [task.vocabulary.index(START), *indices]
    if not net.can_step:  # it reads as many at a time as it was trained on
        most = dataset.input_shape[0]
    indices = indices[-most:]
    axis = Axis("text", [task.vocabulary[i] for i in indices])
    _draw(path, look(net, np.array([indices])), [axis], axis)


def draw_answer(path: Path, net, dataset: Pairs, question: str, answer: str) -> None:
    """The picture of an answer: at each position the net has read what stands before it, and the
    axis of the answer says what it wrote there. The question stands as the net reads it."""
    task, asked = dataset.task, dataset.asked(question)
    tokens = [START, *answer, END][: dataset.longest[1] + 1]  # where it was asked what is next
    so_far = np.zeros((1, dataset.longest[1] + 1), asked.dtype)
    read = [task.vocabulary.index(token) for token in tokens[:-1]]
    so_far[0, : len(read)] = read
    seen = look(net, (asked, so_far))
    names = [task.vocabulary[i] for i in asked[0]]
    backwards = " (backwards, as it is read)" if dataset.reverse else ""
    axes = [Axis(f"question{backwards}", names), Axis("answer so far", tokens[:-1])]
    _draw(path, seen, axes, Axis("answer written", tokens[1:]), so_far.shape[1])


def _draw(path: Path, seen: dict, axes: list[Axis], written: Axis, n_written=None) -> None:
    """Of several axes the last is what is written, `n_written` positions with those behind its
    end, which are left out."""
    if not seen:
        raise ValueError(
            "the net has no layer to look into: the picture shows MultiHeadAttention, Rnn, Lstm "
            "and Gru"
        )
    from matplotlib.figure import Figure  # late, as in plots

    own = axes[-1]
    n_written = len(own.tokens) if n_written is None else n_written
    lines: list[tuple[str, list, Axis, Axis | None, int]] = []
    for name, array in seen.items():
        if array.ndim == 2:
            axis = _axis(array.shape[0], axes, n_written)
            lines.append((f"{name}: hidden states", [array[: len(axis.tokens)].T], axis, None, 0))
            continue
        keys, asks = (_axis(n, axes, n_written) for n in array.shape[:0:-1])
        heads = array[:, : len(asks.tokens), : len(keys.tokens)]
        asks = written if asks is own else asks
        for first in range(0, len(heads), HEADS):
            lines.append(
                (f"{name}: weights", list(heads[first : first + HEADS]), keys, asks, first)
            )
    heights = [_height(line) for line in lines]
    figure = Figure(figsize=(_width(lines), sum(heights)), layout="constrained")
    parts = figure.subfigures(len(lines), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, line in zip(parts, lines, strict=True):
        part.suptitle(label(line[0]), fontsize=10)
        _draw_line(part, *line[1:])
    save_png(path, figure)


def _axis(n: int, axes: list[Axis], n_written: int) -> Axis:
    """The sequence that has n positions; if several have, or none, numbers stand for its tokens."""
    lengths = [len(axis.tokens) for axis in axes[:-1]] + [n_written]
    fitting = [axis for axis, length in zip(axes, lengths, strict=True) if length == n]
    return fitting[0] if len(fitting) == 1 else Axis("position", [str(i) for i in range(n)])


def _draw_line(part, maps: list, keys: Axis, asks: Axis | None, first: int) -> None:
    grid = part.subplots(1, len(maps), squeeze=False)[0]
    signed = asks is None
    largest = max(float(np.abs(values).max()) for values in maps) or 1.0
    style: dict[str, Any] = {"vmin": -largest if signed else 0.0, "vmax": largest}
    style |= {"cmap": "RdBu_r" if signed else "viridis", "interpolation": "nearest"}
    for i, (axes, values) in enumerate(zip(grid, maps, strict=True)):
        image = axes.imshow(values, aspect="auto", **style)
        axes.set_xlabel(keys.name, fontsize=8)
        long = any(len(_sign(token)) > 2 for token in keys.tokens)
        _tick(axes.set_xticks, keys.tokens, rotation=90 if long else 0)
        if asks is None:
            axes.set_ylabel("hidden unit", fontsize=8)
            axes.tick_params(axis="y", labelsize=7)
        else:
            _tick(axes.set_yticks, asks.tokens)
            axes.set_ylabel(asks.name if i == 0 else "", fontsize=8)
            axes.set_title(f"head {first + i + 1}", fontsize=8)
    part.colorbar(image, ax=list(grid), pad=0.01, fraction=0.03).ax.tick_params(labelsize=7)


def _tick(set_ticks, tokens: list[str], **style) -> None:
    size = 8 if len(tokens) <= 32 else 6
    set_ticks(range(len(tokens)), [label(_sign(token), 12) for token in tokens], size=size, **style)


def _sign(token: str) -> str:
    return SIGNS.get(token) or printable(token)


def _height(line: tuple) -> float:
    """Inches: a row of tokens each, or of hidden units 2.2."""
    asks = line[3]
    return 2.4 if asks is None else max(1.2 + 0.16 * len(asks.tokens), 2.4)


def _width(lines: list) -> float:
    columns = max(len(maps) * len(keys.tokens) for _, maps, keys, *_ in lines)
    return min(max(2.0 + 0.15 * columns, 7.0), 24.0)
