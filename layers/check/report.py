"""What a check found."""

import dataclasses
import math

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
        self.low, self.high = -math.inf, math.inf  # of the inputs that every case was checked with
        self.stepped = False  # was some case gone through step by step?
        self.unreached: set[tuple] = set()  # (line, source) of backward that no example runs

    def add(self, kind: str, array: str, where: str, message: str) -> None:
        self.findings.append(Finding(kind, array, where, message))

    def reached(self, low: float, high: float) -> None:
        """A case was checked with inputs from low to high."""
        self.low, self.high = max(self.low, low), min(self.high, high)

    @property
    def failures(self) -> list[Finding]:
        return [f for f in self.findings if f.kind == FAILED]

    @property
    def unproved(self) -> set[str]:
        return self.seen - self.proved

    @property
    def agrees(self) -> bool:
        """Is nothing wrong in what was run?"""
        return not self.failures and not self.unproved and bool(self.proved)

    @property
    def passed(self) -> bool:
        return self.agrees and not self.unreached

    def merge(self, other: "Report") -> None:
        self.findings += other.findings
        self.proved |= other.proved
        self.seen |= other.seen
        self.impure = self.impure or other.impure
        self.stepped = self.stepped or other.stepped
        self.reached(other.low, other.high)

    def __str__(self):
        if self.passed:
            witnesses = "duals, differences" if self.impure else "duals, reverse mode, differences"
            head = f"{self.layer}: ok, proved {', '.join(sorted(self.proved))} by {witnesses}"
            if self.low < self.high < math.inf:
                ends = _rounded(self.low, math.ceil), _rounded(self.high, math.floor)
                head += "; inputs from {} to {}".format(*ends)
        elif self.failures:
            head = f"{self.layer}: FAILED"
        elif not self.agrees:
            names = ", ".join(sorted(self.unproved)) or "any gradient"
            head = f"{self.layer}: PROVED NOTHING about {names}"
        else:
            n = len(self.unreached)
            lines = "a line" if n == 1 else f"{n} lines"
            head = f"{self.layer}: PROVED NOTHING about {lines} of backward, which no example runs"
        # A zero gradient in one example is no news if another example proved the array.
        shown = [f for f in self.findings if f.kind != NOTHING or f.array in self.unproved]
        lines = [head, *grouped(shown)]
        for line, source in sorted(self.unreached):
            lines.append(f"  line {line}: not reached: {source:.100}")
        if self.unreached:
            lines.append("  add an example that comes there")
        if self.impure:
            lines.append(f"  reverse mode cannot follow forward: {self.impure}")
        return "\n".join(lines)


def grouped(findings: list[Finding]) -> list[str]:
    """The findings as text, those that say the same in one."""
    groups: dict[tuple, list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.array, finding.kind, finding.cause), []).append(finding)
    return [_group(found) for found in groups.values()]


def _rounded(number: float, inwards) -> str:
    """To two digits, the low end up and the high one down: no number beyond has been looked at.
    Without an exponent while that is short."""
    if not number or not math.isfinite(number) or abs(number) < 1e-300:
        return f"{number:g}"
    unit = 10.0 ** (math.floor(math.log10(abs(number))) - 1)
    within = round(number / unit, 9)  # 19 and not 19.000000000000004
    return f"{float(f'{inwards(within) * unit:.2g}'):g}"


def _group(found: list[Finding]) -> str:
    """The first of the findings that say the same, and where else it was found."""
    first, *others = found
    lines = [f"  {first.array} ({first.where}): {first.kind}", *first.message.split("\n")]
    if others:
        places = [f.where for f in others]
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        lines.append(f"also in: {'; '.join(places[:3])}{more}")
    return "\n      ".join(lines)
