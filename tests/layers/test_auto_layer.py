"""Layers whose backward comes from reverse mode: as good as those written by hand."""

import copy

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable
from lamina.layers import Affine, AutoLayer, Loss, Multiplication, Param, Relu, SoftmaxWithLoss
from lamina.layers.check import check_class
from lamina.layers.check.listing import all_layers
from lamina.nets import Sequential
from lamina.optimizers import SGD


class Mish(AutoLayer):
    def function(self, X):
        return X * np.tanh(np.logaddexp(X, 0.0))

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))


class AutoAffine(AutoLayer):
    def __init__(self, W, b):
        self.W, self.b = Param(W), Param(b)

    def function(self, X):
        return X @ self.W.data + self.b.data

    @classmethod
    def examples(cls, rng):
        yield cls(rng.standard_normal((5, 3)), rng.standard_normal(3)), rng.standard_normal((4, 5))


class Wrapped(AutoLayer):
    """Inner layers, called forward inside function, give their parameters a gradient too."""

    def __init__(self, rng):
        self.inner = [Affine(5, 5, rng=rng, dtype=np.float64), Relu()]

    def function(self, X):
        affine, relu = self.inner
        return X + relu.forward(affine.forward(X))

    @classmethod
    def examples(cls, rng):
        yield cls(rng), rng.standard_normal((4, 5))


class LogLoss(AutoLayer, Loss):
    def function(self, scores, targets):
        t = self.class_indices(scores, targets)
        s = scores - scores.max(axis=1, keepdims=True)
        picked = s[np.arange(len(t)), t]
        return (np.log(np.exp(s).sum(axis=1)) - picked).sum() * self.scale(len(t))

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5)), rng.integers(0, 5, 4)
        yield cls("sum"), rng.standard_normal((4, 5)), rng.integers(0, 5, 4)


class SumAndProduct(AutoLayer):
    def function(self, x, y):
        return x + y, x * y

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5)), rng.standard_normal((4, 5))


class Noise(AutoLayer):
    """Random numbers from a generator that the layer holds, in training only."""

    def __init__(self, rng):
        self.rng = rng

    def function(self, X):
        factor = self.rng.random(X.shape).astype(X.dtype) if self.training else 0.5
        return X * X * factor

    @classmethod
    def examples(cls, rng):
        yield cls(np.random.default_rng(1)), rng.standard_normal((4, 5))


@pytest.mark.parametrize("cls", [Mish, AutoAffine, Wrapped, LogLoss, SumAndProduct, Noise])
def test_it_keeps_the_contract(cls):
    report = check_class(cls)
    assert report.passed, report


def test_the_arguments_are_called_as_in_function():
    assert check_class(Mish).proved == {"dX"}
    assert check_class(SumAndProduct).proved == {"dx", "dy"}


def net_of(affine, loss, rng):
    second = Affine(6, 3, rng=rng, dtype=np.float64)
    return Sequential({"first": affine, "relu": Relu(), "second": second}, loss=loss)


def test_a_net_trains_with_it_as_with_layers_written_by_hand():
    data = np.random.default_rng(5)
    X, t = data.standard_normal((20, 4)), data.integers(0, 3, 20)
    W, b = data.standard_normal((4, 6)), np.zeros(6)
    nets = [
        net_of(AutoAffine(W.copy(), b.copy()), LogLoss(), np.random.default_rng(0)),
        net_of(Affine.from_arrays(W.copy(), b.copy()), SoftmaxWithLoss(), np.random.default_rng(0)),
    ]
    for net in nets:
        optimizer = SGD(net.parameters(), lr=0.5)
        for _ in range(50):
            net.gradient(X, t)
            optimizer.step()
    ours, theirs = nets
    assert ours.loss(X, t) < 0.5
    np.testing.assert_allclose(ours.loss(X, t), theirs.loss(X, t), rtol=1e-10)
    for name, param in ours.parameters().items():
        np.testing.assert_allclose(
            param.data, theirs.parameters()[name].data, rtol=1e-8, atol=1e-10
        )


def test_frozen_parameters_get_no_gradient():
    layer = AutoAffine(np.ones((2, 2)), np.zeros(2))
    layer.W.trainable = False
    layer.backward(layer.forward(np.ones((1, 2))))
    assert layer.W.grad is None
    assert layer.b.grad is not None


def test_float32_stays_and_integer_inputs_are_data():
    class Rows(AutoLayer):
        def __init__(self):
            self.W = Param(np.ones((3, 2), np.float32))

        def function(self, X):
            return self.W.data[X]

    layer = Rows()
    Y = layer.forward(np.array([0, 2, 2]))
    layer.backward(np.ones_like(Y))
    assert layer.W.grad.dtype == np.float32
    assert layer.W.grad.tolist() == [[1, 1], [0, 0], [2, 2]]


def test_parameters_are_arrays_again_after_a_forward_that_raises():
    class Broken(AutoAffine):
        def function(self, X):
            super().function(X)
            raise ValueError("broken")

    layer = Broken(np.ones((2, 2)), np.zeros(2))
    with pytest.raises(ValueError, match="broken"):
        layer.forward(np.ones((1, 2)))
    assert type(layer.W.data) is np.ndarray


def test_a_function_that_writes_is_refused_with_a_way_out():
    class Writes(AutoLayer):
        def function(self, X):
            Y = X * 1.0
            Y[0] = 0.0
            return Y

    with pytest.raises(NotDifferentiable, match=r"written into; reverse mode .* np\.where"):
        Writes().forward(np.ones(3))


def test_a_layer_without_function_says_so():
    with pytest.raises(NotImplementedError, match=r"Empty has no function\(self, X\)"):
        type("Empty", (AutoLayer,), {})().forward(np.ones(3))


def test_backward_before_forward_says_so():
    with pytest.raises(RuntimeError, match="Mish: backward needs a forward call before it"):
        Mish().backward(np.ones(3))


def test_a_used_layer_can_be_copied_at_any_depth():
    class Deep(AutoLayer):
        def function(self, X):
            for _ in range(5_000):
                X = np.sin(X)
            return X

    layer = Deep()
    layer.forward(np.ones(2))
    twin = copy.deepcopy(layer)
    np.testing.assert_array_equal(twin.backward(np.ones(2)), layer.backward(np.ones(2)))


def test_bases_are_no_layers_of_their_own():
    assert AutoLayer not in all_layers()
    assert Multiplication in all_layers()


def test_indices_have_no_gradient():
    class AutoEmbedding(AutoLayer):
        def __init__(self):
            self.W = Param(np.ones((4, 2)))

        def function(self, indices):
            return self.W.data[indices]

    net = Sequential({"embedding": AutoEmbedding()}, loss=SoftmaxWithLoss())
    net.loss(np.array([1, 3, 1]), np.array([0, 1, 1]))
    assert net.backward() is None
    expected = np.array([[0, 0], [0, 0], [0, 0], [0.5, -0.5]]) / 3
    np.testing.assert_allclose(net.parameters()["embedding.W"].grad, expected)
