"""Configurations: strict YAML, with the line of every key for the errors."""

from pathlib import Path

from lamina.common.files import opened, whole_file
from lamina.common.folder import File
from lamina.common.strict_yaml import MAX_BYTES, YamlError, describe, dump, parse
from lamina.experiment.setting import put, set_value

_LONGEST = 1000  # characters of a message, whatever it quotes


class ConfigError(ValueError):
    """A configuration that cannot be used; says which file, line and key, and what was expected."""


class Config:
    """A parsed configuration: `data` (nested dicts), and where each key stood.

    Its parts are read through `experiment.section.Section`, which changes nothing in it. A place in
    it is a tuple of keys: ("training", "batch_size"). `allowed_code` are the files that it may run
    as path.py:Class; None, for a configuration that the user named, allows any.
    """

    def __init__(self, data: dict, source: str, lines: dict[tuple, int], folder: Path):
        self.data, self.source, self.lines, self.folder = data, source, lines, folder
        self.allowed_code: set[Path] | None = None
        self._set: dict[tuple, str] = {}  # places that were given from elsewhere, and from where

    @property
    def threads(self) -> int | None:
        """`training.threads`, which is wanted before NumPy is loaded; None where it is no number of
        threads, which is said when the section is read."""
        training = self.data.get("training")
        threads = training.get("threads") if isinstance(training, dict) else None
        known = isinstance(threads, int) and not isinstance(threads, bool) and threads > 0
        return threads if known else None

    def error(self, place: tuple, message: str) -> ConfigError:
        """A ConfigError that names the file, the line and the key; or --set, if that is where the
        value comes from, or both, if that has given a part of what is wrong."""
        key = ".".join(str(part) for part in place)
        return ConfigError(
            _short(
                f"{self._where(place)}: {key}: {message}" if key else f"{self.source}: {message}"
            )
        )

    def _where(self, place: tuple) -> str:
        inside = [given for given in self._set if given[: len(place)] == place]
        above = [given for given in self._set if place[: len(given)] == given]
        if above:
            return self._set[above[-1]]
        if inside and place not in self.lines:  # a section that only the setting has brought in
            return self._set[inside[0]]
        known = (place[:n] for n in range(len(place), 0, -1) if place[:n] in self.lines)
        line = next((self.lines[there] for there in known), None)
        where = self.source if line is None else f"{self.source}, line {line}"
        return where + "".join(f", with {self._set[given]} {'.'.join(given)}" for given in inside)

    def replaced(self, values: dict[tuple, object]) -> "Config":
        """A copy with other values at some places; sections that are missing are made."""
        data = {"": copied(self.data)}
        for place, value in values.items():
            part, key = data, ""
            for following in place:
                part = part.setdefault(key, {}) if isinstance(part, dict) else part[key]
                key = following
            part[key] = value
        made = Config(data[""], self.source, self.lines, self.folder)
        made.allowed_code, made._set = self.allowed_code, dict(self._set)
        return made

    def set(self, assignment: str) -> None:
        """Apply "a.b=value" of the command line, as `setting.set_value` does."""
        try:
            self._set[set_value(self.data, assignment, self._set)] = "--set"
        except ValueError as error:
            raise ConfigError(f"--set {_short(assignment)}: {_short(str(error))}") from None

    def put(self, key: str, value, origin: str) -> None:
        """Put a value at "a.b", as `setting.put` does; `origin` is where errors say that it comes
        from."""
        try:
            self._set[put(self.data, key, copied(value))] = origin
        except ValueError as error:
            raise ConfigError(_short(f"{origin}: {key}: {error}")) from None


def load_config(path: str | Path | File) -> Config:
    """Read a YAML file. Raises ConfigError if it is missing, or for what `strict_yaml.parse`
    refuses: no YAML, keys that stand twice, beyond the limits. `find_config` finds it by name."""
    try:
        with opened(path) as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: is longer than {MAX_BYTES} bytes: no configuration")
        data, lines = parse(content.decode())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not a text file") from None
    except YamlError as error:
        where = f"{path}, line {error.line}" if error.line else str(path)
        raise ConfigError(_short(f"{where}: {error}")) from None
    if data is None:
        raise ConfigError(f"{path}: is empty")
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expects a mapping (dataset:, net:, ...), got {describe(data)}")
    return Config(copied(data), str(path), lines, Path(path).resolve().parent)


def save_config(path: str | Path, config: Config) -> None:
    """Write a configuration as YAML; the file gets its name only when it is whole."""
    text = dump(config.data)
    with whole_file(path) as file:
        file.write(text.encode())


def copied(data):
    """A copy in which nothing is shared, as aliases are."""
    if isinstance(data, dict):
        return {key: copied(value) for key, value in data.items()}
    return [copied(value) for value in data] if isinstance(data, list) else data


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
