"""Probes see every pass of every layer, and leave nothing behind."""

import copy
import re
from pathlib import Path

import numpy as np
import pytest

from lamina.layers import Addition, Affine, Relu, Slice, SoftmaxWithLoss
from lamina.layers.base import Layer
from lamina.nets import Graph, LeNet, ResidualNet, Sequential, TwoLayerNet
from lamina.nets.probes import Probes, places_of
from lamina.nets.wiring import Node


class Watcher:
    def __init__(self):
        self.seen = []

    def forward(self, place, inputs, outputs):
        self.seen.append(("forward", place.name, [np.shape(a) for a in outputs]))

    def backward(self, place, douts, dXs):
        self.seen.append(("backward", place.name, [np.shape(a) for a in douts]))

    def names(self, way):
        return [name for w, name, _ in self.seen if w == way]


def watched(net, X, t):
    watcher = Watcher()
    with Probes(places_of(net), watcher):
        gradients = net.gradient(X, t)
    return watcher, gradients


def nested(rng):
    block = Sequential({"affine": Affine(6, 6, rng=rng), "relu": Relu()})
    graph = Graph({"relu": Relu(), "sum": Node(Addition(), ["relu", "X"])})
    chain = {"first": Affine(4, 6, rng=rng), "block": block, "again": block, "graph": graph}
    return Sequential({**chain, "last": Affine(6, 3, rng=rng)}, loss=SoftmaxWithLoss())


def test_a_chain_in_a_chain_with_a_twin_and_a_graph():
    rng = np.random.default_rng(0)
    net = nested(rng)
    X, t = rng.standard_normal((5, 4)).astype(np.float32), rng.integers(0, 3, 5)
    watcher, _ = watched(net, X, t)
    forward = ["first", "block.affine", "block.relu", "again.affine", "again.relu"]
    forward += ["graph.X_copy", "graph.relu", "graph.sum", "last", "loss"]
    assert watcher.names("forward") == forward
    # A graph adds up the gradients of a Copy gate itself.
    assert watcher.names("backward") == [n for n in reversed(forward) if n != "graph.X_copy"]
    assert ("forward", "last", [(5, 3)]) in watcher.seen
    assert ("backward", "block.relu", [(5, 6)]) in watcher.seen


def test_a_layer_that_holds_a_layer_is_seen_after_it():
    class Twice(Layer):
        def __init__(self, rng):
            self.inner = Affine(3, 3, rng=rng)

        def forward(self, X):
            return 2 * self.inner.forward(X)

        def backward(self, dout):
            return self.inner.backward(2 * dout)

    rng = np.random.default_rng(0)
    net = Sequential({"twice": Twice(rng)}, loss=SoftmaxWithLoss())
    watcher, _ = watched(net, rng.standard_normal((2, 3)).astype(np.float32), np.array([0, 1]))
    assert watcher.names("forward") == ["twice.inner", "twice", "loss"]


def test_outputs_of_a_layer_with_several():
    rng = np.random.default_rng(0)
    layers = {"slice": Node(Slice(1, [2, 2]), outputs=2)}
    layers |= {"sum": Node(Addition(), ["slice.0", "slice.1"]), "affine": Affine(2, 3, rng=rng)}
    net = Graph(layers, losses=SoftmaxWithLoss())
    net.needs_dX = True
    watcher, _ = watched(net, rng.standard_normal((5, 4)).astype(np.float32), np.zeros(5, int))
    assert watcher.seen[0] == ("forward", "slice", [(5, 2), (5, 2)])


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda rng: TwoLayerNet(784, 20, 10, rng=rng), (784,)),
        (lambda rng: LeNet(rng=rng), (1, 28, 28)),
        (lambda rng: ResidualNet(widths=(2, 4), rng=rng), (1, 28, 28)),
        (nested, (4,)),
    ],
)
def test_the_net_is_as_before_and_its_gradients_are_the_same_bits(make, shape):
    rng = np.random.default_rng(0)
    net = make(rng)
    plain = copy.deepcopy(net)
    X, t = rng.random((6, *shape), dtype=np.float32), rng.integers(0, 3, 6)
    before = {name: set(vars(held)) for name, held in net.walk() if isinstance(held, Layer)}
    net.gradient(X, t)
    after_a_pass = {n: set(vars(held)) for n, held in net.walk() if isinstance(held, Layer)}
    _, gradients = watched(net, X, t)
    assert {n: set(vars(h)) for n, h in net.walk() if isinstance(h, Layer)} == after_a_pass
    assert not any({"forward", "backward"} & names for names in before.values())
    for place in places_of(net):
        assert place.layer.forward.__func__ is type(place.layer).forward
    plain.gradient(X, t)
    for name, gradient in plain.gradient(X, t).items():
        np.testing.assert_array_equal(gradients[name], gradient)
    assert list(dict(copy.deepcopy(net).walk())) == list(dict(net.walk()))


def test_an_error_in_a_layer_takes_the_probes_off_too():
    net = TwoLayerNet(4, 5, 3, rng=0)
    with pytest.raises(ValueError, match="expects"), Probes(places_of(net), Watcher()):
        net.loss(np.ones((2, 7), np.float32), np.zeros(2, int))
    assert all("forward" not in vars(place.layer) for place in places_of(net))


def test_probes_inside_probes_leave_the_outer_ones():
    net, outer, inner = TwoLayerNet(4, 5, 3, rng=0), Watcher(), Watcher()
    X, t = np.ones((2, 4), np.float32), np.zeros(2, int)
    with Probes(places_of(net), outer):
        with Probes(places_of(net), inner):
            net.loss(X, t)
        net.loss(X, t)
    assert inner.names("forward") == ["Affine1", "Relu", "Affine2", "loss"]
    assert outer.names("forward") == 2 * ["Affine1", "Relu", "Affine2", "loss"]
    assert "forward" not in vars(net.layers["Relu"])


def test_layers_may_call_each_other_by_keyword():
    class Scaled(Layer):
        def forward(self, X, factor=1.0):
            return X * factor

        def backward(self, dout):
            return dout

    class Outer(Layer):
        def __init__(self):
            self.inner = Scaled()

        def forward(self, X):
            return self.inner.forward(X, factor=2.0)

        def backward(self, dout):
            return self.inner.backward(dout)

    net = Sequential({"outer": Outer()}, loss=SoftmaxWithLoss())
    watcher, _ = watched(net, np.eye(3, dtype=np.float32), np.arange(3))
    assert "outer.inner" in watcher.names("forward")


class Bracketing(Watcher):
    """Notes every enter and leave as well."""

    def __init__(self):
        super().__init__()
        self.brackets = []

    def enter(self, place, way):
        self.brackets.append(f"({way[0]} {place.name}")

    def leave(self, place, way):
        self.brackets.append(f"{way[0]} {place.name})")


class Around(Layer):
    """A layer with a layer in it."""

    def __init__(self, rng):
        self.inner = Affine(3, 3, rng=rng)

    def forward(self, X):
        return self.inner.forward(X)

    def backward(self, dout):
        return self.inner.backward(dout)


def test_enter_and_leave_stand_around_a_pass_and_nest():
    net = Sequential({"around": Around(0), "relu": Relu()}, loss=SoftmaxWithLoss())
    X, t = np.ones((2, 3), np.float32), np.array([0, 1])
    with Probes(places_of(net), watcher := Bracketing()):
        net.gradient(X, t)
    forward = ["(f around", "(f around.inner", "f around.inner)", "f around)", "(f relu", "f relu)"]
    backward = [
        "(b relu",
        "b relu)",
        "(b around",
        "(b around.inner",
        "b around.inner)",
        "b around)",
    ]
    loss = ["(f loss", "f loss)", "(b loss", "b loss)"]
    assert watcher.brackets == [*forward, *loss, *backward]
    assert watcher.names("forward") == ["around.inner", "around", "relu", "loss"]


def test_a_pass_that_fails_is_left_but_not_told():
    net = Sequential({"around": Around(0)}, loss=SoftmaxWithLoss())
    watcher = Bracketing()
    with pytest.raises(ValueError, match="expects"), Probes(places_of(net), watcher):
        net.loss(np.ones((2, 5), np.float32), np.array([0, 1]))
    assert watcher.brackets == ["(f around", "(f around.inner", "f around.inner)", "f around)"]
    assert watcher.seen == []
    assert not has_probes(net)


def has_probes(net) -> bool:
    layers = [net, *(held for _, held in net.walk() if isinstance(held, Layer))]
    return any({"forward", "backward"} & set(vars(layer)) for layer in layers)


@pytest.mark.parametrize("where", ["forward", "backward", "enter", "leave"])
def test_a_watcher_that_fails_leaves_nothing_behind(where):
    def broken(*_):
        raise RuntimeError("the watcher broke")

    net, watcher = nested(np.random.default_rng(0)), Bracketing()
    setattr(watcher, where, broken)
    X, t = np.ones((2, 4), np.float32), np.zeros(2, int)
    with pytest.raises(RuntimeError, match="the watcher broke"), Probes(places_of(net), watcher):
        net.gradient(X, t)
    assert not has_probes(net)
    net.gradient(X, t)


def test_a_layer_listed_twice_is_told_twice_and_comes_out_clean():
    net = TwoLayerNet(4, 5, 3, rng=0)
    places = [*places_of(net), *places_of(net)]
    with Probes(places, watcher := Watcher()):
        net.loss(np.ones((2, 4), np.float32), np.zeros(2, int))
    assert watcher.names("forward") == [
        n for n in ("Affine1", "Relu", "Affine2", "loss") for _ in "ab"
    ]
    assert not has_probes(net)


def test_only_probes_put_something_in_front_of_forward_and_backward():
    root = Path(__file__).parents[2]
    rooms = ("nets", "training", "diagnosis", "experiment", "commands")
    pattern = r"\.(forward|backward) = |setattr\(.*(forward|backward|way)"
    for room in rooms:
        for path in (root / room).rglob("*.py"):
            found = re.search(pattern, path.read_text(encoding="utf-8"))
            assert found is None or path.name == "probes.py", path
