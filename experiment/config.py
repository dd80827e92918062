"""Configurations: strict YAML, with the line of every key for the errors."""

from pathlib import Path

from lamina.common.files import whole_file
from lamina.common.names import suggest
from lamina.common.strict_yaml import MAX_BYTES, MAX_KEY, YamlError, check_text, dump, parse

_LONGEST = 1000  # characters of a message, whatever it quotes


class ConfigError(ValueError):
    """A configuration that cannot be used; says which file, line and key, and what was expected."""


class Config:
    """A parsed configuration: `data` (nested dicts), and where each key stood.

    A place in it is a tuple of keys: ("training", "batch_size"). `allowed_code` are the files that
    it may run as path.py:Class; None, for a configuration that the user named, allows any.
    """

    def __init__(self, data: dict, source: str, lines: dict[tuple, int], folder: Path):
        self.data, self.source, self.lines, self.folder = data, source, lines, folder
        self.allowed_code: set[Path] | None = None
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
        return ConfigError(_short(f"{where}: {key}: {message}" if key else f"{where}: {message}"))

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
        if max(map(len, place)) > MAX_KEY:
            raise ConfigError(f"--set: expects keys of at most {MAX_KEY} characters")
        try:
            for part in place:
                check_text(part)
            value, _ = parse(text)
        except YamlError as error:
            raise ConfigError(f"--set {_short(assignment)}: {error}") from None
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
    """Read a YAML file. Raises ConfigError if it is missing, or for what `strict_yaml.parse`
    refuses: no YAML, keys that stand twice, beyond the limits."""
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: is longer than {MAX_BYTES} bytes: no configuration")
        data, lines = parse(content.decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file") from None
    except YamlError as error:
        where = f"{path}, line {error.line}" if error.line else str(path)
        raise ConfigError(_short(f"{where}: {error}")) from None
    if data is None:
        raise ConfigError(f"{path}: is empty")
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expects a mapping (dataset:, net:, ...), got {describe(data)}")
    return Config(data, str(path), lines, Path(path).resolve().parent)


def save_config(path: Path, config: Config) -> None:
    """Write a configuration as YAML; the file gets its name only when it is whole."""
    text = dump(config.data)
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


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
