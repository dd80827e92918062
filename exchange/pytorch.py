"""Weights of PyTorch modules: their names and axes, and which module is which layer."""

import dataclasses
import re

import numpy as np

from lamina.common.names import suggest
from lamina.common.printable import printable
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Embedding,
    GroupNormalization,
    Layer,
    LayerNormalization,
    Param,
    PRelu,
    State,
)

_SCALED = {"gamma": "weight", "beta": "bias"}
# What a layer holds, as PyTorch calls it. A layer of one's own adds a line: NAMES[Scale] = {...}.
NAMES: dict[type, dict[str, str]] = {
    Affine: {"W": "weight", "b": "bias"},
    Convolution: {"W": "weight", "b": "bias"},
    Embedding: {"W": "weight"},
    PRelu: {"a": "weight"},
    LayerNormalization: _SCALED,
    GroupNormalization: _SCALED,
    BatchNormalization: {
        **_SCALED,
        **{"running_mean": "running_mean", "running_var": "running_var"},
    },
}
TRANSPOSED = {(Affine, "W")}  # (n_out, n_in) there
_COUNTER = "num_batches_tracked"  # of a BatchNorm: needed by no forward
_DIGITS = re.compile(r"(\d{1,9})")


class _Turned:
    """A matrix with its axes swapped, read when it is asked for."""

    def __init__(self, array):
        self.shape, self.dtype, self._array = tuple(array.shape)[::-1], array.dtype, array
        self.where = getattr(array, "where", "the array")

    def read(self) -> np.ndarray:
        return self._array.read().T


class _Given:
    """An array that is there already, with the face of one in a file."""

    def __init__(self, name: str, array):
        self.where, self._array = name, np.asarray(array)
        self.shape, self.dtype = self._array.shape, self._array.dtype

    def read(self) -> np.ndarray:
        return self._array


def is_pytorch(names) -> bool:
    """Are these names those of a state_dict? Ours end otherwise: in W, b, gamma, beta."""
    return any(name.rpartition(".")[2] in ("weight", "bias") for name in names)


def from_pytorch(
    state_dict: dict,
    net: Layer,
    *,
    names: dict | None = None,
    in_order: bool = True,
    partial: bool = False,
) -> tuple[dict, str]:
    """({our name: array with shape, dtype and read()}, a line saying what belongs to what).

    `state_dict` has arrays by name: those of `open_safetensors`, or NumPy's,
    {name: tensor.numpy() for name, tensor in model.state_dict().items()}. Modules and layers are
    matched

    - as `names` says, {"fc1": "affine1"}, and by name where it says nothing;
    - without it by name, if each layer that holds weights has a module of its name;
    - else by what they hold, names and shapes. Several that hold the same are taken in their
      order, which a state_dict has; a file has lost it (`in_order` false), so there their names
      must differ by numbers alone, as conv1 and conv2, or 0 and 3.

    An Affine's W is transposed. Settings are not in a state_dict and stay those of the net: eps is
    1e-5 in both, the `momentum` of a BatchNormalization 0.9, which is what PyTorch calls 0.1.
    Raises ValueError, in one line, if a module or layer has no counterpart, or no certain one; with
    `partial` those without one are left.
    """
    layers, modules = _layers(net), _modules(state_dict)
    if names is not None:
        how, pairs = "as told", _as_told(names, modules, layers)
    elif layers.keys() <= modules.keys():
        how, pairs = "by name", {name: name for name in layers}
    else:
        how, pairs = "by shape and order", _by_shape(modules, layers, in_order, partial)
    renamed = {}
    for module, arrays in modules.items():
        slots = layers.get(pairs.get(module), {})
        for last, array in arrays.items():
            slot = slots.get(last)
            name = slot.name if slot else f"{module}.{last}"
            if name in renamed:
                raise ValueError(f"{name} would be filled twice")
            renamed[name] = _Turned(array) if slot and slot.turned else array
    said = ", ".join(f"{module} to {ours}" for module, ours in pairs.items())
    return renamed, f"PyTorch's, {how}" + ("" if how == "by name" else f": {said}")


@dataclasses.dataclass
class _Slot:
    """What a layer holds: our name, the shape that it has in PyTorch, and whether axes differ."""

    name: str
    shape: tuple
    turned: bool


def _layers(net: Layer) -> dict[str, dict[str, _Slot]]:
    """{layer: {PyTorch's name: what it holds}} of those that hold something, in order."""
    held_layers = {"": net, **{n: h for n, h in net.walk() if isinstance(h, Layer)}}
    found: dict[str, dict] = {}
    for name, held in net.walk():
        if not isinstance(held, (Param, State)):
            continue
        owner, _, last = name.rpartition(".")
        layer = held_layers.get(owner)
        cls = next((c for c in type(layer).__mro__ if c in NAMES), None)
        if cls is None or last not in NAMES[cls]:
            kind = type(layer).__name__
            raise ValueError(
                f"{name} of a {kind}: what PyTorch calls it is not known; say it: "
                f"lamina.exchange.pytorch.NAMES[{kind}] = {{{last!r}: ...}}"
            )
        turned, shape = (cls, last) in TRANSPOSED, held.data.shape
        slot = _Slot(name, shape[::-1] if turned else shape, turned)
        found.setdefault(owner, {})[NAMES[cls][last]] = slot
    return found


def _modules(state_dict: dict) -> dict[str, dict]:
    found: dict[str, dict] = {}
    for name, array in state_dict.items():
        module, _, last = name.rpartition(".")
        if last != _COUNTER:
            array = array if hasattr(array, "read") else _Given(name, array)
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


def _by_shape(modules: dict, layers: dict, in_order: bool, partial: bool) -> dict[str, str]:
    """{module: layer} of those that hold the same."""
    if not in_order:
        modules = {name: modules[name] for name in sorted(modules, key=_natural)}
    theirs, ours = _alike(modules), _alike(layers)
    pairs = {}
    for held in dict.fromkeys([*ours, *theirs]):
        there, here = theirs.get(held, []), ours.get(held, [])
        if len(there) != len(here):
            if partial:
                continue
            what = ", ".join(f"{name} {shape}" for name, shape in held)
            raise ValueError(
                f"of {what} the net has {_listed(here)}, PyTorch {_listed(there)}; say what "
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
