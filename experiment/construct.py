"""One object from its part of a configuration: {type: Affine, n_out: 50} becomes Affine(...)."""

import inspect
import shlex
from pathlib import Path

from lamina import datasets, optimizers
from lamina.common.names import suggest
from lamina.common.own_code import load_class
from lamina.experiment.config import Config, describe
from lamina.experiment.values import check_value
from lamina.layers.auto_layer import AutoLayer
from lamina.layers.base import Layer
from lamina.layers.initializers import make_initializer
from lamina.layers.loss import Loss

_FUNCTIONS = {"init": make_initializer, "schedule": optimizers.make_schedule}


def build(config: Config, place: tuple, room, base: type, given: dict):
    return call(config, place, resolve(config, place, (room,), base), given)


def resolve(config: Config, place: tuple, rooms, base: type) -> type:
    """The class that `type` names: one of the room's, or path.py:Class."""
    spec = config.expect_mapping(place)
    if "type" not in spec:
        raise config.error(place, "expects type: NAME")
    name = spec["type"]
    here = (*place, "type")
    if not isinstance(name, str):
        raise config.error(here, f"expects a name, got {describe(name)}")
    if ".py:" in name:
        cls = _from_file(config, here, name)
        if not _is_kind(cls, base):
            raise config.error(here, f"{name} is no {base.__name__} from {base.__module__}")
        return cls
    known = {
        n: cls
        for room in rooms
        for n, cls in vars(room).items()
        if n in room.__all__ and _is_kind(cls, base)
    }
    if name not in known:
        own = "" if base is datasets.Dataset else "; your own: path.py:Class"
        raise config.error(here, f"unknown type {name}{suggest(name, known)}{own}")
    return known[name]


def _is_kind(cls, base: type) -> bool:
    """A class to build: of that kind, no abstract base, and a loss only where one is wanted."""
    if not (isinstance(cls, type) and issubclass(cls, base)) or cls in (
        Layer,
        Loss,
        AutoLayer,
        base,
    ):
        return False
    return issubclass(cls, Loss) == (base is Loss)


def _from_file(config: Config, place: tuple, name: str):
    file, _, class_name = name.rpartition(":")
    path = _allowed(config, place, file)
    config.get(place[:-1])["type"] = f"{path}:{class_name}"
    try:
        return load_class(path, class_name)
    except ImportError as error:
        raise config.error(place, str(error)) from error


def _allowed(config: Config, place: tuple, file: str) -> Path:
    """The file of code; for a run directory only if the user has allowed it. A run may have come
    from another machine: where its path leads nowhere, an allowed file of that name is meant."""
    if config.allowed_code is None:
        return find(config, place, file)
    there = next(_existing(config, place, file), None)
    name = file.replace("\\", "/").rpartition("/")[2]
    for allowed in config.allowed_code:
        if allowed == there.resolve() if there else allowed.name == name:
            return allowed
    named = str(there or file)
    raise config.error(
        place,
        f"a run directory runs no code by itself, and this one names {named}; read that file, "
        f"and if you trust it, add --code {shlex.quote(named)}",
    )


def find(config: Config, place: tuple, name) -> Path:
    """A file that the configuration names: beside it, or in the current directory."""
    if not isinstance(name, str):
        raise config.error(place, f"expects the path of a file, got {describe(name)}")
    if (path := next(_existing(config, place, name), None)) is not None:
        return path
    places = " or ".join(dict.fromkeys(str(folder / name) for folder in _folders(config)))
    raise config.error(place, f"no such file: {places}")


def _existing(config: Config, place: tuple, name: str):
    """The files of that name, in the order in which they are looked for."""
    for folder in _folders(config):
        try:
            if (folder / name).is_file():
                yield folder / name
        except OSError as error:  # a name that is too long
            raise config.error(place, f"no such file: {error.strerror}") from None


def _folders(config: Config) -> tuple[Path, Path]:
    return config.folder, Path.cwd()


def call(config: Config, place: tuple, cls: type, defaults: dict, others: tuple = ()):
    """cls(**arguments), those of the YAML checked and before the defaults that cls knows.
    `others` are keys that are not for the constructor."""
    spec = config.get(place)
    signature = _parameters(cls)
    known = [n for n in signature if n not in ("rng", "dtype", "parameters")]
    config.check_keys(place, ["type", *known, *others])
    arguments = {k: v for k, v in spec.items() if k != "type" and k not in others}
    for name, value in arguments.items():
        here = (*place, name)
        if name in _FUNCTIONS:
            arguments[name] = _function(config, here, _FUNCTIONS[name])
        elif signature[name].annotation in (Path, Path | None):
            # Written back whole, so that the configuration that a run keeps works anywhere.
            spec[name] = str(find(config, here, value))
            arguments[name] = Path(spec[name])
        else:
            arguments[name] = check_value(config, here, value, signature[name].annotation)
    arguments = {k: v for k, v in defaults.items() if k in signature} | arguments
    missing = [n for n, p in signature.items() if n not in arguments and p.default is p.empty]
    if missing:
        raise config.error(place, f"{cls.__name__} needs {', '.join(missing)}")
    try:
        return cls(**arguments)
    except (ValueError, TypeError, MemoryError) as error:
        raise config.error(place, str(error)) from None


def _parameters(cls: type) -> dict[str, inspect.Parameter]:
    """What the constructor takes; behind **settings, what the next constructor takes too."""
    found: dict[str, inspect.Parameter] = {}
    for ancestor in cls.__mro__:
        if "__init__" not in vars(ancestor) or ancestor is object:
            continue
        parameters = list(inspect.signature(ancestor.__init__).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        found = {p.name: p for p in named} | found
        if len(named) == len(parameters):
            break
    return found


def _function(config: Config, place: tuple, make):
    """From a name, or from {type: NAME, setting: number, ...}: an initializer or a schedule."""
    value = config.get(place)
    settings = value if isinstance(value, dict) else {"type": value}
    if not isinstance(settings.get("type"), str):
        raise config.error(place, f"expects a name or {{type: NAME}}, got {describe(value)}")
    for name, setting in settings.items():
        if name not in ("type", "steps"):  # steps is a list, which the schedule checks itself
            check_value(config, (*place, name), setting, float)
    try:
        return make(**settings)
    except ValueError as error:
        raise config.error(place, str(error)) from None
