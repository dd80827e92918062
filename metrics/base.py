"""The contract of a metric, and how its value is shown."""

import math

from lamina.common.percent import percent


class Metric:
    """A figure of how good scores are, computed batch by batch.

    `update(scores, targets)` takes the scores of a net and the targets of one batch, `value()`
    gives the figure of all batches since `reset()`, NaN if nothing was counted. However the samples
    are cut into batches, the value is that of one big batch. Scores or targets that do not fit are
    refused with a ValueError or TypeError in words. A subclass gives the three methods, and

        name              its column in history.csv is <set>_<name>
        higher_is_better  which of two values is the better one
        limits            the lowest and highest value, for axes
        percent           whether `shown` writes 97.26 % instead of 0.9726
        scalar            False if there is no single figure: value() is NaN, and it has no column
        needs             the scores and targets that it takes, in words
        unfit             losses whose nets give no scores such as it takes
    """

    name: str = ""
    higher_is_better: bool = True
    limits: tuple[float, float] = (0.0, 1.0)
    percent: bool = False
    scalar: bool = True
    needs: str = "scores and targets"
    unfit: tuple[str, ...] = ()

    def __init__(self):
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"{type(self).__name__} has no reset")

    def update(self, scores, targets) -> None:
        """Count one batch."""
        raise NotImplementedError(f"{type(self).__name__} has no update")

    def value(self) -> float:
        """The figure of all batches since the last reset; NaN if nothing was counted."""
        raise NotImplementedError(f"{type(self).__name__} has no value")

    def shown(self, value: float) -> str:
        """A value in words: 97.26 %, 0.1234, 53.2."""
        if self.percent and not math.isnan(value):
            return percent(value)
        return f"{value:.4f}" if 0.001 <= abs(value) < 10 else f"{value:.4g}"

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}: {self.shown(self.value())}>"


def share(part: float, whole: float) -> float:
    """part / whole as a Python float; NaN of nothing."""
    return float(part) / float(whole) if whole else math.nan
