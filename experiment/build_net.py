"""From a configuration to a net: chains, graphs, and what is set for single parameters."""

import inspect
from typing import Any

import numpy as np

from lamina import nets
from lamina.common.names import suggest
from lamina.common.notice import note
from lamina.datasets import Dataset
from lamina.exchange.weights import load_weights
from lamina.experiment.config import Config, ConfigError
from lamina.experiment.contract import check_made
from lamina.experiment.rooms import LAYERS, LOSSES
from lamina.experiment.section import Section
from lamina.layers import Affine, Copy, Embedding, Layer, Loss, Param, ShapeError
from lamina.nets.tied import params_of, takes_params
from lamina.nets.wiring import wire
from lamina.training.evaluator import misjudged
from lamina.training.squashed import doubtful, last_before, refused

# Keys of any layer that are not for its constructor.
OF_PARAMETERS = {"trainable": bool, "lr_mult": float, "decay_mult": float}
OF_ANY_LAYER = (*OF_PARAMETERS, "params")
OF_NODES = ("inputs", "outputs")
OF_WEIGHTS = ("weights", "partial_weights")
OF_HEADS = {"input": str, "target": str, "weight": float}


def build_net(config: Config | Section, dataset: Dataset, rng, weights: bool = True) -> nets.Net:
    """The net for this data set: sizes that follow from the input shape (n_in) are filled in,
    shapes are checked, down to what the data set needs. `weights: FILE` puts saved ones in, unless
    `weights` is off."""
    section = Section.of(config)["net"]
    building = _Building(np.random.default_rng(rng), dataset, _of_scores(section))
    net, shape = building.layer(section, dataset.input_shapes, others=OF_WEIGHTS)
    if not isinstance(net, nets.Net) or not net.heads:
        raise section.error("has no loss to train by; add loss: {type: SoftmaxWithLoss}")
    shape = shape[0] if isinstance(shape, list) else shape  # the first output has the scores
    _check_task(section, net, shape, dataset, building.advice)
    _check_before_losses(section, net)
    if weights and "weights" in section.data:
        _put_in_weights(section, net, dataset)
    return net


def _of_scores(section: Section) -> tuple:
    """The place of the layer that gives the scores, as far as the configuration says it."""
    layers, outputs = (section.data.get(key) for key in ("layers", "outputs"))
    first = outputs[0] if isinstance(outputs, list) and outputs else outputs
    last = next(reversed(layers), "") if isinstance(layers, dict) else ""
    return (*section.place, "layers", first or last)


def _check_task(section: Section, net: nets.Net, shape, dataset: Dataset, advice: str) -> None:
    """Does what the net gives for a sample, and do the losses that read it, fit the task?"""
    task, first = dataset.task, net.outputs[0]
    try:
        if not net.gives_pairs:
            task.check_output(shape, dataset.target_shape)
        elif len(shape) != 1 or shape[0] % 2:
            loss = type(net.loss_of_scores).__name__
            raise ValueError(f"gives {shape} for a sample, and {loss} reads two vectors, (2 D,)")
    except ValueError as error:
        last = next((name for name in net.outputs if name in net.layers), list(net.layers)[-1])
        raise section.error(f"{error}{advice}", "layers", last) from None
    if message := misjudged(net, task):
        raise section.error(message, "outputs")
    for name, head in net.heads.items():
        if head.input != first or head.target != "t":
            continue  # an output and targets of its own
        place = ("losses", name) if "losses" in section.data else ("loss",)
        with section.at(*(place if place[0] in section.data else ())):
            task.check_head(head.loss, shape)


def _check_before_losses(section: Section, net: nets.Net) -> None:
    """Do the layers that the losses read give scores, or probabilities, as these take them?"""
    for head in net.heads.values():
        found = last_before(net, head.input or net.outputs[0])
        if found is None:
            continue
        place = ("layers", found[0].split(".")[0]) if "layers" in section.data else ()
        if message := refused(*found, head.loss):
            raise section.error(message, *place)
        if message := doubtful(*found, head.loss):
            note(f"note: {section.error(message, *place)}")


class _Building:
    """One net while it is built."""

    def __init__(self, rng: np.random.Generator, dataset: Dataset, of_scores: tuple):
        self.rng, self.dataset, self.of_scores = rng, dataset, of_scores
        self.advice = ""  # what may be wrong if the output does not fit
        self.made: dict[str, Layer] = {}  # by dotted name, for same_as

    def layer(self, section: Section, shapes, room=LAYERS, others=(), source="") -> tuple:
        """(layer, shape of its output: a list for several, None if it is unknown)."""
        others = (*others, *OF_ANY_LAYER)
        if "same_as" in section.data:
            layer = self._same(section, room, others)
            known = room is not LOSSES
            return layer, _output_shape(section, layer, shapes, source, "") if known else None
        cls = section.resolve(room)
        if cls is nets.Sequential:
            layer, shape = self._chain(section, shapes, others)
        elif cls is nets.Graph:
            layer, shape = self._graph(section, shapes, others)
        else:
            # Each layer gets a generator of its own, so that one layer more or less leaves the
            # initial weights of those before it as they were.
            given = {"rng": self.rng.spawn(1)[0]}
            advice = self._advice(section, cls, shapes[0])
            try:
                if shapes[0] is not None:
                    given |= _inferred(section, cls, shapes[0])
            except (ShapeError, IndexError) as error:
                message = f"does not fit an input of {shapes[0]}: {error}{advice}"
                raise section.error(message) from None
            given |= self._of_vocabulary(section, cls)
            tied = self._tied(section, cls)
            try:
                layer = section.call(cls, given | tied, (*others, *tied))
            except ConfigError as error:
                if isinstance(error.__context__, ShapeError):  # of a whole net, LeNet for example
                    raise ConfigError(f"{error}{advice}") from None
                raise
            with section.at():
                check_made(layer, ("layers", "heads") if isinstance(layer, nets.Net) else ())
            shape = None
            if room is LAYERS:
                shape = _output_shape(section, layer, shapes, source, advice)
        if any(key in section.data for key in OF_ANY_LAYER):
            _set_up_parameters(section, layer)
        self.made[_dotted(section.place)] = layer
        return layer, shape

    def _of_vocabulary(self, section: Section, cls: type) -> dict:
        """What an Embedding, and the layer that gives the scores, take from a data set that has a
        vocabulary; noted, for it decides. Of other data the user says how many words there are."""
        n_words = getattr(self.dataset, "n_words", None)
        if issubclass(cls, Embedding) and "n_words" not in section.data:
            if n_words is None:
                raise section.error(f"{cls.__name__} needs n_words{self._words()}")
            section.note("n_words", n_words)
            return {"n_words": n_words}
        if n_words is None or section.place != self.of_scores or "n_out" in section.data:
            return {}
        if "n_out" not in inspect.signature(cls).parameters:
            return {}
        section.note("n_out", n_words)
        return {"n_out": n_words}

    def _words(self) -> str:
        """How many words the inputs need, in words; "" if they are no indices. It is for the user
        to say: words of later data may be missing in these."""
        sets = (self.dataset.train, self.dataset.test, self.dataset.validation)
        inputs: list[Any] = [getattr(samples, "X", None) for samples in sets if samples is not None]
        if not all(isinstance(X, np.ndarray) and X.dtype.kind in "iu" and X.size for X in inputs):
            return ""
        highest = max(int(X.max()) for X in inputs)
        return f": the indices of this data set go up to {highest}, so n_words: {highest + 1}"

    def _same(self, section: Section, room, others) -> Layer:
        """The layer of another place: there it is made, here it shares what it learns."""
        section.check_keys(("same_as", *(key for key in others if key not in OF_WEIGHTS)))
        name = section.value("same_as", str)
        if name not in self.made:
            raise section.error(
                f"no layer {name} is made before this one{suggest(name, self.made)}; a dotted name "
                "leads from the top of the net to a layer inside another",
                "same_as",
            )
        layer = self.made[name]
        if isinstance(layer, Loss) != (room is LOSSES):
            kind = type(layer).__name__
            raise section.error(f"{name} is of another kind ({kind})", "same_as")
        if any(key in section.data for key in OF_ANY_LAYER):
            _set_up_parameters(section, layer)
        return layer

    def _tied(self, section: Section, cls: type) -> dict[str, Param]:
        """The parameters of other layers that are arguments of this one, by their dotted names."""
        found = {}
        for key in takes_params(cls):
            if section.data.get(key) is None:
                continue
            name, params = section.value(key, str), params_of(self.made)
            if name not in params:
                message = f"no parameter {name} is made before this layer{suggest(name, params)}"
                raise section.error(message, key)
            found[key] = params[name]
        return found

    def _advice(self, section: Section, cls: type, shape) -> str:
        """What usually helps where images meet an Affine, or flat inputs a layer of images."""
        if shape is not None and len(shape) == 3 and issubclass(cls, Affine):
            name = section.place[-1]
            advice = f"; {name} takes the rows of an image: put {{type: Flatten}} before it"
            self.advice = self.advice or advice
            return advice
        flat = shape == self.dataset.input_shape and len(shape) == 1
        has = inspect.signature(type(self.dataset)).parameters if flat else ()
        if "flatten" in has and not issubclass(cls, Affine):
            return "; for images, dataset: {..., flatten: false}"
        return ""

    def _chain(self, section: Section, shapes, others) -> tuple:
        section.check_keys(("type", "layers", "loss", *others))
        if len(shapes) > 1:
            raise section.error(
                f"a chain takes one input, but gets {len(shapes)}, of the shapes "
                f"{', '.join(map(str, shapes))}: use type: Graph, with inputs: [NAME, ...]"
            )
        chain, shape, source = {}, shapes[0], ""
        for name, inner in _layers(section).items():
            layer, shape = self.layer(inner, [shape], source=source)
            if isinstance(shape, list):
                message = f"gives {len(shape)} outputs, and a chain hands on one: use type: Graph"
                raise inner.error(message)
            chain[name], source = layer, f" from {name} ({type(layer).__name__})"
        loss = None
        if "loss" in section.data:
            loss, _ = self.layer(section["loss"], [shape], LOSSES)
        with section.at("layers"):
            return nets.Sequential(chain, loss=loss), shape

    def _graph(self, section: Section, shapes, others) -> tuple:
        """As _chain, but in the order in which the layers hang together."""
        known = ("type", "layers", "inputs", "outputs", "loss", "losses")
        section.check_keys((*known, *others))
        layers, inputs = _layers(section), section.names("inputs") or ["X"]
        nodes = {
            name: nets.Node(Layer(), node.names("inputs"), node.value("outputs", int, 1))
            for name, node in _nodes(layers).items()
        }
        last = next(reversed(nodes))
        outputs = section.names("outputs") or nodes[last].blobs(last)
        heads = _heads(section)
        if len(inputs) != len(shapes):
            raise section.error(f"takes {len(inputs)} inputs, but gets {len(shapes)}")
        reads = {f"loss {n}": [h.value("input", str, outputs[0])] for n, h in heads.items()}
        try:
            steps = wire(nodes, inputs, outputs, reads)
        except nets.WiringError as error:
            raise _located(section, error) from None
        known_shapes = dict(zip(inputs, shapes, strict=True))
        for step in steps:
            read = [known_shapes[blob] for blob in step.reads]
            if isinstance(step.layer, Copy):
                shape = None if read[0] is None else step.layer.output_shape(*read)
            else:
                source = f" from {', '.join(step.reads)}"
                extra = (*OF_NODES, "node")
                layer, shape = self.layer(layers[step.name], read, others=extra, source=source)
                nodes[step.name].layer = layer
            several = shape if isinstance(shape, list) else [shape] * len(step.writes)
            known_shapes |= zip(step.writes, several, strict=False)
        losses = {}
        for name, head in heads.items():
            given = {k: head.value(k, kind) for k, kind in OF_HEADS.items() if k in head.data}
            given = {"input": outputs[0]} | given
            seen = [known_shapes.get(given["input"])]
            loss, _ = self.layer(head, seen, LOSSES, others=tuple(OF_HEADS))
            losses[name] = nets.Head(loss, **given)
        of_outputs = [known_shapes[name] for name in outputs]
        with section.at("layers"):
            graph = nets.Graph(nodes, inputs, outputs, losses or None)
        return graph, of_outputs[0] if len(of_outputs) == 1 else of_outputs


def _output_shape(section: Section, layer: Layer, shapes: list, source: str, advice: str):
    if any(shape is None for shape in shapes):
        return None
    try:
        inspect.signature(layer.output_shape).bind(*shapes)
    except TypeError:
        kind, n = type(layer).__name__, len(shapes)
        raise section.error(f"{kind} does not take {n} input{'s' * (n > 1)}") from None
    try:
        shape = layer.output_shape(*shapes)
    except ShapeError as error:
        got = shapes[0] if len(shapes) == 1 else error.got
        message = f"({error.layer}) expects {error.expected}, got {got}{source}{advice}"
        raise section.error(message) from None
    except (TypeError, ValueError) as error:  # of weights that an initializer made in another shape
        raise section.error(f"{type(layer).__name__}.output_shape: {error}") from None
    if shape is not None and not isinstance(shape, (tuple, list)):
        place = f"{type(layer).__name__}.output_shape"
        raise section.error(f"{place}: expects to return a shape, a tuple as (10,), got {shape!r}")
    return shape


def _inferred(section: Section, cls: type[Layer], shape: tuple) -> dict:
    """The arguments that a layer takes from the shape of its inputs."""
    found = cls.infer(shape)
    if not isinstance(found, dict):
        message = f"{cls.__name__}.infer: expects to return a dict of arguments, got {found!r:.60}"
        raise section.error(message)
    return found


def _dotted(place: tuple) -> str:
    """The name of what stands there: a.b of ("net", "layers", "a", "layers", "b")."""
    if len(place) % 2 == 0:  # (..., "loss")
        return ".".join((*place[2:-1:2], "loss"))
    if place[-2:-1] == ("losses",):
        return ".".join((*place[2:-2:2], f"loss_{place[-1]}"))
    return ".".join(place[2::2])


def _layers(section: Section) -> dict[str, Section]:
    if not section.data.get("layers"):
        raise section.error("expects layers: name: {type: ...}, got none")
    return section.sections("layers")


def _nodes(layers: dict[str, Section]) -> dict[str, Section]:
    """Where a layer of a graph says what it reads: beside its own keys, or under `node` if it is a
    graph itself, which calls its own inputs and outputs so."""
    apart = {name: inner["node"] for name, inner in layers.items() if "node" in inner.data}
    for node in apart.values():
        node.check_keys(OF_NODES)
    return layers | apart


def _heads(section: Section) -> dict[str, Section]:
    loss = {"loss": section["loss"]} if "loss" in section.data else {}
    return loss | section.sections("losses")


def _located(section: Section, error: nets.WiringError) -> ConfigError:
    """The error at the line of the layer that it names."""
    if error.layer in section.data["layers"]:
        return section.error(error.message, "layers", error.layer)
    return section.error(str(error))


def _set_up_parameters(section: Section, layer: Layer) -> None:
    """trainable, lr_mult and decay_mult: for all parameters of a layer, or for each by name."""
    parameters = layer.parameters()
    given = next((key for key in OF_PARAMETERS if key in section.data), None)
    if given and not parameters:
        message = f"has no effect: nothing in a {type(layer).__name__} is learned; take it out"
        raise section.error(message, given)
    _set(section, parameters)
    for name, of_one in section.sections("params").items():
        if name not in parameters:
            message = f"no such parameter{suggest(name, parameters)}"
            raise section.error(message, "params", name)
        of_one.check_keys(tuple(OF_PARAMETERS))
        _set(of_one, {name: parameters[name]})


def _set(section: Section, parameters: dict) -> None:
    for key, kind in OF_PARAMETERS.items():
        if key in section.data:
            value = section.value(key, kind, at_least=0)
            for param in parameters.values():
                setattr(param, key, value)


def _put_in_weights(section: Section, net: Layer, dataset: Dataset) -> None:
    strict = not section.value("partial_weights", bool, False)
    path = section.file("weights")
    try:
        line = load_weights(path, net, strict=strict, channels=channels_of(dataset))
        note(f"weights: {line}")
    except ValueError as error:
        raise section.error(str(error), "weights") from None


def channels_of(dataset: Dataset) -> int | None:
    """Of its images, also of those that have become rows where the data set says it; None if its
    samples are none."""
    if len(dataset.input_shape) == 3:
        return dataset.input_shape[0]
    return getattr(dataset, "n_channels", None)
