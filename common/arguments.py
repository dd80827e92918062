"""Objects that remember the arguments they were made with, as plain data: numbers and texts."""

import functools
import inspect
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

MAX_ITEMS = 10_000  # of a list; a longer one is data, not an argument
_UNBOUND = {"rng"}  # a generator moves on, and a seed says nothing once it has been used


class Unwritable:
    """What stands in place of an argument that is no plain data; its repr says what it was. `thing`
    is that argument, None once this has been saved and read again."""

    __slots__ = ("thing", "what")

    def __init__(self, what: str, thing=None):
        self.what, self.thing = what, thing

    def __reduce__(self):
        return Unwritable, (self.what,)

    def __repr__(self):
        return f"<{self.what}>"

    def __eq__(self, other):
        return isinstance(other, Unwritable) and self.what == other.what

    def __hash__(self):
        return hash(self.what)


class Made:
    """The arguments of one object. It never changes, so that copies of the object share it; and it
    is no dict, so that nobody who looks for what the object holds looks into it."""

    __slots__ = ("arguments",)

    def __init__(self, arguments: dict):
        self.arguments = arguments

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        return Made, (self.arguments,)


class _OfInit:
    """The signature of a class is that of its __init__, as without our __new__."""

    def __get__(self, instance, owner):
        if owner.__init__ is object.__init__:
            return inspect.Signature()
        signature = inspect.signature(owner.__init__)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class Remembers:
    """Base of what remembers its arguments. They are noted before __init__ runs, so that a class
    has nothing to do for it, not even to call super().__init__(); calls cost nothing later."""

    __signature__ = _OfInit()
    _not_arguments: frozenset = frozenset()  # what the object works on, not how it was made

    def __new__(cls, *args, **named):
        if cls.__init__ is object.__init__ and (args or named):
            raise TypeError(f"{cls.__name__}() takes no arguments")  # as Python itself would
        made = super().__new__(cls)
        made._made = Made(_bound(cls, args, named))
        return made

    def arguments(self) -> dict:
        """The arguments that it was made with, by name, without rng: plain data (numbers, texts,
        lists, dicts); functions of ours by name, or as {"type": name, setting: ...}; and an
        `Unwritable` for anything else. Left out are those that were not given."""
        made = vars(self).get("_made")  # not there if a subclass has gone round our __new__
        return {} if made is None else dict(made.arguments)

    def __repr__(self):
        return shown(self)


def shown(made: Remembers) -> str:
    """The object as the call that makes it: Affine(n_in=784, n_out=50)."""
    given = ", ".join(f"{name}={value!r}" for name, value in made.arguments().items())
    return f"{type(made).__name__}({given})"


def without_defaults(cls: type, arguments: dict) -> dict:
    """The arguments that say something: those equal to the default of cls are left out."""
    defaults = {name: plain(p.default) for name, p in parameters_of(cls).items()}
    return {n: v for n, v in arguments.items() if n not in defaults or not _same(v, defaults[n])}


def call(cls: type, arguments: dict):
    """cls(...), with what `arguments()` gave, once its lists are what cls expects."""
    arguments = dict(arguments)
    listed = next((p for p in _init(cls) if p.kind is p.VAR_POSITIONAL), None)
    positional = []
    for p in _init(cls):
        first = p.kind is p.POSITIONAL_ONLY
        if listed is not None and listed.name in arguments:  # *args: what is before goes before
            first = first or p.kind is p.POSITIONAL_OR_KEYWORD
        if first and p.name in arguments:
            positional.append(arguments.pop(p.name))
    if listed is not None:
        positional += arguments.pop(listed.name, ())
    return cls(*positional, **arguments)


@functools.lru_cache(maxsize=256)
def parameters_of(cls: type) -> dict[str, inspect.Parameter]:
    """What the constructor takes; behind **settings, what the next constructor takes too."""
    found: dict[str, inspect.Parameter] = {}
    for ancestor in cls.__mro__:
        if "__init__" not in vars(ancestor) or ancestor is object:
            continue
        parameters = list(inspect.signature(vars(ancestor)["__init__"]).parameters.values())[1:]
        found = {p.name: p for p in parameters if p.kind is not p.VAR_KEYWORD} | found
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def takes_more(cls: type) -> bool:
    """Does the constructor take any name? **settings all the way up say so."""
    written = [
        vars(c)["__init__"] for c in cls.__mro__ if "__init__" in vars(c) and c is not object
    ]
    kinds = [[p.kind for p in inspect.signature(one).parameters.values()] for one in written]
    return bool(kinds) and all(inspect.Parameter.VAR_KEYWORD in each for each in kinds)


def plain(value):
    """The value as plain data, as far as it is some."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.generic):
        return (
            plain(value.item()) if value.dtype.kind in "biufU" else Unwritable(_name(value), value)
        )
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, type):
        return (
            np.dtype(value).name
            if issubclass(value, np.generic)
            else Unwritable(_name(value), value)
        )
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (list, tuple)) and len(value) <= MAX_ITEMS:
        return _all_or_none([plain(v) for v in value], value)
    if (
        isinstance(value, Mapping)
        and len(value) <= MAX_ITEMS
        and all(type(k) is str for k in value)
    ):
        items = {k: plain(v) for k, v in value.items()}
        return Unwritable(_name(value), value) if _has_unwritable(items.values()) else items
    if isinstance(value, functools.partial):
        settings = {k: plain(v) for k, v in value.keywords.items()}
        if _is_ours(value.func) and not value.args and not _has_unwritable(settings.values()):
            return {"type": value.func.__name__, **settings} if settings else value.func.__name__
    if inspect.isfunction(value) and _is_ours(value):
        return value.__name__
    return Unwritable(_name(value), value)


def is_setting(value) -> bool:
    """Is it what can be set later, and compared: a number, a text, an array, None, or several?"""
    if isinstance(value, (tuple, list)):
        return all(map(is_setting, value))
    return isinstance(value, (bool, int, float, str, np.generic, np.ndarray, type(None)))


def same_setting(a, b) -> bool:
    """Of two settings: have they the same numbers and texts, in arrays of one shape?"""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(same_setting, a, b))
    return bool(np.array_equal(a, b))


def _bound(cls: Any, args: tuple, named: dict) -> dict:
    if not args and not named:  # a copy
        return {}
    try:
        bound = inspect.Signature(_init(cls)).bind_partial(*args, **named)
    except TypeError:  # __init__ will say it better
        return {}
    given = dict(bound.arguments)
    for p in _init(cls):
        if p.kind is p.VAR_KEYWORD:
            given |= given.pop(p.name, {})
    left_out = _UNBOUND | cls._not_arguments
    return {
        name: np.dtype(value).name if name == "dtype" and _is_dtype(value) else plain(value)
        for name, value in given.items()
        if name not in left_out and not isinstance(value, np.random.Generator)
    }


@functools.lru_cache(maxsize=256)
def _init(cls: type) -> tuple:
    return tuple(_OfInit().__get__(None, cls).parameters.values())


def _is_dtype(value) -> bool:
    try:
        np.dtype(value)
    except TypeError:
        return False
    return value is not None


def _is_ours(function) -> bool:
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__qualname__", "<")
    return module.startswith("lamina.") and name.isidentifier() and not name.startswith("_")


def _all_or_none(items: list, value):
    return Unwritable(_name(value), value) if _has_unwritable(items) else items


def _has_unwritable(values) -> bool:
    return any(isinstance(v, Unwritable) for v in values)


def _same(a, b) -> bool:
    """Equal and of one kind: True is not 1, but a whole number may stand for a float."""
    return a == b and (type(a) is type(b) or {type(a), type(b)} == {int, float})


def _name(value) -> str:
    if inspect.isroutine(value) or isinstance(value, type):
        kind = "class" if isinstance(value, type) else "function"
        return f"{kind} {getattr(value, '__name__', '?')}"
    if isinstance(value, functools.partial):
        return f"function {getattr(value.func, '__name__', '?')} with settings"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "dtype"):
        return f"array {shape} {value.dtype}"
    return f"{type(value).__name__} object"
