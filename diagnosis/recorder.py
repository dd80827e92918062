"""The flight recorder: layers.csv and parameters.csv, a row per layer and parameter now and then
(and outputs.csv, see `answers`).

    layers.csv      iteration, layer, type, mean, std, gradient_mean, gradient_std, dead, saturated
    parameters.csv  iteration, parameter, weight_norm, gradient_norm, update_ratio
    steps.csv       iteration, layer, steps, asked, first, last; of nets with recurrent layers

The first is about the outputs of layers in training mode and the gradients of the loss by them,
over all entries of one batch; its first row, (input), is about the batch itself; `saturated` of
recurrent layers is about their gates. The second is
about the parameters that learn: ‖w‖ before the update, ‖g‖, and ‖w after - w before‖ / ‖w‖, of
which CS231n says that it should be about 1e-3 ("Neural networks part 3", ratio of weights:updates).
Its last row, (all), takes them together. A cell is empty where there is no such number.
The third is about backpropagation through time, see `statistics.over_time`: a table of its own, as
the others keep the columns that older runs have.

Rows are the same bits for the same seed, so the seconds they cost are not among them.
"""

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lamina.common.counts import check_count
from lamina.common.folder import Folder, placed
from lamina.common.table import Table
from lamina.diagnosis.answers import Answers
from lamina.diagnosis.statistics import (
    alive,
    mean_and_std,
    norm,
    over_time,
    pooled,
    share_dead,
    share_saturated,
)
from lamina.layers import (
    Affine,
    Embedding,
    Layer,
    LayerNormalization,
    MultiHeadAttention,
    RMSNormalization,
)
from lamina.layers.gates import Copy
from lamina.layers.recurrent import Recurrent
from lamina.layers.sparse_rows import dense
from lamina.nets import Net
from lamina.nets.probes import Place, Probes, places_of

_UNITS_LAST = (Affine, Embedding, LayerNormalization, MultiHeadAttention, RMSNormalization)
DEFAULT_INTERVAL = 200  # iterations; less than 1 % of the time of a small net's step
EARLY = (1, 2, 5, 10, 20, 50, 100)  # much that goes wrong goes wrong at the start
LAYERS = (
    *("iteration", "layer", "type", "mean", "std", "gradient_mean", "gradient_std"),
    *("dead", "saturated"),
)
PARAMETERS = ("iteration", "parameter", "weight_norm", "gradient_norm", "update_ratio")
STEPS = ("iteration", "layer", "steps", "asked", "first", "last")


class Recorder:
    """Notes the health of the layers every `every` iterations, and at a few of the first.

    It only reads, so training is the same to the bit with it and without. Without a folder, as on
    all ranks but the first, it looks at its layers for the one that writes. Raises ValueError
    unless every is at least 1.
    """

    def __init__(self, folder: str | Path | Folder | None, trainer, every: int = DEFAULT_INTERVAL):
        check_count("record_every", every)
        self.every, self.seconds = every, 0.0
        started = time.perf_counter()
        places = [p for k, net in trainer.nets.items() for p in places_of(net, k)]
        self._places = [p for p in places if not isinstance(p.layer, Copy)]
        self._recurrent = [p.layer for p in self._places if isinstance(p.layer, Recurrent)]
        nets = trainer.nets.values()
        self._units_last = {id(one) for net in nets for one in _reading(_UNITS_LAST, net)}
        self._first_twin = min(trainer.nets)
        self.writes = folder is not None
        if folder is None:
            return
        folder = placed(folder)
        self._layers = Table(folder / "layers.csv", LAYERS, trainer.iteration)
        self._parameters = Table(folder / "parameters.csv", PARAMETERS, trainer.iteration)
        recurrent = self._recurrent
        self._steps = Table(folder / "steps.csv", STEPS, trainer.iteration) if recurrent else None
        self.answers = Answers(folder, trainer)
        self.seconds += time.perf_counter() - started

    def is_due(self, iteration: int) -> bool:
        return iteration % self.every == 0 or iteration in EARLY

    def taken(self) -> float:
        """The seconds since this was asked last."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds

    @contextlib.contextmanager
    def recording(self, trainer):
        """Note the step that is taken inside. One that fails leaves no rows."""
        started = time.perf_counter()
        self._seen: dict[tuple[str, int], _Seen] = {}  # by layer, and twin of the net
        self._trainer, self._X = trainer, None
        learned = {n: p for n, p in trainer.optimizer.parameters.items() if p.trainable}
        before = {name: param.data.copy() for name, param in learned.items()}
        with contextlib.ExitStack() as looks_on:
            looks_on.enter_context(Probes(self._places, self))
            looks_on.enter_context(_watched(self._recurrent))
            self.seconds += time.perf_counter() - started
            yield
            started = time.perf_counter()
        everywhere = trainer.ranks.all(self._seen, "the record of a step")
        if self.writes:
            self._seen = {key: seen for ours in everywhere for key, seen in ours.items()}
            for seen in self._seen.values():
                seen.scale_gradients(trainer.gradient_factor)
            self._write_layers(trainer.iteration, self._X)
            self._write_parameters(trainer.iteration, learned, before)
        self.seconds += time.perf_counter() - started

    def forward(self, place: Place, inputs: tuple, outputs: tuple) -> None:
        """The first forward of a layer in the step; there are more with several batches."""
        if self._X is None:
            self._X = self._trainer.batch.X
        if place.is_loss or (place.name, place.twin) in self._seen:
            return
        started = time.perf_counter()
        Y = _joined(outputs)
        if Y is not None:
            saturated = share_saturated(place.layer, Y)
            self._seen[place.name, place.twin] = _Seen(
                place.type,
                (Y.size, *mean_and_std(Y)),
                alive(place.layer, Y, id(place.layer) in self._units_last),
                saturated,
            )
        self._took(place, started)

    def backward(self, place: Place, douts: tuple, dXs: tuple) -> None:
        seen = self._seen.get((place.name, place.twin))
        if seen is None or seen.gradient is not None:
            return
        started = time.perf_counter()
        dout = _joined(douts)
        if dout is not None:
            seen.gradient = (dout.size, *mean_and_std(dout))
            seen.steps = over_time(place.layer, dout)
        self._took(place, started)

    def _took(self, place: Place, started: float) -> None:
        if place.twin == self._first_twin:  # the others are looked at meanwhile
            self.seconds += time.perf_counter() - started

    def evaluated(self, iteration: int) -> None:
        """Note what the net has answered; see `Answers`."""
        if not self.writes:
            return
        self.seconds += self.answers.seconds
        self.answers.write(iteration)

    def flush(self, sync: bool = False) -> None:
        """Write what has been noted; with `sync`, down to the disk, in a checkpoint's time."""
        if not self.writes:
            return
        started = time.perf_counter()
        for table in (self._layers, self._parameters, self._steps, self.answers):
            if table is not None:
                table.flush(sync)
        if not sync:
            self.seconds += time.perf_counter() - started

    def _write_layers(self, iteration: int, X) -> None:
        arrays = X if isinstance(X, tuple) else (() if X is None else (X,))
        if (inputs := _joined(arrays)) is not None:
            numbers = [*mean_and_std(inputs), None, None, None, None]
            self._layers.write((iteration, "(input)", "input", *map(_cell, numbers)))
        for name in [name for name, twin in self._seen if twin == 0]:
            parts = [self._seen[key] for key in sorted(self._seen) if key[0] == name]
            self._layers.write((iteration, name, parts[0].type, *map(_cell, _numbers(parts))))
            steps = [part.steps for part in parts if part.steps is not None]
            if self._steps is not None and steps:
                counts, norms = zip(*((s[:2], s[2:]) for s in steps), strict=True)
                most = map(max, zip(*counts, strict=True))
                whole = (math.hypot(*column) for column in zip(*norms, strict=True))
                self._steps.write((iteration, name, *most, *map(_cell, whole)))

    def _write_parameters(self, iteration: int, learned: dict, before: dict) -> None:
        norms = []
        for name, param in learned.items():
            if param.grad is None:
                continue
            w, g = norm(before[name]), norm(dense(param.grad))
            change = norm(param.data - before[name])
            norms.append((w, g, change))
            self._parameters.write((iteration, name, _cell(w), _cell(g), _ratio(change, w)))
        if not norms:
            return
        w, g, change = (math.hypot(*column) for column in zip(*norms, strict=True))
        self._parameters.write((iteration, "(all)", _cell(w), _cell(g), _ratio(change, w)))


@dataclasses.dataclass
class _Seen:
    """What a step has shown of a layer in one twin of the net: (number, mean, deviation) of its
    outputs and of the gradient by them, which of its units are alive, the share saturated, and
    what `over_time` says."""

    type: str
    output: tuple[int, float, float]
    alive: np.ndarray | None
    saturated: float | None
    gradient: tuple[int, float, float] | None = None
    steps: tuple[int, int, float, float] | None = None

    def scale_gradients(self, factor: float) -> None:
        """To those of the whole loss, which is known after the passes where batches add up."""
        if self.gradient is not None:
            n, mean, std = self.gradient
            self.gradient = n, factor * mean, factor * std
        if self.steps is not None:
            steps, asked, first, last = self.steps
            self.steps = steps, asked, factor * first, factor * last


@contextlib.contextmanager
def _watched(layers: list[Recurrent]):
    """Let these layers note their `step_norms` inside."""
    for layer in layers:
        layer.watched = True
    try:
        yield
    finally:
        for layer in layers:
            layer.watched, layer.step_norms = False, None


def _numbers(parts: list[_Seen]) -> list[float | None]:
    """The cells of a layer, for the whole batch."""
    gradients = [part.gradient for part in parts if part.gradient is not None]
    living = [part.alive for part in parts if part.alive is not None]
    n = sum(part.output[0] for part in parts) or 1
    saturated = [p.saturated * (p.output[0] / n) for p in parts if p.saturated is not None]
    return [
        *pooled([part.output for part in parts]),
        *(pooled(gradients) if gradients else (None, None)),
        share_dead(living, n) if living else None,
        sum(saturated) if saturated else None,
    ]


def _joined(arrays: tuple) -> np.ndarray | None:
    """The floating-point arrays among these as one; None if there are none, or duals among them."""
    if len(arrays) == 1:
        one = arrays[0]
        return one if isinstance(one, np.ndarray) and one.dtype.kind == "f" else None
    if not all(isinstance(a, np.ndarray) for a in arrays):
        return None
    parts = [a.ravel() for a in arrays if a.dtype.kind == "f"]
    return np.concatenate(parts) if parts else None


def _ratio(change: float, weight: float) -> str:
    return _cell(change / weight if weight else None)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _reading(kinds: tuple, net: Net) -> Iterator[Layer]:
    """The layers of a net, and of nets in it, that read what a layer of these kinds gives."""
    yield from _read_from(kinds, net, {})[0]


def _read_from(kinds: tuple, net: Net, given: dict[str, bool]) -> tuple[list[Layer], list[bool]]:
    """Those layers, and of each output of the net whether such a layer gives it; `given` says it of
    the inputs."""
    found: list[Layer] = []
    of_kinds = dict(given)
    for step in net.steps():
        reads = [of_kinds.get(blob, False) for blob in step.reads]
        writes = [isinstance(step.layer, kinds)] * len(step.writes)
        if isinstance(step.layer, Net):
            inside = dict(zip(step.layer.inputs, reads, strict=False))
            inner, writes = _read_from(kinds, step.layer, inside)
            found += inner
        elif isinstance(step.layer, Copy):
            writes = reads * len(step.writes)
        elif any(reads):
            found.append(step.layer)
        of_kinds |= zip(step.writes, writes, strict=False)
    return found, [of_kinds.get(blob, False) for blob in net.outputs]
