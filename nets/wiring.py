"""How the layers of a graph hang together: blobs, the order, and a Copy gate at every fork.

A blob is an array on its way from one layer to the next. A layer with one output gives a blob of
its own name; with several, blobs name.0, name.1, ... After `wire` every blob has one reader: where
there were more, a Copy gate stands between, so gradients add up by construction (Caffe's Split).
"""

import dataclasses

from lamina.common.names import suggest
from lamina.layers.base import Layer
from lamina.layers.gates import Copy


class WiringError(ValueError):
    """The layers do not hang together. `layer` is the one at fault, "" if there is none."""

    def __init__(self, layer: str, message: str):
        self.layer, self.message = layer, message
        super().__init__(layer, message)

    def __str__(self):
        return f"{self.layer}: {self.message}" if self.layer else self.message


@dataclasses.dataclass
class Node:
    """A layer of a graph, and the blobs that it reads. `outputs` is how many it gives."""

    layer: Layer
    inputs: list[str] | str | None = None  # None: the layer listed just before
    outputs: int = 1

    @property
    def reads(self) -> list[str]:
        """The blobs that are named; none where it is the layer before."""
        return [self.inputs] if isinstance(self.inputs, str) else list(self.inputs or ())

    def blobs(self, name: str) -> list[str]:
        return [name] if self.outputs == 1 else [f"{name}.{i}" for i in range(self.outputs)]


@dataclasses.dataclass
class Step:
    """A layer in its turn: the blobs it takes and those it gives."""

    name: str
    layer: Layer
    reads: list[str]
    writes: list[str]


def wire(
    nodes: dict[str, Node], inputs: list[str], outputs: list[str], losses: dict[str, list[str]]
) -> list[Step]:
    """The steps of a graph in an order in which each blob is there before it is read.

    `losses` has the blobs that each loss reads; its lists are changed in place where a Copy gate
    comes between. An output may be read by layers as well. Raises WiringError.
    """
    steps = _read(nodes, inputs)
    writer = _writers(steps, inputs)
    reading = [*((s.name, s.reads) for s in steps), *losses.items()]  # names may be the same
    for name, reads in [*reading, *((f"output {b}", [b]) for b in outputs)]:
        for blob in reads:
            if blob not in writer:
                raise WiringError(name, f"no layer gives {blob}{suggest(blob, writer)}")
    readers: dict[str, list[tuple]] = {blob: [] for blob in writer}
    for _, reads in reading:
        for position, blob in enumerate(reads):
            readers[blob].append((reads, position))
    for blob, places in readers.items():
        if not places and blob not in outputs:
            message = f"no layer reads {blob}; read it, or list it among the outputs"
            raise WiringError(writer[blob], message)
    return _with_copies(_ordered(steps, writer), inputs, readers)


def _read(nodes: dict[str, Node], inputs: list[str]) -> list[Step]:
    steps, before = [], inputs if len(inputs) == 1 else None
    for name, node in nodes.items():
        reads = [node.inputs] if isinstance(node.inputs, str) else node.inputs
        reads = before if reads is None else reads
        if not reads:
            raise WiringError(name, "say what it reads: inputs: [NAME, ...]")
        steps.append(Step(name, node.layer, list(reads), node.blobs(name)))
        before = steps[-1].writes
    return steps


def _writers(steps: list[Step], inputs: list[str]) -> dict[str, str]:
    """{blob: name of the layer that gives it}."""
    writer: dict[str, str] = {}
    giving = [("the inputs", list(inputs))] + [(step.name, step.writes) for step in steps]
    for name, blobs in giving:
        for blob in blobs:
            if blob in writer:
                raise WiringError(name, f"the name {blob} is taken, by {writer[blob]}")
            writer[blob] = name
    return writer


def _ordered(steps: list[Step], writer: dict[str, str]) -> list[Step]:
    """In topological order; among those that are ready the one listed first."""
    by_name = {step.name: step for step in steps}
    waiting = {s.name: {writer[b] for b in s.reads if writer[b] in by_name} for s in steps}
    ordered = []
    while waiting:
        ready = next((name for name, needs in waiting.items() if not needs), None)
        if ready is None:
            circle = _circle(waiting)
            raise WiringError(circle[0], f"reads its own output: {' <- '.join(circle)}")
        del waiting[ready]
        for needs in waiting.values():
            needs.discard(ready)
        ordered.append(by_name[ready])
    return ordered


def _circle(waiting: dict[str, set]) -> list[str]:
    path = [next(iter(waiting))]
    while True:
        following = sorted(waiting[path[-1]])[0]
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)


def _with_copies(steps, inputs, readers) -> list[Step]:
    taken = {step.name for step in steps}

    def forks(blobs):
        for blob in blobs:
            places = readers[blob]
            if len(places) < 2:
                continue
            name = f"{blob}_copy".replace(".", "_")
            if name in taken:
                message = f"this is the name of the Copy gate behind {blob}; choose another"
                raise WiringError(name, message)
            branches = [f"{name}.{i}" for i in range(len(places))]
            for branch, (reads, position) in zip(branches, places, strict=True):
                reads[position] = branch
            yield Step(name, Copy(len(places)), [blob], branches)

    result = list(forks(inputs))
    for step in steps:
        result += [step, *forks(step.writes)]
    return result
