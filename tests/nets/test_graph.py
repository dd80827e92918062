"""Nets whose layers form a graph: wiring, gradients, several inputs, outputs and losses."""

import copy

import numpy as np
import pytest

from lamina.layers import (
    Addition,
    Affine,
    Concatenation,
    Convolution,
    Copy,
    Embedding,
    Flatten,
    GlobalAveragePooling,
    Layer,
    Multiplication,
    Relu,
    ShapeError,
    Sigmoid,
    Slice,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)
from lamina.layers.check import check_layer
from lamina.nets import Graph, Head, Node, ResidualNet, Sequential, WiringError

DOUBLE = {"dtype": np.float64}


def affine(n_in, n_out, seed=0):
    return Affine(n_in, n_out, rng=seed, **DOUBLE)


def residual_block(losses=None):
    """Note the order: a layer may be listed before those that it reads."""
    return Graph(
        {
            "sum": Node(Addition(), ["inner2", "first"]),
            "first": Node(affine(4, 5), "X"),
            "relu": Relu(),
            "inner2": affine(5, 5, 1),
            "last": Node(affine(5, 3, 2), "sum"),
        },
        outputs=["last"],
        losses=losses,
    )


def inception_block():
    """Three branches over one image, joined channel by channel."""
    return Graph(
        {
            "one": Convolution(2, 3, 1, rng=0, **DOUBLE),
            "three": Node(Convolution(2, 4, 3, padding=1, rng=1, **DOUBLE), "X"),
            "small": Node(Convolution(2, 2, 1, rng=2, **DOUBLE), "X"),
            "five": Node(Convolution(2, 2, 5, padding=2, rng=3, **DOUBLE), "small"),
            "join": Node(Concatenation(axis=1), ["one", "three", "five"]),
            "pool": GlobalAveragePooling(),
        }
    )


def siamese_pair(shared, losses=None):
    """Both inputs go through one layer: twins share the parameters, each has its own cache."""
    return Graph(
        {
            "left": Node(shared, "A"),
            "right": Node(shared, "B"),
            "product": Node(Multiplication(), ["left", "right"]),
        },
        inputs=["A", "B"],
        losses=losses,
    )


def two_headed():
    return Graph(
        {
            "body": affine(4, 6),
            "sigmoid": Sigmoid(),
            "classes": affine(6, 3, 1),
            "value": Node(affine(6, 2, 2), "sigmoid"),
        },
        outputs=["classes", "value"],
        losses={
            "class": Head(SoftmaxWithLoss()),
            "regression": Head(SquaredErrorLoss(), "value", target="y", weight=0.3),
        },
    )


def inputs(*shapes, seed=5):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize(
    ("graph", "shapes"),
    [
        (residual_block(), [(3, 4)]),
        (inception_block(), [(2, 2, 5, 4)]),
        (siamese_pair(affine(4, 5)), [(3, 4), (3, 4)]),
        (two_headed(), [(3, 4)]),
    ],
    ids=["residual block", "inception block", "siamese pair", "two heads"],
)
def test_whole_graphs_pass_the_check(graph, shapes):
    report = check_layer(graph, *inputs(*shapes))
    assert report.passed, report


def test_a_small_residual_net_passes_the_check():
    net = ResidualNet((1, 6, 6), 3, widths=(3, 4), rng=0, **DOUBLE)
    report = check_layer(net, *inputs((2, 1, 6, 6)))
    assert report.passed, report


def plain_gradients(net, X, t, h=1e-6):
    """{name: gradient} of the loss by differences along a random direction, and that direction."""
    rng = np.random.default_rng(9)
    v = {n: rng.standard_normal(p.data.shape) for n, p in net.parameters().items()}

    def at(step):
        moved = copy.deepcopy(net)
        for name, param in moved.parameters().items():
            param.data = param.data + step * v[name]
        return float(moved.loss(X, t))

    return (at(h) - at(-h)) / (2 * h), v


@pytest.mark.parametrize("case", ["residual", "siamese", "heads"])
def test_gradients_of_the_loss_agree_with_differences(case):
    rng = np.random.default_rng(1)
    if case == "residual":
        net, (X,) = residual_block(SoftmaxWithLoss()), inputs((6, 4))
        t = rng.integers(0, 3, 6)
    elif case == "siamese":
        net, X = siamese_pair(affine(4, 5), SquaredErrorLoss()), tuple(inputs((6, 4), (6, 4)))
        t = rng.standard_normal((6, 5))
    else:
        net, (X,) = two_headed(), inputs((6, 4))
        t = {"t": rng.integers(0, 3, 6), "y": rng.standard_normal((6, 2))}
    slope, v = plain_gradients(net, X, t)
    gradients = net.gradient(X, t)
    assert sum(np.sum(v[n] * g) for n, g in gradients.items()) == pytest.approx(slope, rel=1e-6)


def test_copy_gates_stand_where_a_blob_has_several_readers():
    net = residual_block()
    assert list(net.layers) == ["first", "first_copy", "relu", "inner2", "sum", "last"]
    assert isinstance(net.layers["first_copy"], Copy)
    text = net.summary((4,))
    assert "first_copy  Copy" in text
    assert "sum         Addition  inner2, first_copy.0  5" in text


def test_a_layer_may_read_one_blob_twice():
    net = Graph({"square": Node(Multiplication(), ["X", "X"])})
    X = np.array([[1.0, -3.0]])
    np.testing.assert_array_equal(net.forward(X), X * X)
    np.testing.assert_array_equal(net.backward(np.ones((1, 2))), 2 * X)


def test_several_outputs_of_a_layer_have_numbers():
    net = Graph(
        {
            "cut": Node(Slice(1, [1, 2]), outputs=2),
            "small": Node(affine(1, 2), "cut.0"),
            "sum": Node(Addition(), ["cut.1", "small"]),
        }
    )
    report = check_layer(net, *inputs((3, 3)))
    assert report.passed, report


def test_an_output_that_no_loss_reads_gets_no_gradient():
    net = Graph(
        {"body": affine(4, 3), "extra": Node(affine(3, 2), "body")},
        outputs=["body", "extra"],
        losses=SoftmaxWithLoss(),
    )
    (X,) = inputs((5, 4))
    gradients = net.gradient(X, np.zeros(5, int))
    assert gradients["extra.W"] is None
    assert np.any(gradients["body.W"])
    scores, extra = net.forward(X)
    net.backward(np.ones_like(scores), np.ones_like(extra))
    assert net.parameters()["extra.W"].grad is not None


def test_twins_share_what_they_learn():
    net = siamese_pair(affine(4, 5))
    assert list(net.parameters()) == ["left.W", "left.b"]
    assert net.layers["left"].W is net.layers["right"].W
    assert net.layers["left"] is not net.layers["right"]


class Counting(Affine):
    """Counts its backward calls, and whether dX was wanted."""

    def __init__(self, n_in, n_out):
        super().__init__(n_in, n_out, rng=0, **DOUBLE)
        self.calls = []

    def backward(self, dout):
        self.calls.append(self.needs_dX)
        return super().backward(dout)


def test_backward_leaves_out_what_leads_to_nothing_that_learns():
    frozen, lowest, top = Counting(4, 4), Counting(4, 4), Counting(4, 3)
    for param in frozen.parameters().values():
        param.trainable = False
    net = Graph(
        {
            "frozen": frozen,
            "relu": Relu(),
            "lowest": lowest,
            "sum": Node(Addition(), ["relu", "lowest"]),
            "top": top,
        },
        losses=SoftmaxWithLoss(),
    )
    (X,), t = inputs((5, 4)), np.zeros(5, int)
    net.gradient(X, t)
    assert (frozen.calls, lowest.calls, top.calls) == ([], [False], [True])
    net.loss(X, t)
    assert net.backward().shape == X.shape  # needs_dX is on: all the way down
    assert (frozen.calls, lowest.calls) == ([True], [False, True])
    assert lowest.needs_dX is True  # a layer used by itself gives its dX


def test_integer_inputs_need_no_gradient():
    net = Graph(
        {
            "words": Node(Embedding(7, 4, rng=0, **DOUBLE), "word"),
            "sum": Node(Addition(), ["words", "X"]),
        },
        inputs=["word", "X"],
    )
    (X,) = inputs((3, 4))
    net.forward(np.array([1, 5, 5]), X)
    dword, dX = net.backward(np.ones((3, 4)))
    assert dword is None
    assert dX.shape == (3, 4)


def test_graphs_and_chains_nest():
    inside = residual_block()
    chain = Sequential({"block": inside, "relu": Relu(), "last": affine(3, 2)})
    assert check_layer(chain, *inputs((3, 4))).passed
    outside = Graph(
        {
            "chain": Sequential({"a": affine(4, 5), "relu": Relu()}),
            "again": affine(5, 5, 1),
            "sum": Node(Addition(), ["chain", "again"]),
        }
    )
    assert check_layer(outside, *inputs((3, 4))).passed
    assert "  a" in outside.summary((4,))
    assert "  first_copy" in chain.summary((4,))


def test_state_goes_out_and_comes_back():
    net, other = residual_block(), residual_block()
    for param in other.parameters().values():
        param.data = param.data + 1.0
    other.load_state(net.state())
    (X,) = inputs((3, 4))
    np.testing.assert_array_equal(net.forward(X), other.forward(X))


def test_predict_and_accuracy_use_the_first_output():
    net = residual_block(SoftmaxWithLoss())
    (X,) = inputs((30, 4))
    scores = net.predict(X, batch_size=7)
    assert scores.shape == (30, 3)
    assert net.accuracy(X, scores.argmax(axis=1)) == 1.0
    with pytest.raises(RuntimeError, match="Graph: backward needs a forward or loss call"):
        net.backward(scores)


@pytest.mark.parametrize(
    ("layers", "settings", "words"),
    [
        ({"a": Node(Relu(), "Y")}, {}, "a: no layer gives Y"),
        ({"relu": Relu(), "b": Node(Relu(), "rellu")}, {}, "b: .*did you mean relu"),
        (
            {"a": Node(Addition(), ["X", "c"]), "b": Relu(), "c": Relu()},
            {},
            "a: reads its own output: a <- c <- b <- a",
        ),
        (
            {"a": Relu(), "b": Node(Relu(), "X")},
            {},
            "a: no layer reads a; .* list it among the outputs",
        ),
        ({"X": Relu()}, {}, "X: the name X is taken, by the inputs"),
        (
            {"X_copy": Relu(), "s": Node(Addition(), ["X", "X_copy"])},
            {},
            "X_copy: .*choose another",
        ),
        ({"a": Relu()}, {"inputs": ["X", "Z"]}, "a: say what it reads"),
        ({"a": Node(Relu(), "X")}, {"inputs": ["X", "Z"]}, "the inputs: no layer reads Z"),
        ({"a": Relu()}, {"outputs": ["b"]}, "output b: no layer gives b"),
        ({"a": Relu()}, {"losses": Head(SoftmaxWithLoss(), "b")}, "loss: no layer gives b"),
    ],
)
def test_what_does_not_hang_together_is_refused(layers, settings, words):
    with pytest.raises(WiringError, match=words):
        Graph(layers, **settings)


def test_other_mistakes_name_the_layer():
    with pytest.raises(ValueError, match="at least one layer"):
        Graph({})
    with pytest.raises(TypeError, match="a: expects an instance: Relu"):
        Graph({"a": Relu})
    with pytest.raises(ValueError, match="the net has no loss"):
        residual_block().loss(*inputs((2, 4)), np.zeros(2, int))
    net = residual_block(SoftmaxWithLoss())
    with pytest.raises(TypeError, match="Graph: takes X; got 2 inputs"):
        net.forward(*inputs((2, 4), (2, 4)))
    with pytest.raises(ShapeError, match=r"first \(Affine\): expects \(\.\.\., 4\), got .* from X"):
        net.forward(*inputs((2, 5)))
    with pytest.raises(ShapeError, match=r"first \(Affine\): expects"):
        net.output_shape((5,))
    net.forward(*inputs((2, 4)))
    with pytest.raises(TypeError, match="backward needs the gradient of each output: last"):
        net.backward()
    with pytest.raises(ValueError, match="loss class: no targets t, got y"):
        two_headed().loss(*inputs((2, 4)), {"y": np.zeros((2, 2))})
    with pytest.raises(TypeError, match=r"cut \(Slice\): forward gave 2 outputs, expects 1"):
        Graph({"cut": Slice(1, [2, 2])}).forward(*inputs((2, 4)))


def test_a_layer_that_gives_no_dX_where_one_is_needed_is_named():
    class NoDX(Layer):
        def forward(self, X):
            return X * 2

        def backward(self, dout):
            return None

    net = Graph({"a": affine(4, 4), "bad": NoDX(), "b": affine(4, 3)}, losses=SoftmaxWithLoss())
    with pytest.raises(TypeError, match=r"bad \(NoDX\): backward returned None, but a below it"):
        net.gradient(*inputs((2, 4)), np.zeros(2, int))


def test_flatten_in_a_graph_of_images():
    net = Graph(
        {"conv": Convolution(1, 2, 3, rng=0, **DOUBLE), "flat": Flatten(), "affine": affine(8, 3)},
        losses=SoftmaxWithLoss(),
    )
    X, t = np.random.default_rng(0).standard_normal((4, 1, 4, 4)), np.array([0, 1, 2, 0])
    slope, v = plain_gradients(net, X, t)
    gradients = net.gradient(X, t)
    assert sum(np.sum(v[n] * g) for n, g in gradients.items()) == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("name", ["a", "b", "X"])
def test_a_loss_with_the_name_of_a_layer_is_refused(name):
    rng = np.random.default_rng(0)
    layers = {"a": Affine(3, 4, rng=rng), "b": Affine(4, 2, rng=rng)}
    with pytest.raises(ValueError, match=f"the loss {name} is called like a.* {name}_loss"):
        Graph(layers, losses={name: SoftmaxWithLoss(), "other": SoftmaxWithLoss()})
