"""Ranges of a sweep file, from which values are drawn: {log: [0.001, 1]}, {choice: [SGD, Adam]}."""

import dataclasses
import json
import math

from lamina.common.strict_yaml import describe
from lamina.experiment.section import Section

KINDS = ("uniform", "log", "int", "choice")
DIGITS = 4  # of a number that is drawn, so that tables and names stay short


@dataclasses.dataclass(frozen=True)
class Range:
    """What a value is drawn from: numbers from `low` to `high`, both among them, evenly (uniform,
    int) or evenly in their logarithm (log), or one of `choices`."""

    kind: str
    low: float = 0.0
    high: float = 0.0
    choices: tuple = ()

    @property
    def ends(self) -> tuple:
        """Values that are tried before anything is trained: both ends, or all choices."""
        return self.choices or (self.low, self.high)

    def draw(self, key: str, trial) -> None:
        """Let a trial of Optuna draw from it, unless it has; a choice as a text, since the storage
        keeps nothing else whole."""
        if self.kind == "choice":
            trial.suggest_categorical(key, [*map(label, self.choices)])
        elif self.kind == "int":
            trial.suggest_int(key, self.low, self.high)
        else:
            trial.suggest_float(key, self.low, self.high, log=self.kind == "log")

    def distribution(self):
        """The same as Optuna has it."""
        from optuna import distributions

        if self.kind == "choice":
            return distributions.CategoricalDistribution([*map(label, self.choices)])
        if self.kind == "int":
            return distributions.IntDistribution(int(self.low), int(self.high))
        return distributions.FloatDistribution(self.low, self.high, log=self.kind == "log")

    def value(self, drawn):
        """The value of a configuration for what has been drawn."""
        if self.kind != "choice":
            return drawn
        return next(choice for choice in self.choices if label(choice) == drawn)


def label(choice) -> str:
    """A choice as a text."""
    return choice if isinstance(choice, str) else json.dumps(choice, sort_keys=True, default=str)


def rounded(value: float, distribution) -> float:
    """A number that was drawn, to DIGITS digits, within its range."""
    value = float(f"{value:.{DIGITS}g}")
    return min(max(value, distribution.low), distribution.high)


def ranges_in(section: Section) -> dict[str, Range]:
    """The ranges of a mapping {key: range}. Raises ConfigError naming the line of what is none."""
    found = {}
    for key, given in section.data.items():
        try:
            found[key] = make_range(given)
        except ValueError as error:
            raise section.error(str(error), key) from None
    return found


def make_range(given) -> Range:
    """From what stands in the file. Raises ValueError for what is no range."""
    if not (isinstance(given, dict) and len(given) == 1 and next(iter(given)) in KINDS):
        raise ValueError(
            "expects {uniform: [low, high]}, {log: [low, high]}, {int: [low, high]} or "
            f"{{choice: [value, value]}}, got {describe(given)}"
        )
    ((kind, values),) = given.items()
    if kind == "choice":
        if not isinstance(values, list) or len(values) < 2:
            raise ValueError(f"choice expects a list of two values or more, got {describe(values)}")
        if len({*map(label, values)}) < len(values):
            raise ValueError("choice: the same value stands twice; keep one")
        return Range(kind, choices=tuple(values))
    types = (int,) if kind == "int" else (int, float)
    what = "whole numbers" if kind == "int" else "numbers"
    if not (
        isinstance(values, list)
        and len(values) == 2
        and all(type(value) in types and math.isfinite(value) for value in values)
        and values[0] < values[1]
    ):
        raise ValueError(f"{kind} expects two {what}, the lower first, got {describe(values)}")
    if kind == "log" and values[0] <= 0:
        raise ValueError(f"log expects numbers above 0, got {values[0]}")
    return Range(kind, *(values if kind == "int" else map(float, values)))
