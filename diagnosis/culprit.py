"""Where did the first number that is none come from? Found by replaying the steps that led to it.

A step that fails shows many such arrays, since each spoils what is computed from it. So the steps
since the last saved state are taken once more, with every array looked at in the order in which it
comes about: the batch, then layer by layer parameters and output, the loss, backward the gradients
of parameters and inputs, then the parameters after the update. The first that is not finite, in the
first step that fails, is the culprit. What is also infinite in steps that succeed, such as a mask
of -inf before a softmax, is none.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lamina.autodiff import Traced
from lamina.common.files import write_json
from lamina.layers.base import Param, State
from lamina.layers.finite import first_bad_weight, is_finite, weights_of
from lamina.layers.sparse_rows import dense
from lamina.nets.probes import Place, Probes, places_of
from lamina.training.batches import Batch
from lamina.training.interrupt import Interrupted
from lamina.training.watch import NonFiniteError

MOST_SAMPLES = 20  # that a culprit lists


@dataclasses.dataclass
class Culprit:
    """The first array that was not finite.

    `when` is the pass: "input" (the batch), "start" (a parameter or state that was so before the
    first step replayed), "forward", "backward", "update"; `layer` its dotted name and `type` its
    class, "" for the batch; `array` "X" or "t" (the batch), "W" and the like, "output", "loss",
    "dX", "dout", or "dW" and the like. `index` is the first bad entry in it, `bad` of `size`
    entries are bad. `samples` are the rows of the training set, at most 20 of `bad_samples`, to
    which bad entries belong, where the array has a row for each. `largest` are the largest
    absolute values of what the array was computed from, `weights` the largest parameter after
    iteration `since` and in the step that failed.

    `search` says how it was found: "replayed", from the state after iteration `since`; or by what
    the failed step has left, since the replay was "clean", "stopped" by Ctrl-C, or there was
    "none". After a clean replay the training does not lead there by itself, so something else does.
    """

    iteration: int
    when: str
    layer: str
    type: str
    array: str
    value: str
    index: list[int]
    bad: int
    size: int
    shape: list[int]
    samples: list[int] | None = None
    bad_samples: int = 0
    largest: dict[str, float] = dataclasses.field(default_factory=dict)
    weights: list[float] = dataclasses.field(default_factory=list)
    augmented: bool = False  # the batch, but the samples themselves are finite
    search: str = "replayed"
    since: int = 0

    def save(self, path: str | Path, noticed: str, said: str) -> None:
        """Write it as JSON, with what the run `noticed` and what was `said` about it."""
        found = {"noticed": noticed, **dataclasses.asdict(self), "said": said.splitlines()}
        write_json(path, found)


def find_culprit(
    trainer,
    error: NonFiniteError,
    last_state: Callable[[], dict] | None,
    check: Callable[[], None] = lambda: None,
) -> Culprit:
    """Replay from `last_state()`, a Trainer.state() of before the failure; None, or one that cannot
    be read any more: replay nothing.

    The trainer is left in the step that failed, before its update. Ctrl-C ends the search with
    what is known without it.
    """
    left = _what_is_left(trainer, error)
    if last_state is None:
        return left
    try:
        try:
            parts = last_state()  # but callbacks take no part in it, and know of the failure
            trainer.load_state({name: p for name, p in parts.items() if name != "callbacks"})
        except (OSError, ValueError):  # the failure is the thing to tell
            return left
        left.since, left.search = trainer.iteration, "clean"
        before = _largest_weight(trainer)
        found = _Search(trainer, check).run(error.iteration) or left
        sizes = (before, _largest_weight(trainer))
        found.weights = [size for size in sizes if size is not None]
        return found
    except (KeyboardInterrupt, Interrupted):
        left.search = "stopped"
        return left


class _Search:
    """Looks at every array of the steps that it replays. `found` is in order, of this step."""

    def __init__(self, trainer, check: Callable[[], None]):
        self.trainer, self.since, self.check = trainer, trainer.iteration, check
        self.places = [p for k, net in trainer.nets.items() for p in places_of(net, k)]
        self.held = {place: _held(place.layer) for place in self.places}
        self.found: dict[tuple, Culprit] = {}
        self.harmless: set[tuple] = set()
        self.batch: Batch | None = None
        self.when: dict[tuple, tuple] = {}  # in which pass of the step each was found
        self.twins: dict[tuple, set] = {}  # and in which twins of the net

    def run(self, last: int) -> Culprit | None:
        """The culprit in the steps up to iteration `last`, or None if all succeed."""
        if (culprit := self._weights("start")) is not None:
            return culprit
        with Probes(self.places, self), self.trainer.in_turn():
            while self.trainer.iteration < last:
                self.check()
                self.found, self.when, self.twins, failed = {}, {}, {}, None
                self.way, self.passes = "", 0
                try:
                    self.trainer.step()
                except NonFiniteError as error:
                    failed = error
                if failed is not None:
                    return self._with_since(self._first() or _what_is_left(self.trainer, failed))
                if (culprit := self._weights("update")) is not None:
                    return culprit
                self.harmless |= self.found.keys()
        return None

    def forward(self, place: Place, inputs: tuple, outputs: tuple) -> None:
        self._begin("forward")
        self._look_at_batch()
        for name, held in self.held[place].items():
            self._look(place, "forward", name, held.data, {})
        output = "loss" if place.is_loss else "output"
        sources = {"X": inputs, **{n: (h.data,) for n, h in self.held[place].items()}}
        for array in outputs:
            self._look(place, "forward", output, array, sources)

    def backward(self, place: Place, douts: tuple, dXs: tuple) -> None:
        self._begin("backward")
        for dout in douts:
            self._look(place, "backward", "dout", dout, {})
        params = {n: h for n, h in self.held[place].items() if isinstance(h, Param)}
        sources = {"dout": douts, **{name: (param.data,) for name, param in params.items()}}
        for name, param in params.items():
            head, _, last = name.rpartition(".")
            array = f"{head}.d{last}" if head else f"d{last}"
            self._look(place, "backward", array, dense(param.grad), sources)
        for dX in dXs:
            self._look(place, "backward", "dX", dX, sources)

    def _begin(self, way: str) -> None:
        """Count the passes, which are the same on all ranks."""
        self.passes, self.way = self.passes + (way != self.way), way

    def _look_at_batch(self) -> None:
        """A step may have several batches; each is looked at before its first layer."""
        if self.trainer.batch is self.batch:
            return
        self.batch = self.trainer.batch
        for culprit in _bad_batch(self.trainer):
            self._note(culprit)

    def _look(self, place: Place, when: str, array: str, data, sources: dict) -> None:
        for part in _parts(data):
            if not is_finite(part):
                iteration, rows = self.trainer.iteration + 1, self.trainer.rows_of(place.twin)
                per_sample = array in ("output", "dX", "dout")
                culprit = _describe(
                    *(iteration, when, place.name, place.type, array, part),
                    rows if per_sample else None,
                )
                culprit.largest = {
                    n: v for n, a in sources.items() if (v := _largest(a)) is not None
                }
                if culprit.samples is not None:
                    _count_in_batch(culprit, rows, self.trainer.batch.rows)
                self._note(culprit, place.twin)

    def _note(self, culprit: Culprit, twin: int = 0) -> None:
        key = _key(culprit)
        there = self.found.setdefault(key, culprit)
        when = self.when.setdefault(key, (self.passes, culprit.when != "input"))
        twins = self.twins.setdefault(key, set())
        if there is not culprit and when[0] == self.passes and twin not in twins:
            _join(there, culprit, self.trainer.batch.rows)
        twins.add(twin)

    def _first(self) -> Culprit | None:
        """The first that is new in this step; of all ranks, each of which has its own layers."""
        ours = self.found, self.when, self.harmless
        everywhere = self.trainer.ranks.all(ours, "the search for a culprit")
        harmless = set().union(*(known for _, _, known in everywhere))
        found = [
            (key in harmless, when[key], rank, culprit)
            for rank, (culprits, when, _) in enumerate(everywhere)
            for key, culprit in culprits.items()
        ]
        if not found:
            return None
        first = min(found, key=lambda one: one[:3])
        for one in found:
            if one[:2] == first[:2] and one[2] != first[2] and _key(one[-1]) == _key(first[-1]):
                _join(first[-1], one[-1], self.trainer.batch.rows)
        return first[-1]

    def _weights(self, when: str) -> Culprit | None:
        """The first parameter or state that is not finite between two steps."""
        iteration = self.trainer.iteration
        culprit = _bad_weight(self.trainer, iteration, when)
        return culprit and self._with_since(culprit)

    def _with_since(self, culprit: Culprit) -> Culprit:
        culprit.search, culprit.since = "replayed", self.since
        return culprit


def _what_is_left(trainer, error: NonFiniteError) -> Culprit:
    """What the failed step shows without a replay: the batch, parameters, gradients, the loss. A
    loss that is spoilt comes before the gradients."""
    culprit = next(_bad_batch(trainer), None)
    # Later than in the first step an update has made it, which one is not known.
    begun = error.iteration > 1
    culprit = culprit or _bad_weight(
        trainer, error.iteration - begun, "update" if begun else "start"
    )
    if not error.in_loss:
        culprit = culprit or _bad_gradient(trainer, error.iteration)
    if culprit is None:
        loss = next((p for p in places_of(trainer.net) if p.is_loss), Place("loss", trainer.net))
        array = np.array(np.nan)
        culprit = _describe(error.iteration, "forward", loss.name, loss.type, "loss", array)
    culprit.search = "none"
    return culprit


def _bad_batch(trainer):
    """What is not finite in the last batch: its inputs, then its targets."""
    if trainer.batch is None:
        return
    rows, X, t = trainer.batch
    for name, arrays in (("X", X), ("t", t)):
        for array in _arrays(arrays):
            if not is_finite(array):
                culprit = _describe(trainer.iteration + 1, "input", "", "", name, array, rows)
                own = _arrays(trainer.dataset.train[rows][name == "t"])
                culprit.augmented = all(is_finite(a) for a in own)
                yield culprit


def _bad_weight(trainer, iteration: int, when: str) -> Culprit | None:
    name = first_bad_weight(trainer.net)
    if name is None:
        return None
    place, array = _place_of(trainer.net, name)
    data = weights_of(trainer.net)[name]
    return _describe(iteration, when, place.name, place.type, array, data)


def _bad_gradient(trainer, iteration: int) -> Culprit | None:
    for name, param in trainer.optimizer.parameters.items():
        gradient = dense(param.grad)
        if gradient is not None and not is_finite(gradient):
            place, array = _place_of(trainer.net, name)
            found = (place.name, place.type, f"d{array}", gradient)
            return _describe(iteration, "backward", *found)
    return None


def _place_of(net, name: str) -> tuple[Place, str]:
    """The layer in which the parameter or state of that dotted name is, and its name there."""
    inside = [p for p in places_of(net) if name.startswith(f"{p.name}.")]
    place = max(inside, key=lambda p: len(p.name), default=Place("", net))
    return place, name[len(place.name) + 1 :] if inside else name


def _describe(
    iteration: int, when: str, layer: str, kind: str, array: str, data, rows=None
) -> Culprit:
    bad = ~np.isfinite(data)
    first = np.unravel_index(int(bad.argmax()), data.shape) if data.ndim else ()
    samples, count = None, 0
    if rows is not None and data.ndim and len(data) == len(rows):
        there = bad.reshape(len(data), -1).any(axis=1)
        samples, count = [int(row) for row in rows[there][:MOST_SAMPLES]], int(there.sum())
    return Culprit(
        *(iteration, when, layer, kind, array, str(data[first])),
        *([int(i) for i in first], int(bad.sum()), data.size, list(data.shape), samples, count),
    )


def _key(culprit: Culprit) -> tuple:
    return culprit.when, culprit.layer, culprit.array


def _count_in_batch(culprit: Culprit, rows, of_batch) -> None:
    """Size, shape and place in the whole batch, of which these rows are a part, a shard."""
    n, whole = len(rows), len(of_batch)
    culprit.size, culprit.shape[0] = culprit.size // n * whole, whole
    culprit.index[0] += int(np.flatnonzero(of_batch == rows[0])[0])


def _join(one: Culprit, other: Culprit, of_batch) -> None:
    """Add what another shard of the same batch has to what one has, in the order of the batch."""
    if one.samples is None or other.samples is None:
        return
    if other.index < one.index:
        one.index, one.value = other.index, other.value
    one.bad, one.bad_samples = one.bad + other.bad, one.bad_samples + other.bad_samples
    both = {*one.samples, *other.samples}
    one.samples = [int(row) for row in of_batch if row in both][:MOST_SAMPLES]
    for name, size in other.largest.items():
        one.largest[name] = max(size, one.largest.get(name, size))


def _held(layer) -> dict[str, Param | State]:
    """The parameters and states of a layer by their names in it."""
    return {name: held for name, held in layer.walk() if isinstance(held, (Param, State))}


def _arrays(given) -> list[np.ndarray]:
    """The arrays of a batch: one, a tuple, or a dict by name."""
    given = given.values() if isinstance(given, dict) else given
    parts = list(given) if not isinstance(given, np.ndarray) else [given]
    return [a for a in parts if isinstance(a, np.ndarray)]


def _parts(data):
    """An array; of a dual the value and all its tangents; nothing for None."""
    if isinstance(data, Traced):
        yield from _parts(data.primal)
        yield from _parts(getattr(data, "tangent", None))
    elif isinstance(data, (np.ndarray, np.floating, float)):
        yield np.asarray(data)


def _largest_weight(trainer) -> float | None:
    return _largest(tuple(param.data for param in trainer.net.parameters().values()))


def _largest(arrays: tuple) -> float | None:
    """The largest absolute value among floating-point arrays that are all finite."""
    parts = [part for a in arrays for part in _parts(a) if part.dtype.kind == "f" and part.size]
    if not parts or not all(np.isfinite(part).all() for part in parts):
        return None
    return float(f"{max(float(np.abs(part).max()) for part in parts):.6g}")
