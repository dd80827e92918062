"""net.hvp and net.jvp: products with the Hessian and the Jacobian of whole nets."""

import copy
from pathlib import Path

import numpy as np
import pytest
from made_batches import made_batch, narrowed

from lamina.autodiff import NotDifferentiable
from lamina.experiment.build import build_dataset, build_net
from lamina.experiment.config import load_config
from lamina.layers import Affine, BatchNormalization, Dropout, Relu, Sigmoid, SoftmaxWithLoss
from lamina.nets import Sequential, TwoLayerNet

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
BATCH, H = 4, 1e-6


def in_float64(net):
    for param in net.parameters().values():
        param.data = param.data.astype(np.float64)
    for _, held in net.walk():
        if type(held).__name__ == "State":
            held.data = held.data.astype(np.float64)
    return net


def gradient_at(net, values, X, t):
    """By a copy of the net: the same dropout masks and running statistics each time."""
    net = copy.deepcopy(net)
    for name, param in net.parameters().items():
        param.data = values[name]
    return Sequential.gradient(net, X, t)


def differences(net, X, t, v, h=H):
    at = {name: param.data for name, param in net.parameters().items()}
    ahead, behind = (
        gradient_at(net, at | {n: at[n] + step * v[n] for n in v}, X, t) for step in (h, -h)
    )
    return {name: (ahead[name] - behind[name]) / (2 * h) for name in v}


def direction(net, rng):
    """A random direction of length 1, so that a step along it seldom crosses a kink."""
    learned = {n: p for n, p in net.parameters().items() if p.trainable}
    v = {n: rng.standard_normal(p.data.shape) for n, p in learned.items()}
    length = np.sqrt(sum(np.sum(a * a) for a in v.values()))
    return {name: a / length for name, a in v.items()}


def farthest(one, other):
    """The largest difference of two gradients, relative to their size."""
    size = max(np.abs(a).max() for a in other.values())
    return max(np.abs(one[n] - other[n]).max() for n in other) / size


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_hvp_agrees_with_differences_for_every_net_in_configs(path):
    config = narrowed(load_config(path))
    config.data["net"].pop("weights", None)  # those of another run, which need not be there
    dataset = build_dataset(config)
    net = in_float64(build_net(config, dataset, np.random.default_rng(0)))
    for attempt in range(10):
        rng = np.random.default_rng([attempt, 4])
        X, t = made_batch(dataset, BATCH, rng)
        v = direction(net, rng)
        rough = differences(net, X, t, v)
        if farthest(differences(net, X, t, v, 2 * H), rough) < 1e-5:
            break  # else a kink lies between, and differences mean nothing
    else:
        pytest.fail("a kink at every attempt")
    assert max(np.abs(a).max() for a in rough.values()) > 1e-4
    assert farthest(copy.deepcopy(net).hvp(X, t, v), rough) < 1e-6


def small_net(rng=0, **more):
    rng = np.random.default_rng(rng)
    chain = {
        "affine1": Affine(4, 6, rng=rng, dtype=np.float64),
        "sigmoid": Sigmoid(),
        **more,
        "affine2": Affine(6, 3, rng=rng, dtype=np.float64),
    }
    return Sequential(chain, loss=SoftmaxWithLoss())


def batch(seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((5, 4)), rng.integers(0, 3, 5)


def test_hvp_leaves_parameters_and_gradients_as_they_were():
    net, (X, t) = small_net(), batch()
    net.gradient(X, t)
    before = {n: (p.data, p.grad, p.data.copy()) for n, p in net.parameters().items()}
    net.hvp(X, t, direction(net, np.random.default_rng(0)))
    for name, param in net.parameters().items():
        data, grad, copied = before[name]
        assert param.data is data
        assert param.grad is grad
        np.testing.assert_array_equal(data, copied)
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call"):
        net.backward()


def test_parameters_come_back_even_if_the_net_raises():
    net, (X, t) = small_net(), batch()
    with pytest.raises(ValueError, match="expects"):
        net.hvp(X[:, :2], t, direction(net, np.random.default_rng(0)))
    assert all(type(param.data) is np.ndarray for param in net.parameters().values())


def test_frozen_parameters_have_no_part_in_it():
    net, (X, t) = small_net(), batch()
    net.layers["affine1"].W.trainable = False
    v = direction(net, np.random.default_rng(0))
    assert "affine1.W" not in v
    assert sorted(net.hvp(X, t, v)) == sorted(v)
    with pytest.raises(ValueError, match=r"unknown: affine1\.W"):
        net.hvp(X, t, v | {"affine1.W": np.ones((4, 6))})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v.pop("affine1.b"), r"missing: affine1\.b"),
        (lambda v: v.update(nothing=np.ones(2)), "unknown: nothing"),
        (lambda v: v.update({"affine2.b": np.ones(2)}), r"expects \(3,\) float64, got \(2,\)"),
        (lambda v: v.update({"affine2.b": np.ones(3, np.float32)}), "got .* float32"),
    ],
)
def test_a_direction_that_does_not_fit_is_refused(change, words):
    net, (X, t) = small_net(), batch()
    v = direction(net, np.random.default_rng(0))
    change(v)
    with pytest.raises(ValueError, match=f"hvp: the direction does not fit the net: .*{words}"):
        net.hvp(X, t, v)


def test_jvp_moves_the_input():
    net, (X, _) = small_net(relu=Relu()), batch()
    v = np.random.default_rng(3).standard_normal(X.shape)
    scores, moved = net.jvp(X, v)
    np.testing.assert_array_equal(scores, net.forward(X))
    rough = (net.forward(X + H * v) - net.forward(X - H * v)) / (2 * H)
    np.testing.assert_allclose(moved, rough, rtol=1e-6, atol=1e-9)


def test_jvp_is_the_transpose_of_backward():
    net, (X, _) = small_net(norm=BatchNormalization(6, dtype=np.float64)), batch()
    rng = np.random.default_rng(3)
    v, u = rng.standard_normal(X.shape), rng.standard_normal((5, 3))
    _, moved = net.jvp(X, v)
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call"):
        net.backward(u)
    net.forward(X)
    assert np.sum(moved * u) == pytest.approx(np.sum(v * net.backward(u)), rel=1e-12)


def test_nets_in_nets_and_the_net_of_note_004_have_them_too():
    inner = Sequential(
        {"affine": Affine(6, 6, rng=0, dtype=np.float64), "drop": Dropout(0.3, rng=1)}
    )
    X, t = batch()
    net = small_net(inner=inner)
    v = direction(net, np.random.default_rng(0))
    rough = differences(net, X, t, v)
    assert farthest(copy.deepcopy(net).hvp(X, t, v), rough) < 1e-6
    two = in_float64(TwoLayerNet(4, 6, 3, weight_init_std=0.5, rng=0))
    v = direction(two, np.random.default_rng(0))
    assert farthest(two.hvp(X, t, v), differences(two, X, t, v)) < 1e-6


def test_what_a_layer_keeps_from_one_hvp_to_the_next_is_refused():
    """As by jvp: it would count as a constant, and a part of the product would be missing."""
    kept = {}

    class Caching(Affine):
        def forward(self, X):
            kept.setdefault("W", self.W.data * 1.0)
            self.X = X
            return X @ kept["W"] + self.b.data

    rng = np.random.default_rng(0)
    layers = {"affine": Caching(3, 2, rng=rng, dtype=np.float64)}
    net = Sequential(layers, loss=SoftmaxWithLoss())
    X, t, v = rng.standard_normal((4, 3)), rng.integers(0, 2, 4), direction(net, rng)
    net.hvp(X, t, v)
    with pytest.raises(NotDifferentiable, match="of a differentiation that has ended"):
        net.hvp(X, t, v)


def test_a_failed_hvp_ends_its_level_too():
    kept = []

    class Failing(Relu):
        def forward(self, X):
            kept.append(X)
            raise KeyError

    rng = np.random.default_rng(0)
    layers = {"affine": Affine(3, 2, rng=rng, dtype=np.float64), "relu": Failing()}
    net = Sequential(layers, loss=SoftmaxWithLoss())
    with pytest.raises(KeyError):
        net.hvp(rng.standard_normal((4, 3)), rng.integers(0, 2, 4), direction(net, rng))
    with pytest.raises(NotDifferentiable, match="of a differentiation that has ended"):
        kept[0] * 1.0
