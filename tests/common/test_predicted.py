"""The class that scores speak for, beside a loop that looks at one row after the other."""

import math

import numpy as np
import pytest

from lamina.common.predicted import UNKNOWN, predicted_classes
from lamina.datasets.tasks import Classification
from lamina.metrics.checks import classes


def by_hand(row):
    if any(map(math.isnan, row)):
        return UNKNOWN
    return int(row[0] > 0) if len(row) == 1 else list(row).index(max(row))


@pytest.mark.parametrize("n_classes", [1, 2, 5])
@pytest.mark.parametrize("with_nan", [False, True])
def test_a_row_at_a_time(n_classes, with_nan):
    rng = np.random.default_rng(n_classes)
    scores = rng.integers(-2, 3, (40, 3, n_classes)).astype(np.float32)  # with ties, and zeros
    scores[0, 0, 0], scores[1, 0, -1] = np.inf, -np.inf
    if with_nan:
        scores[rng.random(scores.shape) < 0.1] = np.nan
    rows = scores.reshape(-1, n_classes)
    expected = [by_hand(row) for row in rows.tolist()]
    assert (UNKNOWN in expected) == with_nan
    predicted = predicted_classes(scores)
    assert predicted.shape == (40, 3)
    assert predicted.dtype.kind == "i"
    assert predicted.ravel().tolist() == expected
    task = Classification(range(max(n_classes, 2)))
    assert task.predictions(rows).tolist() == expected
    metric_rows = classes(None, rows, np.zeros(len(rows), int))
    assert metric_rows.predictions().tolist() == expected


def test_scores_of_nothing_speak_for_nothing():
    assert predicted_classes(np.zeros((0, 4))).shape == (0,)
