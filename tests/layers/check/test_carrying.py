"""Mistakes with what is carried from batch to batch: each must be caught, and named."""

import numpy as np
import pytest

from lamina.layers import Carried, Layer, Lstm, Param, State
from lamina.layers.check import check_layer

X = np.random.default_rng(0).standard_normal((4, 5))


class Leaky(Layer):
    """Y = s · X + half of the Y before."""

    def __init__(self):
        self.s, self.before = Param(np.ones(5)), Carried(5)

    def forward(self, X):
        self.X = X
        before = self.read(X)
        Y = self.s.data * X if before is None else self.s.data * X + 0.5 * before
        self.write(Y)
        return Y

    def read(self, X):
        return self.before.of(len(X), self.training)

    def write(self, Y):
        self.before.update(Y, self.training)

    def backward(self, dout):
        self.s.accumulate((dout * self.X).sum(axis=0))
        return self.s.data * dout if self.needs_dX else None


class NeverMoves(Leaky):
    def write(self, Y):
        pass


class NeverSeen(Leaky):
    def read(self, X):
        return None


class FirstRowForAll(Leaky):
    def read(self, X):
        rows = self.before.data if self.training else self.before.evaluated
        return rows[:1] if len(rows) else None


class OfTrainingInEvaluation(Leaky):
    def read(self, X):
        return self.before.of(len(X), True)


class MovesTrainingInEvaluation(Leaky):
    def write(self, Y):
        self.before.update(Y, True)


class MovesBoth(Leaky):
    def write(self, Y):
        self.before.update(Y, True)
        self.before.update(Y, False)


class InAnAttribute(Leaky):
    kept = None

    def read(self, X):
        return self.kept

    def write(self, Y):
        self.kept = np.copy(Y)
        super().write(Y)


class OutlivesReset(Leaky):
    def __init__(self):
        super().__init__()
        self.sum = State(np.zeros(5))

    def read(self, X):
        before = super().read(X)
        return self.sum.data if before is None else before + self.sum.data

    def write(self, Y):
        super().write(Y)
        if self.training:
            self.sum.update(Y.sum(axis=0))


class AsAState(Leaky):
    def __init__(self):
        self.s, self.before = Param(np.ones(5)), State(np.zeros((4, 5)))

    def read(self, X):
        return self.before.data

    def write(self, Y):
        self.before.update(Y)


class KeepsADerivative(Leaky):
    def write(self, Y):
        if self.training:
            self.before.data = Y
        else:
            super().write(Y)


MISTAKES = {
    NeverMoves: ("before", "is carried, but never moves"),
    NeverSeen: ("before", "the next batch does not see it"),
    FirstRowForAll: ("before", "goes on in a batch of another size"),
    OfTrainingInEvaluation: ("before", "training and evaluation share it"),
    MovesTrainingInEvaluation: ("before", "evaluation changes it"),
    MovesBoth: ("before", "training and evaluation share it"),
    InAnAttribute: ("state", "if the next batch goes on with it, in a Carried"),
    OutlivesReset: ("before", "after reset() a batch still sees the one before"),
    AsAState: ("before", "evaluation changes it"),
    KeepsADerivative: ("before", "keeps a derivative"),
}


def test_without_a_mistake():
    report = check_layer(Leaky(), X)
    assert report.passed, report
    assert not report.impure


@pytest.mark.parametrize("cls", MISTAKES, ids=lambda cls: cls.__name__)
def test_the_mistake_is_caught_and_named(cls):
    array, message = MISTAKES[cls]
    report = check_layer(cls(), X)
    assert any(f.array == array and message in f.message for f in report.failures), report


def test_a_layer_in_use_is_checked_where_it_stands():
    """What it has carried so far is a constant of the check."""
    rng = np.random.default_rng(1)
    layer = Lstm(5, 3, stateful=True, rng=rng, dtype=np.float64)
    X = rng.standard_normal((2, 4, 5))
    layer.forward(X)
    before = layer.carried["c0"].data.copy()
    assert check_layer(layer, X).passed
    np.testing.assert_array_equal(layer.carried["c0"].data, before)
