"""Caffe's nets (.prototxt) and weights (.caffemodel) as nets of layers that train.

A layer that is no layer here, or that none can be exactly, is refused by name; see
caffe_functions.py for layers of one's own. Text and binary files are read without Caffe.
"""

import dataclasses
import math
from pathlib import Path

import numpy as np

import lamina.exchange.caffe_dense
import lamina.exchange.caffe_images
import lamina.exchange.caffe_shapes  # noqa: F401, their functions
from lamina.common.files import whole_file
from lamina.common.notice import note
from lamina.common.printable import printable
from lamina.exchange.caffe_data import DATA, is_data, shapes_of
from lamina.exchange.caffe_functions import FUNCTIONS
from lamina.exchange.caffe_losses import LOSSES
from lamina.exchange.caffe_message import CaffeError, Message
from lamina.exchange.caffe_net import Blob, CaffeLayer, CaffeNet, head
from lamina.exchange.caffe_old import layers_of
from lamina.exchange.caffe_phase import is_there
from lamina.exchange.caffe_text import parse_text
from lamina.exchange.caffe_wire import format_wire, parse_wire
from lamina.layers.finite import refuse_bad_weights
from lamina.nets import Graph, Sequential

_METRICS = ("Accuracy",)


@dataclasses.dataclass(frozen=True)
class ReadNet:
    """A net of Caffe, read: `net`, its `data` layers in this phase, whether the `targets` are the
    inputs themselves, and the `top_k` of the Accuracy layers of the scores."""

    net: Graph | Sequential
    data: list[CaffeLayer]
    reconstructs: bool
    top_k: list[int]


def import_caffe(path, weights=None, *, phase="TEST", stages=(), shapes=None) -> Graph | Sequential:
    """The net in a .prototxt, with the weights of a .caffemodel.

    `phase` and `stages` say which layers are there. In TEST losses are left out, and the net gives
    what they read; in TRAIN they are its losses. `shapes` are those of a sample of an input, by
    name, where the file does not say them: {"data": (1, 28, 28)}. In-place layers become layers of
    their own; names keep their letters, digits and underscores.

    Raises CaffeError, in one line with the place in the file, for what cannot be read, for a layer
    that no layer here is, and for weights that do not fit; FloatingPointError for weights that are
    not finite, OSError if a file cannot be opened.
    """
    path = Path(path)
    given = read_net(path)
    arrays = None if weights is None else read_caffemodel(weights)
    net = build(given, path, arrays, phase=phase, stages=stages, shapes=shapes).net
    if arrays is not None:
        refuse_bad_weights(Path(weights), net)
    return net


def read_net(path) -> Message:
    """A .prototxt of a net. Raises CaffeError."""
    return read_text(path, "NetParameter")


def read_text(path, kind: str) -> Message:
    """A text file of this kind of message. Raises CaffeError, which names the file."""
    try:
        return parse_text(Path(path).read_bytes().decode("utf-8"), kind)
    except UnicodeDecodeError as error:
        raise CaffeError(
            printable(f"{path}: byte {error.start} is no text in UTF-8; is it a binary file?")
        ) from None
    except CaffeError as error:
        raise CaffeError(printable(f"{path}: {error}")) from None


def read_caffemodel(path) -> dict[str, list[np.ndarray]]:
    """The arrays of a .caffemodel, by layer: {"conv1": [W, b], ...}. Raises CaffeError."""
    found: dict[str, list[np.ndarray]] = {}
    try:
        for layer in layers_of(parse_wire(Path(path).read_bytes(), "NetParameter")):
            if layer["blobs"]:
                if layer["name"] in found:
                    raise CaffeError(f"two layers with weights are called {layer['name']}")
                found[layer["name"]] = [_array(blob, layer["name"]) for blob in layer["blobs"]]
    except CaffeError as error:
        raise CaffeError(printable(f"{path}: {error}")) from None
    if not found:
        raise CaffeError(printable(f"{path}: has no weights"))
    return found


def read_binaryproto(path) -> np.ndarray:
    """The array of a .binaryproto, such as a mean image (C, H, W). Raises CaffeError."""
    try:
        array = _array(parse_wire(Path(path).read_bytes(), "BlobProto"), "the array")
    except CaffeError as error:
        raise CaffeError(printable(f"{path}: {error}")) from None
    return array[0] if array.ndim == 4 and len(array) == 1 else array


def _array(blob: Message, name: str) -> np.ndarray:
    data = blob["double_data"] if "double_data" in blob else blob["data"]
    if "shape" in blob:
        shape = tuple(blob["shape"]["dim"])
    else:
        shape = tuple(blob[axis] for axis in ("num", "channels", "height", "width"))
    if min(shape, default=1) < 0 or math.prod(shape) != data.size:
        raise CaffeError(f"{name}: {data.size} numbers do not fill the shape {shape}")
    return data.reshape(shape)


def build(
    given: Message,
    path,
    weights=None,
    *,
    phase="TEST",
    stages=(),
    shapes=None,
    sample=None,
    transform=None,
) -> ReadNet:
    """The net that a file describes. `sample` is the shape of an input whose shape nobody says,
    `transform(layer, net, top)` puts behind the first top of a data layer what that does to it.
    Raises CaffeError."""
    try:
        return _built(given, weights, phase, stages, dict(shapes or {}), sample, transform)
    except CaffeError as error:
        raise CaffeError(printable(f"{path}: {' '.join(str(error).split())}")) from None


def _built(given: Message, weights, phase: str, stages, shapes: dict, sample, transform) -> ReadNet:
    said = given["state"]
    state = Message("NetState", phase=phase, level=said["level"], stage=[*said["stage"], *stages])
    every = [CaffeLayer(message) for message in layers_of(given)]
    layers = [layer for layer in every if _placed(layer, is_there, layer.message, state)]
    net, data = CaffeNet(weights), []
    scores: dict[Blob, float] = {}
    reconstructs: list[Blob] = []
    labels = _labels(layers)
    for layer in layers:
        if is_data(layer):
            data.append(layer)
            for top, shape in _placed(layer, shapes_of, layer).items():
                if top not in labels:
                    known = shapes.pop(top, shape) or sample
                    _placed(layer, net.input, top, known)
                    if transform is not None and top == layer.tops[0]:
                        _placed(layer, transform, layer, net, top)
    if shapes:
        inputs = ", ".join(top for top in net.tops if net.tops[top].name in net.inputs)
        raise CaffeError(f"has no input {min(shapes)}; it has {inputs or 'none'}")
    for layer in layers:
        if is_data(layer) or layer.type in (*_METRICS, "Silence"):
            continue
        if layer.type in LOSSES:
            scores |= _placed(layer, _add_loss, layer, net, phase == "TRAIN", reconstructs)
        else:
            _placed(layer, _add, layer, net, phase)
    weight_of = {blob.name: weight for blob, weight in scores.items()}
    if phase == "TRAIN" and net.heads:
        ends = sorted(scores, key=lambda blob: -weight_of[blob.name])[:1]
    else:
        targets = {blob.name for blob in reconstructs}
        loose = {b.name: b for b in [*net.given, *scores] if b.name not in net.read | targets}
        ends = sorted(loose.values(), key=lambda blob: -weight_of.get(blob.name, 0.0))
    if weights is not None:
        known = {layer.name for layer in every}
        if unused := [name for name in weights if name not in known]:
            note(printable(f"weights of {', '.join(unused)}: the net has no such layers"))
    main = ends[0].name if ends else ""
    made = net.net(ends)
    return ReadNet(made, data, bool(reconstructs), _top_k(every, net, main))


def _placed(layer: CaffeLayer, function, *given):
    """function(...), whose errors say which layer it is."""
    try:
        return function(*given)
    except CaffeError as error:
        raise CaffeError(f"{layer.place}: {error}") from None
    except (ValueError, TypeError, OverflowError, MemoryError) as error:
        raise CaffeError(f"{layer.place}: {error or 'too large'}") from error


def _labels(layers: list[CaffeLayer]) -> set[str]:
    """Tops that are read as targets, and by nothing else."""
    targets: set[str] = set()
    others: set[str] = set()
    for layer in layers:
        n = LOSSES[layer.type][1] if layer.type in LOSSES else 1
        has = layer.type in LOSSES or layer.type in _METRICS
        for i, bottom in enumerate(layer.bottoms):
            if layer.type != "Silence":
                (targets if has and i >= n else others).add(bottom)
    return targets - others


def _add(layer: CaffeLayer, net: CaffeNet, phase: str) -> None:
    function = FUNCTIONS.get(layer.type)
    if function is None:
        if layer.type in DATA:
            raise CaffeError("is a layer of data, and has bottoms")
        raise CaffeError(
            f"no layer is this type; write a function, @caffe_layer({layer.type!r}), or take the "
            "layer out: docs/exchange.md"
        )
    if phase == "TRAIN" and any(layer("loss_weight")):
        raise CaffeError("has a loss_weight; here losses alone have one")
    if phase == "TRAIN" and not all(layer("propagate_down")):
        raise CaffeError("propagate_down: false is not known; lr_mult: 0 freezes what is below")
    inputs = [net.top(bottom) for bottom in layer.bottoms]
    if not inputs:
        raise CaffeError("has no bottom")
    given = function(layer, net, *inputs)
    given = given if isinstance(given, list) else [given]
    if len(given) != len(layer.tops):
        raise CaffeError(f"has {len(layer.tops)} tops, and gives {len(given)}")
    for top, blob in zip(layer.tops, given, strict=True):
        if top in net.tops and top not in layer.bottoms:
            raise CaffeError(f"its top {top} is that of a layer before it")
        net.tops[top] = blob
    net.given += given


def _add_loss(layer: CaffeLayer, net: CaffeNet, wanted: bool, reconstructs: list) -> dict:
    """{what the loss reads: its weight}. A loss of weight 0 is a metric, and left out."""
    function, n = LOSSES[layer.type]
    if len(layer.bottoms) != n + 1:
        raise CaffeError(f"has {len(layer.bottoms)} bottoms, and expects {n + 1}")
    weight = layer("loss_weight")[0] if layer("loss_weight") else 1.0
    target = layer.bottoms[n]
    inputs = [net.top(bottom) for bottom in layer.bottoms[:n]]
    if target in net.tops:  # computed, or an input: the input itself is the target
        blob = net.tops[target]
        if net.flat.get(blob.name, blob.name) in net.inputs:
            reconstructs.append(blob)
        elif wanted:
            raise CaffeError(f"its target {target} is computed by layers; here it is data")
        target = "t"
    if not wanted:
        return dict.fromkeys(inputs, weight) if n == 1 else {}
    if not weight:
        return {}
    loss, blob, factor = function(layer, net, *inputs)
    net.targets.append(target)
    if target != net.targets[0]:
        raise CaffeError(f"has the targets {target}, and another loss has {net.targets[0]}")
    name = net.unique(layer.name)
    net.heads[name] = (head(loss, blob, weight * factor, "t"), weight)
    return {blob: weight}


def _top_k(layers: list[CaffeLayer], net: CaffeNet, main: str) -> list[int]:
    found = []
    for layer in layers:
        if layer.type == "Accuracy" and layer.bottoms:
            blob: Blob | None = net.tops.get(layer.bottoms[0])
            if blob is not None and blob.name == main:
                found.append(layer("accuracy_param")["top_k"])
    return sorted(set(found))


def write_caffemodel(path, weights: dict[str, list], name: str = "") -> None:
    """A .caffemodel of these arrays by layer, as `read_caffemodel` gives them: float32, or float64
    where an array is. Raises TypeError for arrays that are no floats."""
    layers = [
        Message("LayerParameter", name=layer, blobs=[blob_of(array, layer) for array in arrays])
        for layer, arrays in weights.items()
    ]
    with whole_file(Path(path)) as file:
        file.write(format_wire(Message("NetParameter", name=name, layer=layers)))


def write_binaryproto(path, array) -> None:
    """A .binaryproto of an array, such as a mean image (C, H, W)."""
    array = np.asarray(array)
    shape = (1,) * (4 - array.ndim) + array.shape
    blob = blob_of(array, "the array")
    del blob.values["shape"]
    if len(shape) != 4:
        raise ValueError(f"a mean file holds at most four axes, got {array.shape}")
    for axis, n in zip(("num", "channels", "height", "width"), shape, strict=True):
        blob[axis] = n
    with whole_file(Path(path)) as file:
        file.write(format_wire(blob))


def blob_of(array, name: str) -> Message:
    array = np.asarray(array)
    if array.dtype.kind != "f":
        raise TypeError(f"{name}: expects floats, got {array.dtype}")
    shape = Message("BlobShape", dim=list(array.shape))
    field = "double_data" if array.dtype.itemsize > 4 else "data"
    return Message("BlobProto", **{"shape": shape, field: array.reshape(-1)})
