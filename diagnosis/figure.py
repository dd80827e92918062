"""The figure by which a run is judged, and how good a value of it is."""

import contextlib
import dataclasses
import math

from lamina.metrics import make_metric


@dataclasses.dataclass(frozen=True)
class Figure:
    """The metric that counts: its name, the ends of its values, what guessing gives."""

    name: str
    higher_is_better: bool
    low: float
    high: float
    guess: float | None
    percent: bool

    def score(self, value: float) -> float:
        """1 for perfection, whatever the metric. Shares and correlations stay as they are; an error
        counts by how much of the guessing error, squared, is gone, as R² does; a perplexity by its
        logarithm. NaN where nothing is known to compare with."""
        if self.higher_is_better:
            return value if self.high == 1.0 else math.nan
        if not self.guess or not self.guess > self.low:
            return math.nan
        if self.low == 1.0:
            return 1.0 - math.log(max(value, 1.0)) / math.log(self.guess)
        return 1.0 - (value / self.guess) ** 2

    @property
    def chance(self) -> float:
        """The score of guessing; 0 if that is not known."""
        if not self.higher_is_better:
            return 0.0
        return 0.0 if self.guess is None else max(self.guess, 0.0)

    def shown(self, value: float) -> str:
        """A value in words."""
        return f"{100 * value:.1f} %" if self.percent else f"{value:.4g}"


def figure_of(facts: dict, columns) -> Figure | None:
    """What facts.json says counts; without it the first figure of the training set that history.csv
    has, if it is a metric of this project."""
    said = facts.get("figure")
    if said is not None:
        low, high = (math.inf if end is None else end for end in said["limits"])
        low = -math.inf if said["limits"][0] is None else low
        return Figure(
            *(said["name"], said["higher_is_better"], low, high),
            *(said.get("guess"), said["percent"]),
        )
    names = [c.removeprefix("train_") for c in columns if c.startswith("train_")]
    for name in names:
        with contextlib.suppress(ValueError):  # the loss, or a metric of the user's own
            metric = make_metric(name)
            ends = (metric.higher_is_better, *metric.limits)
            return Figure(name, *ends, None, metric.percent)
    return None
