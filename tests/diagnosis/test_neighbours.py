"""What nearest neighbours tell, on data of which it is known."""

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, Regression, Samples
from lamina.diagnosis.neighbours import nearest_score


def score(X, t, task):
    samples = Samples(np.asarray(X, np.float32), t)
    return nearest_score(Dataset(samples, samples, task))


def test_classes_that_lie_apart_that_overlap_and_that_are_drawn():
    rng = np.random.default_rng(0)
    t = rng.integers(0, 4, 2000)
    X = rng.standard_normal((2000, 3))
    classes = Classification(range(4))
    assert score(X + 20 * np.eye(4, 3)[t], t, classes) == 1.0
    assert score(X, t, classes) == pytest.approx(0.25, abs=3 * np.sqrt(0.1875 / 500))
    assert score(np.sort(t)[:, None] + 0.01 * X, np.sort(t), classes) == 1.0  # sorted by class


def test_samples_that_do_not_count_are_no_neighbours():
    rng = np.random.default_rng(3)
    t = rng.integers(0, 3, 400)
    X = 20 * np.eye(3)[t] + rng.standard_normal((400, 3))
    t[::5] = -1
    assert score(X, t, Classification(range(3), ignore_index=-1)) == 1.0
    t[: 400 - 29] = -1
    assert score(X, t, Classification(range(3), ignore_index=-1)) is None


def test_numbers_give_the_share_that_noise_leaves():
    """y = x + noise of the same variance: half of it can be known."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(20):
        x = rng.standard_normal((500, 1))
        y = (x[:, 0] + rng.standard_normal(500)).astype(np.float32)
        found.append(score(x, y, Regression(["y"])))
    assert np.mean(found) == pytest.approx(0.5, abs=0.04)
    assert score(x, 3 + 0 * y, Regression(["y"])) is None


def test_where_it_says_nothing():
    rng = np.random.default_rng(2)
    classes = Classification(range(2))
    X = rng.standard_normal((100, 3))
    assert score(X, rng.integers(0, 2, (100, 3)), classes) is None  # a class per position
    assert score(X[:20], rng.integers(0, 2, 20), classes) is None  # too few
    X[3, 1] = np.nan
    assert score(X, rng.integers(0, 2, 100), classes) is None
