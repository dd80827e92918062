"""Several batches to an update are one large batch, whatever counts in them."""

import copy
import itertools

import numpy as np
import pytest

from lamina.common.errors import RunError
from lamina.layers import (
    Affine,
    CrossEntropyError,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    SVMLoss,
)
from lamina.nets import Graph, Head, Node, Sequential
from lamina.training.accumulation import Accumulation
from lamina.training.objective import add_gradient
from lamina.training.parallel import Sharded

WEIGHTS = {"class_weights": (0.1, 1.0, 5.0)}
LOSSES = {
    "plain": SoftmaxWithLoss(),
    "sum": SoftmaxWithLoss("sum", **WEIGHTS),
    "class weights": SoftmaxWithLoss(**WEIGHTS),
    "ignored": SoftmaxWithLoss(ignore_index=0),
    "all three": SoftmaxWithLoss(ignore_index=0, label_smoothing=0.2, **WEIGHTS),
    "probabilities": CrossEntropyError(ignore_index=0),
    "margins": SVMLoss(**WEIGHTS),
    "numbers": SquaredErrorLoss(),
    "yes or no": SigmoidWithLoss(ignore_index=-1),
}
CUTS = {"two": [0, 20, 40], "three": [0, 13, 26, 39], "the last smaller": [0, 16, 32, 37]}


def batch(loss):
    rng = np.random.default_rng(1)
    t = np.sort(rng.integers(0, 3, 40))  # other classes in each part
    t[:14] = 0
    if isinstance(loss, SigmoidWithLoss):
        t = np.eye(3, dtype=int)[t] - (np.arange(40)[:, None] < 9)
    return rng.standard_normal((40, 4)), t


def made(loss):
    affine = Affine(4, 3, rng=np.random.default_rng(0), dtype=np.float64)
    layers = {"affine": affine}
    if isinstance(loss, CrossEntropyError):
        layers["softmax"] = Softmax()
    return Sequential(layers, loss=copy.deepcopy(loss))


def accumulated(net, X, t, ends):
    added = Accumulation(net, len(ends) - 1)
    for start, end in itertools.pairwise(ends):
        added.add(add_gradient(net, X[start:end], t[start:end], added.scale))
    return added.finish(net.parameters())


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("ends", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_batches_add_up_to_one_large_one(loss, ends, shards):
    X, t = batch(loss)
    large, small = made(loss), made(loss)
    expected = add_gradient(large, X[: ends[-1]], t[: ends[-1]])
    worker = small if shards == 1 else Sharded(small, shards)
    assert accumulated(worker, X, t, ends) == pytest.approx(expected, rel=1e-12)
    for name, param in large.parameters().items():
        np.testing.assert_allclose(
            small.parameters()[name].grad, param.grad, rtol=1e-11, atol=1e-13
        )


def test_batches_in_which_nothing_counts_give_zero():
    net = made(SoftmaxWithLoss(ignore_index=0))
    X, t = batch(net.loss_layer)
    assert accumulated(net, X, t * 0, [0, 20, 40]) == 0.0
    assert not any(param.grad.any() for param in net.parameters().values())


def two_heads(main, aux):
    rng = np.random.default_rng(0)
    layers = {n: Affine(4, 3, rng=rng, dtype=np.float64) for n in "ab"}
    nodes = {name: Node(layer, "X") for name, layer in layers.items()}
    heads = {"main": Head(main, "a"), "aux": Head(aux, "b", weight=0.3)}
    return Graph(nodes, outputs="a", losses=heads)


def test_several_losses_that_count_alike_add_up_too():
    X, t = batch(SoftmaxWithLoss())
    large, small = (two_heads(*(SoftmaxWithLoss(ignore_index=0) for _ in "12")) for _ in "12")
    expected = add_gradient(large, X, t)
    assert accumulated(small, X, t, [0, 16, 32, 40]) == pytest.approx(expected, rel=1e-12)
    for name, param in large.parameters().items():
        np.testing.assert_allclose(
            small.parameters()[name].grad, param.grad, rtol=1e-11, atol=1e-13
        )


@pytest.mark.parametrize("aux", [SoftmaxWithLoss(), SoftmaxWithLoss("sum")])
def test_losses_that_count_differently_are_refused(aux):
    X, t = batch(aux)
    net = two_heads(SoftmaxWithLoss(**WEIGHTS), aux)
    with pytest.raises(RunError, match="accumulate: expects that the losses main, aux count alike"):
        accumulated(net, X, t, [0, 20, 40])
