"""A digest of what an object is: its contents, its code, and those of all that it holds."""

import argparse
import dis
import functools
import hashlib
import inspect
import sys
import sysconfig
import types
import uuid
from collections.abc import Iterator, Mapping
from pathlib import PurePath

import numpy as np

_DIGITS = 8
# Of a class: what Python itself puts there, and what says where it was written.
_OF_PYTHON = {
    *("__module__", "__doc__", "__dict__", "__weakref__", "__annotations__", "__annotate__"),
    *("__firstlineno__", "__static_attributes__", "__slots__", "__slotnames__"),
    *("__abstractmethods__", "_abc_impl"),
}
_INSTALLED = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "purelib", "platlib"))


class _Untold(Exception):
    """An object of which nobody can say whether another is the same."""


def fingerprint(thing: object) -> str:
    """Eight hexadecimal digits: the same for the same numbers, texts, arrays, functions and objects
    of the same code, with all that they hold or read; of an object that cannot be told from others
    (an open file, a lock) others each time. Generators of random numbers are all alike: they are
    the seed's. What stands in installed packages counts by its name.
    """
    found = hashlib.sha256()
    try:
        _Reader(found.update).read(thing)
    except (_Untold, RecursionError):
        return uuid.uuid4().hex[:_DIGITS]
    return found.hexdigest()[:_DIGITS]


class _Reader:
    """Gives the bytes of an object, in an order that does not depend on where anything lies."""

    def __init__(self, update):
        self._update, self._seen = update, {}
        self._kept: list = []  # what is alive keeps its id

    def read(self, thing) -> None:
        if thing is None or isinstance(thing, (bool, int, float, complex, str, bytes)):
            self._say(type(thing).__name__, repr(thing))
        elif id(thing) in self._seen:  # a circle, or the same thing once more
            self._say("again", self._seen[id(thing)])
        else:
            self._seen[id(thing)] = len(self._seen)
            self._kept.append(thing)
            if not (self._data(thing) or self._code(thing)):
                self._object(thing)

    def _data(self, thing) -> bool:
        """Reads it, if it is data."""
        plain = _is_installed(type(thing).__module__)  # else it may have attributes, and methods
        if isinstance(thing, (np.ndarray, np.generic)):
            self._array(np.asarray(thing))
        elif isinstance(thing, (list, tuple)) and plain:
            self._each(type(thing).__name__, thing)
        elif isinstance(thing, Mapping) and plain:
            self._each("mapping", [part for item in thing.items() for part in item])
        elif isinstance(thing, (set, frozenset)) and plain:
            self._each("set", sorted(map(fingerprint, thing)))
        elif isinstance(thing, (np.random.Generator, np.random.RandomState)):
            self._say("generator", type(thing).__name__)
        elif isinstance(thing, (np.dtype, PurePath)):
            self._say(type(thing).__name__, str(thing))
        else:
            return False
        return True

    def _code(self, thing) -> bool:
        """Reads it, if it is something that runs, or holds such."""
        if isinstance(thing, functools.partial):
            self._each("partial", [thing.func, thing.args, thing.keywords])
        elif isinstance(thing, types.MethodType):
            self._each("method", [thing.__func__, thing.__self__])
        elif isinstance(thing, types.FunctionType):
            self._function(thing)
        elif isinstance(thing, types.CodeType):
            self._each("code", [thing.co_code, thing.co_consts, thing.co_names])
        elif isinstance(thing, type):
            self._class(thing)
        elif isinstance(thing, types.BuiltinFunctionType) and not _of_module(thing):
            self._each("method", [thing.__name__, thing.__self__])
        elif inspect.isroutine(thing) or isinstance(thing, (np.ufunc, types.ModuleType)):
            self._say("routine", getattr(thing, "__module__", ""), thing.__name__)
        else:
            return False
        return True

    def _say(self, *words) -> None:
        for word in words:
            data = str(word).encode(errors="surrogatepass")
            self._update(len(data).to_bytes(8, "little") + data)

    def _each(self, kind: str, parts) -> None:
        self._say(kind, len(parts))
        for part in parts:
            self.read(part)

    def _array(self, array: np.ndarray) -> None:
        self._say("array", array.dtype.str, array.shape)
        if array.dtype.hasobject:
            self._each("objects", array.ravel().tolist())
        else:
            self._update(np.ascontiguousarray(array).tobytes())

    def _function(self, function) -> None:
        cells = [_content(cell) for cell in function.__closure__ or ()]
        given = [function.__defaults__, function.__kwdefaults__, cells]
        if _is_installed(function.__module__):
            self._say(function.__module__, function.__qualname__)
        else:
            known, code = function.__globals__, function.__code__
            read = {name: _read(known[name], name, code) for name in _names(code) if name in known}
            given += [function.__code__, read]
        self._each("function", given)

    def _class(self, cls: type) -> None:
        if _is_installed(cls.__module__):
            self._say("class", cls.__module__, cls.__qualname__)
        else:
            held = {name: _inside(v) for name, v in vars(cls).items() if name not in _OF_PYTHON}
            self._each("class", [cls.__qualname__, cls.__bases__, held])

    def _object(self, thing) -> None:
        self.read(type(thing))
        self.read(getattr(thing, "__dict__", None))
        try:
            made = thing.__reduce_ex__(2)
        except (TypeError, AttributeError, ValueError) as error:
            raise _Untold from error
        parts = [made] if isinstance(made, str) else made[1:]
        self._each("parts", [list(p) if isinstance(p, Iterator) else p for p in parts])


def _read(value, name: str, code: types.CodeType):
    """What is read of a global: of the settings of a command line, `args.noise`, those that are
    named, since the others, such as the seed, are nothing to this function. All of them, if it does
    anything else with `args`."""
    if isinstance(value, (argparse.Namespace, types.SimpleNamespace)):
        attributes = _attributes(code, name)
        if attributes is not None:
            return {key: held for key, held in vars(value).items() if key in attributes}
    return value


def _attributes(code: types.CodeType, name: str) -> set[str] | None:
    """The attributes of a global that code reads, that of the functions in it too; None if it does
    anything else with it."""
    found: set[str] = set()
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if step.opname not in ("LOAD_GLOBAL", "LOAD_NAME") or step.argval != name:
            continue
        if following is None or following.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
            return None
        found.add(following.argval)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            of_inner = _attributes(inner, name)
            if of_inner is None:
                return None
            found |= of_inner
    return found


def _names(code: types.CodeType) -> list[str]:
    """The globals that a function may read, those of the functions in it too."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return [*code.co_names, *(name for const in inner for name in _names(const))]


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _inside(value):
    """What a member of a class runs: the functions of a property, of a static method."""
    if isinstance(value, property):
        return [value.fget, value.fset, value.fdel]
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    if inspect.ismemberdescriptor(value) or inspect.isgetsetdescriptor(value):
        return value.__name__
    return value


def _of_module(routine) -> bool:
    """Is it a function of a module, not a method of an object?"""
    return routine.__self__ is None or isinstance(routine.__self__, (types.ModuleType, type))


def _is_installed(module: str | None) -> bool:
    """Is this a module of Python, of an installed package, or of this project?"""
    name = module or ""
    if name.partition(".")[0] in ("lamina", "builtins"):
        return True
    file = getattr(sys.modules.get(name), "__file__", None)
    return name in sys.builtin_module_names or str(file or "").startswith(_INSTALLED)
