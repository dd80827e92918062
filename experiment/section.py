"""A part of a configuration that knows its place: it gives values, files and objects."""

import contextlib
import inspect
import math
import re
import shlex
import types
import typing
from pathlib import Path

from lamina.common.files import FolderPath
from lamina.common.own_code import load_class
from lamina.common.strict_yaml import describe
from lamina.experiment.config import Config, ConfigError, copied
from lamina.experiment.contract import check_made
from lamina.experiment.foreign_names import EXPLAINED, KEYS, TYPES, in_our_words
from lamina.experiment.rooms import OF_ARGUMENTS, FunctionRoom, Room

_NEEDED = object()
_FILLED_IN = ("rng", "dtype", "parameters")  # arguments that are not for YAML
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
_KINDS |= {tuple: "a list", type(None): "nothing"}


class Section:
    """A mapping in a configuration, at a place of which every error names file, line and key.

        root = Section(load_config(path))
        rate = root["optimizer"].value("lr", float)
        optimizer = root["optimizer"].build(rooms.OPTIMIZERS, {"parameters": net.parameters()})
        with root.at("net"):  # a ValueError in here becomes a ConfigError
            ...

    Nothing that is read changes the configuration. What building settles, such as the whole paths
    of files, is noted beside it: `effective()` is the configuration with that. A section is `short`
    where only a name stands for {type: NAME}.
    """

    def __init__(self, config: Config, place: tuple = (), data=None, noted=None, short=False):
        self.config, self.place, self.short = config, place, short
        self.data: dict = config.data if data is None else data
        self._noted: dict[tuple, object] = {} if noted is None else noted  # one for all sections

    @classmethod
    def of(cls, config: "Config | Section") -> "Section":
        """The whole of a configuration; a section stays what it is."""
        return config if isinstance(config, Section) else cls(config)

    # Places

    def __getitem__(self, key: str) -> "Section":
        """The mapping under a key. Raises ConfigError if there is none."""
        if key not in self.data:
            raise self.error(f"the section {key}: is missing")
        return self._mapping(self.data[key], key)

    def section(self, key: str) -> "Section":
        """The mapping under a key; an empty one if the key is not there."""
        return self._mapping(self.data.get(key, {}), key)

    def sections(self, key: str) -> dict[str, "Section"]:
        """The mappings in the mapping under a key, by name; none if the key is not there."""
        there = self.section(key)
        return {name: there[name] for name in there.data}

    def error(self, message: str, *keys) -> ConfigError:
        """An error of this section, or of what is under a key of it."""
        return self.config.error(self._at(*keys), message)

    @contextlib.contextmanager
    def at(self, *keys):
        """A ValueError or TypeError inside the block becomes a ConfigError that names this place;
        and the key, if the message begins with one, as in "lr: expects a positive number"."""
        try:
            yield
        except ConfigError:
            raise
        except (ValueError, TypeError, MemoryError) as error:
            there = self.data
            for key in keys:
                there = there[key]
            first, _, rest = str(error).partition(": ")
            known = isinstance(there, dict) and first in there
            raise (
                self.error(rest, *keys, first) if known else self.error(str(error), *keys)
            ) from None

    def check_keys(self, known, needed=()) -> None:
        """Refuse keys that nobody would read, and sections that are missing."""
        for key in self.data:
            if key not in known:
                raise self.error("unknown key" + in_our_words(key, known, KEYS, EXPLAINED), key)
        for key in needed:
            self[key]

    # Values

    def value(self, key: str, kind, default=_NEEDED, *, at_least=None, noted: bool = False):
        """The value under a key, of that kind: a type, or a union of them. Whole numbers pass as
        floats, lists as tuples; numbers are finite, and not below `at_least`. A default that
        decides about results is to be `noted`."""
        if key not in self.data:
            if default is _NEEDED:
                raise self.error(f"needs {key}")
            if noted:
                self.note(key, default)
            return default
        value = self._checked(self.data[key], kind, key)
        if at_least is not None and value is not None and value < at_least:
            raise self.error(f"expects at least {at_least}, got {value}", key)
        return value

    def names(self, key: str) -> list[str] | None:
        """A list of names; a single name stands for a list of one."""
        value = self.data.get(key)
        value = [value] if isinstance(value, str) else value
        if value is not None and not (
            isinstance(value, list) and value and all(isinstance(name, str) for name in value)
        ):
            raise self.error(f"expects a list of names, got {value!r}", key)
        return copied(value)

    def file(self, key: str) -> Path:
        """The file under a key: beside the configuration, or in the current directory. Its whole
        path is noted, so that the configuration that a run keeps works anywhere."""
        path = self._found(self._path(key), key)
        self.note(key, str(path))
        return path

    def folder(self, key: str) -> Path:
        """The folder under a key, found and noted as `file` finds a file."""
        path = self._found(self._path(key), key, Path.is_dir, "folder")
        self.note(key, str(path))
        return path

    def files(self, key: str) -> tuple[Path, ...]:
        """The files in the list under a key, each as `file` finds it."""
        names = self.data[key]
        for name in names:
            if not isinstance(name, str):
                raise self.error(f"expects paths of files, got {describe(name)}", key)
        paths = tuple(self._found(name, key) for name in names)
        self.note(key, [str(path) for path in paths])
        return paths

    def code_file(self, name: str) -> Path:
        """The file of path.py:Name that would be run. Raises ConfigError if there is none, or none
        that may be."""
        return self._allowed(name.rpartition(":")[0])

    def note(self, key: str, value) -> None:
        """What the effective configuration is to have under a key."""
        self._noted[self._at(key)] = value

    def effective(self) -> Config:
        """The whole configuration with what building has noted: what a run keeps."""
        return self.config.replaced(self._noted)

    # Objects

    def build(self, room: Room | FunctionRoom, given: dict, others=(), hidden=()):
        """The object that `type` names, made with the other values; `given` are arguments that the
        YAML may leave out, `others` keys that are not for the constructor, `hidden` arguments of it
        that are not for YAML."""
        found = self.resolve(room)
        if isinstance(found, type) and not isinstance(room, FunctionRoom):
            made = self.call(found, given, others, hidden)
            with self.at():
                check_made(made, room.made)
            return made
        if room.by_name is not None and found is room.by_name:
            with self.at():
                settings = {key: value for key, value in self.data.items() if key != "type"}
                return found(self.data["type"], given, **settings)
        return self._bound(found, room.make or found, given)

    def build_named(self, key: str, room: Room | FunctionRoom, given: dict, default="", hidden=()):
        """The object under a key: a name, or {type: NAME, ...}; a default may be left out."""
        section = self._named(self.data[key], key)
        if default and "type" not in section.data:
            section.data = {"type": default, **section.data}
        return section.build(room, given, hidden=hidden)

    def build_each(self, key: str, room: Room, given: dict | None = None) -> list:
        """The objects of the list under a key, each a name or {type: NAME, ...}; `given` as for
        `build`."""
        items, given = self.data[key], given or {}
        if not isinstance(items, list):
            return [self.build_named(key, room, given)]
        return [self._named(item, key, i).build(room, given) for i, item in enumerate(items)]

    def resolve(self, room: Room | FunctionRoom):
        """The class or function that `type` names: one of the room's, or path.py:Name."""
        if "type" not in self.data:
            raise self.error("expects type: NAME")
        name = self.data["type"]
        if not isinstance(name, str):
            raise self.error(f"expects a name, got {describe(name)}", "type")
        if ".py:" in name:
            return self._own(name, room)
        ours = room.ours()
        if name not in ours and room.by_name is not None:
            return room.by_name
        if name not in ours:
            said = in_our_words(name, ours, TYPES)
            raise self.error(f"unknown {room.kind} {name}{said}; your own: path.py:Name", "type")
        return ours[name]

    def call(self, cls: type, given: dict, others=(), hidden=()):
        """cls(**arguments), those of the YAML checked and before the given ones that cls knows."""
        signature = _parameters(cls)
        typed = [name for name in signature if name not in (*_FILLED_IN, *hidden)]
        self.check_keys(("type", *typed, *others))
        arguments = {name: value for name, value in given.items() if name in signature}
        for key, value in self.data.items():
            if key in OF_ARGUMENTS and key in signature:
                arguments[key] = self.build_named(key, OF_ARGUMENTS[key], {})
            elif key in signature and key not in others:
                kind = signature[key].annotation
                kinds = (kind, *typing.get_args(kind))
                if kind is FolderPath:
                    arguments[key] = self.folder(key)
                elif Path not in kinds or value is None:
                    arguments[key] = self._checked(value, kind, key)
                else:
                    several = tuple in kinds and isinstance(value, list)
                    arguments[key] = self.files(key) if several else self.file(key)
        missing = [n for n, p in signature.items() if n not in arguments and p.default is p.empty]
        if missing:
            raise self.error(f"{cls.__name__} needs {', '.join(missing)}")
        with self.at():
            return cls(**arguments)

    def _bound(self, function, make, given: dict):
        """A function with its settings, as `make` puts them together."""
        signature = inspect.signature(make).parameters | _parameters(function)
        settings = {
            key: self._checked(value, signature[key].annotation if key in signature else None, key)
            for key, value in self.data.items()
            if key != "type"
        }
        name = self.data["type"]
        with self.at():
            return make(function if ".py:" in name else name, **given, **settings)

    def _own(self, name: str, room: Room | FunctionRoom):
        file, _, inside = name.rpartition(":")
        path = self._allowed(file)
        self.note("type", f"{path}:{inside}")
        try:
            found = load_class(path, inside, functions=room.make is not None)
        except ImportError as error:
            raise self.error(str(error), "type") from error
        if not room.fits(found):
            raise self.error(f"{name} is no {room.wanted}", "type")
        with self.at():
            room.check(found)
        return found

    def _allowed(self, file: str) -> Path:
        """The file of code; for a run directory only if the user has allowed it. A run may have
        come from another machine: where its path leads nowhere, an allowed file of that name is
        meant."""
        if self.config.allowed_code is None:
            return self._found(file, "type")
        there = next(self._existing(file, "type"), None)
        name = file.replace("\\", "/").rpartition("/")[2]
        for allowed in self.config.allowed_code:
            if allowed == there.resolve() if there else allowed.name == name:
                return allowed
        named = str(there or file)
        raise self.error(
            f"a run directory runs no code by itself, and this one names {named}; read that file, "
            f"and if you trust it, add --code {shlex.quote(named)}",
            "type",
        )

    def _path(self, key: str) -> str:
        name = self.data[key]
        if not isinstance(name, str):
            raise self.error(f"expects the path of a file, got {describe(name)}", key)
        return name

    def _found(self, name: str, key: str, is_it=Path.is_file, what: str = "file") -> Path:
        if (path := next(self._existing(name, key, is_it), None)) is not None:
            return path
        places = " or ".join(dict.fromkeys(str(folder / name) for folder in self._folders()))
        raise self.error(f"no such {what}: {places}", key)

    def _existing(self, name: str, key: str, is_it=Path.is_file):
        """The files, or folders, of that name, in the order in which they are looked for."""
        for folder in self._folders():
            try:
                path = folder / name
                if is_it(path) or (path / "data.mdb").is_file():  # a database is a folder
                    yield path
            except OSError as error:  # a name that is too long
                raise self.error(f"no such file: {error.strerror}", key) from None

    def _folders(self) -> tuple[Path, Path]:
        return self.config.folder, Path.cwd()

    def _at(self, *keys) -> tuple:
        return self.place if self.short else (*self.place, *keys)

    def _mapping(self, value, *keys) -> "Section":
        if not isinstance(value, dict):
            raise self.error(f"expects a mapping (key: value), got {describe(value)}", *keys)
        return Section(self.config, (*self.place, *keys), value, self._noted)

    def _named(self, value, *keys) -> "Section":
        if isinstance(value, str):
            return Section(self.config, (*self.place, *keys), {"type": value}, self._noted, True)
        if not isinstance(value, dict):
            raise self.error(f"expects a name or {{type: NAME}}, got {describe(value)}", *keys)
        return self._mapping(value, *keys)

    def _checked(self, value, kind, key):
        """The value, if it is of the kind; anything, where no plain kind is asked for."""
        kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
        kinds = [typing.get_origin(k) or k for k in kinds]
        if not all(k in _KINDS for k in kinds) or kind is None:
            return copied(value)
        if isinstance(value, list) and tuple in kinds:
            return tuple(copied(value))
        if isinstance(value, float) and not math.isfinite(value):
            raise self.error(f"expects a finite number, got {value}", key)
        if type(value) in kinds or (type(value) is int and float in kinds):
            return value
        wanted = " or ".join(_KINDS[k] for k in kinds if k is not type(None))
        message = f"expects {wanted}, got {describe(value)}{_hint(value, kinds)}"
        raise self.error(message, key)


def _hint(value, kinds) -> str:
    """How to write it: 3e3 is no whole number, 1_000 and "5" are no numbers, 1e3 is no text."""
    if str in kinds and type(value) in (int, float):
        return "; quotes make it a text"
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[-+.\w]+", text) or text.lower() == "none":
        return ""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return ""
    if not math.isfinite(number) or not {int, float} & set(kinds):
        return ""
    if float in kinds:
        return f"; write it as {int(number) if number.is_integer() else number!r}"
    return f"; write it as {int(number)}" if number.is_integer() else ""


def _parameters(called) -> dict[str, inspect.Parameter]:
    """What a constructor takes; behind **settings, what the next constructor takes too. Of a
    function, all that it takes."""
    if not isinstance(called, type):
        return dict(_signature(called).parameters)
    found: dict[str, inspect.Parameter] = {}
    for ancestor in called.__mro__:
        if "__init__" not in vars(ancestor) or ancestor is object:
            continue
        parameters = list(_signature(vars(ancestor)["__init__"]).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        found = {p.name: p for p in named} | found
        if len(named) == len(parameters):
            break
    return found


def _signature(called) -> inspect.Signature:
    try:
        return inspect.signature(called, eval_str=True)
    except Exception:  # annotations as texts that name nothing
        return inspect.signature(called)
