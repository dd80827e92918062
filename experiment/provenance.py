"""What a run was trained on, kept with it, and what has changed since.

provenance.json is written when a run begins, and again when it goes on; a checkpoint carries the
same. It has the configuration, the fingerprint of every set, the facts of the task (class names in
their order), how inputs were made of files (categories, fills, sizes), a digest of each file of the
user's own code, and the versions of the software.
"""

import hashlib
import json
import platform
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.files import opened, write_json
from lamina.common.printable import printable
from lamina.common.threads import blas
from lamina.datasets import Dataset
from lamina.experiment.build_net import OF_WEIGHTS
from lamina.experiment.config import Config

FILE = "provenance.json"
# What may be another than before: it decides how long a run goes on and what it keeps, not what
# it learns; initial weights, which a checkpoint replaces; and where data lie.
_LENGTH = ("iterations", "epochs", "patience", "checkpoint", "record_every", "callbacks")
_FILES = (
    *("path", "test", "validation", "vocabulary", "inputs", "targets"),
    *("test_inputs", "test_targets", "validation_inputs", "validation_targets"),
)
_FREE = (
    *(("training", key) for key in _LENGTH),
    *(("net", key) for key in OF_WEIGHTS),
    *(("dataset", key) for key in _FILES),  # their contents are compared
)
_LONGEST, _LARGEST = 200, 64 << 20  # characters of a value, bytes of the file


def provenance(trainer, config: Config) -> dict[str, np.ndarray]:
    """What a checkpoint and provenance.json say of a run. `config` is the one that building has
    given, with the whole paths of files."""
    dataset = trainer.dataset
    sets = {name: samples.fingerprint() for name, samples in dataset.sets().items()}
    return {
        "config": np.array(as_json(config.data)),
        "data": np.array(" ".join(sets.values())),
        "sets": np.array(json.dumps(sets)),
        "task": np.array(json.dumps(dataset.task.facts())),
        "preparation": np.array(json.dumps(dataset.preparation)),
        "versions": np.array(json.dumps(versions() | own_code(config.data))),
    }


def write_provenance(run_dir: Path, said: dict[str, np.ndarray]) -> None:
    """Write provenance.json; the file gets its name only when it is whole."""
    names = ("sets", "task", "preparation", "versions", "config")
    write_json(run_dir / FILE, {name: json.loads(str(said[name])) for name in names})


def read_provenance(run_dir: Path) -> dict[str, dict] | None:
    """{"sets", "task", "versions", "config", "preparation"} of a run, the last one unless it is an
    older one; None if it has no provenance.json. Raises RunError if that is damaged."""
    path = run_dir / FILE
    if not path.is_file():
        return None
    try:
        with opened(path) as file:
            found = json.loads(file.read(_LARGEST))
        whole = all(isinstance(found[name], dict) for name in ("sets", "task", "versions"))
    except (ValueError, RecursionError, KeyError, TypeError):
        whole = False
    if not whole or not isinstance(found.get("config"), dict):
        raise RunError(f"{path}: is damaged: it is not what a run writes")
    return found


def data_changes(before: dict, dataset: Dataset) -> list[str]:
    """In words, what is another in a data set than it was, by the "sets", "task" and, unless it is
    of an older run, "preparation" that it had: which set, class names, columns, categories."""
    sets, task = before["sets"], before["task"]
    now = {name: samples.fingerprint() for name, samples in dataset.sets().items()}
    wrong = [
        f"the {printable(str(name))[:_LONGEST]} set: {_set_change(sets.get(name), now.get(name))}"
        for name in sets | now
        if sets.get(name) != now.get(name)
    ]
    facts = json.loads(json.dumps(dataset.task.facts()))
    for key in task | facts:
        if task.get(key) != facts.get(key):
            was, there = _apart(task.get(key), facts.get(key))
            wrong.append(f"the task, {printable(str(key))[:_LONGEST]}: {was} before, {there} now")
    made = json.loads(json.dumps(dataset.preparation))
    if "preparation" in before and before["preparation"] != made:
        wrong.append(_preparation_change(before["preparation"], made))
    return wrong


def _preparation_change(before, now) -> str:
    """Where the ways in which inputs are made begin to differ."""
    flat = [dict(flattened(made or {})) for made in (before, now)]
    for place in flat[0] | flat[1]:
        if flat[0].get(place) != flat[1].get(place):
            was, there = _apart(flat[0].get(place), flat[1].get(place))
            return f"how inputs are made, {_name(place)}: {was} before, {there} now"
    return "how inputs are made"


def _set_change(before, now) -> str:
    """How two fingerprints of a set differ."""
    if before is None or now is None:
        return "was not there" if before is None else "is not there any more"
    parts = [str(text).split("; ") for text in (before, now)]
    if len(parts[0]) != len(parts[1]):
        return "is made in another way"
    names = ("scaling", "inputs", "targets")
    said = []
    for name, a, b in zip(names, *parts, strict=False):
        shapes = [text.rpartition(" ")[0] for text in (a, b)]
        if name != "scaling" and shapes[0] != shapes[1]:
            said.append(f"{name} {printable(shapes[0])[:_LONGEST]} before, {shapes[1]} now")
        elif a != b:
            said.append(f"other {name}")
    return ", ".join(said) or "is another"


def _apart(before, now) -> tuple[str, str]:
    """Two values, from where they differ on, if they are lists."""
    if isinstance(before, list) and isinstance(now, list):
        pairs = enumerate(zip(before, now, strict=False))
        i = next((i for i, (a, b) in pairs if a != b), min(len(before), len(now)))
        before, now = before[max(i - 1, 0) : i + 3], now[max(i - 1, 0) : i + 3]
    return tuple(printable(json.dumps(v, ensure_ascii=False))[:_LONGEST] for v in (before, now))


def differences(before: dict, now: dict) -> list[str]:
    """What two configurations do not agree in, of all that decides what a net learns."""
    flat = [decisive(data) for data in (before, now)]
    wrong = [
        f"{_name(place)}: {_said(flat[0], place)} before, {_said(flat[1], place)} now"
        for place in flat[0] | flat[1]
        if place not in flat[0] or place not in flat[1] or flat[0][place] != flat[1][place]
    ]
    if not wrong and list(flat[0]) != list(flat[1]) and _order(flat[0]) != _order(flat[1]):
        wrong.append("net: its layers stand in another order")
    return wrong


def decisive(data: dict) -> dict[tuple, object]:
    """{place: value} of all that decides what a net learns. With shards the threads do not."""
    training = data.get("training")
    shards = training.get("shards") if isinstance(training, dict) else None
    threads = [("training", "threads")] if isinstance(shards, int) and shards > 1 else []
    free = {*_FREE, *threads}
    return {place: value for place, value in flattened(data) if place[:2] not in free}


def flattened(data, place: tuple = (), shorten: bool = True):
    """(place, value) of all values. Code of the user's own counts by the name of its file,
    wherever that lies, unless `shorten` is off."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from flattened(value, (*place, key), shorten)
    elif isinstance(data, list) and any(map(_has_parts, data)):
        for i, value in enumerate(data):
            yield from flattened(value, (*place, i), shorten)
    else:
        yield place, _file_name(data) if shorten and is_own(data) else data


def _has_parts(value) -> bool:
    return isinstance(value, (dict, list)) or is_own(value)


def is_own(value) -> bool:
    """Is this path.py:Name, code of the user's own?"""
    file, colon, name = value.rpartition(".py:") if isinstance(value, str) else ("", "", "")
    return bool(file and colon) and name.isidentifier()


def _file_name(path: str) -> str:
    """The last part of a path, of whatever system it is."""
    return path.replace("\\", "/").rpartition("/")[2]


def as_json(data: dict) -> str:
    """A configuration as JSON; what JSON has not, as dates, as text."""
    return json.dumps(data, default=str)


def _said(flat: dict, place: tuple) -> str:
    return ascii(flat[place])[:_LONGEST] if place in flat else "not there"


def _name(place: tuple) -> str:
    """The dotted key; escaped, since a checkpoint may have come from anywhere."""
    return ascii(".".join(map(str, place)))[1:-1][:_LONGEST]


def _order(flat: dict) -> list:
    return list(dict.fromkeys(place[:3] for place in flat if place[0] == "net"))


def versions() -> dict[str, str]:
    """The software that numbers depend on, and the kind of machine."""
    return {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": blas(),
        "machine": platform.machine(),
    }


def own_code(data) -> dict[str, str]:
    """{file name: a digest of it} of the user's own classes and functions in a configuration."""
    paths = (Path(name.rpartition(":")[0]) for name in own_names(data))
    return digests(path for path in paths if path.is_file())


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """{file name: a digest} of files; of several with one name the digests, sorted."""
    found: dict[str, set] = {}
    for path in paths:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        found.setdefault(_file_name(str(path)), set()).add(digest)
    return {name: " ".join(sorted(values)) for name, values in found.items()}


def own_names(data) -> list[str]:
    """All path.py:Name in a part of a configuration."""
    return [value for _, value in flattened(data, shorten=False) if is_own(value)]
