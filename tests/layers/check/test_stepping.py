"""Mistakes in going step by step: each must be caught, and named."""

import numpy as np
import pytest

from lamina.layers import Carried, Layer, Lstm, MultiHeadAttention, Relu, Rnn
from lamina.layers.check import check_class, check_layer

X = np.random.default_rng(0).standard_normal((2, 4, 3))


class Running(Layer):
    """Y[t] = X[t] + half of Y[t - 1]."""

    def forward(self, X):
        rows, Y = np.zeros_like(X[:, 0]), []
        for t in range(X.shape[1]):
            rows = X[:, t] + 0.5 * rows
            Y.append(rows)
        return np.stack(Y, axis=1)

    def step(self, x, state=None):
        before = 0.0 if state is None else state
        Y = Running.forward(self, np.concatenate([x[:, :1] + 0.5 * before, x[:, 1:]], axis=1))
        return Y, Y[:, -1:]

    def backward(self, dout):
        return Running.forward(self, dout[:, ::-1])[:, ::-1]

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((2, 4, 3))


class Summed(Running):
    """The last position alone, of a sum over all."""

    def forward(self, X):
        self.shape = X.shape
        return X.sum(axis=1)

    def step(self, x, state=None):
        total = x.sum(axis=1) if state is None else state + x.sum(axis=1)
        return total, total

    def backward(self, dout):
        return np.repeat(dout[:, np.newaxis], self.shape[1], axis=1)


class SaysByPosition(Running):
    by_position = True
    step = Layer.step


class OfTheAxisOfFeatures(Relu):
    """Right on rows, (N, n), and wrong on sequences of them."""

    def forward(self, X):
        return super().forward(X) / (1 + X.shape[1] * (X.ndim > 2))

    def backward(self, dout):
        return super().backward(dout) / (1 + dout.shape[1] * (dout.ndim > 2))


class Forgets(Running):
    def step(self, x, state=None):
        return self.forward(x), None


class OfTheFirst(Running):
    """Right for one position at a time, wrong behind a longer beginning."""

    def step(self, x, state=None):
        Y, _ = super().step(x, state)
        return Y, Y[:, :1]


class WritesIntoTheState(Running):
    def step(self, x, state=None):
        state = np.zeros_like(x[:, :1]) if state is None else state
        Y, after = super().step(x, state)
        state += 1.0
        return Y, after.copy()


class OnSelf(Running):
    last = None

    def step(self, x, state=None):
        Y, self.last = super().step(x, self.last)
        return Y, None


class MovesWhatIsCarried(Running):
    def __init__(self):
        self.rows = Carried(3)

    def forward(self, X):
        before = self.rows.of(len(X), self.training)
        start = np.zeros_like(X[:, 0]) if before is None else before
        first = X[:, :1] + 0.5 * start[:, np.newaxis]
        Y = super().forward(np.concatenate([first, X[:, 1:]], axis=1))
        self.rows.update(Y[:, -1], self.training)
        return Y

    def step(self, x, state=None):
        Y, after = super().step(x, state)
        self.rows.update(Y[:, -1], self.training)
        return Y, after


class LosesAnAxis(Running):
    def step(self, x, state=None):
        Y, after = super().step(x, state)
        return Y[:, -1], after


class Cannot(Running):
    def step(self, x, state=None):
        raise ValueError("not yet")


class SeesTheFuture(Running):
    """Of all positions there are, so that none that comes can be known by itself."""

    def forward(self, X):
        return super().forward(X) + X.mean(axis=1, keepdims=True)

    def backward(self, dout):
        return super().backward(dout) + dout.mean(axis=1, keepdims=True)


MISTAKES = {
    SaysByPosition: "by_position = True is for layers that compute each position from itself alone",
    OfTheAxisOfFeatures: "by_position = True is for",
    Forgets: "at position 1 from the whole forward",
    OfTheFirst: "at position 3 from the whole forward",
    WritesIntoTheState: "gives something else when it is taken again from the same state",
    OnSelf: "gives something else when it is taken again",
    MovesWhatIsCarried: "moves what the layer holds",
    LosesAnAxis: r"gives [(2, 3)] for position 0, and the whole forward [(2, 1, 3)]",
    Cannot: "raises ValueError, though can_step is True: not yet",
    SeesTheFuture: "is off by up to",
}


@pytest.mark.parametrize("cls", [Running, Summed])
def test_without_a_mistake(cls):
    report = check_layer(cls(), X)
    assert report.passed, report
    assert report.stepped


@pytest.mark.parametrize("cls", MISTAKES, ids=lambda cls: cls.__name__)
def test_the_mistake_is_caught_and_named(cls):
    report = check_layer(cls(), X)
    assert {f.array for f in report.failures} == {"step"}, report
    assert any(MISTAKES[cls] in f.message for f in report.failures), report


def test_rows_become_sequences_where_a_layer_says_by_position():
    assert check_layer(Relu(), X[:, 0]).stepped
    assert not check_layer(OfTheAxisOfFeatures(), X[:, 0]).passed


def test_an_example_that_cannot_be_stepped_through_is_said():
    class OfRows(Running):
        @classmethod
        def examples(cls, rng):
            yield cls(), rng.standard_normal((2, 1, 3))

    assert "is not compared with forward: no example has sequences" in str(check_class(OfRows))
    assert "is not compared" not in str(check_class(Running))


def broken(cls, change):
    """A layer of the project with another step."""

    def step(self, x, *given_and_state):
        return change(*cls.step(self, x, *given_and_state))

    return type(cls.__name__, (cls,), {"step": step})


@pytest.mark.parametrize(
    ("cls", "change"),
    [
        (Rnn, lambda y, state: (y, (0.5 * state[0],))),
        (Lstm, lambda y, state: (y, state[::-1])),
        (MultiHeadAttention, lambda y, state: (y, (state[0], state[1][:, :, ::-1], *state[2:]))),
    ],
    ids=["Rnn", "Lstm", "MultiHeadAttention"],
)
def test_a_wrong_state_of_a_layer_of_the_project(cls, change):
    report = check_class(broken(cls, change))
    assert any(f.array == "step" for f in report.failures), report
