"""ONNX files as nets of layers that train: operators by the functions of a table, constants folded.

An operator that is no layer, or that a layer cannot be exactly, is refused by name; see
onnx_in_functions.py for operators of one's own. Needs the extra `onnx`.
"""

from pathlib import Path

import numpy as np

import lamina.exchange.onnx_in_activations
import lamina.exchange.onnx_in_dense
import lamina.exchange.onnx_in_images
import lamina.exchange.onnx_in_normalisations
import lamina.exchange.onnx_in_shapes  # noqa: F401, their functions
from lamina.common.names import suggest
from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.exchange.onnx_in_file import constant, library, opset_of, read_model
from lamina.exchange.onnx_in_functions import Blob, OnnxError
from lamina.exchange.onnx_in_graph import Declared, Layers, OnnxNode
from lamina.exchange.onnx_in_own import own_net, says_it_is_ours
from lamina.layers.finite import refuse_bad_weights
from lamina.nets import Graph, Sequential, WiringError

_SLACK = 1 << 16  # numbers that constants may have beyond those of the file


def import_onnx(path: str | Path, outputs=None, shapes: dict | None = None) -> Graph | Sequential:
    """The net in an ONNX file, with its weights; without a loss.

    `outputs` are names of values of the file that the net is to give (default: its outputs), so
    that scores are taken from before a softmax, or labels left out. `shapes` are those of a sample
    of an input, by name, where the file does not say them. The first axis of every input is the
    batch, and may have another length here than in the file. Layers have the names of their weights
    (`conv1` of conv1.weight), or such as relu1; Dropout is in training what the file says.

    A file that `export_onnx` wrote is read back as the net that it was, layer by layer and name by
    name; if its graph has been changed since, by its operators, which a line on stderr says.

    Raises OnnxError, in one line, for what is no ONNX file, for an operator that no layer is, or
    not exactly, and for arrays that do not fit; ModuleNotFoundError without the extra `onnx`,
    FloatingPointError for weights that are not finite, OSError if the file cannot be opened.
    """
    path = Path(path)
    try:
        model = read_model(path)
        ours = not (outputs or shapes) and says_it_is_ours(model)
        net, apart = own_net(model, _inputs_of(model.graph, {})) if ours else None, []
        changed = ours and net is None
        if net is None:
            net, apart = _net(model, outputs, shapes or {})
    except (OnnxError, UnicodeDecodeError) as error:
        said = "names in it are no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise OnnxError(printable(f"{path}: {said}")) from None
    refuse_bad_weights(path, net)
    if changed:
        note(
            printable(
                f"{path}: was written by Lamina, and its graph has been changed since, or is of "
                "another version: read by its operators"
            )
        )
    if apart:
        note(printable(f"{path}: {', '.join(apart)}: one array there, and learned apart here"))
    return net


def _net(model, wanted, shapes: dict) -> tuple:
    opset, graph = opset_of(model), model.graph
    declared = {one.name: one for one in _inputs_of(graph, shapes)}
    if unknown := shapes.keys() - declared.keys():
        raise OnnxError(f"has no input {min(unknown)}; it has {', '.join(declared)}")
    wanted = [one.name for one in graph.output] if wanted is None else list(wanted)
    written = {name for node in graph.node for name in node.output}
    written |= {tensor.name for tensor in graph.initializer}
    if missing := [name for name in wanted if name not in written]:
        raise OnnxError(f"no node gives {missing[0]}{suggest(missing[0], written)}")
    nodes, read = _needed([OnnxNode(node, opset) for node in graph.node], wanted)
    # Only what is read: names of classes, say, may lie beside it.
    held = {t.name: constant(t, t.name) for t in graph.initializer if t.name in read}
    largest = sum(value.array.size for value in held.values()) + _SLACK
    layers = Layers(opset, _batch([d for d in declared.values() if d.name in read]), largest)
    layers.readers = read
    layers.values |= held
    for one in declared.values():
        if one.name in read:
            layers.values[one.name] = _input(one, layers)
    inputs = [value for value in layers.values.values() if isinstance(value, Blob)]
    for node in nodes:
        try:
            layers.run(node)
        except (OnnxError, ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            said = " ".join(str(error).split())
            raise OnnxError(f"{node.place}: {said}") from error
    return _finished(layers, inputs, wanted, graph)


def _inputs_of(graph, shapes: dict) -> list[Declared]:
    held = {tensor.name for tensor in graph.initializer}
    return [_declared(one, shapes) for one in graph.input if one.name not in held]


def _needed(nodes: list[OnnxNode], wanted: list[str]) -> tuple:
    """The nodes that lead to these values, and how many read each; the others may be anything."""
    writer = {name: node for node in nodes for name in node.outputs if name}
    read = dict.fromkeys(wanted, 1)
    waiting, needed = list(wanted), set()
    while waiting:
        node = writer.get(waiting.pop())
        if node is None or id(node) in needed:
            continue
        needed.add(id(node))
        for name in filter(None, node.inputs):
            read[name] = read.get(name, 0) + 1
            waiting.append(name)
    return [node for node in nodes if id(node) in needed], read


def _declared(given, shapes: dict) -> Declared:
    """Raises OnnxError for what is no array of numbers."""
    kind = given.type.tensor_type
    if not given.type.HasField("tensor_type"):
        return Declared(given.name, np.dtype(object), ())
    dims = kind.shape.dim
    shape = tuple(
        d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None for d in dims
    )
    if given.name in shapes:
        shape = (shape[0] if shape else None, *shapes[given.name])
    try:
        dtype = np.dtype(library().helper.tensor_dtype_to_np_dtype(kind.elem_type))
    except (KeyError, ValueError, TypeError):
        dtype = np.dtype(object)
    return Declared(given.name, dtype, shape)


def _input(one: Declared, layers: Layers) -> Blob:
    if one.dtype not in (np.float32, np.float64) and one.dtype.kind not in "iu":
        kind = one.dtype if one.dtype.kind != "O" else "of a kind that NumPy does not know"
        raise OnnxError(
            f"the input {one.name} is {kind}; float32, float64 and whole numbers are read"
        )
    if not one.shape or None in one.shape[1:]:
        said = [("N" if i == 0 else "?") if n is None else n for i, n in enumerate(one.shape)]
        raise OnnxError(
            f"the input {one.name} is ({', '.join(map(str, said))}): its first axis must be the "
            "batch, and the others known; say the shape of a sample (--shape NAME=1x28x28, shapes=)"
        )
    blob = Blob(layers.unique(one.name), one.shape[1:], one.dtype)
    layers.blobs[blob.name] = blob
    return blob


def _batch(inputs: list[Declared]) -> int | None:
    """The length of the batch, if the file has but one."""
    if not inputs:
        raise OnnxError("what it gives does not depend on an input")
    lengths = {one.shape[0] for one in inputs if one.shape}
    if len(lengths) > 1:
        names = ", ".join(one.name for one in inputs)
        raise OnnxError(
            f"the inputs {names} have first axes of several lengths, and a batch has one"
        )
    return next(iter(lengths), None)


def _finished(layers: Layers, inputs: list[Blob], wanted: list[str], graph) -> tuple:
    outputs = []
    for name in wanted:
        value = layers.values.get(name)
        if not isinstance(value, Blob) or layers.maker(value) is None:
            what = "is not there" if value is None else "is no result of layers"
            raise OnnxError(
                f"the output {name} {what}; it has {', '.join(o.name for o in graph.output)}"
            )
        outputs.append(value)
    for said in (_declared(one, {}) for one in graph.output if one.name in wanted):
        found = outputs[wanted.index(said.name)].shape
        same = len(said.shape) == len(found) + 1 and all(
            a in (None, b) for a, b in zip(said.shape[1:], found, strict=True)
        )
        if said.shape and not same:
            raise OnnxError(
                f"its output {said.name} is said to be {said.shape}, and samples are {found}"
            )
    try:
        net = layers.net(inputs, outputs)
    except WiringError as error:
        raise OnnxError(f"not all of it is used, and nets use all: {error}") from None
    except (ValueError, TypeError) as error:
        raise OnnxError(" ".join(str(error).split())) from None
    return net, layers.apart(net)
