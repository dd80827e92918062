"""Sick parts: data sets and a layer that break a run, each in one way."""

import functools

import numpy as np

from lamina.datasets import Classification, Dataset, DrawnDigits, Samples
from lamina.layers import Affine, Rnn


class Pixels(DrawnDigits):
    """Drawn digits with pixels from 0 to 255, as they lie in the files."""

    @functools.cached_property
    def train(self):
        return Samples(*self._arrays("train", self.n_train), 1.0)

    @functools.cached_property
    def test(self):
        return Samples(*self._arrays("test", self.n_test), 1.0)


class ShuffledLabels(DrawnDigits):
    """Drawn digits whose training labels have nothing to do with the images."""

    @functools.cached_property
    def train(self):
        samples = DrawnDigits.train.func(self)
        samples.t = np.random.default_rng(self.seed).permutation(samples.t)
        return samples


class OneNaN(DrawnDigits):
    """Drawn digits as floats; one pixel of one training image is NaN."""

    @functools.cached_property
    def train(self):
        X, t = DrawnDigits.train.func(self)[:]
        row = int(np.random.default_rng(self.seed).integers(len(X)))
        X[row, 300] = np.nan
        return Samples(X, t)


class SunkAffine(Affine):
    """An Affine whose biases start so low that no ReLU behind it is ever active."""

    def __init__(self, n_in: int, n_out: int, *, rng, dtype=np.float32):
        super().__init__(n_in, n_out, rng=rng, dtype=dtype)
        self.b.data = self.b.data - 20.0


class FirstInput(Dataset):
    """Sequences of noise (N, T, 2) whose first step has the answer: is its first number above 0?"""

    def __init__(self, n_steps: int = 60, seed: int = 0, n_train: int = 1000):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((n_train + 500, n_steps, 2)).astype(np.float32)
        t = (X[:, 0, 0] > 0).astype(np.int64)
        parts = (Samples(X[rows], t[rows]) for rows in (slice(n_train), slice(n_train, None)))
        super().__init__(*parts, Classification(["low", "high"]))


class ScaledRnn(Rnn):
    """An Rnn whose recurrent weights start `times` as large as usual."""

    def __init__(self, n_in: int, n_hidden: int, *, times: float, rng, dtype=np.float32, **options):
        super().__init__(n_in, n_hidden, rng=rng, dtype=dtype, **options)
        self.Wh.data = self.Wh.data * np.asarray(times, dtype)
