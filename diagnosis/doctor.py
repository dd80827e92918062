"""All findings of a run, causes before what follows from them."""

from pathlib import Path

import numpy as np

from lamina.common.folder import Folder
from lamina.diagnosis.causes import CAUSES
from lamina.diagnosis.causes.labels import untold
from lamina.diagnosis.finding import EVERYTHING, Finding
from lamina.diagnosis.record import Record, read_record


def diagnose(record: Record) -> list[Finding]:
    """The findings, the most probable cause first; empty for a healthy run."""
    found: list[Finding] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for family in CAUSES:
            finding = family(record, found)
            if finding is not None:
                found.append(finding)
        if (labels := untold(record, found)) is not None:
            found.insert(0, labels)
    for i, finding in enumerate(found):
        earlier = [
            other.name
            for other in found[:i]
            if finding.name in other.explains or EVERYTHING in other.explains
        ]
        finding.follows_from = next(iter(earlier), "")
    return sorted(found, key=lambda finding: bool(finding.follows_from))


def glance(run_dir: str | Path | Folder) -> str:
    """The names of the causes found in a run, "" if it is healthy or cannot be read."""
    try:
        findings = diagnose(read_record(run_dir))
    except (OSError, ValueError):
        return ""
    return "; ".join(finding.name for finding in findings if not finding.follows_from)
