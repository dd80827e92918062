"""What the means of errors share: a sum over all numbers, and how many there were."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.metrics.base import Metric, share
from lamina.metrics.checks import values


class MeanError(Metric):
    """The mean of `error(difference)` over all numbers, of several outputs over all of them.

    Scores that hold a NaN make it NaN. Shapes: scores and targets (N,) or (..., D), or scores
    (N, 1) with targets (N,). Errors: ValueError for other shapes and targets that are not finite,
    TypeError for what are no numbers.
    """

    higher_is_better = False
    limits = (0.0, math.inf)
    needs = "scores and targets (N,) or (N, D), or scores (N, 1) with targets (N,)"
    error: Callable[..., Any]  # the error of each difference: np.abs, np.square

    def reset(self):
        self.sum, self.total = 0.0, 0

    def update(self, scores, targets):
        s, t = values(self, scores, targets)
        with np.errstate(over="ignore"):  # inf, which value() says
            self.sum += float(self.error(s - t).sum())
        self.total += t.size

    def value(self):
        return share(self.sum, self.total)
