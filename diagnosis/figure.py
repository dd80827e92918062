"""The figure by which a run is judged, and how good a value of it is."""

import contextlib
import dataclasses
import math

from lamina.common.percent import percent
from lamina.metrics import Metric, make_metric


@dataclasses.dataclass(frozen=True)
class Figure:
    """The metric that counts: its name, the ends of its values, what guessing gives."""

    name: str
    higher_is_better: bool
    low: float
    high: float
    guess: float | None
    percent: bool
    train_guess: float | None = None
    validation_guess: float | None = None

    def guess_of(self, part: str) -> float | None:
        """What guessing gives on a set: on each something else, of a few samples or of numbers that
        lie far apart. Where it is not known of one, that of the test set."""
        of_others = {"train": self.train_guess, "validation": self.validation_guess}
        known = of_others.get(part)
        return self.guess if known is None else known

    def score(self, value: float, part: str = "test") -> float:
        """1 for perfection, whatever the metric. Shares and correlations stay as they are; an error
        counts by how much of the guessing error, squared, is gone, as R² does; a perplexity by its
        logarithm. NaN where nothing is known to compare with."""
        guess = self.guess_of(part)
        if self.higher_is_better:
            if self.low == -math.inf and guess is not None and guess < 0.0:
                return 1.0 - (1.0 - value) / (1.0 - guess)  # as of the errors themselves
            return value if self.high == 1.0 else math.nan
        if not guess or not guess > self.low:
            return math.nan
        if self.low == 1.0:
            return 1.0 - math.log(max(value, 1.0)) / math.log(guess)
        return 1.0 - (value / guess) ** 2

    @property
    def is_share(self) -> bool:
        """Is it a share of what is right, so that 1 can be reached and its scatter is known? How
        far an error can fall depends on the noise in the data."""
        return self.higher_is_better and (self.low, self.high) == (0.0, 1.0)

    def chance(self, part: str) -> float:
        """The score of guessing on a set; 0 if that is not known."""
        return max(self.guess_of(part) or 0.0, 0.0) if self.higher_is_better else 0.0

    def shown(self, value: float) -> str:
        """A value in words."""
        return percent(value, 1) if self.percent else f"{value:.4g}"

    def apart(self, train: float, test: float) -> str:
        """How far the values of the two sets are apart, in words: shares in points, errors and
        perplexities, which have a least value, by their ratio, others by their difference."""
        if self.percent:
            return f"{100 * abs(train - test):.3g} points apart"
        if not self.higher_is_better and math.isfinite(self.low) and train > 0:
            return f"{test / train:.3g} times as large"
        return f"{abs(train - test):.3g} apart"


def figure_of(facts: dict, columns) -> Figure | None:
    """What facts.json says counts; without it the first figure of the training set that history.csv
    has, if it is a metric of this project."""
    said = facts.get("figure")
    if said is not None:
        low, high = (math.inf if end is None else end for end in said["limits"])
        low = -math.inf if said["limits"][0] is None else low
        return Figure(
            *(said["name"], said["higher_is_better"], low, high),
            *(said.get("guess"), said["percent"], said.get("train_guess")),
            said.get("validation_guess"),
        )
    names = [c.removeprefix("train_") for c in columns if c.startswith("train_")]
    for name in names:
        with contextlib.suppress(ValueError):  # the loss, or a metric of the user's own
            metric = make_metric(name)
            ends = (metric.higher_is_better, *metric.limits)
            return Figure(name, *ends, None, metric.percent)
    return None


def what_counts(facts: dict, columns) -> tuple[str, bool]:
    """The figure by which a run chooses and is judged, and whether more of it is better; "" if no
    column has one. A run without facts.json counts by the first metric of its table, and of one of
    the user's own more is taken to be better, as Metric has it."""
    if said := facts.get("figure"):
        return said["name"], said["higher_is_better"]
    parts = (column.partition("_") for column in columns)
    names = [name for part, _, name in parts if part in ("train", "validation")]
    name = next((name for name in names if name != "loss"), "loss" if names else "")
    if name in ("", "loss"):
        return name, False
    try:
        return name, make_metric(name).higher_is_better
    except ValueError:
        return name, Metric.higher_is_better


def scatter(share: float, n: int) -> float:
    """What the share of a set of n samples scatters by, √(p (1 - p) / n)."""
    return math.sqrt(max(share * (1.0 - share), 0.0) / n)
