"""A whole net in one file: an .npz archive with its structure as JSON text, and its arrays.

    net/structure            {"lamina": 1, "net": {...}, "shared": {...}}, see nets/structure.py
    affine1.W, norm1.mean    parameters and states, by dotted name
    net/rng/drop1.rng        the states of random generators; `shared` says which are one

Nothing is pickled, and loading runs no code.
"""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lamina.common.arguments import is_setting, parameters_of, same_setting
from lamina.common.npz import Entry, NpzError, open_npz, write_npz
from lamina.layers.base import Layer, Param, State
from lamina.layers.saved_state import misfit, restore, saved
from lamina.nets.from_structure import Builder, allowed
from lamina.nets.room import Room
from lamina.nets.structure import StructureError, structure, type_name
from lamina.nets.weights import ASIDE, refuse_bad_weights, weights_of

STRUCTURE, GENERATORS = f"{ASIDE}structure", f"{ASIDE}rng/"
VERSION = 1
MAX_CHARACTERS = 1 << 20  # of the structure
_LISTED = 20  # differences in an error


class NetFileError(NpzError):
    """A file holds no whole net, or one that cannot be made; says which file, and what is wrong."""


def save_net(path: str | Path, net: Layer) -> None:
    """Write structure, parameters, states and generators; the file gets its name only when it is
    whole. What is written has been made again first, and compared: it can be loaded.

    Raises StructureError for a net that cannot be written, FloatingPointError for one that is not
    finite, OSError naming the file if it cannot be written.
    """
    path = Path(path)
    described = structure(net)
    arrays = weights_of(net)
    _refuse_what_would_change(net, described, arrays)
    refuse_bad_weights(path, net)
    first, shared = _generators(net)
    text = json.dumps({"lamina": VERSION, "net": described, "shared": shared}, allow_nan=False)
    if len(text) > MAX_CHARACTERS:
        raise StructureError(
            f"the net takes {len(text)} characters to write, {MAX_CHARACTERS} at most"
        )
    states = {GENERATORS + name: saved(rng) for name, rng in first.items()}
    write_npz(path, {STRUCTURE: np.array(text), **arrays, **states})


def load_net(path: str | Path, code: Iterable = ()) -> Any:  # a Net
    """The net that `net.save(path)` wrote: its scores are the same to the bit.

    `code` are the files of classes of one's own that it may run; a class from another file is
    refused. Raises NetFileError for a file that holds no such net, NpzError for a damaged one,
    StructureError for a file of code that is not there, OSError if it cannot be opened.
    """
    files = allowed(code)
    with open_npz(path, packed=False) as entries:  # as save_net writes it
        try:
            about = _about(entries)
            arrays = {name: e for name, e in entries.items() if not name.startswith(ASIDE)}
            room = Room(sum(math.prod(e.shape) for e in arrays.values()), len(arrays))
            net = Builder(files, np.random.default_rng(0), room).net(about["net"])
            held = {n: h for n, h in net.walk() if isinstance(h, (Param, State))}
            _compare(held, arrays)
            read = {name: arrays[name].read() for name in held}
            generators = {
                name.removeprefix(GENERATORS): _read_text(entry, name)
                for name, entry in entries.items()
                if name.startswith(GENERATORS)
            }
            for name, h in held.items():
                h.data = read[name].astype(read[name].dtype.newbyteorder("="), copy=False)
            _put_back(net, generators, about["shared"])
        except StructureError as error:
            raise NetFileError(f"{path}: {error}") from error
    return net


def _about(entries: dict) -> dict:
    """The JSON text of the file, as far as it is what we write."""
    if STRUCTURE not in entries:
        raise StructureError(
            f"holds no {STRUCTURE}: these are weights alone; make the net, and load_weights"
        )
    text = str(_read_text(entries[STRUCTURE], STRUCTURE))
    try:
        about = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise StructureError(f"{STRUCTURE}: is nested too deeply") from None
    except ValueError as error:
        if isinstance(error, (NpzError, StructureError)):
            raise
        raise StructureError(f"{STRUCTURE}: is no JSON: {ascii(str(error))[:200]}") from None
    if not isinstance(about, dict) or about.get("lamina") != VERSION:
        got = about.get("lamina") if isinstance(about, dict) else about
        raise StructureError(
            f"{STRUCTURE}: expects a net of version {VERSION}, got {ascii(got)[:60]}"
        )
    shared = about.get("shared")
    if not isinstance(shared, dict) or not all(isinstance(v, str) for v in shared.values()):
        raise StructureError(f"{STRUCTURE}: expects shared: a mapping of names")
    return {"net": about.get("net"), "shared": shared}


def _read_text(entry: Entry, name: str) -> np.ndarray:
    if entry.dtype.kind != "U" or entry.shape != ():
        raise StructureError(f"{name}: expects a text, got {entry.dtype} {entry.shape}")
    if entry.dtype.itemsize > 4 * MAX_CHARACTERS:
        raise StructureError(f"{name}: is longer than {MAX_CHARACTERS} characters")
    return entry.read()


def _once(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise StructureError(f"{STRUCTURE}: a key stands twice")
    return found


def _no_number(name: str):
    raise StructureError(f"{STRUCTURE}: holds {name}; expects finite numbers")


def _compare(held: dict, arrays: dict) -> None:
    """Raises StructureError unless the arrays are those of the net, in shape and kind."""
    wrong = [f"missing: {name}" for name in held.keys() - arrays.keys()]
    wrong += [f"unknown: {name}" for name in arrays.keys() - held.keys()]
    for name in held.keys() & arrays.keys():
        expected, got = held[name].data, arrays[name]
        if expected.shape != got.shape:
            wrong.append(f"{name}: expects shape {expected.shape}, got {got.shape}")
        elif expected.dtype.kind != got.dtype.kind:
            wrong.append(f"{name}: expects {expected.dtype}, got {got.dtype}")
    learned = [name for name, h in held.items() if isinstance(h, Param) and name in arrays]
    kinds = {arrays[name].dtype.newbyteorder("=") for name in learned}
    if not wrong and len(kinds) > 1:
        wrong.append(f"parameters of different kinds: {', '.join(sorted(map(str, kinds)))}")
    if wrong:
        more = f"; and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
        raise StructureError(f"the arrays are not those of the net: {_first(wrong)}{more}")


def _first(wrong: list[str]) -> str:
    return "; ".join(sorted(wrong)[:_LISTED])


def _generators(net: Layer) -> tuple[dict, dict]:
    """({dotted name: generator}, {another name of it: the first}), as attributes of layers."""
    named, shared = {}, {}
    first: dict[int, str] = {}
    for name, (layer, attribute) in _places_of_generators(net).items():
        rng = getattr(layer, attribute)
        if id(rng) in first:
            shared[name] = first[id(rng)]
        else:
            first[id(rng)], named[name] = name, rng
    return named, shared


def _places_of_generators(net: Layer) -> dict[str, tuple[Layer, str]]:
    held = [("", net), *((n, h) for n, h in net.walk() if isinstance(h, Layer))]
    return {
        f"{name}.{attribute}" if name else attribute: (layer, attribute)
        for name, layer in held
        for attribute, value in vars(layer).items()
        if isinstance(value, np.random.Generator)
    }


def _put_back(net: Layer, states: dict, shared: dict) -> None:
    """The states of the generators, and which of them are one. Those that are not in the file,
    since no attribute of a layer held them, begin anew."""
    places = _places_of_generators(net)
    for name, state in states.items():
        if name not in places:
            raise StructureError(f"{GENERATORS}{name}: the net has no such generator")
        rng = getattr(*places[name])
        if reason := misfit(rng, state):
            raise StructureError(f"{GENERATORS}{name}: {reason}")
        restore(rng, state)
    for name, first in shared.items():
        if name not in places or first not in places:
            raise StructureError(f"{STRUCTURE}: shared: the net has no generator {name}, {first}")
    for name, first in shared.items():
        layer, attribute = places[name]
        setattr(layer, attribute, getattr(*places[first]))


def _refuse_what_would_change(net: Layer, described: dict, arrays: dict) -> None:
    """Raises StructureError if the net made from what is written would not be the same: other
    arrays, or a setting that was changed after a layer was made."""
    again = _made_again(net, described, arrays)
    held = {n: h for n, h in again.walk() if isinstance(h, (Param, State))}
    differing = [
        name
        for name in held.keys() | arrays.keys()
        if name not in held or name not in arrays or held[name].data.shape != arrays[name].shape
    ]
    if differing:
        raise StructureError(
            f"{', '.join(sorted(differing)[:5])}: not as the layers are made with their arguments, "
            "so that the net could not be loaded; make the layers with what they are"
        )
    _compare_all_settings(net, again)


def check_as_made(net: Layer, described: dict) -> None:
    """Raises StructureError for a setting that was changed after a layer was made: what is written
    would be another net."""
    arrays = {name: h.data for name, h in net.walk() if isinstance(h, (Param, State))}
    _compare_all_settings(net, _made_again(net, described, arrays))


def _made_again(net: Layer, described: dict, arrays: dict) -> Layer:
    room = Room(sum(array.size for array in arrays.values()), len(arrays))
    known = {c for _, layer in net.walk() if isinstance(layer, Layer) for c in [type(layer)]}
    return _Again(known | {type(net)}, room).net(described)


def _compare_all_settings(net: Layer, again: Layer) -> None:
    others = dict(again.walk())
    for name, layer in net.walk():
        if isinstance(layer, Layer):
            _compare_settings(name, layer, others.get(name))


class _Again(Builder):
    """Makes the net from the classes that it has, without looking for their files."""

    def __init__(self, classes: set, room: Room):
        super().__init__([], np.random.default_rng(0), room)
        self._own = classes

    def _class(self, name, where, base):
        for cls in self._own:
            if ".py:" in name and name.endswith(f":{cls.__name__}") and _is_own(cls, name):
                return cls
        return super()._class(name, where, base)


def _is_own(cls: type, name: str) -> bool:
    return not cls.__module__.startswith("lamina.") and type_name(cls, "") == name


def _compare_settings(name: str, layer: Layer, other) -> None:
    """An attribute that has the name of an argument is what the argument made of it."""
    cls: type = type(layer)
    for key in parameters_of(cls):
        now, made = (vars(x).get(key) if x is not None else None for x in (layer, other))
        if not (is_setting(now) and is_setting(made)) or other is None:
            continue
        if made is None and not cls.__module__.startswith("lamina."):
            continue  # what stands under this name may be something that it has met
        if not same_setting(now, made):
            raise StructureError(
                f"{name} ({type(layer).__name__}): its {key} is {now!r}, but it was made with "
                f"{made!r}, and would be loaded so; make another layer with {key}={now!r}"
            )
