"""A number that is none: where it came from, as culprit.json says."""

import math

from lamina import layers
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.recorded import number
from lamina.diagnosis.words import ADVICE

SMALL = 80.0  # exp of it is a float32 still


def bad_number(record, earlier) -> Finding | None:
    """It came from outside the arithmetic: from the data, the weights at the start, elsewhere."""
    kind = _kind(record.culprit)
    if kind not in ("input", "augmented", "start", "outside"):
        return None
    names = {"input": "bad number in the inputs", "augmented": "bad number from the augmentation"}
    names |= {"start": "bad number in the first weights", "outside": "bad number from outside"}
    meaning = {
        "input": "One sample spoils the whole step: every weight takes part in it.",
        "augmented": "One sample spoils the whole step: every weight takes part in it.",
        "start": "No training can mend a weight that is NaN or infinite.",
        "outside": "Training the same steps again gives finite numbers: they were changed by "
        "something else.",
    }
    return Finding(names[kind], _evidence(record), meaning[kind], [ADVICE[kind][1]])


def overflow(record, earlier) -> Finding | None:
    """It came about by arithmetic, for which the findings before this one may be the reason."""
    kind = _kind(record.culprit)
    if kind not in ("forward", "backward", "update"):
        return None
    layer = record.culprit.get("layer") or "the net"
    if _is_undefined(record):
        return Finding(
            "undefined result",
            _evidence(record),
            f"In {layer} something has no finite result though its numbers are not large: a "
            "division by 0, a root of a negative number, a logarithm of 0 or less"
            + (", exp of more than 88 divided by such." if _overflows_in_exp(record) else "."),
            ["look at these samples", "in your own layer an eps where it divides, or np.maximum"],
        )
    meaning = f"The numbers in {layer} have left the range of their type; usual causes: "
    return Finding(
        "overflow", _evidence(record), meaning + ADVICE[kind][0] + ".", [ADVICE[kind][1]]
    )


def _is_undefined(record) -> bool:
    """What comes of numbers that are far from the ends of their type did not overflow: a NaN, or an
    infinity of numbers below those whose exp overflows. No layer of this project but Power divides
    by what may be 0 or takes a root, but one over time multiplies many times."""
    culprit = record.culprit
    kind = record.facts.get("layers", {}).get(culprit.get("layer"))
    own = kind not in layers.__all__
    if kind == "Power":
        return culprit.get("value") == "nan" or _divides(record, culprit)
    largest = culprit.get("largest") or {}
    limit = 1e9 if culprit.get("value") == "nan" else SMALL
    small = bool(largest) and all(size < limit for size in largest.values())
    when = culprit.get("when")
    nan_in_backward = when == "backward" and culprit.get("value") == "nan"
    return own and small and (when == "forward" or nan_in_backward)


def _divides(record, culprit: dict) -> bool:
    """Has this Power an exponent below 0, or in backward, whose exponent is 1 less, below 1?"""
    listed = record.config.get("net")
    for name in culprit["layer"].split("."):
        for key in ("layers", name):
            listed = listed.get(key) if isinstance(listed, dict) else None
    power = number(listed.get("power", 1.0)) if isinstance(listed, dict) else math.nan
    return power < (1.0 if culprit.get("when") == "backward" else 0.0)


def _overflows_in_exp(record) -> bool:
    return any(size >= SMALL for size in (record.culprit.get("largest") or {}).values())


def _kind(culprit: dict) -> str:
    if culprit.get("when") == "input":
        return "augmented" if culprit.get("augmented") else "input"
    return "outside" if culprit.get("search") == "clean" else culprit.get("when", "")


def _evidence(record) -> list[str]:
    lines = [line.strip() for line in record.culprit.get("said", [])]
    return [line for line in lines if not line.startswith(("usual causes", "try"))]
