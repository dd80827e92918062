"""A net as plain data: the mapping that configurations have under `net:`.

    {"type": "Sequential",
     "layers": {"affine1": {"type": "Affine", "n_in": 784, "n_out": 50}, "relu1": {"type": "Relu"}},
     "loss": {"type": "SoftmaxWithLoss"}}

All sizes are given, those that a configuration leaves to the data too. A layer that stands at two
places is {"same_as": "affine1"} at the second, by its dotted name from the top of the net; of two
layers that share one parameter the second says whose it is, {"tied": "affine1.W"}. What is
set for single parameters (trainable, lr_mult, decay_mult) belongs to it; arrays, and initial
weights of one's own, which are in them, do not.
"""

import json
import sys
from pathlib import Path
from typing import cast

from lamina.common.arguments import Unwritable, call, parameters_of, without_defaults
from lamina.layers.base import Layer, Param, State
from lamina.nets.tied import was_given

# Keys of any layer that are not for its constructor, and what a parameter has unless they say.
OF_PARAMETERS = {"trainable": True, "lr_mult": 1.0, "decay_mult": 1.0}
OF_NODES = ("inputs", "outputs")
OF_HEADS = {"input": None, "target": "t", "weight": 1.0}
RESERVED = {"type", "same_as", "node", "params", *OF_PARAMETERS}
OWN = ("lamina.layers.", "lamina.nets.")  # modules of the classes that have a name


class StructureError(ValueError):
    """A net cannot be written, or not be made from what was written; says which layer, and why."""


def structure(net: Layer) -> dict:
    """The net as plain data, from which `from_structure` makes one like it, weights apart.

    Raises StructureError, naming the layer, for what cannot be written: arguments that are no
    numbers or texts, classes that are in no file, layers that share some of their parameters.
    """
    return _Writer().written(net, "")


class _Writer:
    def __init__(self, texts: dict[int, str] | None = None, alone: bool = False):
        # By the id of a layer: what it is if nothing else is there to share with.
        self.texts, self.alone = {} if texts is None else texts, alone
        self.owners: dict[int, str] = {}  # of Params and States, by id: "affine1.W"
        self.seen: dict[frozenset, list] = {}  # layers that hold just these, in order

    def written(self, layer: Layer, place: str) -> dict:
        held = frozenset(id(h) for _, h in layer.walk() if _is_array(h))
        for name, other in self.seen.get(held, ()) if held else ():
            if type(other) is type(layer) and self._alone(other) == self._alone(layer):
                return {"same_as": name}
        spec = self._of_net(layer, place) if _is_open(layer) else self._of_layer(layer, place)
        self.seen.setdefault(held, []).append((place, layer))
        return spec

    def _alone(self, layer: Layer) -> str:
        if id(layer) not in self.texts:
            self.texts[id(layer)] = json.dumps(_Writer(self.texts, alone=True).written(layer, ""))
        return self.texts[id(layer)]

    def _of_net(self, net, place: str) -> dict:
        kind = net.written_as
        spec: dict = {"type": kind}
        if kind == "Graph" and list(net.inputs) != ["X"]:
            spec["inputs"] = list(net.inputs)
        spec["layers"] = layers = {}
        if kind == "Graph":
            before = list(net.inputs) if len(net.inputs) == 1 else None
            for name, node in net.nodes.items():
                reads = [node.inputs] if isinstance(node.inputs, str) else node.inputs
                more: dict = {} if reads is None or list(reads) == before else {"inputs": [*reads]}
                more |= {} if node.outputs == 1 else {"outputs": node.outputs}
                here = joined(place, name)
                inner = self.written(node.layer, here)
                own = any(key in inner for key in OF_NODES)  # as of a graph in the graph
                layers[name] = inner | ({"node": more} if own else more)
                before = node.blobs(name)
            if list(net.outputs) != before:
                spec["outputs"] = list(net.outputs)
            heads = {
                name: self._of_head(net, name, place_of_head(place, name, net.heads))
                for name in net.heads
            }
            if list(heads) == ["loss"]:
                spec["loss"] = heads["loss"]
            elif heads:
                spec["losses"] = heads
        else:
            for name, head in net.heads.items():
                if head.weight != 1:
                    raise StructureError(
                        f"{joined(place, name)}: a chain writes no weight of its loss, and this "
                        f"one has {head.weight:g}: take Graph(layers, losses={{{name!r}: "
                        f"Head(loss, weight={head.weight:g})}})"
                    )
            for name, layer in net.layers.items():
                layers[name] = self.written(layer, joined(place, name))
            if net.loss_layer is not None:
                spec["loss"] = self.written(net.loss_layer, joined(place, "loss"))
        return spec

    def _of_head(self, net, name: str, place: str) -> dict:
        head = net.heads[name]
        given = {"input": head.input, "target": head.target, "weight": float(head.weight)}
        usual = OF_HEADS | {"input": net.outputs[0]}
        more = {key: value for key, value in given.items() if value != usual[key]}
        loss = self.written(head.loss, place)
        if taken := OF_HEADS.keys() & loss.keys():
            raise StructureError(f"{place}: an argument called {min(taken)} cannot be written here")
        return loss | more

    def _of_layer(self, layer: Layer, place: str) -> dict:
        """A layer, or a net of a class of its own, by the arguments that it was made with."""
        where = f"{place or 'the net'} ({type(layer).__name__})"
        held = {name: h for name, h in layer.walk() if _is_array(h)}
        tied = self._tied(layer, held, where)
        self.owners |= {
            id(h): joined(place, name) for name, h in held.items() if id(h) not in self.owners
        }
        spec = {"type": type_name(type(layer), where)}
        spec |= arguments_of(layer, where)
        spec |= {name: self.owners[id(param)] for name, param in tied.items()}
        usual = {}
        if not type(layer).__module__.startswith("lamina.layers."):
            fresh = made_again(layer, where, tied)
            layers = _opened(layer) if hasattr(layer, "written_as") else None
            if layers is not None and layers != _opened(fresh):
                if type(layer).__module__.startswith("lamina.nets."):  # a chain like any other now
                    own = {id(h) for h in held.values()}
                    self.owners = {i: name for i, name in self.owners.items() if i not in own}
                    return self._of_net(layer, place)
                raise StructureError(
                    f"{where}: its layers are no longer those that its arguments make; make the "
                    "net as a Sequential or a Graph"
                )
            usual = {name: _settings(param) for name, param in fresh.parameters().items()}
        return spec | _of_parameters(layer, usual)

    def _tied(self, layer: Layer, held: dict, where: str) -> dict[str, Param]:
        """{argument: the parameter of another layer that it was given}."""
        given = was_given(layer)
        shared = {name: h for name, h in held.items() if id(h) in self.owners}
        if len(shared) > len(given) or (shared and len(given) > 1):  # which would be which?
            name, h = next(iter(shared.items()))
            raise StructureError(
                f"{where}: shares {name} with {self.owners[id(h)]}, but is not the same layer, "
                "which cannot be written; give one layer object at both places, or tied= where a "
                "layer takes that"
            )
        if given and not shared and not self.alone:
            raise StructureError(
                f"{where}: its argument {given[0]} is a parameter of no layer that stands before "
                "it in the net; put that layer before it"
            )
        return dict(zip(given, shared.values(), strict=False))


def arguments_of(layer: Layer, where: str) -> dict:
    """What the constructor must be given, as plain data. Raises StructureError."""
    found = without_defaults(type(layer), layer.arguments())
    for name in was_given(layer):  # said by the name of the parameter
        del found[name]
    for name, value in list(found.items()):
        if name in RESERVED:
            raise StructureError(f"{where}: an argument called {name} cannot be written")
        if isinstance(value, Unwritable) and name == "init":
            del found[name]  # the weights say more than what they began with
        elif isinstance(value, Unwritable):
            raise StructureError(
                f"{where}: its argument {name} is {value!r}, which cannot be written; "
                "layers take numbers, texts and lists of them"
            )
    return found


def made_again(layer: Layer, where: str, tied: dict[str, Param]) -> Layer:
    """Another layer made with the same arguments. Raises StructureError if that fails."""
    arguments, cls = arguments_of(layer, where) | tied, cast(type, type(layer))
    if "rng" in parameters_of(cls):
        arguments["rng"] = 0
    try:
        return call(cls, arguments)
    except Exception as error:
        raise StructureError(
            f"{where}: cannot be made again with {layer!r}: {type(error).__name__}: {error}"
        ) from error


def type_name(cls: type, where: str) -> str:
    """What `type` says: the name of a class of ours, or path.py:Class. Raises StructureError."""
    if cls.__module__.startswith(OWN) and not cls.__name__.startswith("_"):
        return cls.__name__
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if file is None or "." in cls.__qualname__:
        raise StructureError(
            f"{where}: the class {cls.__qualname__} is at the top of no file, so that nobody could "
            "find it again; put it into a .py file of its own"
        )
    return f"{Path(file).resolve()}:{cls.__name__}"


def _of_parameters(layer: Layer, usual: dict) -> dict:
    """What is set for parameters and not `usual`: for all alike, or under `params` by name."""
    differing = {}
    for name, param in layer.parameters().items():
        expected = usual.get(name, OF_PARAMETERS)
        given = {k: v for k, v in _settings(param).items() if v != expected[k]}
        if given:
            differing[name] = given
    sets = list(differing.values())
    if sets and len(sets) == len(layer.parameters()) and all(s == sets[0] for s in sets):
        return sets[0]
    return {"params": differing} if differing else {}


def _settings(param: Param) -> dict:
    kinds = {"trainable": bool, "lr_mult": float, "decay_mult": float}
    return {key: kind(getattr(param, key)) for key, kind in kinds.items()}


def place_of_head(place: str, name: str, heads) -> str:
    """Where the parameters of a loss stand, should it have some: as Graph.members says."""
    return joined(place, name if list(heads) == ["loss"] else f"loss_{name}")


def _is_open(layer: Layer) -> bool:
    """A chain or a graph, written layer by layer: no net of a class of its own."""
    return "written_as" in vars(type(layer))


def _opened(net) -> dict | None:
    """Layer by layer, whatever its class; without what is set for parameters. None if it has layers
    that cannot be written: then its arguments must do."""
    try:
        return _without_settings(_Writer()._of_net(net, ""))
    except StructureError:
        return None


def _without_settings(spec):
    if not isinstance(spec, dict):
        return spec
    left_out = {"params", *OF_PARAMETERS}
    return {k: _without_settings(v) for k, v in spec.items() if k not in left_out}


def _is_array(held) -> bool:
    return isinstance(held, (Param, State))


def joined(place: str, name: str) -> str:
    """The dotted name, from the top of the net, of what is called so at that place."""
    return f"{place}.{name}" if place else name
