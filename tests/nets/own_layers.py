"""Layers and a net of one's own, for the tests of whole nets in files."""

from dataclasses import dataclass

import numpy as np

from lamina.layers import Affine, Layer, Param, Relu, SoftmaxWithLoss, State
from lamina.nets import Sequential


class Scale(Layer):
    """A factor for each feature, that learns at three times the rate."""

    def __init__(self, n, *, start=1.0, **more):
        self.s = Param(np.full(n, start, np.float32))
        self.s.lr_mult = 3.0

    def forward(self, X):
        self.X = X
        return X * self.s.data

    def backward(self, dout):
        self.s.accumulate((dout * self.X).sum(axis=0))
        return dout * self.s.data


@dataclass(eq=False)
class Power(Layer):
    p: int

    def forward(self, X):
        self.X = X
        return X**self.p

    def backward(self, dout):
        return dout * self.p * self.X ** (self.p - 1)


class Counting(Layer):
    """How many samples it has seen: a State of whole numbers."""

    def __init__(self, *sizes, inputs="any"):
        self.sizes, self.inputs, self.seen = sizes, inputs, State(np.zeros((), int))

    def forward(self, X):
        self.seen.update(self.seen.data + len(X))
        return X * len(self.sizes)

    def backward(self, dout):
        return dout * len(self.sizes)


class Mine(Sequential):
    def __init__(self, n, rng):
        layers = {"a": Affine(4, n, rng=rng), "s": Scale(n), "r": Relu()}
        super().__init__(layers, SoftmaxWithLoss())
