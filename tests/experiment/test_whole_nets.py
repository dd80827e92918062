"""Nets that are no chains, as wholes: they train, are saved and loaded, and are drawn."""

import copy

import numpy as np
import pytest

from lamina.layers import (
    Affine,
    Concatenation,
    Convolution,
    GlobalAveragePooling,
    Multiplication,
    Relu,
    Sigmoid,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)
from lamina.nets import Graph, Head, Node, ResidualNet
from lamina.nets.drawing import draw_net
from lamina.nets.weights import load_weights, save_weights
from lamina.optimizers import Momentum


def residual(rng):
    net = ResidualNet((1, 6, 6), 3, widths=(3, 4), rng=rng)
    return net, rng.standard_normal((12, 1, 6, 6), np.float32), rng.integers(0, 3, 12)


def inception(rng):
    layers = {
        "one": Convolution(2, 3, 1, rng=rng),
        "three": Node(Convolution(2, 4, 3, padding=1, rng=rng), "X"),
        "small": Node(Convolution(2, 2, 1, rng=rng), "X"),
        "five": Node(Convolution(2, 2, 5, padding=2, rng=rng), "small"),
        "join": Node(Concatenation(axis=1), ["one", "three", "five"]),
        "relu": Relu(),
        "pool": GlobalAveragePooling(),
        "affine": Affine(9, 3, rng=rng),
    }
    X = rng.standard_normal((12, 2, 6, 6), np.float32)
    return Graph(layers, losses=SoftmaxWithLoss()), X, rng.integers(0, 3, 12)


def siamese(rng):
    shared = Affine(4, 5, rng=rng)
    layers = {
        "left": Node(shared, "A"),
        "right": Node(shared, "B"),
        "product": Node(Multiplication(), ["left", "right"]),
        "same": Affine(5, 2, rng=rng),
    }
    net = Graph(layers, inputs=["A", "B"], losses=SoftmaxWithLoss())
    X = tuple(rng.standard_normal((12, 4), np.float32) for _ in range(2))
    return net, X, rng.integers(0, 2, 12)


def two_heads(rng):
    layers = {
        "body": Affine(4, 6, rng=rng),
        "sigmoid": Sigmoid(),
        "classes": Affine(6, 3, rng=rng),
        "value": Node(Affine(6, 2, rng=rng), "sigmoid"),
    }
    losses = {
        "class": Head(SoftmaxWithLoss()),
        "regression": Head(SquaredErrorLoss(), "value", target="y", weight=0.3),
    }
    net = Graph(layers, outputs=["classes", "value"], losses=losses)
    t = {"t": rng.integers(0, 3, 12), "y": rng.standard_normal((12, 2), np.float32)}
    return net, rng.standard_normal((12, 4), np.float32), t


NETS = pytest.mark.parametrize("made", [residual, inception, siamese, two_heads])


def trained(made, steps=60):
    """(net, X, t, first and last loss) after training on one batch, by heart."""
    net, X, t = made(np.random.default_rng(0))
    optimizer = Momentum(net.parameters(), lr=0.05)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        losses.append(float(net.loss(X, t)))
        net.backward()
        optimizer.step()
    return net, X, t, losses[0], losses[-1]


@NETS
def test_it_learns_a_batch_by_heart(made):
    _, _, _, first, last = trained(made)
    assert last < 0.5 * first


@NETS
def test_saved_weights_predict_the_same_in_another_net(made, tmp_path):
    net, X, _, _, _ = trained(made, steps=5)
    save_weights(tmp_path / "w.npz", net)
    other, _, _ = made(np.random.default_rng(7))
    assert not np.array_equal(other.predict(X), net.predict(X))
    said = load_weights(tmp_path / "w.npz", other)
    assert said.startswith(f"{len(np.load(tmp_path / 'w.npz'))} of ")
    np.testing.assert_array_equal(other.predict(X), net.predict(X))
    # In batches the sums may be added up in another order.
    np.testing.assert_allclose(other.predict(X, batch_size=5), net.predict(X), rtol=1e-5, atol=1e-6)


@NETS
def test_it_is_drawn_with_its_loss_and_gradients(made, tmp_path):
    net, X, t, _, _ = trained(made, steps=2)
    drawing = draw_net(copy.deepcopy(net), X, t)
    nodes = {node.name: node for node in drawing.graph.nodes}
    assert nodes["loss"].value == pytest.approx(float(net.loss(X, t)), rel=1e-6)
    for name, gradient in net.gradient(X, t).items():
        np.testing.assert_allclose(nodes[name].gradient, gradient, rtol=1e-5, atol=1e-7)
    drawing.save(tmp_path / "net.svg")
    assert (tmp_path / "net.svg").read_text().count("<text") > len(net.layers)
