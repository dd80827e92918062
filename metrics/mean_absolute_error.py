"""The mean absolute error."""

import numpy as np

from lamina.metrics.mean_error import MeanError


class MeanAbsoluteError(MeanError):
    """1/M Σ |score - target| over all M numbers, in the unit of the targets.

    Shapes, errors and NaN: as MeanError.
    """

    name = "mae"
    error = staticmethod(np.abs)
