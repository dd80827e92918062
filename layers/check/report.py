"""What a check found."""

import dataclasses

FAILED, NOTHING, NOTE = "failed", "proved nothing", "note"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing found: `kind` (failed, proved nothing, note), the `array` it is about, where."""

    kind: str
    array: str
    where: str
    message: str

    @property
    def cause(self) -> str:
        """What remains the same when the same mistake shows in another mode or example."""
        return self.message.rsplit("\n", 1)[-1]


class Report:
    """The findings on one layer. `passed` only if nothing failed and every array was proved."""

    def __init__(self, layer: str):
        self.layer = layer
        self.findings: list[Finding] = []
        self.proved: set[str] = set()  # arrays whose gradient was seen to be right, and not zero
        self.seen: set[str] = set()
        self.impure = ""  # why reverse mode cannot follow forward, if it cannot

    def add(self, kind: str, array: str, where: str, message: str) -> None:
        self.findings.append(Finding(kind, array, where, message))

    @property
    def failures(self) -> list[Finding]:
        return [f for f in self.findings if f.kind == FAILED]

    @property
    def unproved(self) -> set[str]:
        return self.seen - self.proved

    @property
    def passed(self) -> bool:
        return not self.failures and not self.unproved and bool(self.proved)

    def merge(self, other: "Report") -> None:
        self.findings += other.findings
        self.proved |= other.proved
        self.seen |= other.seen
        self.impure = self.impure or other.impure

    def __str__(self):
        if self.passed:
            witnesses = "duals, differences" if self.impure else "duals, reverse mode, differences"
            head = f"{self.layer}: ok, proved {', '.join(sorted(self.proved))} by {witnesses}"
        elif self.failures:
            head = f"{self.layer}: FAILED"
        else:
            names = ", ".join(sorted(self.unproved)) or "any gradient"
            head = f"{self.layer}: PROVED NOTHING about {names}"
        # A zero gradient in one example is no news if another example proved the array.
        shown = [f for f in self.findings if f.kind != NOTHING or f.array in self.unproved]
        groups: dict[tuple, list[Finding]] = {}
        for finding in shown:
            groups.setdefault((finding.array, finding.kind, finding.cause), []).append(finding)
        lines = [head, *(_group(found) for found in groups.values())]
        if self.impure:
            lines.append(f"  reverse mode cannot follow forward: {self.impure}")
        return "\n".join(lines)


def _group(found: list[Finding]) -> str:
    """The first of the findings that say the same, and where else it was found."""
    first, *others = found
    lines = [f"  {first.array} ({first.where}): {first.kind}", *first.message.split("\n")]
    if others:
        places = [f.where for f in others]
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        lines.append(f"also in: {'; '.join(places[:3])}{more}")
    return "\n      ".join(lines)
