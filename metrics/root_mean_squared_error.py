"""The root of the mean squared error."""

import math

import numpy as np

from lamina.metrics.mean_error import MeanError


class RootMeanSquaredError(MeanError):
    """√(1/M Σ (score - target)²) over all M numbers, in the unit of the targets.

    Of several outputs it is the root of the mean over all of them, as the loss has it;
    scikit-learn's default takes the root of each output and then their mean. Shapes, errors and
    NaN: as MeanError.
    """

    name = "rmse"
    error = staticmethod(np.square)

    def value(self):
        return math.sqrt(super().value())
