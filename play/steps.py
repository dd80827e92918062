"""A net as plain data for the page: its steps in order, with numbers for the blobs between them."""

import numpy as np

from lamina.layers import Addition, Copy
from lamina.nets import Graph, Net, Sequential
from lamina.play.layers import described


def steps_of(net) -> tuple[list[dict], list[np.ndarray]]:
    """(steps, arrays) of a net with one input and one output; nets in it are written out.

    A step has name, type, options, its number of parameters, the places of its arrays by name, the
    blobs that it reads and the one that it writes: blob 0 is the input, the last step's is the
    output. Copy gates are left out, the page adds up the gradients of a blob wherever it is read.
    Raises ValueError for other nets, and for a layer without JavaScript, naming it.
    """
    if not isinstance(net, Net):
        raise ValueError(f"{type(net).__name__} is no nets.Net, so it has no layers to run")
    if len(net.inputs) != 1 or len(net.outputs) != 1:
        raise ValueError(
            f"the net has {len(net.inputs)} inputs and {len(net.outputs)} outputs, and a page runs "
            "nets with one of each"
        )
    writing = _Writing()
    output = writing.net(net, [0], "")[0]
    if not writing.steps:
        raise ValueError("the net has no layers to run")
    if writing.steps[-1]["writes"] != output:
        raise ValueError(
            f"the output of the net is {net.outputs[0]}, and not of its last layer, "
            f"{writing.steps[-1]['name']}: a page runs nets that end in their output"
        )
    return writing.steps, writing.arrays


class _Writing:
    """The steps and arrays so far."""

    def __init__(self):
        self.steps: list[dict] = []
        self.arrays: list[np.ndarray] = []
        self._places: dict[int, int] = {}  # of arrays that several layers share: kept once

    def net(self, net: Net, reads: list[int], prefix: str) -> list[int]:
        """The blobs that a net gives when it reads these."""
        if type(net).forward not in (Sequential.forward, Graph.forward):
            raise ValueError(
                f"{prefix}{type(net).__name__} has a forward of its own, which a page cannot run: "
                "write it as a Sequential or a Graph of layers"
            )
        blobs = dict(zip(net.inputs, reads, strict=True))
        for step in net.steps():
            inputs, name = [blobs[blob] for blob in step.reads], f"{prefix}{step.name}"
            if isinstance(step.layer, Copy):
                outputs = inputs * len(step.writes)
            elif isinstance(step.layer, Net):
                outputs = self.net(step.layer, inputs, f"{name}.")
            else:
                outputs = [self._layer(name, step.layer, inputs)]
            blobs |= zip(step.writes, outputs, strict=True)
        return [blobs[blob] for blob in net.outputs]

    def _layer(self, name: str, layer, reads: list[int]) -> int:
        options, arrays = described(name, layer)
        if len(reads) > 1 and not isinstance(layer, Addition):
            raise ValueError(
                f"{name} ({type(layer).__name__}) reads {len(reads)} blobs, and a page gives it one"
            )
        writes = len(self.steps) + 1
        self.steps.append(
            {
                "name": name,
                "type": type(layer).__name__,
                "options": options,
                "parameters": sum(p.data.size for p in layer.parameters().values()),
                "arrays": {key: self._place(array) for key, array in arrays.items()},
                "reads": reads,
                "writes": writes,
            }
        )
        return writes

    def _place(self, array: np.ndarray) -> int:
        if id(array) not in self._places:
            self._places[id(array)] = len(self.arrays)
            self.arrays.append(array)
        return self._places[id(array)]
