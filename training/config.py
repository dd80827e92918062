"""Configurations: strict YAML, with the line of every key for the errors."""

from pathlib import Path

import yaml


def suggest(name, known) -> str:
    """As layers.loading.suggest, imported late: `layers` imports NumPy, and the thread count that
    a configuration asks for must be set before that."""
    from layers.loading import suggest

    return suggest(name, known)


class ConfigError(ValueError):
    """A configuration that cannot be used; says which file, line and key, and what was expected."""


class Config:
    """A parsed configuration: `data` (nested dicts), and where each key stood.

    A place in it is a tuple of keys: ("training", "batch_size").
    """

    def __init__(self, data: dict, source: str, lines: dict[tuple, int], folder: Path):
        self.data, self.source, self.lines, self.folder = data, source, lines, folder
        self._set: list[tuple] = []  # places that the command line gave

    def error(self, place: tuple, message: str) -> ConfigError:
        """A ConfigError that names the file, the line and the key."""
        line = next(
            (self.lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.lines),
            None,
        )
        where = self.source if line is None else f"{self.source}, line {line}"
        # What was set, or a section that only the setting has brought in.
        if any(
            place[: len(given)] == given
            or (place and place not in self.lines and given[: len(place)] == place)
            for given in self._set
        ):
            where = "--set"
        key = ".".join(str(part) for part in place)
        return ConfigError(f"{where}: {key}: {message}" if key else f"{where}: {message}")

    def get(self, place: tuple):
        data = self.data
        for key in place:
            data = data[key]
        return data

    def expect_mapping(self, place: tuple) -> dict:
        value = self.get(place)
        if not isinstance(value, dict):
            raise self.error(place, f"expects a mapping (key: value), got {describe(value)}")
        return value

    def check_keys(self, place: tuple, known) -> None:
        """Refuse keys that nobody would read."""
        for key in self.expect_mapping(place):
            if key not in known:
                raise self.error((*place, key), "unknown key" + suggest(key, known))

    def set(self, assignment: str) -> None:
        """Apply "a.b=value" of the command line; the value is YAML."""
        key, equals, text = assignment.partition("=")
        place = tuple(key.split("."))
        if not equals or not all(place):
            raise ConfigError(f"--set {assignment}: expects key.key=value")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {assignment}: {_problem(error)}") from None
        if len(place) > 1:
            self.data.setdefault(place[0], {})  # a section may be new, what is inside it must exist
        data = self.data
        for i, part in enumerate(place[:-1]):
            here = ".".join(place[: i + 1])
            if part not in data:
                raise ConfigError(
                    f"--set {assignment}: there is no {here}{suggest(part, data)}"
                    + (f"; or give all of it: --set '{here}={{...}}'" if i else "")
                )
            data = data[part]
            if not isinstance(data, dict):
                raise ConfigError(f"--set {assignment}: {here} is {describe(data)}, not a mapping")
        data[place[-1]] = value
        self._set.append(place)


def load_config(path: str | Path) -> Config:
    """Read a YAML file. Raises ConfigError if it is missing, no YAML, or repeats a key."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file") from None
    lines: dict[tuple, int] = {}
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        if root is None:
            raise ConfigError(f"{path}: is empty")
        _record(root, (), lines, str(path))
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}{_line(error)}: no valid YAML: {_problem(error)}") from None
    except RecursionError:
        raise ConfigError(f"{path}: no valid YAML: it refers to itself, or is too deep") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expects a mapping (dataset:, net:, ...), got {describe(data)}")
    return Config(data, str(path), lines, Path(path).resolve().parent)


def save_config(path: Path, config: Config) -> None:
    """Write a configuration as YAML; the file gets its name only when it is whole."""
    from datasets.files import whole_file  # late: its room imports NumPy, before threads are set

    text = yaml.safe_dump(config.data, sort_keys=False, allow_unicode=True)
    with whole_file(path) as file:
        file.write(text.encode())


def describe(value) -> str:
    """A YAML value and its kind, for errors."""
    if value is None:
        return "nothing"
    names = {bool: "true/false", int: "a whole number", float: "a number", str: "the text"}
    names |= {list: "a list", dict: "a mapping"}
    kind = names.get(type(value), type(value).__name__)
    return kind if isinstance(value, (list, dict)) else f"{kind} {value!r}"


def _record(node, place: tuple, lines: dict, source: str) -> None:
    """Note the line of every key, and refuse a key that stands twice (YAML would keep the last)."""
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            lines[(*place, i)] = item.start_mark.line + 1
            _record(item, (*place, i), lines, source)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = {}
    for key, value in node.value:
        line, name = key.start_mark.line + 1, key.value
        if isinstance(name, str) and name in seen and name != "<<":
            key_name = ".".join(str(part) for part in (*place, name))
            raise ConfigError(
                f"{source}, line {line}: {key_name}: stands a second time (first in line "
                f"{seen[name]}); keep one"
            )
        if isinstance(name, str):
            seen[name] = lines[(*place, name)] = line
            _record(value, (*place, name), lines, source)


def _line(error) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}" if mark else ""


def _problem(error) -> str:
    return getattr(error, "problem", None) or str(error).splitlines()[0]
