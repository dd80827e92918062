"""facts.json and culprit.json, believed only as far as they hold what a run writes there."""

import json
import math
from pathlib import Path

from lamina.common.files import opened
from lamina.common.folder import File, placed

_LARGEST = 2**53  # of the whole numbers; beyond it floats lose count
_FACTS = {
    **dict.fromkeys(("samples", "validation_samples", "test_samples"), "number"),
    **dict.fromkeys(("test_targets", "batch_size", "in_a_pass"), "number"),
    **dict.fromkeys(("compared", "seen_of"), "number"),
    "task": {"task": "text", "classes": "number"},
    "figure": {
        **{"name": "text", "higher_is_better": "yes or no", "percent": "yes or no"},
        **{"limits": ["size"], "guess": "size", "train_guess": "size"},
        "validation_guess": "size",
    },
    "percent": {"*": "yes or no"},
    **dict.fromkeys(("guessing_loss", "test_guessing_loss", "inputs_vary", "seen", "near"), "size"),
    "summed": "size",
    **dict.fromkeys(("nearest", "nearest_luck", "ridge", "ridge_as_given", "line"), "size"),
    "chooses": "yes or no",
    "alike": ["size"],
    "alike_by": "text",
    "told": ["size"],
    "sizes": ["size"],
    "elsewhere": {"column": "count", "columns": "number", "train": ["size"], "test": ["size"]},
    "targets": {
        **dict.fromkeys(("mean", "std", "low", "high", "least_std", "most_std"), "size"),
        **dict.fromkeys(("mark", "next"), "size"),
        **dict.fromkeys(("width", "numbers", "marked"), "number"),
    },
    "losses": {"*": "text"},
    "layers": {"*": "text"},
    "dropout": {"*": "size"},
    "left_by_dropout": "size",
    "last": "text",
    "averages": {"*": "size"},
    "uses": {"*": "number"},
    "from_the_end": ["text"],
    "parameters": {
        "*": {
            **{"shape": "shape", "mean": "size", "std": "size", "learns": "yes or no"},
            **dict.fromkeys(("decay_mult", "lr_mult"), "size"),
        }
    },
}
_CULPRIT = {
    **dict.fromkeys(("when", "layer", "search"), "text"),
    "augmented": "yes or no",
    "said": ["text"],
}
_NEEDED = (
    {"shape", "mean", "std", "learns"},
    {"name", "higher_is_better", "percent", "limits"},
    {"column", "columns", "train", "test"},
)


def read_facts(path: str | Path | File) -> dict:
    """What a run writes once at its start, {} if it is not there. Raises ValueError if the file is
    damaged: no JSON, or of other kinds than a run writes."""
    return _checked(path, _FACTS)


def read_culprit(path: str | Path | File) -> dict:
    """What a failed run has found, {} if it is not there. Raises ValueError if it is damaged."""
    return _checked(path, _CULPRIT)


def read_sets(path: str | Path | File) -> dict[str, str]:
    """{set: a digest of its contents} of provenance.json, {} if that is not there."""
    return _checked(path, {"sets": {"*": "text"}}).get("sets", {})


def _checked(path: str | Path | File, kinds: dict) -> dict:
    path = placed(path)
    if not path.is_file():
        return {}
    try:
        with opened(path) as file:
            found = json.loads(file.read().decode())
    except (ValueError, RecursionError):
        raise ValueError(f"{path}: is damaged: no JSON") from None
    if isinstance(found, dict):  # what is not known is None, and as good as not there
        found = {key: value for key, value in found.items() if value is not None}
    if place := _misfit(found, kinds, ""):
        raise ValueError(f"{path}: is damaged: {ascii(place)[1:-1][:100]} is not what a run writes")
    return found


def _misfit(value, kind, place: str) -> str:
    """The place of the first value that is of another kind; "" if all fit. Keys that nobody reads
    are passed over, and may be missing unless they belong together."""
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return place or "all of it"
        if any(kind.keys() >= needed and not value.keys() >= needed for needed in _NEEDED):
            return place
        kinds = {key: kind.get(key, kind.get("*")) for key in value}
        places = (_misfit(value[k], kinds[k], f"{place}.{k}".strip(".")) for k in value if kinds[k])
        return next(filter(None, places), "")
    if isinstance(kind, list):
        if not isinstance(value, list):
            return place
        if kind == ["size"] and len(value) != 2:  # the two ends of a figure
            return place
        return next(filter(None, (_misfit(v, kind[0], place) for v in value)), "")
    return "" if _fits(value, kind) else place


def _fits(value, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "yes or no":
        return isinstance(value, bool)
    if kind == "size" and value is None:
        return True
    if kind == "shape":
        axes = (
            isinstance(value, list) and len(value) <= 64 and all(_fits(n, "count") for n in value)
        )
        return axes and math.prod(value) <= _LARGEST
    if kind == "number" and value == 0:  # of samples, or classes: there is one at least
        return False
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST
    return whole or (kind == "size" and isinstance(value, float) and math.isfinite(value))
