"""A net from plain data, as `structure` in nets/structure.py writes it."""

import inspect
import math
import os
import sys
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lamina import layers
from lamina.common.arguments import Made, call, parameters_of, plain, takes_more
from lamina.common.names import suggest
from lamina.common.own_code import load_class
from lamina.layers import AutoLayer, Layer, Loss, Param
from lamina.layers.initializers import make_initializer
from lamina.nets.head import Head
from lamina.nets.room import Room
from lamina.nets.structure import (
    OF_HEADS,
    OF_NODES,
    OF_PARAMETERS,
    OWN,
    StructureError,
    joined,
    place_of_head,
)
from lamina.nets.tied import params_of, takes_params
from lamina.nets.wiring import Node

MAX_DEPTH = 100
MAX_NODES = 200_000  # keys and values, all of them
MAX_TEXT = 1000  # characters
MAX_LAYERS = 3000  # of a net, those of inner nets and at second places counted too
MAX_OUTPUTS = 1000  # of a layer


def net_from_structure(data: dict, code: Iterable = (), *, rng=0) -> Any:
    """The net that `net.structure()` described, with new weights.

    `code` are the Python files of classes of one's own, path.py:Class, that may be run; a class
    from any other file is refused, and nothing is run. `rng` (a generator or a seed) draws the
    weights. Raises StructureError, naming the layer, for what makes no net.
    """
    return Builder(allowed(code), np.random.default_rng(rng)).net(data)


def allowed(code: Iterable) -> list[Path]:
    """The files of code, whole paths. Raises StructureError if one is not there."""
    files = [Path(file) for file in ([code] if isinstance(code, (str, Path)) else code)]
    for file in files:
        if not file.is_file():
            raise StructureError(f"code: no such file: {file}")
    return [file.resolve() for file in files]


class Builder:
    """Makes one net. `room`, if given, is what its arrays may take."""

    def __init__(self, code: list[Path], rng: np.random.Generator, room: Room | None = None):
        self.code, self.rng, self.room = code, rng, room
        self.made: dict[str, Layer] = {}
        self.n_layers = 0
        self.known = {
            name: cls
            for house in (layers, sys.modules["lamina.nets"])
            for name, cls in vars(house).items()
            if name in house.__all__ and _is_layer(cls)
        }

    def net(self, data) -> Any:  # a Net, whose file imports this one
        check_data(data)
        net = self._layer(data, "")
        if not isinstance(net, sys.modules["lamina.nets"].Net):
            raise StructureError(f"the net: {type(net).__name__} is a layer, and no net")
        return net

    def _layer(self, spec, place: str, base: type = Layer) -> Layer:
        where = place or "the net"
        spec = dict(_expected(spec, dict, where, "a mapping (type: ...)"))
        if "same_as" in spec:
            return self._same(spec, where, base)
        self._count(1, where)
        cls = self._class(spec.pop("type", None), where, base)
        settings = {key: spec.pop(key) for key in ("params", *OF_PARAMETERS) if key in spec}
        try:
            if "written_as" in vars(cls):
                make = self._chain if cls.written_as == "Sequential" else self._graph
                layer = make(cls, spec, place)
            else:
                layer = self._by_arguments(cls, spec, where)
        except StructureError:  # of a layer inside, which is named
            raise
        except Exception as error:
            message = str(error) if isinstance(error, ValueError) else f"{error!r}"
            raise StructureError(f"{where}: {_line(message)}") from error
        _set_parameters(layer, settings, where)
        self.made[place] = layer
        return layer

    def _same(self, spec: dict, where: str, base: type) -> Layer:
        name = _expected(spec.pop("same_as"), str, where, "a name")
        _no_more(spec, (), where)
        if name not in self.made:
            before = [n for n in self.made if n]
            raise StructureError(
                f"{where}: same_as: no layer {name} before it{_near(name, before)}"
            )
        if isinstance(self.made[name], Loss) != (base is Loss):
            raise StructureError(f"{where}: same_as: {name} is a {type(self.made[name]).__name__}")
        # A net of nets that are the same doubles with every line.
        held = (h for _, h in self.made[name].walk() if isinstance(h, Layer))
        self._count(1 + sum(1 for _ in held), where)
        return self.made[name]

    def _count(self, n: int, where: str) -> None:
        self.n_layers += n
        if self.n_layers > MAX_LAYERS:
            raise StructureError(f"{where}: the net has more than {MAX_LAYERS} layers")

    def _class(self, name, where: str, base: type) -> type[Any]:
        _expected(name, str, where, "type: NAME")
        if ".py:" in name:
            file, _, class_name = name.rpartition(":")
            try:
                cls = load_class(self._allowed(file, where), class_name)
            except ImportError as error:
                raise StructureError(f"{where}: {_line(error)}") from error
        elif name not in self.known:
            raise StructureError(f"{where}: unknown type {name}{_near(name, self.known)}")
        else:
            cls = self.known[name]
        if not _is_layer(cls) or issubclass(cls, Loss) != (base is Loss):
            wanted = "a loss" if base is Loss else "a layer"
            raise StructureError(f"{where}: expects {wanted}, got {name}")
        return cls

    def _allowed(self, file: str, where: str) -> Path:
        """The file of code, if the caller has named it. A net may come from another machine: where
        its path leads nowhere, an allowed file of that name is meant."""
        # Nothing is even looked for, if nothing is allowed.
        there = Path(file).resolve() if self.code and os.path.isfile(file) else None
        name = file.replace("\\", "/").rpartition("/")[2]
        for path in self.code:
            if path == there or (there is None and path.name == name):
                return path
        raise StructureError(
            f"{where}: loading runs no code by itself, and this names {file}; read that file, and "
            f"if you trust it, load with code=[{file!r}]"
        )

    def _by_arguments(self, cls: type, spec: dict, where: str) -> Layer:
        takes = parameters_of(cls)
        if not takes_more(cls):
            _no_more(spec, [name for name in takes if name != "rng"], where)
        for name in takes_params(cls):
            if spec.get(name) is not None:
                spec[name] = self._param(spec[name], f"{where}: {name}")
        arguments = {
            name: _fitting(value, takes[name].annotation, f"{where}: {name}")
            if name in takes and takes[name].kind is not inspect.Parameter.VAR_POSITIONAL
            else value
            for name, value in spec.items()
        }
        if "init" in arguments:
            given = arguments["init"]
            named = {"type": given} if isinstance(given, str) else given
            settings = _expected(named, dict, f"{where}: init", "a name or a mapping (type: ...)")
            _expected(settings.get("type"), str, f"{where}: init", "type: NAME")
            arguments["init"] = make_initializer(**settings)
        if "rng" in takes:
            arguments["rng"] = self.rng.spawn(1)[0]
        if self.room is not None and cls.__module__.startswith(OWN):
            self.room.count([v for v in arguments.values() if isinstance(v, (int, list, tuple))])
            if "init" in takes:
                arguments["init"] = self.room.init
            if "rng" in takes and cls.__module__.startswith("lamina.nets."):
                arguments["rng"] = self.room
        needed = [
            n for n, p in takes.items() if p.default is p.empty and p.kind is not p.VAR_POSITIONAL
        ]
        if missing := [n for n in needed if n not in arguments]:
            raise StructureError(f"{where}: {cls.__name__} needs {', '.join(missing)}")
        layer = call(cls, arguments)
        if isinstance(arguments.get("init"), types.MethodType):  # of the room: no initializer
            layer._made = Made({name: plain(value) for name, value in spec.items()})
        if self.room is not None:
            self.room.hold(layer)
        return layer

    def _param(self, name, where: str) -> Param:
        """The parameter of another layer, by its dotted name."""
        _expected(name, str, where, "the name of a parameter of another layer")
        params = params_of(self.made)
        if name not in params:
            raise StructureError(f"{where}: no parameter {name} before it{_near(name, params)}")
        return params[name]

    def _chain(self, cls: type, spec: dict, place: str) -> Layer:
        where = place or "the net"
        _no_more(spec, ("layers", "loss"), where)
        chain = {
            name: self._layer(inner, joined(place, name))
            for name, inner in _layers(spec, where).items()
        }
        loss = None
        if "loss" in spec:
            loss = self._layer(spec["loss"], joined(place, "loss"), Loss)
        return cls(chain, loss)

    def _graph(self, cls: type, spec: dict, place: str) -> Layer:
        where = place or "the net"
        _no_more(spec, ("inputs", "layers", "outputs", "loss", "losses"), where)
        nodes = {}
        for name, inner in _layers(spec, where).items():
            here = joined(place, name)
            inner = dict(_expected(inner, dict, here, "a mapping (type: ...)"))
            node = inner  # or apart, where the layer has such keys of its own
            if "node" in inner:
                node = dict(_expected(inner.pop("node"), dict, f"{here}: node", "a mapping"))
                _no_more(node, OF_NODES, f"{here}: node")
            reads = _names(node.pop("inputs", None), f"{here}: inputs")
            n = node.pop("outputs", 1)
            if type(n) is not int or not 1 <= n <= MAX_OUTPUTS:
                raise StructureError(
                    f"{here}: outputs: expects 1 to {MAX_OUTPUTS}, got {_short(n)}"
                )
            nodes[name] = Node(self._layer(inner, here), reads, n)
        heads = dict(_expected(spec.get("losses", {}), dict, f"{where}: losses", "a mapping"))
        heads |= {"loss": spec["loss"]} if "loss" in spec else {}
        losses = {n: self._head(h, place_of_head(place, n, heads)) for n, h in heads.items()}
        inputs = _names(spec.get("inputs", ["X"]), f"{where}: inputs")
        outputs = _names(spec.get("outputs"), f"{where}: outputs")
        return cls(nodes, inputs, outputs, losses or None)

    def _head(self, spec, here: str) -> Head:
        spec = dict(_expected(spec, dict, here, "a mapping (type: ...)"))
        given = {key: spec.pop(key) for key in OF_HEADS if key in spec}
        for key, value in given.items():
            kind = float if key == "weight" else str
            given[key] = _fitting(value, kind, f"{here}: {key}")
        return Head(self._layer(spec, here, Loss), **given)


def check_data(data) -> None:
    """Raises StructureError unless this is plain data within the limits."""
    waiting, seen = [(data, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MAX_NODES:
            raise StructureError(f"has more than {MAX_NODES} keys and values")
        if depth > MAX_DEPTH:
            raise StructureError(f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, (list, tuple)):
            waiting += [(part, depth + 1) for part in value]
        elif isinstance(value, str):
            if len(value) > MAX_TEXT or not value.isprintable():
                raise StructureError(
                    f"holds {_short(value)}; expects texts on one line, up to {MAX_TEXT} characters"
                )
        elif type(value) is int:
            if not -(2**63) <= value < 2**63:
                raise StructureError("holds a whole number of more than 64 bits")
        elif type(value) is float:
            if not math.isfinite(value):
                raise StructureError(f"holds {value}; expects finite numbers")
        elif value is not None and type(value) is not bool:
            raise StructureError(f"holds a {type(value).__name__}; expects texts and numbers")


def _is_layer(cls) -> bool:
    """A class to make: a layer, and no abstract base of layers."""
    if not (isinstance(cls, type) and issubclass(cls, Layer)):
        return False
    return cls not in (Layer, Loss, AutoLayer, sys.modules["lamina.nets"].Net)


def _fitting(value, annotation, where: str) -> Any:
    """The value, if it is of the annotated kind: whole numbers pass as floats, lists become tuples
    except where a list is asked for."""
    union = isinstance(annotation, types.UnionType)
    named = typing.get_args(annotation) if union else (annotation,)
    kinds = [typing.get_origin(kind) or kind for kind in named]
    if isinstance(value, list) and list not in kinds:
        value = tuple(value)
    known = (int, float, bool, str, tuple, type(None), list)
    if all(kind in known for kind in kinds):
        whole = type(value) is int and float in kinds
        if type(value) not in kinds and not whole:
            wanted = " or ".join("None" if k is type(None) else k.__name__ for k in kinds)
            raise StructureError(f"{where}: expects {wanted}, got {_short(value)}")
    return value


def _set_parameters(layer: Layer, settings: dict, where: str) -> None:
    named = _expected(settings.pop("params", {}), dict, f"{where}: params", "a mapping")
    parameters = layer.parameters()
    each = [(param, settings, where) for param in parameters.values()]
    for name, given in named.items():
        here = f"{where}: params: {name}"
        if name not in parameters:
            raise StructureError(f"{here}: no such parameter{_near(name, parameters)}")
        each.append((parameters[name], _expected(given, dict, here, "a mapping"), here))
    for param, given, here in each:
        _no_more(given, tuple(OF_PARAMETERS), here)
        for key, value in given.items():
            kind = bool if key == "trainable" else float
            value = kind(_fitting(value, kind, f"{here}: {key}"))
            if value < 0:
                raise StructureError(f"{here}: {key}: expects at least 0, got {value}")
            setattr(param, key, value)


def _layers(spec: dict, where: str) -> dict:
    return _expected(spec.get("layers"), dict, where, "layers: name: {type: ...}")


def _names(value, where: str) -> Any:
    value = [value] if isinstance(value, str) else value
    if value is not None and not (
        isinstance(value, (list, tuple)) and value and all(isinstance(n, str) for n in value)
    ):
        raise StructureError(f"{where}: expects a list of names, got {_short(value)}")
    return value


def _no_more(spec: dict, known, where: str) -> None:
    for key in spec:
        if key not in known:
            raise StructureError(f"{where}: unknown key {_short(key)}{_near(key, known)}")


def _expected(value, kind: type, where: str, words: str):
    if not isinstance(value, kind):
        raise StructureError(f"{where}: expects {words}, got {_short(value)}")
    return value


def _near(name, known) -> str:
    return _line(suggest(name, known)) if known else "; there are none"


def _short(value) -> str:
    return ascii(value) if len(ascii(value)) <= 60 else f"{ascii(value)[:57]}..."


def _line(text) -> str:
    """On one line, and no longer than that."""
    text = "".join(c if c.isprintable() else " " for c in str(text))
    return text if len(text) <= 1000 else f"{text[:997]}..."
