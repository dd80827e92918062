"""A frozen layer stays as it is: nothing that a net has learned moves, running averages neither."""

import copy
from collections import OrderedDict

import numpy as np
import pytest

from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import ConfigError
from lamina.experiment.run import resume, run
from lamina.layers import (
    Affine,
    BatchNormalization,
    Dropout,
    Layer,
    Param,
    Relu,
    SoftmaxWithLoss,
    State,
)
from lamina.layers.check import check_class, check_layer
from lamina.nets import Graph, Sequential, load_net
from lamina.optimizers import SGD

X = np.random.default_rng(0).normal(3.0, 2.0, (6, 4)).astype(np.float32)
T = np.array([0, 1, 2, 0, 1, 2])


def freeze(layer, trainable=False):
    for param in layer.parameters().values():
        param.trainable = trainable
    return layer


def body():
    layers = {"affine": Affine(4, 5, rng=0), "norm": BatchNormalization(5), "relu": Relu()}
    return Sequential(OrderedDict(layers))


def chain(frozen):
    net = Sequential({"body": body(), "out": Affine(5, 3, rng=1)}, SoftmaxWithLoss())
    frozen(net)
    return net


def graph(frozen):
    net = Graph({"body": body(), "out": Affine(5, 3, rng=1)}, losses=SoftmaxWithLoss())
    frozen(net)
    return net


def states(net):
    return {name: held.data.copy() for name, held in net.walk() if isinstance(held, State)}


def trained(net, steps=3):
    optimizer = SGD(net.parameters(), lr=0.1)
    for _ in range(steps):
        net.gradient(X, T)
        optimizer.step()
    return net


@pytest.mark.parametrize("kind", [chain, graph])
@pytest.mark.parametrize(
    "frozen",
    [
        lambda net: freeze(net.layers["body"].layers["norm"]),
        lambda net: freeze(net.layers["body"]),
        lambda net: freeze(net),
    ],
    ids=["layer", "net inside", "whole net"],
)
def test_running_averages_of_what_is_frozen_stay(kind, frozen):
    net = kind(frozen)
    before, norm = states(net), net.layers["body"].layers["norm"].state()
    trained(net)
    for name, array in states(net).items():
        np.testing.assert_array_equal(array, before[name])
    for name, array in net.layers["body"].layers["norm"].state().items():
        np.testing.assert_array_equal(array, norm[name])


@pytest.mark.parametrize(
    "learning",
    [
        lambda norm: None,
        lambda norm: setattr(norm.gamma, "trainable", False),  # one of two: it still learns
        lambda norm: [setattr(p, "lr_mult", 0.0) for p in norm.parameters().values()],  # a rate
    ],
    ids=["as made", "half", "rate 0"],
)
def test_running_averages_of_what_learns_move(learning):
    net = chain(lambda net: learning(net.layers["body"].layers["norm"]))
    before = states(net)
    trained(net)
    for name, array in states(net).items():
        assert not np.array_equal(array, before[name])


def test_it_thaws():
    norm = freeze(BatchNormalization(4))
    norm.forward(X)
    np.testing.assert_array_equal(norm.running_mean.data, 0.0)
    freeze(norm, trainable=True).forward(X)
    assert (norm.running_mean.data != 0.0).all()


def test_in_training_it_is_the_layer_in_evaluation_forward_and_backward():
    learns, dout = BatchNormalization(4), X[::-1].copy()
    learns.forward(X)
    frozen = freeze(copy.deepcopy(learns))
    learns.set_training(False)
    np.testing.assert_array_equal(frozen.forward(X), learns.forward(X))
    np.testing.assert_array_equal(frozen.backward(dout), learns.backward(dout))
    assert frozen.gamma.grad is frozen.beta.grad is None


def test_one_sample_is_enough_for_a_frozen_one():
    assert np.isfinite(freeze(BatchNormalization(4)).forward(X[:1])).all()


def test_a_copy_a_twin_and_a_file_are_frozen_too(tmp_path):
    net = chain(lambda net: freeze(net.layers["body"]))
    net.save(tmp_path / "net.npz")
    for other in (load_net(tmp_path / "net.npz"), copy.deepcopy(net), net.twin()):
        before = states(other)
        trained(other)
        for name, array in states(other).items():
            np.testing.assert_array_equal(array, before[name])


def test_dropout_learns_nothing_and_goes_on_in_a_frozen_net():
    net = freeze(Sequential({"affine": Affine(4, 50, rng=0), "drop": Dropout(0.5, rng=0)}))
    assert 0.2 < (net.forward(X) == 0).mean() < 0.8


@pytest.mark.needs_torch
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 5)])
def test_beside_an_evaluation_layer_in_a_training_net_of_pytorch(shape):
    import torch

    rng = np.random.default_rng(1)
    ours = BatchNormalization(3, dtype=np.float64)
    kind = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    theirs = kind(3).double()
    for held, tensor in zip(
        (ours.gamma, ours.beta, ours.running_mean, ours.running_var),
        (theirs.weight, theirs.bias, theirs.running_mean, theirs.running_var),
        strict=True,
    ):
        held.data = rng.uniform(0.5, 2.0, 3)
        tensor.data = torch.tensor(held.data)
    freeze(ours)
    theirs.eval().requires_grad_(False)
    below = [layer.double() for layer in (torch.nn.Tanh(), theirs, torch.nn.Sigmoid())]
    images, dout = rng.normal(2.0, 3.0, shape), rng.standard_normal(shape)
    tensor = torch.tensor(images, requires_grad=True)
    net = torch.nn.Sequential(*below)
    net.train()
    theirs.eval()
    expected = net(tensor)
    expected.backward(torch.tensor(dout))
    y = ours.forward(np.tanh(images))
    sigmoid = 1.0 / (1.0 + np.exp(-y))
    np.testing.assert_allclose(sigmoid, expected.detach().numpy(), rtol=1e-12)
    dX = ours.backward(dout * sigmoid * (1.0 - sigmoid)) * (1.0 - np.tanh(images) ** 2)
    np.testing.assert_allclose(dX, tensor.grad.numpy(), atol=1e-12)


class Counts(Layer):
    """Y = s · X, and the mean of |X| as a record: moved always, or only while it learns."""

    whatever = False

    def __init__(self):
        self.s, self.size = Param(np.ones(1)), State(np.zeros(1))

    def forward(self, X):
        self.X = X
        if self.training and (self.whatever or not self.is_frozen()):
            self.size.update(self.size.data * 0.9 + np.abs(X).mean() * 0.1)
        return self.s.data * X

    def backward(self, dout):
        self.s.accumulate((dout * self.X).sum().reshape(1))
        return self.s.data * dout

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))


class CountsWhatever(Counts):
    whatever = True


def test_the_check_asks_it_of_every_layer():
    assert check_class(Counts).passed, check_class(Counts)
    report = check_layer(CountsWhatever(), X.astype(float))
    assert not report.passed
    assert {f.array for f in report.failures} == {"size"}
    assert "moves although the layer is frozen" in str(report)


FROM_YAML = """
dataset: {type: Tiny}
net:
  type: Sequential
  layers:
    norm: {type: BatchNormalization, trainable: false}
    inner:
      type: Sequential
      layers: {affine1: {type: Affine, n_out: 6}, norm: {type: BatchNormalization}, drop: DROP}
      params: {norm.gamma: {trainable: false}, norm.beta: {trainable: false}}
    affine: {type: Affine, n_out: 3}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 8, batch_size: 6, evaluate_every: 4, threads: 1}
"""


@pytest.fixture
def text(tiny):
    return FROM_YAML.replace("DROP", "{type: Dropout}")


@pytest.mark.parametrize("shards", [1, 2])
def test_from_a_configuration(config_of, text, shards):
    shard = text.replace("threads: 1", f"threads: 1, shards: {shards}")
    trainer = build_trainer(config_of(shard), quiet=True, run_dir=None)
    before = states(trainer.net)
    for _ in range(4):
        trainer.step()
    assert len(before) == 4
    for name, array in states(trainer.net).items():
        np.testing.assert_array_equal(array, before[name])


def test_a_run_goes_on_frozen(config_of, text, tmp_path):
    run(config_of(text), "whole", tmp_path / "whole", quiet=True)
    run(config_of(text.replace("iterations: 8", "iterations: 4")), "p", tmp_path / "p", quiet=True)
    resume(config_of(text), tmp_path / "p", quiet=True)
    weights = [np.load(tmp_path / name / "weights.npz") for name in ("whole", "p")]
    for name in weights[0].files:
        np.testing.assert_array_equal(weights[0][name], weights[1][name])
    np.testing.assert_array_equal(weights[1]["norm.running_mean"], 0.0)
    np.testing.assert_array_equal(weights[1]["inner.norm.running_var"], 1.0)


@pytest.mark.parametrize("setting", ["trainable: false", "lr_mult: 0", "decay_mult: 2"])
def test_what_learns_nothing_cannot_be_frozen(config_of, text, setting):
    bad = text.replace("{type: Dropout}", f"{{type: Dropout, {setting}}}")
    key = setting.partition(":")[0]
    with pytest.raises(ConfigError, match=rf"drop\.{key}: has no effect.*Dropout"):
        build_trainer(config_of(bad), quiet=True, run_dir=None)
