"""Sick parts: data sets and a layer that break a run, each in one way."""

import functools

import numpy as np

from lamina.datasets import DrawnDigits, Samples
from lamina.layers import Affine


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
