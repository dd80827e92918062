"""Typical mistakes of learners, as layers: each must be caught, and the right array named."""

import typing

import numpy as np
import pytest

from lamina.layers import Affine, BatchNormalization, Dropout, Layer, Param, Relu, SoftmaxWithLoss
from lamina.layers.check import check_layer

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


class SquareByNaN(Square):
    def backward(self, dout):
        return dout * self.x * np.nan


class NoResult(Square):
    def forward(self, x):
        return super().forward(x) * np.nan


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


class CentredByFirstSize(Layer):
    """Divides by the rows of the first batch that it ever saw."""

    def forward(self, X):
        if not hasattr(self, "n"):
            self.n = len(X)
        return X - X.mean(axis=0)

    def backward(self, dout):
        return dout - dout.sum(axis=0) / self.n


class TanhInTheClass(Layer):
    """All objects of the class have one cache."""

    kept: typing.ClassVar[dict] = {}

    def forward(self, X):
        self.kept["Y"] = np.tanh(X)
        return np.tanh(X)

    def backward(self, dout):
        return dout * (1.0 - self.kept["Y"] ** 2)


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


class Scale(Layer):
    """A right layer with a parameter that starts at one, to be broken below."""

    def __init__(self):
        self.s = Param(np.ones(5))

    def forward(self, X):
        self.X = X
        return self.s.data * X

    def backward(self, dout):
        self.s.accumulate((dout * self.X).sum(axis=0))
        return self.s.data * dout


class ForgetsItsScale(Scale):
    def backward(self, dout):
        super().backward(dout)
        return dout


class UnwrapsDout(Scale):
    def backward(self, dout):
        return super().backward(np.asarray(dout))


class TracksInEvaluation(BatchNormalization):
    def forward(self, X):
        if not self.training:
            self._track(X.mean(axis=self.axes), X.var(axis=self.axes), len(X))
        return super().forward(X)

    axes = (0,)


class DropsInEvaluation(Dropout):
    def forward(self, X):
        self.training = True
        return super().forward(X)


class KeepsADual(BatchNormalization):
    def _track(self, mean, var, m):
        self.running_mean.data = 0.9 * self.running_mean.data + 0.1 * mean


class MovesItsParameter(Scale):
    def backward(self, dout):
        dX = super().backward(dout)
        self.s.data = self.s.data - 0.1
        return dX


class LossNeedsAnArray(SoftmaxWithLoss):
    def backward(self, dout=1.0):
        return super().backward(dout.astype(float))


class LossOfShapeOne(SoftmaxWithLoss):
    def forward(self, scores, targets):
        return super().forward(scores, targets).reshape(1)


class WrongOutputShape(Affine):
    def output_shape(self, input_shape):
        super().output_shape(input_shape)
        return input_shape


class TooManyGradients(Scale):
    def backward(self, dout):
        return super().backward(dout), dout


class HoldsAForeigner(Relu):
    class Inner:
        def forward(self, X):
            return X

        def backward(self, dout):
            return dout

    def __init__(self):
        self.inner = self.Inner()


class ListStyle(Layer):
    def __init__(self):
        self.params, self.grads = [np.ones((5, 3))], [None]

    def forward(self, X):
        self.X = X
        return X @ self.params[0]

    def backward(self, dout):
        self.grads[0] = self.X.T @ dout
        return dout @ self.params[0].T


class GlobalNoise(Layer):
    def forward(self, X):
        return X + np.random.standard_normal(X.shape)  # noqa: NPY002

    def backward(self, dout):
        return dout


class ForwardReturnsNothing(Relu):
    def forward(self, X):
        super().forward(X)


class GradOfNone(Scale):
    def backward(self, dout):
        self.s.grad += (dout * self.X).sum(axis=0)
        return self.s.data * dout


class ExpInFloat32(Layer):
    def forward(self, X):
        self.X = X.astype(np.float32)
        return np.exp(self.X)

    def backward(self, dout):
        return dout * np.exp(self.X)


class ExpKeptInFloat32(ExpInFloat32):
    def forward(self, X):
        self.X = X.astype(np.float32)
        return np.exp(X)


class SignInOneBranch(Layer):
    def forward(self, X):
        self.factor = np.where(X > 0, 1.0, 0.25).astype(X.dtype)
        return X * self.factor

    def backward(self, dout):
        return np.where(self.factor == 1.0, dout, -dout * self.factor)


class SumOverAll(Scale):
    def backward(self, dout):
        self.s.accumulate(np.sum(dout * self.X))
        return self.s.data * dout


class WritesIntoX(Layer):
    def forward(self, X):
        X *= 2.0
        return X

    def backward(self, dout):
        return 2.0 * dout


MISTAKES = {
    # mistake: (layer, inputs, array that must be named, words that must be there)
    "dx = dout * x": (SquareTimesX(), [X], "dx", "0.5 times"),
    "dout * x for another derivative": (IdentityTimesX(), [X], "dx", "local derivative is missing"),
    "kept in float32": (ExpKeptInFloat32(), [X], "dX", "something is computed in float32"),
    "forward in float32": (ExpInFloat32(), [X], "dX", "something is computed in float32"),
    "no mask": (ReluWithoutMask(), [X], "dX", "forgotten mask"),
    "= 1 for -= 1": (SoftmaxSetsOne(), [SCORES, TARGETS], "dscores", "p[rows, t] -= 1"),
    "divided by N twice": (
        SoftmaxDividesTwice(),
        [SCORES, TARGETS],
        "dscores",
        "divided by N once too often",
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
    "the size of the first batch": (CentredByFirstSize(), [X], "dX", "a stale cache"),
    "a cache of the class": (TanhInTheClass(), [X], "dX", "another layer of this class"),
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
    "a forgotten factor that starts at one": (ForgetsItsScale(), [X], "dX", "local derivative"),
    "np.asarray on dout": (UnwrapsDout(), [X], "backward", "does not run on duals"),
    "statistics move in evaluation": (
        TracksInEvaluation(5, dtype=np.float64),
        [X],
        "running_mean",
        "evaluation changes it",
    ),
    "random in evaluation": (
        DropsInEvaluation(0.5, rng=np.random.default_rng(0)),
        [X],
        "rng",
        "evaluation changes it",
    ),
    "a derivative kept in a state": (
        KeepsADual(5, dtype=np.float64),
        [X],
        "running_mean",
        "self.running_mean.update(value)",
    ),
    "backward moves a parameter": (MovesItsParameter(), [X], "s", "only an optimizer"),
    "a loss that needs an array": (
        LossNeedsAnArray(),
        [SCORES, TARGETS],
        "backward",
        "without dout raises",
    ),
    "a loss of shape (1,)": (LossOfShapeOne(), [SCORES, TARGETS], "forward", "a loss is a 0-d"),
    "a wrong output_shape": (affine(WrongOutputShape), [X], "output_shape", "forward gives (3,)"),
    "too many gradients": (TooManyGradients(), [X], "backward", "2 gradients for 1"),
    "an inner layer that is none": (HoldsAForeigner(), [X], "inner", "is no Layer"),
    "params and grads in lists": (ListStyle(), [X], "params.0", "never train"),
    "random numbers from nowhere": (GlobalNoise(), [X], "forward", "not repeatable"),
    "forward returns nothing": (ForwardReturnsNothing(), [X], "forward", "returns None"),
    "adds to grad itself": (GradOfNone(), [X], "backward", "use self.W.accumulate(dW)"),
    "a sign in one branch": (SignInOneBranch(), [X], "dX", "a sign in one branch"),
    "numbers that are none": (SquareByNaN(), [X], "dx", "20 of its 20 numbers are NaN or infinite"),
    "no result": (NoResult(), [X], "Y", "20 of 20 numbers are NaN at these inputs"),
    "a sum over everything": (SumOverAll(), [X], "s.grad", "a sum over too many axes"),
    "writes into X": (WritesIntoX(), [X], "X", "is written into"),
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
        (Scale(), [X]),
        (SoftmaxWithLoss(), [SCORES, np.eye(3)[TARGETS]]),
        (SoftmaxWithLoss(), [SCORES, np.eye(3, dtype=np.float32)[TARGETS]]),
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
    assert {f.array for f in report.failures} == {"W", "b"}
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


def test_an_error_is_shown_with_its_line():
    class Breaks(Relu):
        def backward(self, dout):
            return dout[:, 99]

    report = check_layer(Breaks(), X)
    assert "in test_mistakes.py, line" in str(report)
    assert "return dout[:, 99]" in str(report)


def test_a_large_array_is_diagnosed_by_a_sample():
    class Negative(Relu):
        def backward(self, dout):
            return -dout * self.mask

    report = check_layer(Negative(), np.random.default_rng(5).standard_normal((40, 40)))
    assert "of 400 entries probed, of 1600, are wrong" in str(report)
    assert "likely: a sign" in str(report)


def test_a_layer_with_a_limited_domain_passes():
    class Log(Layer):
        def forward(self, X):
            if (X <= 0).any():
                raise ValueError("X must be positive")
            self.X = X
            return np.log(X)

        def backward(self, dout):
            return dout / self.X

    assert check_layer(Log(), np.random.default_rng(5).uniform(0.5, 2.0, (4, 5))).passed


def test_gates_with_integer_and_floating_inputs_pass():
    class Pick(Layer):
        def forward(self, rows, X):
            self.rows, self.n = rows, len(X)
            return X[rows]

        def backward(self, dout):
            dX = np.zeros((self.n, dout.shape[1]), dout.dtype, like=dout)
            np.add.at(dX, self.rows, dout)
            return None, dX

    report = check_layer(Pick(), np.array([0, 2, 2, 1]), X)
    assert report.passed, report


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


def test_a_layer_without_a_result_is_told_that_alone():
    """Not that something is written into, not repeatable or not saved: NaN stays NaN."""
    report = check_layer(NoResult(), X)
    assert {failure.array for failure in report.failures} == {"Y"}, report
