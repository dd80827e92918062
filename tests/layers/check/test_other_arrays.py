"""Layers on arrays of another library: those of the project work, planted mistakes are told."""

import numpy as np
import pytest

from lamina.layers import Layer, Param
from lamina.layers.beside import beside
from lamina.layers.check.case import Case
from lamina.layers.check.listing import all_layers
from lamina.layers.check.other_arrays import takes_other_arrays
from lamina.layers.check.report import NOTE, Report
from lamina.layers.check.strict_array import StrictArray

X = np.random.default_rng(0).standard_normal((4, 3))


def said(layer, *inputs) -> list[str]:
    report = Report("layer")
    for training in (True, False):
        case = Case(layer, inputs, training, "here")
        takes_other_arrays(case, report, np.random.default_rng(0))
    assert all(finding.kind == NOTE for finding in report.findings)
    return [finding.message for finding in report.findings]


@pytest.mark.parametrize("cls", all_layers(), ids=lambda cls: cls.__name__)
def test_every_layer_of_the_project_takes_them(cls):
    for layer, *inputs in cls.examples(np.random.default_rng(0)):
        assert said(layer, *inputs) == []


class Scale(Layer):
    """Right; the mistakes below change one method each."""

    def __init__(self):
        self.s = Param(np.ones(3))

    def forward(self, X):
        self.X = X
        return self.s.data * X * beside(X, np.arange(3.0))

    def backward(self, dout):
        dout = dout * beside(dout, np.arange(3.0))
        self.s.accumulate((dout * self.X).sum(axis=0))
        dX = np.zeros(dout.shape, dout.dtype, like=dout)
        dX[...] = self.s.data * dout
        return dX


class Converts(Scale):
    def forward(self, X):
        return super().forward(np.asarray(X))


class Constant(Scale):
    def forward(self, X):
        return super().forward(X) * np.arange(3.0)


class Buffer(Scale):
    def backward(self, dout):
        dX = np.zeros(dout.shape, dout.dtype)
        dX += super().backward(dout)
        return dX


class PlainOutput(Scale):
    def forward(self, X):
        super().forward(X)
        return np.ones(X.shape)


class PlainGradient(Scale):
    def backward(self, dout):
        super().backward(dout)
        return np.ones(dout.shape)


class PlainParam(Scale):
    def backward(self, dout):
        self.s.grad = np.ones(3)
        return dout


class Declared(Constant):
    numpy_only = "its constants come from elsewhere"


def test_a_layer_that_keeps_to_the_rules_is_not_mentioned():
    assert said(Scale(), X) == []


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Converts, "would make it a plain array"),
        (Constant, "a plain array (3,) float64 stands beside it (line"),
        (Buffer, "stands beside it"),
        (PlainOutput, "forward returns a plain array (4, 3)"),
        (PlainGradient, "backward returns a plain array (4, 3)"),
        (PlainParam, "s.grad is a plain array (3,)"),
        (Declared, "works on NumPy's own arrays alone: its constants come from elsewhere"),
    ],
)
def test_planted_mistakes_are_told(cls, message):
    told = said(cls(), X)
    assert len(told) == 2
    assert all(message in one for one in told), told
    assert cls is Declared or "make buffers like= the data" in told[0]


def test_the_strict_array_computes_as_the_plain_one():
    a = StrictArray(X)
    np.testing.assert_array_equal((np.exp(a) @ a.T + 1.0).array, np.exp(X) @ X.T + 1.0)
    np.testing.assert_array_equal(
        np.concatenate([a, a])[1:, 0].array, np.concatenate([X, X])[1:, 0]
    )
    with pytest.raises(TypeError, match="stands beside it"):
        X + a
    with pytest.raises(TypeError, match="stands beside it"):
        np.concatenate([a, X])
    assert beside(X, X) is X
