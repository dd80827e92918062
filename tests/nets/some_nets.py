"""Nets of every kind, which are written, saved and loaded."""

import importlib.util
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np

from lamina import nets
from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Concatenation,
    Convolution,
    Dropout,
    Embedding,
    Flatten,
    Gru,
    LeakyRelu,
    Lstm,
    MaxPooling,
    Multiplication,
    Relu,
    Reshape,
    Rnn,
    Sigmoid,
    Slice,
    SoftmaxWithLoss,
    SVMLoss,
)
from lamina.layers.initializers import make_initializer, xavier_uniform
from lamina.nets import Graph, Head, Node, Sequential

OWN = Path(__file__).parent / "own_layers.py"
SAMPLE = np.random.default_rng(5).random((6, 4)).astype(np.float32)
IMAGES = np.random.default_rng(6).random((3, 1, 28, 28)).astype(np.float32)


def own_layers():
    """The module, as it is imported once by whoever works with it."""
    if "own_layers_for_tests" not in sys.modules:
        spec = importlib.util.spec_from_file_location("own_layers_for_tests", OWN)
        sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[spec.name])
    return sys.modules["own_layers_for_tests"]


def two_layers(dtype=np.float32):
    rng = np.random.default_rng(0)
    return Sequential(
        OrderedDict(
            affine1=Affine(4, 5, init=xavier_uniform, rng=rng, dtype=dtype),
            norm=BatchNormalization(5, dtype=dtype),
            relu1=LeakyRelu(0.2),
            affine2=Affine(5, 3, init=make_initializer("normal", std=0.1), rng=rng, dtype=dtype),
        ),
        loss=SoftmaxWithLoss("sum"),
    )


def shared_layer():
    affine = Affine(4, 4, rng=1)
    affine.b.lr_mult, affine.W.decay_mult = 2.0, 0.0
    return Sequential(
        {"first": affine, "relu": Relu(), "again": affine, "out": Affine(4, 3, rng=2)},
        SoftmaxWithLoss(),
    )


def shared_in_part():
    affine = Affine(4, 4, rng=0)
    inner = Sequential({"x": affine, "y": Affine(4, 4, rng=3)})
    return Sequential({"a": Sequential({"x": affine}), "b": inner, "c": affine})


def siamese():
    tower = Sequential({"a": Affine(4, 6, rng=0), "r": Relu(), "d": Dropout(0.5, rng=3)})
    return Graph(
        {
            "left": Node(tower, "X1"),
            "right": Node(tower, "X2"),
            "both": Node(Concatenation(), ["left", "right"]),
            "out": Affine(12, 3, rng=1),
            "side": Node(Affine(6, 3, rng=4), "left"),
        },
        inputs=("X1", "X2"),
        outputs=("out", "side"),
        losses={
            "main": SoftmaxWithLoss(),
            "aux": Head(SVMLoss(margin=0.5), "side", target="t2", weight=0.3),
        },
    )


def graph_in_any_order():
    return Graph(
        {
            "sum": Node(Addition(), ["parts.0", "copied"]),
            "parts": Node(Slice(1, (2, 2)), "X", outputs=2),
            "copied": Node(Relu(), "parts.1"),
        },
        outputs=["sum", "copied"],
    )


def graphs_in_a_graph():
    one = Graph(
        {"s": Node(Slice(1, (2, 2)), "Z", 2), "m": Node(Multiplication(), ["s.0", "s.1"])}, "Z"
    )
    two = Graph({"a": Node(Relu(), "u"), "b": Node(Sigmoid(), "v")}, ["u", "v"], ["a", "b"])
    both = {"i": one, "t": Node(two, ["i", "i"], 2), "s": Node(Addition(), ["t.0", "t.1"])}
    return Graph(both)


def frozen_lenet():
    net = nets.LeNet(rng=0)
    parameters = net.parameters()
    parameters["conv1.W"].trainable = False
    parameters["conv1.b"].lr_mult = 1.0
    return net


def lenet_with_another_end():
    net = nets.LeNet(rng=0)
    net.layers["affine2"] = Affine(500, 3, rng=1)
    return net


def all_frozen():
    net = two_layers()
    for param in net.parameters().values():
        param.trainable = False
    return net


def words():
    layers = {"table": Embedding(20, 4, rng=0), "flat": Reshape((-1,)), "out": Affine(24, 2, rng=0)}
    return Sequential(layers, SoftmaxWithLoss())


def sequences():
    layers = {
        "table": Embedding(20, 4, rng=0),
        "rnn": Rnn(4, 3, activation="relu", stateful=True, rng=0),
        "lstm": Lstm(3, 5, reverse=True, forget_bias=0.5, init=xavier_uniform, rng=0),
        "gru": Gru(5, 4, last_only=True, rng=0),
        "out": Affine(4, 2, rng=0),
    }
    return Sequential(layers, SoftmaxWithLoss())


def convolutions():
    rng = np.random.default_rng(0)
    layers = {
        "conv": Convolution(1, 4, (3, 5), stride=2, padding=(1, 2), bias=False, rng=rng),
        "grouped": Convolution(4, 4, 3, groups=2, dilation=2, rng=rng),
        "pool": MaxPooling(2, partial=True),
        "drop": Dropout(0.2, rng=rng),
        "flat": Flatten(),
        "drop2": Dropout(0.3, rng=rng),  # the generator of drop
        "out": Affine(100, 3, rng=rng),
    }
    return Sequential(layers, SoftmaxWithLoss())


def of_ones_own():
    own = own_layers()
    layers = {"scale": own.Scale(4, start=2.0, note="x"), "power": own.Power(2)}
    layers |= {"counting": own.Counting(1, 2, inputs="all"), "mine": own.Mine(3, rng=0)}
    return Sequential(layers, SVMLoss())


NETS = {
    "two layers": (two_layers, SAMPLE),
    "float64": (lambda: two_layers(np.float64), SAMPLE.astype(np.float64)),
    "a shared layer": (shared_layer, SAMPLE),
    "shared in part": (shared_in_part, SAMPLE),
    "siamese": (siamese, (SAMPLE, SAMPLE[::-1].copy())),
    "a graph in any order": (graph_in_any_order, SAMPLE),
    "graphs in a graph": (graphs_in_a_graph, SAMPLE),
    "words": (words, np.arange(18).reshape(3, 6)),
    "sequences": (sequences, np.arange(18).reshape(3, 6)),
    "convolutions": (convolutions, IMAGES),
    "all frozen": (all_frozen, SAMPLE),
    "of one's own": (of_ones_own, SAMPLE),
    "TwoLayerNet": (lambda: nets.TwoLayerNet(4, 5, 3, 0.1), SAMPLE),
    "LeNet": (lambda: nets.LeNet(rng=0), IMAGES),
    "LeNet, frozen": (frozen_lenet, IMAGES),
    "LeNet with another end": (lenet_with_another_end, IMAGES),
    "SimpleConvNet": (lambda: nets.SimpleConvNet((1, 28, 28), 4, rng=0), IMAGES),
    "DeepConvNet": (lambda: nets.DeepConvNet(dropout=0.25, rng=0), IMAGES),
    "ResidualNet": (lambda: nets.ResidualNet(widths=(4, 8), blocks=2, rng=0), IMAGES),
}
