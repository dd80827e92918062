"""What has changed since a run was trained: its provenance.json read, and compared."""

import json
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.files import opened
from lamina.common.printable import printable
from lamina.datasets import Dataset
from lamina.experiment.build_net import OF_WEIGHTS
from lamina.experiment.config import Config
from lamina.experiment.differing import layers_in_order
from lamina.training.provenance import FILE, flattened, provenance_of

# What may be another than before: it decides how long a run goes on and what it keeps, not what
# it learns; initial weights, which a checkpoint replaces; and where data lie.
_LENGTH = ("iterations", "epochs", "patience", "checkpoint", "record_every", "callbacks")
_FILES = (
    *("path", "test", "validation", "vocabulary", "inputs", "targets"),
    *("test_inputs", "test_targets", "validation_inputs", "validation_targets"),
)
FILES_OF_DATA = tuple(("dataset", key) for key in _FILES)
_FREE = (
    *(("training", key) for key in _LENGTH),
    *(("net", key) for key in OF_WEIGHTS),
    *FILES_OF_DATA,  # their contents are compared
)
_LONGEST, _LARGEST = 200, 64 << 20  # characters of a value, bytes of the file


def provenance(trainer, config: Config) -> dict[str, np.ndarray]:
    """What a checkpoint and provenance.json say of a run. `config` is the one that building has
    given, with the whole paths of files."""
    return provenance_of(trainer, config.data)


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
    facts = json.loads(json.dumps(dataset.task.facts(), default=str))
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
    texts = (json.dumps(value, ensure_ascii=False) for value in (before, now))
    before, now = (printable(text)[:_LONGEST] for text in texts)
    return before, now


def differences(before: dict, now: dict) -> list[str]:
    """What two configurations do not agree in, of all that decides what a net learns."""
    flat = [decisive(data) for data in (before, now)]
    wrong = [
        f"{_name(place)}: {_said(flat[0], place)} before, {_said(flat[1], place)} now"
        for place in flat[0] | flat[1]
        if place not in flat[0] or place not in flat[1] or flat[0][place] != flat[1][place]
    ]
    if not wrong and layers_in_order(flat[0]) != layers_in_order(flat[1]):
        wrong.append("net: its layers stand in another order")
    return wrong


def decisive(data: dict) -> dict[tuple, object]:
    """{place: value} of all that decides what a net learns. With shards the threads do not."""
    training = data.get("training")
    shards = training.get("shards") if isinstance(training, dict) else None
    threads = [("training", "threads")] if isinstance(shards, int) and shards > 1 else []
    free = {*_FREE, *threads}
    return {place: value for place, value in flattened(data) if place[:2] not in free}


def _said(flat: dict, place: tuple) -> str:
    return ascii(flat[place])[:_LONGEST] if place in flat else "not there"


def _name(place: tuple) -> str:
    """The dotted key; escaped, since a checkpoint may have come from anywhere."""
    return ascii(".".join(map(str, place)))[1:-1][:_LONGEST]
