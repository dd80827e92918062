"""The net while it is read from an ONNX graph: its nodes there, its layers here."""

import dataclasses
import inspect
import re

import numpy as np

from lamina.exchange.net_of_nodes import can_be_given, free_name, net_of
from lamina.exchange.onnx_in_constants import folded, shape_of
from lamina.exchange.onnx_in_file import constant, library
from lamina.exchange.onnx_in_functions import OPERATORS, Blob, Constant, OnnxError, known
from lamina.exchange.onnx_in_sequences import RECURRENT, Steps, of_steps
from lamina.layers import (
    Concatenation,
    Embedding,
    Flatten,
    LastStep,
    Layer,
    Param,
    Reshape,
    Slice,
    State,
    Transpose,
)
from lamina.nets import Graph, Node, Sequential

_MOVING = (Concatenation, Embedding, Flatten, LastStep, Reshape, Slice, Transpose)
_SHORT = {
    "AveragePooling": "pool",
    "BatchNormalization": "norm",
    "Convolution": "conv",
    "Convolution1d": "conv",
    "MaxPooling": "pool",
    "TransposedConvolution": "deconv",
}


class OnnxNode:
    """A node of the file: its operator, and its attributes, each of which is to be asked for."""

    def __init__(self, node, opset: int):
        self._attributes = {a.name: a for a in node.attribute}
        self._asked: set[str] = set()
        domain = "" if node.domain in ("", "ai.onnx") else f"{node.domain}."
        self.operator, self.opset = f"{domain}{node.op_type}", opset
        self.inputs, self.outputs = list(node.input), list(node.output)
        while self.inputs and not self.inputs[-1]:
            self.inputs.pop()
        place = node.name or next(filter(None, self.outputs), "")
        self.place = f"{place} ({self.operator})"

    def get(self, name: str, default):
        """An attribute, as a number, a text or a list of them."""
        self._asked.add(name)
        if name not in self._attributes:
            return default
        value = library().helper.get_attribute_value(self._attributes[name])
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        if isinstance(value, str) or not hasattr(value, "__len__"):
            return value
        return [x.decode("utf-8", "replace") if isinstance(x, bytes) else x for x in value]

    def tensor(self, name: str) -> np.ndarray | None:
        """An attribute that is an array."""
        self._asked.add(name)
        found = self._attributes.get(name)
        return None if found is None else constant(found.t, name).array

    def constant(self) -> Constant:
        """What the operator Constant gives."""
        if (array := self.tensor("value")) is not None:
            return Constant(array)
        kinds = {"value_float": np.float32, "value_int": np.int64}
        kinds |= {f"{key}s": kind for key, kind in kinds.items()}
        for key, kind in kinds.items():
            if (value := self.get(key, None)) is not None:
                return Constant(np.array(value, kind))
        raise OnnxError("gives no numbers")

    def axes(self, given: Constant | None = None) -> list[int] | None:
        """The axes, an attribute or an input, as the opset has it; None if there are none."""
        if given is not None:
            return known(given, "axes").numbers()
        return self.get("axes", None)

    def dtype(self, number: int) -> np.dtype:
        """The kind of numbers that ONNX calls so."""
        try:
            return np.dtype(library().helper.tensor_dtype_to_np_dtype(number))
        except (KeyError, ValueError, TypeError):
            raise OnnxError(f"the kind of numbers {number} is not known") from None

    def legacy_broadcast(self) -> int | None:
        """Before opset 7 the second array was put along an axis: which, if it is said."""
        if self.opset >= 7:
            return None
        self.get("broadcast", 0), self.get("consumed_inputs", None)
        return self.get("axis", None)

    def refuse_unasked(self) -> None:
        """What nobody has asked for might change the result."""
        if left := [name for name in self._attributes if name not in self._asked]:
            raise OnnxError(f"its attribute {left[0]} is not known; export it without")


class Layers:
    """The layers of a net while they are added. `add`, `learned`, `remade` are for the functions of
    operators."""

    def __init__(self, opset: int, batch: int | None, largest: int):
        self.opset, self.batch, self.largest = opset, batch, largest
        self.values: dict[str, Blob | Constant] = {}
        self.readers: dict[str, int] = {}  # of each value of the file
        self.nodes: dict[str, Node] = {}
        self.blobs: dict[str, Blob] = {}  # all, by name
        self.made: dict[str, str] = {}  # the layer that gives a blob
        self.origins: dict[int, tuple] = {}  # of Params and States: what array of the file it is
        self.hint = ""
        self._same: dict[tuple, Layer] = {}

    def add(self, layer: Layer, *inputs: Blob, outputs: int = 1):
        """Put a layer behind these blobs; gives a Blob, or a tuple of several."""
        for x in inputs:
            if x.dtype.kind != "f" and not isinstance(layer, _MOVING):
                kind = type(layer).__name__
                raise OnnxError(f"would be a {kind} of {x.dtype}, and layers take floats; Cast")
        shapes = layer.output_shape(*(x.shape for x in inputs))
        shapes = shapes if isinstance(shapes, list) else [shapes]
        for shape in shapes:
            if not can_be_given(shape):
                raise OnnxError(f"gives samples of shape {shape}")
        layer = self._twin(layer)
        name = self.unique(self._name(layer))
        self.hint = ""
        dtype = inputs[0].dtype
        if isinstance(layer, Embedding):
            dtype = layer.W.data.dtype
        self.nodes[name] = Node(layer, [x.name for x in inputs], outputs)
        blobs = tuple(
            Blob(blob, tuple(shape), dtype)
            for blob, shape in zip(self.nodes[name].blobs(name), shapes, strict=True)
        )
        self.blobs |= {blob.name: blob for blob in blobs}
        self.made |= {blob.name: name for blob in blobs}
        return blobs[0] if outputs == 1 else blobs

    def learned(self, held: Param | State, given: Constant, form=None, like: Blob | None = None):
        """Give a Param or State the numbers of a constant; `form` is a function of its array."""
        array = given.array if form is None else form(given.array)
        if given.has_batch() or array.shape != held.data.shape:
            got = f"{array.shape} for {held.data.shape}"
            raise OnnxError(f"the array {given.name or 'of it'} has another shape: {got}")
        kind = held.data.dtype if like is None else like.dtype
        if array.dtype != kind or array.dtype not in (np.float32, np.float64):
            raise OnnxError(
                f"the array {given.name or 'of it'} is {array.dtype}, where {kind} is computed; "
                "float32 and float64 are read"
            )
        held.data = np.array(array, array.dtype.newbyteorder("="), order="C")
        self.origins[id(held)] = (given.name, held)
        if not self.hint and re.fullmatch(r"\w+(\.\w+)+", given.name):
            self.hint = given.name.rpartition(".")[0].replace(".", "_")

    def maker(self, blob: Blob) -> Node | None:
        """The layer that gives the blob; None for an input."""
        return self.nodes.get(self.made.get(blob.name, ""))

    def is_read_once(self, blob: Blob) -> bool:
        """Whether one node of the file alone reads the blob, under whatever name."""
        names = [name for name, value in self.values.items() if value == blob]
        return sum(self.readers.get(name, 0) for name in names) == 1

    def remade(self, blob: Blob, layer: Layer) -> Blob:
        """Put another layer, of the same shapes, where the blob comes from."""
        self.nodes[self.made[blob.name]].layer = self._twin(layer)
        self.hint = ""
        return blob

    def _twin(self, layer: Layer) -> Layer:
        """The same layer again where one like it has all its arrays from the same of the file."""
        held = [h for _, h in layer.walk() if isinstance(h, (Param, State))]
        origins = [self.origins.get(id(h), ("",))[0] for h in held]
        if not held or not all(origins):
            return layer
        key = (type(layer), repr(sorted(layer.arguments().items(), key=str)), tuple(origins))
        other = self._same.setdefault(key, layer)
        theirs = [h for _, h in other.walk() if isinstance(h, (Param, State))]
        same = all(np.array_equal(a.data, b.data) for a, b in zip(held, theirs, strict=True))
        return other if same else layer  # one could have the array transposed, or times a factor

    def _name(self, layer: Layer) -> str:
        if self.hint:
            return self.hint
        kind = type(layer).__name__
        short = _SHORT.get(kind) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()
        n = 1
        while f"{short}{n}" in self.nodes:
            n += 1
        return f"{short}{n}"

    def unique(self, name: str) -> str:
        return free_name(name, self.nodes.keys() | self.blobs.keys())

    def run(self, node: OnnxNode) -> None:
        """Add what one node of the file computes."""
        inputs = [self.values[name] if name else None for name in node.inputs]
        constants = [x for x in inputs if x is None or isinstance(x, Constant)]
        if node.operator == "Constant":
            given = (node.constant(),)
        elif node.operator == "Shape" and isinstance(inputs[0], (Blob, Steps)):
            X, batch = inputs[0], 0 if self.batch is None else self.batch
            sizes, place = ((batch, *X.shape), 0) if isinstance(X, Blob) else X.sizes(batch)
            given = (shape_of(sizes, place, node.get("start", 0), node.get("end", None)),)
        elif inputs and len(constants) == len(inputs):
            given = (folded(node, constants, self.largest),)
        else:
            given = self._layered(node, inputs)
        node.refuse_unasked()
        for i, name in enumerate(node.outputs):
            if i < len(given):
                self.values[name] = given[i]
            elif name in self.readers:
                raise OnnxError(f"its output {i + 1} is used, and layers do not give it")

    def _layered(self, node: OnnxNode, inputs: list) -> tuple:
        if any(isinstance(x, Steps) for x in inputs) and node.operator not in RECURRENT:
            return (of_steps(node, self, inputs),)
        function = OPERATORS.get(node.operator)
        if function is None:
            raise OnnxError(
                "no layer is this operator; write a function, "
                f'@onnx_operator("{node.operator}"), or take what comes before it (--gives, '
                "outputs=): docs/exchange.md"
            )
        try:
            inspect.signature(function).bind(node, self, *inputs)
        except TypeError:
            raise OnnxError(f"{len(inputs)} inputs are not known of it") from None
        given = function(node, self, *inputs)
        return given if isinstance(given, tuple) else (given,)

    def net(self, inputs: list[Blob], outputs: list[Blob]) -> Graph | Sequential:
        """What leads to the outputs."""
        begin, ends = ([blob.name for blob in some] for some in (inputs, outputs))
        return net_of(self.nodes, begin, ends, {})

    def apart(self, net) -> list[str]:
        """Arrays of the file that several places share, and that are learned apart here."""
        found: dict[str, set[int]] = {}
        for _, held in net.walk():
            if isinstance(held, (Param, State)) and (name := self.origins.get(id(held), ("",))[0]):
                found.setdefault(name, set()).add(id(held))
        return [name for name, several in found.items() if len(several) > 1]


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the file says of an input or output: its kind, and its axes, None where they may be of
    any length."""

    name: str
    dtype: np.dtype
    shape: tuple
