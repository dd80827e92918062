"""What a run was trained on, kept with it.

provenance.json is written when a run begins, and again when it goes on; a checkpoint carries the
same. It has the configuration, the fingerprint of every set, the facts of the task (class names in
their order), how inputs were made of files (categories, fills, sizes), a digest of each file of the
user's own code and of the weights that training begins with, and the versions of the software.
"""

import hashlib
import itertools
import json
import platform
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.files import write_json
from lamina.common.folder import Folder
from lamina.common.notice import note
from lamina.common.own_imports import with_imports
from lamina.common.threads import blas

FILE = "provenance.json"
WEIGHTS = "weights "  # begins the name of a file of weights among the versions


def provenance_of(trainer, data: dict) -> dict[str, np.ndarray]:
    """What a checkpoint and provenance.json say of a run; `data` is its configuration."""
    dataset = trainer.dataset
    sets = {name: samples.fingerprint() for name, samples in dataset.sets().items()}
    return {
        "config": np.array(as_json(data)),
        "data": np.array(" ".join(sets.values())),
        "sets": np.array(json.dumps(sets)),
        "task": np.array(json.dumps(dataset.task.facts(), default=str)),
        "preparation": np.array(json.dumps(dataset.preparation)),
        "versions": np.array(json.dumps(versions() | own_code(data) | start_weights(data))),
    }


def write_provenance(run_dir: Path | Folder, said: dict[str, np.ndarray]) -> None:
    """Write provenance.json; the file gets its name only when it is whole."""
    names = ("sets", "task", "preparation", "versions", "config")
    found = {name: json.loads(str(said[name])) for name in names}
    write_json(run_dir / FILE, found)
    for one, other in itertools.combinations(found["sets"], 2):
        if found["sets"][one] == found["sets"][other]:
            same = f"the {one} and the {other} set are the same samples"
            so = f"the figures of the {other} set say nothing of others"
            if "train" not in (one, other):
                so = "what is chosen by the one, such as the weights kept, is chosen by the other"
            note(f"{same}: {so}")


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


def versions() -> dict[str, str]:
    """The software that numbers depend on, and the kind of machine."""
    return {
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "BLAS": blas(),
        "machine": platform.machine(),
    }


def own_code(data) -> dict[str, str]:
    """{file name: a digest of it} of the user's own classes and functions in a configuration, and
    of what their files import of the user's own."""
    paths = (Path(name.rpartition(":")[0]) for name in own_names(data))
    return digests(file for path in paths if path.is_file() for file in with_imports(path))


def digests(paths: Iterable[Path]) -> dict[str, str]:
    """{file name: a digest} of files; of several with one name the digests, sorted."""
    found: dict[str, set] = {}
    for path in paths:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        found.setdefault(_file_name(str(path)), set()).add(digest)
    return {name: " ".join(sorted(values)) for name, values in found.items()}


def start_weights(data: dict) -> dict[str, str]:
    """{"weights " and a file's name: a digest of it} of the weights that training begins with."""
    net = data.get("net")
    path = net.get("weights") if isinstance(net, dict) else None
    if not (isinstance(path, str) and Path(path).is_file()):
        return {}
    return {f"{WEIGHTS}{name}": digest for name, digest in digests([Path(path)]).items()}


def own_names(data) -> list[str]:
    """All path.py:Name in a part of a configuration."""
    return [value for _, value in flattened(data, shorten=False) if is_own(value)]
