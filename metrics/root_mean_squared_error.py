"""The root of the mean squared error."""

import math

import numpy as np

from lamina.metrics.base import Metric, share
from lamina.metrics.checks import values


class RootMeanSquaredError(Metric):
    """√(1/M Σ (score - target)²) over all M numbers, in the unit of the targets.

    Of several outputs it is the root of the mean over all of them, as the loss has it;
    scikit-learn's default takes the root of each output and then their mean. Scores that hold a NaN
    make it NaN.

    Shapes: scores and targets (N,) or (..., D), or scores (N, 1) with targets (N,). Errors:
    ValueError for other shapes and targets that are not finite, TypeError for what are no numbers.
    """

    name = "rmse"
    higher_is_better = False
    limits = (0.0, math.inf)
    needs = "scores and targets (N,) or (N, D), or scores (N, 1) with targets (N,)"

    def reset(self):
        self.sum, self.total = 0.0, 0

    def update(self, scores, targets):
        s, t = values(self, scores, targets)
        with np.errstate(over="ignore"):  # inf, which value() says
            self.sum += float(np.square(s - t).sum())
        self.total += t.size

    def value(self):
        return math.sqrt(share(self.sum, self.total))
