"""From a configuration to a net: chains, graphs, and what is set for single parameters."""

import inspect
import sys

import numpy as np

from lamina import datasets, layers, nets
from lamina.common.names import suggest
from lamina.experiment.config import Config
from lamina.experiment.construct import call, find, resolve
from lamina.experiment.values import check_value
from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError
from lamina.layers.gates import Copy
from lamina.layers.loss import Loss
from lamina.nets.weights import load_weights
from lamina.nets.wiring import wire

NETS = (nets.Sequential, nets.Graph)
# Keys of any layer that are not for its constructor.
OF_PARAMETERS = {"trainable": bool, "lr_mult": float, "decay_mult": float}
OF_WEIGHTS = ("weights", "partial_weights")
OF_HEADS = {"input": str, "target": str, "weight": float}


def build_net(config: Config, dataset: datasets.Dataset, rng: np.random.Generator) -> Layer:
    """The net for this data set: sizes that follow from the input shape (n_in) are filled in,
    shapes are checked, down to one score for each class. `weights: FILE` puts saved ones in."""
    net = _build_layer(config, ("net",), [dataset.input_shape], rng, others=OF_WEIGHTS)
    if not isinstance(net, nets.Net) or not net.heads:
        raise config.error(("net",), "has no loss to train by; add loss: {type: SoftmaxWithLoss}")
    given, wanted = net.output_shape(dataset.input_shape), (len(dataset.task.class_names),)
    given = given[0] if isinstance(given, list) else given  # the first output has the scores
    if given != wanted:
        last = next((n for n in net.outputs if n in net.layers), None)
        place = ("net", "layers", last or list(net.layers)[-1])
        message = f"gives {given} for a sample, but the data have {wanted[0]} classes"
        raise config.error(place, message)
    _put_in_weights(config, net)
    return net


def _build_layer(config: Config, place, shapes, rng, base: type = Layer, others=()) -> Layer:
    """A layer, or a net of layers, for inputs of these shapes (None where they are unknown)."""
    config.expect_mapping(place)
    cls = resolve(config, place, (layers, nets), base)
    others = (*others, *OF_PARAMETERS, "params")
    if cls in NETS:
        make = _build_chain if cls is nets.Sequential else _build_graph
        layer = make(config, place, shapes, rng, others)
    else:
        # Each layer gets a generator of its own, so that one layer more or less leaves the
        # initial weights of those before it as they were.
        given = {"rng": rng.spawn(1)[0]}
        try:
            inferred = {} if shapes[0] is None else cls.infer(shapes[0])
        except (ShapeError, IndexError) as error:
            message = f"does not fit an input of {shapes[0]}: {error}"
            raise config.error(place, message) from None
        layer = call(config, place, cls, inferred | given, others)
    _set_up_parameters(config, place, layer)
    return layer


def _build_chain(config: Config, place, shapes, rng, others) -> nets.Sequential:
    config.check_keys(place, ("type", "layers", "loss", *others))
    chain, shape, previous = {}, shapes[0], ""
    for name in _names(config, place):
        here = (*place, "layers", name)
        layer = _build_layer(config, here, [shape], rng)
        shape = _output_shape(config, here, layer, [shape], previous)
        if isinstance(shape, list):
            message = f"gives {len(shape)} outputs, and a chain hands on one: use type: Graph"
            raise config.error(here, message)
        chain[name], previous = layer, f" from {name} ({type(layer).__name__})"
    loss = None
    if "loss" in config.get(place):
        loss = _build_layer(config, (*place, "loss"), [shape], rng, base=Loss)
    try:
        return nets.Sequential(chain, loss=loss)
    except (TypeError, ValueError) as error:
        raise config.error((*place, "layers"), str(error)) from None


def _build_graph(config: Config, place, shapes, rng, others) -> nets.Graph:
    """As _build_chain, but in the order in which the layers hang together."""
    known = ("type", "layers", "inputs", "outputs", "loss", "losses")
    config.check_keys(place, (*known, *others))
    inputs, outputs = _list(config, place, "inputs", ["X"]), _list(config, place, "outputs", None)
    names = _names(config, place)
    nodes = {name: _node(config, (*place, "layers", name)) for name in names}
    outputs = outputs or nodes[names[-1]].blobs(names[-1])
    heads = _heads(config, place, outputs)
    if len(inputs) != len(shapes):
        raise config.error(place, f"takes {len(inputs)} inputs, but gets {len(shapes)}")
    try:
        reads = {f"loss {name}": [head["input"]] for name, head in heads.items()}
        steps = wire(nodes, inputs, outputs, reads)
    except nets.WiringError as error:
        raise _located(config, place, error) from None
    known_shapes = dict(zip(inputs, shapes, strict=True))
    for step in steps:
        here = (*place, "layers", step.name)
        read = [known_shapes[blob] for blob in step.reads]
        layer = step.layer
        if not isinstance(layer, Copy):
            extra = ("inputs", "outputs")
            layer = _build_layer(config, here, read, rng, others=extra)
            nodes[step.name].layer = layer
        shape = _output_shape(config, here, layer, read, f" from {', '.join(step.reads)}")
        several = shape if isinstance(shape, list) else [shape] * len(step.writes)
        known_shapes |= zip(step.writes, several, strict=False)
    losses = {}
    for name, head in heads.items():
        here, input_shape = head.pop("place"), known_shapes.get(head["input"])
        loss = _build_layer(config, here, [input_shape], rng, base=Loss, others=tuple(OF_HEADS))
        losses[name] = nets.Head(loss, **head)
    try:
        return nets.Graph(nodes, inputs, outputs, losses or None)
    except (TypeError, ValueError) as error:
        raise config.error((*place, "layers"), str(error)) from None


def _node(config: Config, place) -> nets.Node:
    spec = config.expect_mapping(place)
    inputs = spec.get("inputs")
    if inputs is not None and not isinstance(inputs, str):
        inputs = _list(config, place, "inputs", None)
    outputs = check_value(config, (*place, "outputs"), spec.get("outputs", 1), int)
    return nets.Node(None, inputs, outputs)


def _heads(config: Config, place, outputs) -> dict:
    """{name: {place, input, target, weight}} of the losses that are given."""
    spec = config.get(place)
    places = {"loss": (*place, "loss")} if "loss" in spec else {}
    if "losses" in spec:
        places |= {n: (*place, "losses", n) for n in config.expect_mapping((*place, "losses"))}
    heads = {}
    for name, here in places.items():
        given = config.expect_mapping(here)
        heads[name] = {"place": here, "input": outputs[0]}
        for key, kind in OF_HEADS.items():
            if key in given:
                heads[name][key] = check_value(config, (*here, key), given[key], kind)
    return heads


def _names(config: Config, place) -> list[str]:
    if not config.get(place).get("layers"):
        raise config.error(place, "expects layers: name: {type: ...}, got none")
    return list(config.expect_mapping((*place, "layers")))


def _list(config: Config, place, key: str, default):
    """A list of names; a single name stands for a list of one."""
    value = config.get(place).get(key, default)
    value = [value] if isinstance(value, str) else value
    if value is not None and not (
        isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    ):
        raise config.error((*place, key), f"expects a list of names, got {value!r}")
    return value


def _output_shape(config: Config, place, layer: Layer, shapes, source: str):
    if any(shape is None for shape in shapes):
        return None
    try:
        inspect.signature(layer.output_shape).bind(*shapes)
    except TypeError:
        kind, n = type(layer).__name__, len(shapes)
        raise config.error(place, f"{kind} does not take {n} input{'s' * (n > 1)}") from None
    try:
        return layer.output_shape(*shapes)
    except ShapeError as error:
        got = shapes[0] if len(shapes) == 1 else error.got
        message = f"({error.layer}) expects {error.expected}, got {got}{source}"
        raise config.error(place, message) from None


def _located(config: Config, place, error: nets.WiringError):
    """The error at the line of the layer that it names."""
    here = (*place, "layers", error.layer)
    known = error.layer in config.get((*place, "layers"))
    return config.error(here if known else place, error.message if known else str(error))


def _set_up_parameters(config: Config, place, layer: Layer) -> None:
    """trainable, lr_mult and decay_mult: for all parameters of a layer, or for each by name."""
    spec, parameters = config.get(place), layer.parameters()
    for key, kind in OF_PARAMETERS.items():
        if key in spec:
            _set(config, (*place, key), parameters, key, kind)
    if "params" not in spec:
        return
    for name in config.expect_mapping((*place, "params")):
        here = (*place, "params", name)
        if name not in parameters:
            raise config.error(here, f"no such parameter{suggest(name, parameters)}")
        config.expect_mapping(here)
        config.check_keys(here, tuple(OF_PARAMETERS))
        for key in config.get(here):
            _set(config, (*here, key), {name: parameters[name]}, key, OF_PARAMETERS[key])


def _set(config: Config, place, parameters: dict, key: str, kind: type) -> None:
    value = check_value(config, place, config.get(place), kind)
    if kind is float and value < 0:
        raise config.error(place, f"expects at least 0, got {value}")
    for param in parameters.values():
        setattr(param, key, value)


def _put_in_weights(config: Config, net: Layer) -> None:
    spec = config.get(("net",))
    if "weights" not in spec:
        return
    partial = check_value(
        config, ("net", "partial_weights"), spec.get("partial_weights", False), bool
    )
    path = find(config, ("net", "weights"), spec["weights"])
    spec["weights"] = str(path)
    try:
        print("weights:", load_weights(path, net, strict=not partial), file=sys.stderr)
    except ValueError as error:
        raise config.error(("net", "weights"), str(error)) from None
