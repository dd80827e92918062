"""ONNX files that Lamina wrote: the net that they were, with layers that no operator stands for.

Beside the graph stands the structure of the net (`net.structure()`). The net is made from it, its
arrays are taken from the file, and it is written again: if that gives the graph of the file, to the
byte, it is the net. So nothing has to be believed; a file that somebody has changed is read by its
operators, as any other.
"""

import json
import math

import numpy as np

from lamina.exchange.onnx import STRUCTURE, Nodes, model_of
from lamina.exchange.onnx_in_file import constant
from lamina.exchange.onnx_in_functions import OnnxError
from lamina.exchange.onnx_in_graph import Declared
from lamina.layers import Param, State
from lamina.nets import Graph, Sequential
from lamina.nets.from_structure import Builder
from lamina.nets.room import Room

_LARGEST_SAMPLE = 1 << 24  # numbers that a layer may give for one sample
# What a net may raise that is made of a text from outside, or gets arrays that do not fit it.
_MISFITS = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError),
    *(RuntimeError, RecursionError, MemoryError),
)


def says_it_is_ours(model) -> bool:
    return any(entry.key == STRUCTURE for entry in model.metadata_props)


def own_net(model, inputs: list[Declared]) -> Graph | Sequential | None:
    """The net in a model that Lamina wrote, whose inputs these are; None for any other model."""
    said = [entry.value for entry in model.metadata_props if entry.key == STRUCTURE]
    if len(said) != 1 or any(one.dtype == object for one in inputs):
        return None
    try:
        example = [np.zeros((2, *one.shape[1:]), one.dtype) for one in inputs]
        net = _made(json.loads(said[0]), model.graph, example)
        again = model_of(net, *example)
    except _MISFITS:
        return None
    ours, theirs = (m.graph.SerializeToString(deterministic=True) for m in (again, model))
    same = ours == theirs and list(again.opset_import) == list(model.opset_import)
    return net if same else None


def _made(structure, graph, example: list[np.ndarray]) -> Graph | Sequential:
    arrays = {tensor.name: constant(tensor).array for tensor in graph.initializer}
    room = Room(sum(array.size for array in arrays.values()), len(arrays))
    net = Builder([], np.random.default_rng(0), room).net(structure)
    for *_, shape in net.rows(*(x.shape[1:] for x in example)):
        for one in shape if isinstance(shape, list) else [shape]:
            if math.prod(one) > _LARGEST_SAMPLE:
                raise OnnxError("gives more numbers than are read back")
    filled = set()

    class Filling(Nodes):
        """Where a parameter would be written, its numbers are read."""

        def held(self, held, form=None):
            name = super().held(held, form)
            _fill(held, form, arrays[name])
            filled.add(id(held))
            return name

    model_of(net, *example, nodes=Filling)
    if any(isinstance(h, (Param, State)) and id(h) not in filled for _, h in net.walk()):
        raise OnnxError("has not all arrays of its structure")
    return net


def _fill(held, form, array: np.ndarray) -> None:
    """The numbers of a Param or State, from the array that `form`, which only moves them, made."""
    shape = held.data.shape
    places = np.arange(math.prod(shape)).reshape(shape)
    if form is not None:
        places = form(places) if callable(form) else places.reshape(form)
    if places.shape != array.shape:
        raise OnnxError("has arrays of other shapes than its structure")
    numbers = np.empty(places.size, array.dtype)
    numbers[places.reshape(-1)] = array.reshape(-1)
    held.data = numbers.reshape(shape)
