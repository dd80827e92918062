"""What the doctor has found: a name, the evidence in numbers, what it means, what to try."""

import dataclasses

import numpy as np

EVERYTHING = "*"  # among what a finding explains: all that stands later


@dataclasses.dataclass
class Finding:
    """`explains` are the names of findings that usually follow from this one; `follows_from` is
    the name of the earlier finding that explains this one, "" for a cause."""

    name: str
    evidence: list[str]
    meaning: str
    remedies: list[str]
    explains: tuple[str, ...] = ()
    follows_from: str = ""


def median(values) -> float:
    """The median of the finite values, NaN if there are none."""
    finite = np.asarray(values)[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def largest(values) -> float:
    """The largest of the values, infinity included; NaN if all are NaN."""
    there = np.asarray(values)[~np.isnan(values)]
    return float(there.max()) if len(there) else float("nan")


def listed(names, most: int = 4) -> str:
    """Names with commas, the first few if there are many."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if names[most:] else "")
