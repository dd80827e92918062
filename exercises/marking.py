"""A mark out of 100: its parts, what was found, and the rule that makes points of it."""

import dataclasses
import math
import textwrap

from lamina.layers.check.report import FAILED, Finding, grouped

RULE = {
    "forward": (
        "the share of cases in which the result is that of the project: each example, in training "
        "and in evaluation, there and at other inputs"
    ),
    "backward": (
        "the share of gradients that are right, example by example; the judge is the derivative of "
        "your own forward, so one may be right where the other is not"
    ),
    "contract": "4 less for each rule of layers that is broken; none where forward does not run",
    "result": "the share of what was compared that is that of the project",
    "manners": "4 less for each rule that is broken; none where nothing runs",
}
PENALTY = 4.0  # for a rule that is broken
_WIDTH = 98  # columns of what is printed


@dataclasses.dataclass
class Part:
    """One part of a mark: of `out_of` points, `points` were reached. `counted` says of what."""

    name: str
    out_of: int
    points: float
    counted: str
    findings: list[Finding] = dataclasses.field(default_factory=list)

    @property
    def failures(self) -> list[Finding]:
        return [f for f in self.findings if f.kind == FAILED]


@dataclasses.dataclass
class Mark:
    """The mark of one solution. `total` is 100 only if nothing at all is wrong."""

    exercise: str
    parts: list[Part]
    trouble: str = ""  # why there is nothing to mark

    @property
    def total(self) -> int:
        if self.trouble:
            return 0
        points = math.floor(sum(part.points for part in self.parts) + 1e-9)
        return min(points, 99) if any(part.failures for part in self.parts) else points

    @property
    def named(self) -> list[str]:
        """The arrays, or what else is wrong, in the order in which they are told."""
        return list(dict.fromkeys(f.array for part in self.parts for f in part.failures))

    def as_data(self) -> dict:
        """For JSON."""
        return {
            "exercise": self.exercise,
            "mark": self.total,
            "trouble": self.trouble,
            "wrong": self.named,
            "parts": {
                part.name: {
                    "points": round(part.points, 2),
                    "of": part.out_of,
                    "rule": RULE[part.name],
                    "findings": [
                        {"array": f.array, "where": f.where, "message": f.message}
                        for f in part.failures
                    ],
                }
                for part in self.parts
            },
        }

    def __str__(self):
        if self.trouble:
            return f"{self.exercise}: 0 of 100\n  {self.trouble}"
        lines = [f"{self.exercise}: {self.total} of 100"]
        for part in self.parts:
            lines.append(f"{part.name}: {part.points:.3g} of {part.out_of} ({part.counted})")
            lines += grouped(part.failures)
        lines += ["", "The rule of marking:"]
        for part in self.parts:
            rule = f"  {part.name}, {part.out_of}: {RULE[part.name]}"
            lines += textwrap.wrap(rule, _WIDTH, subsequent_indent="    ")
        return "\n".join(lines)


def manners(name: str, out_of: int, broken: dict[str, list[Finding]]) -> Part:
    """The part for rules: `broken` are the findings on each rule that is broken, in words."""
    points = max(out_of - PENALTY * len(broken), 0.0)
    counted = f"{len(broken)} broken: {'; '.join(broken)}" if broken else "no rule is broken"
    return Part(name, out_of, points, counted, [f for found in broken.values() for f in found])
