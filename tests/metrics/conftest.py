"""What the tests of metrics share: drawn scores and targets, fed in batches cut anywhere."""

import numpy as np
import pytest
from hypothesis import strategies as st


class Drawn:
    """Scores and targets from hypothesis, and the places where they are cut into batches."""

    def __init__(self, data):
        self.data = data
        self.rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
        self.n = data.draw(st.integers(1, 40), "n")
        cuts = data.draw(st.lists(st.integers(0, self.n), max_size=4), "cuts")
        self.cuts = sorted(cuts)  # equal ones make batches of no sample

    def integer(self, low, high, name):
        return self.data.draw(st.integers(low, high), name)

    def scores(self, *shape):
        """float64 scores, every other time of few values, so that many are equal."""
        if self.data.draw(st.booleans(), "ties"):
            return self.rng.integers(-2, 3, shape) / 2.0
        return self.rng.standard_normal(shape)

    def classification(self, low=2, sequences=False):
        """(scores (N, [T,] C), class indices (N, [T])); some classes may not occur."""
        shape = (self.n, self.integer(1, 5, "T")) if sequences else (self.n,)
        n_classes = self.integer(low, 8, "classes")
        return self.scores(*shape, n_classes), self.rng.integers(0, n_classes, shape)

    def labels(self):
        """(scores (N, L), targets (N, L) of 0 and 1)."""
        shape = (self.n, self.integer(1, 5, "labels"))
        share = self.data.draw(st.sampled_from([0.1, 0.5]), "share")
        return self.scores(*shape), (self.rng.random(shape) < share).astype(np.float32)

    def regression(self, low=1):
        """(scores (N, D), targets (N, D))."""
        shape = (self.n, self.integer(low, 3, "outputs"))
        return self.rng.standard_normal(shape), self.rng.standard_normal(shape) + 3


@pytest.fixture(scope="session")
def drawn():
    return Drawn


@pytest.fixture(scope="session")
def fed():
    """The metric, given the samples in batches that are cut at these places."""

    def feed(metric, scores, targets, cuts=()):
        parts = zip(np.split(scores, cuts), np.split(targets, cuts), strict=True)
        for batch in parts:
            metric.update(*batch)
        return metric

    return feed
