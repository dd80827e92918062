"""Typical mistakes of learners, as layers: each must be caught, and the right array named."""

import numpy as np
import pytest

from layers import Affine, BatchNormalization, Dropout, Layer, Param, Relu, SoftmaxWithLoss
from layers.check import check_layer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((4, 5))
SCORES, TARGETS = RNG.standard_normal((4, 3)), np.array([0, 2, 1, 1])


def affine(cls, n_in=5, n_out=3):
    return cls(n_in, n_out, rng=np.random.default_rng(1), dtype=np.float64)


class Square(Layer):
    def forward(self, x):
        self.x = x
        return x * x

    def backward(self, dout):
        return dout * 2 * self.x


class SquareTimesX(Square):  # dx = dout * x
    def backward(self, dout):
        return dout * self.x


class IdentityTimesX(Layer):
    def forward(self, x):
        self.x = x
        return np.tanh(x)

    def backward(self, dout):
        return dout * self.x


class ReluWithoutMask(Relu):
    def backward(self, dout):
        return dout


class SoftmaxSetsOne(SoftmaxWithLoss):  # as in the code of note 004
    def backward(self, dout=1.0):
        da = self.p.copy()
        da[np.arange(len(self.t)), self.t] = 1
        return da / len(self.t) * dout


class SoftmaxDividesTwice(SoftmaxWithLoss):
    def backward(self, dout=1.0):
        return super().backward(dout) / len(self.t)


class AffineBiasNotSummed(Affine):  # db = dout
    def backward(self, dout):
        self.W.accumulate(self.X.T @ dout)
        self.b.accumulate(dout)
        return dout @ self.W.data.T


class ReluWritesIntoDout(Relu):  # as in the book
    def backward(self, dout):
        dout[~self.mask] = 0
        return dout


class TanhKeepsInput(Layer):
    def forward(self, X):
        self.Y = X
        return np.tanh(X)

    def backward(self, dout):
        return dout * (1 - self.Y * self.Y)


class AffineSwapsTransposes(Affine):
    def backward(self, dout):
        self.W.accumulate(dout.T @ self.X)
        self.b.accumulate(dout.sum(axis=0))
        return dout @ self.W.data.T


class SquareAffineSwapsTransposes(Affine):
    """With as many inputs as outputs all shapes fit, and only the numbers tell."""

    def backward(self, dout):
        self.W.accumulate(dout.T @ self.X)
        self.b.accumulate(dout.sum(axis=0))
        return dout @ self.W.data


class AffineStaleCache(Affine):
    def forward(self, X):
        if not hasattr(self, "X"):
            self.X = X
        return X @ self.W.data + self.b.data


class TanhInFloat64(Layer):
    def forward(self, X):
        self.Y = np.tanh(X)
        return self.Y

    def backward(self, dout):
        return dout * (np.ones(1) - self.Y * self.Y)


class AffineInFloat64(Affine):
    def backward(self, dout):
        self.W.accumulate(self.X.T @ dout)
        self.b.accumulate(dout.sum(axis=0) * np.ones(1))
        return dout @ self.W.data.T


class TanhSign(TanhInFloat64):
    def backward(self, dout):
        return dout * (self.Y * self.Y - 1.0)


class AffineForgetsBias(Affine):
    def backward(self, dout):
        self.W.accumulate(self.X.T @ dout)
        return dout @ self.W.data.T


class AffineReturnsNothing(Affine):
    def backward(self, dout):
        super().backward(dout)


class AffineWritesGrad(Affine):
    def backward(self, dout):
        if self.W.grad is None:
            return super().backward(dout)
        self.W.grad += self.X.T @ dout
        self.b.grad += dout.sum(axis=0)
        return dout @ self.W.data.T


class ReluHidesNan(Relu):
    def forward(self, X):
        self.mask = X > 0
        return np.where(X > 0, X, 0.0)


class PlainRunningMean(BatchNormalization):
    def _track(self, mean, var, m):
        super()._track(mean, var, m)
        self.mean_seen = mean + getattr(self, "mean_seen", 0.0)

    def forward(self, X):
        Y = super().forward(X)
        return Y if self.training else Y + self.mean_seen if hasattr(self, "mean_seen") else Y


class DropsTangents(Relu):
    def forward(self, X):
        return super().forward(np.asarray(X))


class UsesItsCacheUp(Dropout):
    def backward(self, dout):
        mask, self.mask = self.mask, None
        return dout if mask is None else dout * mask


MISTAKES = {
    # mistake: (layer, inputs, array that must be named, words that must be there)
    "dx = dout * x": (SquareTimesX(), [X], "dx", "0.5 times"),
    "dout * x for another derivative": (IdentityTimesX(), [X], "dx", "local derivative is missing"),
    "no mask": (ReluWithoutMask(), [X], "dX", "forgotten mask"),
    "= 1 for -= 1": (SoftmaxSetsOne(), [SCORES, TARGETS], "dscores", "p[rows, t] -= 1"),
    "divided by N twice": (
        SoftmaxDividesTwice(),
        [SCORES, TARGETS],
        "dscores",
        "divided by N twice",
    ),
    "db = dout": (affine(AffineBiasNotSummed), [X], "b.grad", "missing sum over the batch"),
    "writes into dout": (ReluWritesIntoDout(), [X], "dout", "is written into"),
    "keeps the wrong array": (TanhKeepsInput(), [X], "dX", "self.Y: keep the output there"),
    "swapped transposes": (affine(AffineSwapsTransposes), [X], "W.grad", "transposed"),
    "swapped transposes, square": (
        affine(SquareAffineSwapsTransposes, 5, 5),
        [X],
        "W.grad",
        "transposed",
    ),
    "a stale cache": (affine(AffineStaleCache), [X], "W.grad", "self.X anew"),
    "float64 in dX": (TanhInFloat64(), [X], "dX", "float64"),
    "float64 in a parameter's gradient": (affine(AffineInFloat64), [X], "b.grad", "float64"),
    "a flipped sign": (TanhSign(), [X], "dX", "a sign"),
    "a parameter forgotten": (affine(AffineForgetsBias), [X], "b.grad", "never calls self.b.acc"),
    "dX not returned": (affine(AffineReturnsNothing), [X], "dX", "return dX"),
    "writes into grad": (affine(AffineWritesGrad), [X], "W.grad", "earlier gradient is written"),
    "hides NaN": (ReluHidesNan(), [X], "Y", "NaN in X disappears"),
    "a plain attribute for a state": (
        PlainRunningMean(5, dtype=np.float64),
        [X],
        "state",
        "keep it in a State",
    ),
    "np.asarray on the data": (DropsTangents(), [X], "forward", "does not run on duals"),
    "backward uses its cache up": (
        UsesItsCacheUp(0.5, rng=np.random.default_rng(0)),
        [X],
        "dX",
        "second time",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_typical_mistake_is_caught_and_the_right_array_named(name):
    layer, inputs, array, words = MISTAKES[name]
    report = check_layer(layer, *inputs)
    assert not report.passed
    assert array in {f.array for f in report.failures}, report
    told = "\n".join(f.message for f in report.failures if f.array == array)
    assert words in told, report


def test_the_same_layers_without_the_mistake_pass():
    for layer, inputs in [
        (Square(), [X]),
        (Relu(), [X]),
        (affine(Affine), [X]),
        (SoftmaxWithLoss(), [SCORES, TARGETS]),
        (BatchNormalization(5, dtype=np.float64), [X]),
    ]:
        report = check_layer(layer, *inputs)
        assert report.passed, report


def test_only_the_wrong_array_is_named():
    report = check_layer(affine(AffineStaleCache), X)
    assert {f.array for f in report.failures} == {"W.grad"}


class BookAffine(Layer):
    """As in the book: arrays, and gradients that only the net's author knows of."""

    def __init__(self, W, b):
        self.W, self.b = W, b
        self.dW = self.db = self.X = self.dX = None

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.X.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T


def test_a_layer_in_the_books_style_is_told_that_it_will_never_train():
    report = check_layer(BookAffine(np.ones((5, 3)), np.zeros(3)), X)
    assert not report.passed
    assert [f.array for f in report.failures] == ["W", "b"]
    assert "never train" in str(report)
    assert "self.W = Param(W)" in str(report)


def test_an_array_that_is_no_param_gets_a_hint_even_without_dW():
    class Scale(Layer):
        def __init__(self):
            self.factors = np.array([1.0, 2.0, 3.0, 4.0, 5.0])

        def forward(self, X):
            return X * self.factors

        def backward(self, dout):
            return dout * self.factors

    report = check_layer(Scale(), X)
    assert report.passed  # a constant is allowed
    assert "self.factors = Param(factors)" in str(report)


def test_the_same_layer_with_params_passes():
    class Mended(BookAffine):
        def __init__(self, W, b):
            self.W, self.b = Param(W), Param(b)

        def forward(self, X):
            self.X = X
            return X @ self.W.data + self.b.data

        def backward(self, dout):
            self.W.accumulate(self.X.T @ dout)
            self.b.accumulate(dout.sum(axis=0))
            return dout @ self.W.data.T

    assert check_layer(Mended(np.ones((5, 3)), np.zeros(3)), X).passed
