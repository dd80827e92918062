"""Nets as ONNX files, which other programs run: what `predict` computes, for batches of any size.

Written by the functions of layers, see onnx_functions.py; needs the extra `onnx`.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

import lamina.exchange.onnx_layers
import lamina.exchange.onnx_recurrent
import lamina.exchange.onnx_sequences  # noqa: F401, their functions
from lamina.common.files import whole_file
from lamina.common.notice import note
from lamina.exchange.onnx_functions import FUNCTIONS, function_of
from lamina.exchange.onnx_in_file import library
from lamina.exchange.onnx_in_functions import OnnxError
from lamina.layers import (
    Copy,
    Embedding,
    Flatten,
    Layer,
    MultiHeadAttention,
    Param,
    Reshape,
    Slice,
    State,
    Transpose,
)
from lamina.layers.carried import carried_by
from lamina.layers.finite import refuse_bad_weights
from lamina.nets import Graph, Net, Sequential, StructureError
from lamina.nets.structure import structure

OPSET = 17  # the first with LayerNormalization
_IR_VERSION = 8  # what came with it; older runtimes refuse later ones
_LARGEST = (1 << 31) - 1  # bytes of a protobuf message
_BATCH = "N"
STRUCTURE = "lamina.structure"  # under which the structure of the net stands beside the graph


@dataclasses.dataclass
class Value:
    """An array on its way through the graph: its name there, and what it is for the example."""

    name: str
    array: np.ndarray

    @property
    def shape(self) -> tuple:
        return self.array.shape

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype


def export_onnx(path: str | Path, net: Layer, *inputs) -> None:
    """Write the forward of a net in evaluation mode; the file gets its name only when it is whole.

    `inputs` are an example, an array (N, ...) for each input: kinds and shapes are taken from it,
    and N may be another each time the file is run. Inputs, outputs, parameters and states have
    their names of here. Losses are left out: the outputs are those of `forward`, scores where the
    loss is on scores. The net stays as it was.

    Raises OnnxError naming a layer for which there is no function, ModuleNotFoundError without the
    extra `onnx`, FloatingPointError for weights that are not finite, OSError naming the file if it
    cannot be written, and what the net raises for such an input.
    """
    refuse_bad_weights(path, net)
    net = net if isinstance(net, Net) else Sequential({"layer": net})
    model = model_of(net, *inputs)
    if (text := structure_text(net)) is not None:
        model.metadata_props.add(key=STRUCTURE, value=text)
    if (size := model.ByteSize()) > _LARGEST:
        raise OnnxError(f"{path}: {size} bytes are more than ONNX holds in one file, {_LARGEST}")
    onnx = library()
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise OnnxError(f"{path} is not written: {str(error).split(chr(10))[0]}") from None
    with whole_file(path) as file:
        file.write(model.SerializeToString())
    for name, layer in net.walk():
        if isinstance(layer, Layer) and getattr(layer, "stateful", False):
            note(f"{path}: {name} is stateful here, and begins each batch anew there")


def structure_text(net: Net) -> str | None:
    """What is written beside the graph, so that it is read back as the net that it was: its
    structure without losses. None for a net that has none, or one with code of one's own."""
    try:
        described = structure(net)
    except StructureError:
        return None
    described = {k: v for k, v in described.items() if k not in ("loss", "losses")}
    text = json.dumps(described, allow_nan=False)
    return None if ".py:" in text else text


def model_of(net: Net, *inputs, nodes: type["Nodes"] | None = None):
    """The model of a net for an example of its inputs; raises as `export_onnx`. `nodes` is a class
    that takes the place of `Nodes`."""
    onnx = library()
    inputs = tuple(map(np.asarray, inputs))
    if not inputs or any(x.ndim == 0 or len(x) != len(inputs[0]) for x in inputs):
        got = ", ".join(str(x.shape) for x in inputs) or "none"
        raise OnnxError(f"expects an example (N, ...) for each input of the net, got {got}")
    net.arrays_of(inputs)
    mode, carried = net.training, [(one, one.evaluated) for one in carried_by(net)]
    net.set_training(False)
    try:
        net.forward(*inputs)  # which says in full what does not fit
        graph = (nodes or Nodes)(onnx, net)
        values = [Value(*pair) for pair in zip(net.inputs, inputs, strict=True)]
        outputs = graph.net(net, values, "")
    finally:
        net.set_training(mode)
        for one, rows in carried:
            one.update(rows, training=False)
        net.forget()
    for name, value in zip(net.outputs, outputs, strict=True):
        if value.ndim == 0 or len(value.array) != len(inputs[0]):
            raise OnnxError(
                f"expects an example with a batch axis, (N, ...): the output {name} of one of "
                f"{inputs[0].shape} is {value.shape}"
            )
    return graph.model(values, outputs)


def example_inputs(net: Net, *shapes: tuple) -> list[np.ndarray]:
    """Inputs to give to `export_onnx`, from the shape of a sample of each: zeros of the kind of the
    net's parameters, or whole numbers where an Embedding reads them, or an attention as a mask."""
    found = net.shapes_by_input(shapes)
    dtype = next((p.data.dtype for p in net.parameters().values()), np.dtype(np.float32))
    kinds = {name: np.dtype(np.int64) if _is_index(net, name) else dtype for name in found}
    return [np.zeros((2, *shape), kinds[name]) for name, shape in found.items()]


HANDS_ON = (Copy, Flatten, Reshape, Slice, Transpose)  # whole numbers stay what they are


def _is_index(net: Net, blob: str) -> bool:
    for step in net.steps():
        for position, name in enumerate(step.reads):
            if name != blob:
                continue
            if isinstance(step.layer, Embedding) or _is_mask(step.layer, position):
                return True
            if isinstance(step.layer, HANDS_ON) and any(_is_index(net, w) for w in step.writes):
                return True
            if isinstance(step.layer, Net) and _is_index(step.layer, step.layer.inputs[position]):
                return True
    return False


def _is_mask(layer: Layer, position: int) -> bool:
    return isinstance(layer, MultiHeadAttention) and position > layer.cross


class Nodes:
    """The nodes of an ONNX graph while they are added. `add`, `held` and `cast` are for the
    functions of layers."""

    def __init__(self, onnx, net: Net):
        self._onnx = onnx
        self._nodes: list = []
        self._initializers: dict[tuple, Any] = {}
        self._names = {id(h): name for name, h in net.walk() if isinstance(h, (Param, State))}
        self._inputs = set(net.inputs)
        self._outputs = [f"{n}_out" if n in self._inputs else n for n in net.outputs]
        self._taken, self._place = {*net.inputs, *self._outputs}, ""

    def add(self, operator: str, *inputs, outputs: int = 1, **attributes):
        """Add a node; returns the name of its output, or a tuple of several."""
        names = [self._unique(self._place) for _ in range(outputs)]
        read = [self._name(x) for x in inputs]
        made = self._onnx.helper.make_node(
            operator, read, names, name=self._unique(f"{self._place}:{operator}"), **attributes
        )
        self._nodes.append(made)
        return names[0] if outputs == 1 else tuple(names)

    def held(self, held: Param | State, form=None) -> str:
        """A Param or State as an initializer; the same one for all that share it. `form` is another
        shape, or a function of the array that gives another array."""
        key = id(held), form
        if key not in self._initializers:
            array = held.data
            if form is not None:
                array = form(array) if callable(form) else array.reshape(form)
            self._initializers[key] = self._initializer(self._names[id(held)], array)
        return self._initializers[key].name

    def cast(self, x, dtype) -> str:
        """x as numbers of another kind."""
        return self.add("Cast", x, to=self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def net(self, net: Net, inputs: list[Value], prefix: str) -> list[Value]:
        """Add the layers of a net; returns its outputs."""
        blobs = dict(zip(net.inputs, inputs, strict=True))
        for step in net.steps():
            read = [blobs[blob] for blob in step.reads]
            writes = self._layer(step.layer, read, f"{prefix}{step.name}")
            blobs |= zip(step.writes, writes, strict=True)
        return [blobs[blob] for blob in net.outputs]

    def _layer(self, layer: Layer, inputs: list[Value], place: str) -> list[Value]:
        function = function_of(layer, FUNCTIONS)
        ours = (Sequential.forward, Graph.forward)
        if function is None and isinstance(layer, Net) and type(layer).forward in ours:
            return self.net(layer, inputs, f"{place}.")
        if function is None:
            kind = type(layer).__name__
            raise OnnxError(
                f"{place} ({kind}): there is no ONNX function for it; write one, "
                f"@onnx_function({kind}), beside the layer: docs/exchange.md"
            )
        self._place = place
        arrays = layer.forward(*(x.array for x in inputs))
        arrays = arrays if isinstance(arrays, tuple) else (arrays,)
        if not isinstance(layer, Embedding):  # NumPy mixes whole numbers and floats, ONNX does not
            inputs = [self._like(x, arrays[0].dtype) for x in inputs]
        given = function(layer, self, *inputs)
        given = given if isinstance(given, tuple) else (given,)
        if len(given) != len(arrays):
            raise OnnxError(
                f"{place} ({type(layer).__name__}): its ONNX function returned {len(given)} "
                f"outputs, its forward {len(arrays)}"
            )
        named = zip(given, arrays, strict=True)
        return [Value(self._name(output), array) for output, array in named]

    def _like(self, x: Value, dtype: np.dtype) -> Value:
        if x.dtype.kind not in "biu" or dtype.kind != "f":
            return x
        return Value(self.cast(x, dtype), x.array.astype(dtype))

    def model(self, inputs: list[Value], outputs: list[Value]):
        """The whole, with the outputs under the names of the net's."""
        self._place = "outputs"
        helper = self._onnx.helper
        for name, value in zip(self._outputs, outputs, strict=True):
            node = helper.make_node("Identity", [value.name], [name], name=self._unique(f"{name}:"))
            self._nodes.append(node)
        results = [Value(name, v.array) for name, v in zip(self._outputs, outputs, strict=True)]
        graph = helper.make_graph(
            self._nodes,
            "lamina",
            [self._described(value) for value in inputs],
            [self._described(value) for value in results],
            list(self._initializers.values()),
        )
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(
            graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="lamina"
        )

    def _described(self, value: Value):
        helper = self._onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        return helper.make_tensor_value_info(value.name, kind, [_BATCH, *value.shape[1:]])

    def _name(self, x) -> str:
        if isinstance(x, str):  # "" is an input that is left out
            return x
        if isinstance(x, Value):
            return x.name
        if isinstance(x, (Param, State)):
            return self.held(x)
        made = self._initializer(f"{self._place}:constant", np.asarray(x))
        self._initializers[made.name] = made
        return made.name

    def _initializer(self, name: str, array: np.ndarray):
        array = np.array(array, array.dtype.newbyteorder("="), order="C")
        return self._onnx.numpy_helper.from_array(array, self._unique(name))

    def _unique(self, name: str) -> str:
        n, free = 1, name
        while free in self._taken:
            n += 1
            free = f"{name}:{n}"
        self._taken.add(free)
        return free
