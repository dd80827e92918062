"""Rooms: what can be named in each part of a configuration, of ours and of one's own.

Ours are the classes or functions of a package. One's own is path.py:Class, a subclass of the base
of the room, or path.py:function in a room of functions.
"""

import importlib
import inspect
from collections.abc import Callable

from lamina.experiment.contract import check_class
from lamina.experiment.own_augmentation import FunctionAugmentation
from lamina.layers.initializers import INITIALIZERS as _INITIALIZERS
from lamina.layers.initializers import make_initializer
from lamina.optimizers.schedules import SCHEDULES as _SCHEDULES
from lamina.optimizers.schedules import make_schedule


class Room:
    """The public classes of some packages that are a kind of `base` ("package:Class"), by name.

    `but` are kinds that do not belong here, `abstract` names that nobody can build. `needs` are
    methods that a class of one's own must have, `made` attributes that the constructor of the base
    makes. With `make` a function of one's own does too: make(function, **given and settings) is the
    object. With `by_name`, a function of the package, more names than those of classes are known:
    it takes the name and the settings, and raises ValueError for what it does not know.
    """

    kind = "type"  # what an unknown name is called

    def __init__(
        self,
        base: str,
        *packages: str,
        but="",
        abstract=None,
        by_name="",
        make=None,
        needs: tuple[str, ...] = (),
        made: tuple[str, ...] = (),
    ):
        package, _, self.name = base.partition(":")
        self.base, self.but, self._by_name = base, but, by_name
        self.packages = packages or (package,)
        self.abstract = (self.name,) if abstract is None else abstract
        self.make: Callable | None = make
        self.needs, self.made = needs, made
        self.wanted = f"{self.name} from {package}"

    def ours(self) -> dict:
        """{name: class}."""
        # Packages are looked up late: one that nobody asks for is not imported.
        modules = [importlib.import_module(name) for name in self.packages]
        known = {name: vars(module)[name] for module in modules for name in _public(module)}
        return {n: c for n, c in known.items() if n not in self.abstract and self._is_one(c)}

    @property
    def by_name(self) -> Callable | None:
        """What makes an object from a name that is no class's, and its settings."""
        module = importlib.import_module(self.packages[0])
        return getattr(module, self._by_name) if self._by_name else None

    def fits(self, found) -> bool:
        """Is this class, or function, of one's own what the room has?"""
        if self.make is not None and _is_called(found):
            return True
        return self._is_one(found) and found is not _named(self.base)

    def check(self, found) -> None:
        """Raises TypeError, in words, unless a class of one's own keeps to its base."""
        if isinstance(found, type) and self._is_one(found):
            check_class(found, _named(self.base), self.needs)

    def _is_one(self, found) -> bool:
        if not (isinstance(found, type) and issubclass(found, _named(self.base))):
            return False
        return not (self.but and issubclass(found, _named(self.but)))


def _public(module) -> list[str]:
    return getattr(module, "__all__", list(vars(module)))


class FunctionRoom:
    """The functions of a table, and classes whose objects are called like them:
    make(name, function or class, **settings) is one with its settings."""

    by_name, made = None, ()

    def __init__(self, kind: str, table: dict, make: Callable):
        self.kind, self.table, self.make = kind, table, make
        self.wanted = "function, and no class with __call__"

    def ours(self) -> dict:
        return self.table

    def fits(self, found) -> bool:
        return _is_called(found)

    def check(self, found) -> None:
        pass  # `make` asks whether it can be called


def _is_called(found) -> bool:
    """A function, or a class whose objects are called like one."""
    return inspect.isfunction(found) or (isinstance(found, type) and "__call__" in dir(found))


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
LOSSES = Room("lamina.layers:Loss", needs=("forward", "backward"))
OPTIMIZERS = Room(
    "lamina.optimizers:Optimizer", needs=("update",), made=("parameters", "base_lr", "kept")
)
METRICS = Room("lamina.metrics:Metric", by_name="make_metric", needs=("reset", "update", "value"))
CALLBACKS = Room("lamina.training.callbacks:Callback", abstract=("Callback", "Tracker"))
AUGMENTATIONS = Room(
    "lamina.datasets.augmentation:Augmentation", abstract=(), make=FunctionAugmentation
)
SCHEDULES = FunctionRoom("schedule", _SCHEDULES, make_schedule)
INITIALIZERS = FunctionRoom("initializer", _INITIALIZERS, make_initializer)
# Arguments of constructors that name something of another room.
OF_ARGUMENTS = {"init": INITIALIZERS, "schedule": SCHEDULES}
