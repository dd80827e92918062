"""Which module of another program is which layer of a net; its arrays with our names and axes."""

import dataclasses
import re

import numpy as np

from lamina.common.names import suggest
from lamina.common.printable import printable
from lamina.layers import Affine, Layer, Param, State

_DIGITS = re.compile(r"(\d{1,9})")


@dataclasses.dataclass(frozen=True)
class Convention:
    """How a program calls the arrays of its modules, and in which order of axes it has them."""

    whose: str
    separator: str  # between the module and the array: conv1.weight
    names: dict[type, dict[str, str]]  # {layer class: {our name: theirs}}
    # {(layer class, our name): ours = theirs.transpose(axes)}; None is an axis of 1 that they lack
    axes: dict[tuple, tuple]
    left: frozenset  # arrays that no forward needs
    refused: dict[type, str] = dataclasses.field(default_factory=dict)  # names are not enough: why

    def names_of(self, cls: type) -> tuple:
        """(the class in `names` that a layer class is of, its names); (None, {}) if there is
        none."""
        known = next((c for c in cls.__mro__ if c in self.names), None)
        return known, self.names[known] if known else {}


def matched(
    convention: Convention,
    arrays: dict,
    net: Layer,
    *,
    names: dict | None,
    in_order: bool,
    partial: bool,
) -> tuple[dict, str]:
    """({our name: array with shape, dtype and read()}, a line saying what belongs to what); the
    arguments are those of `from_pytorch`, and so are the errors."""
    layers, modules = _layers(net, convention), _modules(arrays, convention)
    if names is not None:
        how, pairs = "as told", _as_told(names, modules, layers)
    elif layers.keys() <= modules.keys():
        how, pairs = "by name", {name: name for name in layers}
    else:
        how = "by shape and order"
        pairs = _by_shape(modules, layers, convention.whose, in_order, partial)
    renamed = {}
    for module, held in modules.items():
        slots = layers[pairs[module]] if module in pairs else {}
        for last, array in held.items():
            slot = slots.get(last)
            name = slot.name if slot else f"{module}{convention.separator}{last}"
            if name in renamed:
                raise ValueError(f"{name} would be filled twice")
            renamed[name] = Changed(array, slot.shape, slot.axes) if slot and slot.axes else array
    said = ", ".join(f"{module} to {ours}" for module, ours in pairs.items())
    return renamed, f"{convention.whose}'s, {how}" + ("" if how == "by name" else f": {said}")


@dataclasses.dataclass
class _Slot:
    """What a layer holds: our name, the shape that it has there, the order of axes if another."""

    name: str
    shape: tuple
    axes: tuple | None


class Given:
    """An array that is there already, with the face of one in a file."""

    def __init__(self, name: str, array):
        self.where, self._array = name, np.asarray(array)
        self.shape, self.dtype = self._array.shape, self._array.dtype

    def read(self) -> np.ndarray:
        return self._array


class Changed:
    """An array in a file with its axes in our order, read when it is asked for. One that has not as
    many axes as expected is left as it is, to be refused by its shape."""

    def __init__(self, array, expected: tuple, axes: tuple):
        self._array, self.dtype, self.where = array, array.dtype, array.where
        self._axes = axes if len(array.shape) == len(expected) else range(len(array.shape))
        self.shape = tuple(1 if axis is None else array.shape[axis] for axis in self._axes)

    def read(self) -> np.ndarray:
        axes = [axis for axis in self._axes if axis is not None]
        return self._array.read().transpose(*axes).reshape(self.shape)


def _layers(net: Layer, convention: Convention) -> dict[str, dict[str, _Slot]]:
    """{layer: {their name: what it holds}} of those that hold something, in order."""
    held_layers = {"": net, **{n: h for n, h in net.walk() if isinstance(h, Layer)}}
    found: dict[str, dict] = {}
    for name, held in net.walk():
        if not isinstance(held, (Param, State)):
            continue
        owner, _, last = name.rpartition(".")
        layer = held_layers.get(owner)
        if why := next((w for c, w in convention.refused.items() if isinstance(layer, c)), ""):
            raise ValueError(f"{name} of a {type(layer).__name__}: {why}")
        cls, table = convention.names_of(type(layer))
        if last not in table:
            kind, whose = type(layer).__name__, convention.whose
            raise ValueError(
                f"{name} of a {kind}: what {whose} calls it is not known; say it: "
                f"lamina.exchange.{whose.lower()}.NAMES[{kind}] = {{{last!r}: ...}}"
            )
        axes, shape = convention.axes.get((cls, last)), held.data.shape
        if last == "W" and isinstance(layer, Affine) and layer.transposed:
            axes = (1, 0) if axes is None else None  # it lies the other way round
        if axes is not None:
            shape = tuple(shape[axes.index(i)] for i in range(len(axes) - axes.count(None)))
        found.setdefault(owner, {})[table[last]] = _Slot(name, shape, axes)
    return found


def _modules(arrays: dict, convention: Convention) -> dict[str, dict]:
    found: dict[str, dict] = {}
    for name, array in arrays.items():
        module, _, last = name.rpartition(convention.separator)
        if last not in convention.left:
            array = array if hasattr(array, "read") else Given(name, array)
            found.setdefault(module, {})[last] = array
    return found


def _as_told(names: dict, modules: dict, layers: dict) -> dict[str, str]:
    for kind, given, there in (
        ("module", names.keys(), modules),
        ("layer with weights", names.values(), layers),
    ):
        if unknown := [name for name in given if name not in there]:
            raise ValueError(f"there is no {kind} {unknown[0]}{suggest(unknown[0], there)}")
    taken = names.values()
    by_name = {n: n for n in modules if n in layers and n not in names and n not in taken}
    return names | by_name


def _by_shape(
    modules: dict, layers: dict, whose: str, in_order: bool, partial: bool
) -> dict[str, str]:
    """{module: layer} of those that hold the same."""
    if not in_order:
        modules = {name: modules[name] for name in sorted(modules, key=_natural)}
    theirs, ours = _alike(modules), _alike(layers)
    pairs: dict[str, str] = {}
    for held in dict.fromkeys([*ours, *theirs]):
        there, here = theirs.get(held, []), ours.get(held, [])
        if len(there) != len(here):
            if partial:
                continue
            what = ", ".join(f"{name} {shape}" for name, shape in held)
            raise ValueError(
                f"of {what} the net has {_listed(here)}, {whose} {_listed(there)}; say what "
                "belongs to what: names={'fc1': 'affine1'}"
            )
        if not in_order and len({_DIGITS.sub("0", name) for name in there}) > 1:
            raise ValueError(
                f"{_listed(there)} hold the same, and a file does not say which comes first; say "
                "what belongs to what: names={'fc1': 'affine1'}"
            )
        pairs |= zip(there, here, strict=True)
    return {module: pairs[module] for module in modules if module in pairs}


def _alike(holders: dict) -> dict[tuple, list[str]]:
    """{what is held: by whom}."""
    found: dict[tuple, list] = {}
    for name, held in holders.items():
        key = tuple(sorted((last, tuple(array.shape)) for last, array in held.items()))
        found.setdefault(key, []).append(name)
    return found


def _natural(name: str) -> list:
    """Sorts conv2 before conv10."""
    return [int(part) if part.isdecimal() else part for part in _DIGITS.split(name)]


def _listed(names: list) -> str:
    more = [f"{len(names) - 10} more"] if len(names) > 10 else []
    return printable(", ".join([*(name or "itself" for name in names[:10]), *more]) or "none")
