"""Rooms: what can be named in each part of a configuration, of ours and of one's own.

Ours are the classes or functions of a package. One's own is path.py:Class, a subclass of the base
of the room, or path.py:function in a room of functions.
"""

import importlib
import inspect
from collections.abc import Callable

from lamina.experiment.own_augmentation import FunctionAugmentation
from lamina.layers.initializers import INITIALIZERS as _INITIALIZERS
from lamina.layers.initializers import make_initializer
from lamina.optimizers.schedules import SCHEDULES as _SCHEDULES
from lamina.optimizers.schedules import make_schedule


class Room:
    """The public classes of some packages that are a kind of `base` ("package:Class"), by name.

    `but` are kinds that do not belong here, `abstract` names that nobody can build; `table` is a
    table of the first package, of more names for its classes. With `make` a function of one's own
    does too: make(type=function, **given and settings) is the object.
    """

    kind = "type"  # what an unknown name is called

    def __init__(self, base: str, *packages: str, but="", abstract=None, table="", make=None):
        package, _, self.name = base.partition(":")
        self.base, self.but, self.table = base, but, table
        self.packages = packages or (package,)
        self.abstract = (self.name,) if abstract is None else abstract
        self.make: Callable | None = make
        self.wanted = f"{self.name} from {package}"

    def ours(self) -> dict:
        """{name: class}."""
        # Packages are looked up late: one that nobody asks for is not imported.
        modules = [importlib.import_module(name) for name in self.packages]
        known = {name: vars(module)[name] for module in modules for name in _public(module)}
        known |= getattr(modules[0], self.table) if self.table else {}
        return {n: c for n, c in known.items() if n not in self.abstract and self._is_one(c)}

    def fits(self, found) -> bool:
        """Is this class, or function, of one's own what the room has?"""
        if self.make is not None and inspect.isfunction(found):
            return True
        return self._is_one(found) and found is not _named(self.base)

    def _is_one(self, found) -> bool:
        if not (isinstance(found, type) and issubclass(found, _named(self.base))):
            return False
        return not (self.but and issubclass(found, _named(self.but)))


def _public(module) -> list[str]:
    return getattr(module, "__all__", list(vars(module)))


class FunctionRoom:
    """The functions of a table; make(type=name or function, **settings) binds the settings."""

    def __init__(self, kind: str, table: dict, make: Callable):
        self.kind, self.table, self.make, self.wanted = kind, table, make, "function"

    def ours(self) -> dict:
        return self.table

    def fits(self, found) -> bool:
        return inspect.isfunction(found)


def _named(path: str) -> type:
    package, _, name = path.partition(":")
    return getattr(importlib.import_module(package), name)


DATASETS = Room("lamina.datasets:Dataset")
LAYERS = Room(
    "lamina.layers:Layer",
    *("lamina.layers", "lamina.nets"),
    but="lamina.layers:Loss",
    abstract=("Layer", "AutoLayer", "Net"),
)
LOSSES = Room("lamina.layers:Loss")
OPTIMIZERS = Room("lamina.optimizers:Optimizer")
METRICS = Room("lamina.metrics:Metric", table="METRICS")
CALLBACKS = Room("lamina.training.callbacks:Callback")
AUGMENTATIONS = Room(
    "lamina.datasets.augmentation:Augmentation", abstract=(), make=FunctionAugmentation
)
SCHEDULES = FunctionRoom("schedule", _SCHEDULES, make_schedule)
INITIALIZERS = FunctionRoom("initializer", _INITIALIZERS, make_initializer)
# Arguments of constructors that name something of another room.
OF_ARGUMENTS = {"init": INITIALIZERS, "schedule": SCHEDULES}
