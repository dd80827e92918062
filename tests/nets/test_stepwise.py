"""A net one position at a time gives what the whole forward gives, or says which layer cannot."""

import copy

import numpy as np
import pytest

from lamina.layers import (
    Addition,
    Affine,
    BatchNormalization,
    Concatenation,
    Convolution,
    Dropout,
    Elu,
    Embedding,
    Flatten,
    Gelu,
    GlobalAveragePooling,
    Gru,
    LastStep,
    LayerNormalization,
    LeakyRelu,
    Lstm,
    Maximum,
    MultiHeadAttention,
    Multiplication,
    PositionalEncoding,
    PRelu,
    Relu,
    Rnn,
    ShapeError,
    Sigmoid,
    Slice,
    Softmax,
    SoftmaxWithLoss,
    Softplus,
    Step,
    StepError,
    Swish,
    Tanh,
)
from lamina.nets import Graph, Node, Sequential
from lamina.training.parallel import Sharded

RNG = np.random.default_rng(0)
WORDS = RNG.integers(0, 9, (3, 7))
X = RNG.standard_normal((3, 7, 4))
OF_WEIGHTS = {"rng": 0, "dtype": np.float64}


def language_model():
    layers = {
        "table": Embedding(9, 4, **OF_WEIGHTS),
        "drop": Dropout(0.5, rng=0),
        "lstm": Lstm(4, 5, stateful=True, **OF_WEIGHTS),
        "norm": LayerNormalization(5, dtype=np.float64),
        "gru": Gru(5, 5, **OF_WEIGHTS),
        "rnn": Rnn(5, 5, activation="relu", **OF_WEIGHTS),
        "scores": Affine(5, 9, **OF_WEIGHTS),
    }
    return Sequential(layers, SoftmaxWithLoss())


def graph():
    """With residuals, several inputs and outputs, and nets inside."""
    inner = Sequential({"rnn": Rnn(4, 4, **OF_WEIGHTS), "tanh": Tanh()})
    side = Graph(
        {"a": Node(Lstm(4, 4, **OF_WEIGHTS), "p"), "sum": Node(Addition(), ["a", "q"])},
        inputs=("p", "q"),
    )
    return Graph(
        {
            "inner": Node(inner, "X"),
            "skip": Node(Addition(), ["inner", "X"]),
            "both": Node(side, ["skip", "Z"]),
            "wide": Node(Concatenation(2), ["both", "skip"]),
            "cut": Node(Slice(2, (3, 5)), "wide", outputs=2),
            "relu": Node(Relu(), "cut.1"),
        },
        inputs=("X", "Z"),
        outputs=("cut.0", "relu"),
    )


def stepped(net, *arrays, cuts=range(1, 7)):
    """The outputs, and the last state, of going from cut to cut."""
    state, found = None, []
    for start, end in zip([0, *cuts], [*cuts, 7], strict=True):
        out, state = net.step(*(x[:, start:end] for x in arrays), state)
        found.append(out if isinstance(out, tuple) else (out,))
    return [np.concatenate(parts, axis=1) for parts in zip(*found, strict=True)], state


@pytest.mark.parametrize("cuts", [range(1, 7), (4, 5, 6), ()], ids=["each", "a prompt", "at once"])
@pytest.mark.parametrize(
    ("make", "arrays"), [(language_model, (WORDS,)), (graph, (X, X[::-1]))], ids=["chain", "graph"]
)
def test_steps_are_the_whole(make, arrays, cuts):
    net = make()
    assert net.can_step
    net.set_training(False)
    whole = net.forward(*arrays)
    net.set_training(True)  # the mode is no matter: a step is one of evaluation
    found, _ = stepped(net, *arrays, cuts=cuts)
    assert net.training
    whole = whole if isinstance(whole, tuple) else (whole,)
    for ours, right in zip(found, whole, strict=True):
        np.testing.assert_allclose(ours, right, rtol=0, atol=1e-12)


BY_POSITION = {
    "Affine": lambda: Affine(4, 3, **OF_WEIGHTS),
    "Relu": Relu,
    "LeakyRelu": LeakyRelu,
    "Elu": Elu,
    "PRelu": lambda: PRelu(dtype=np.float64),
    "Gelu": Gelu,
    "Swish": Swish,
    "Softplus": Softplus,
    "Sigmoid": Sigmoid,
    "Tanh": Tanh,
    "Softmax": Softmax,
    "Step": Step,
    "Dropout": lambda: Dropout(rng=0),
    "LayerNormalization": lambda: LayerNormalization(4, dtype=np.float64),
    "Rnn": lambda: Rnn(4, 3, **OF_WEIGHTS),
    "Lstm": lambda: Lstm(4, 3, **OF_WEIGHTS),
    "Gru": lambda: Gru(4, 3, **OF_WEIGHTS),
}


@pytest.mark.parametrize("name", BY_POSITION)
def test_layers_that_can(name):
    layer = BY_POSITION[name]()
    layer.set_training(False)
    whole = layer.forward(X)
    (found,), _ = stepped(layer, X)
    np.testing.assert_allclose(found, whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("layer", [Addition(), Multiplication(), Maximum(), Concatenation(2)])
def test_gates_that_can(layer):
    whole = layer.forward(X, X[::-1])
    (found,), _ = stepped(layer, X, X[::-1])
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize(
    "layer",
    [
        Convolution(3, 3, 1, rng=0),
        GlobalAveragePooling(),
        BatchNormalization(7),
        Flatten(),
        LayerNormalization((7, 4)),
        PRelu(7),
        Concatenation(1),
        Slice(1, (3, 4)),
        Rnn(4, 3, reverse=True, rng=0),
        Lstm(4, 3, reverse=True, rng=0),
        Gru(4, 3, reverse=True, rng=0),
        MultiHeadAttention(4, 2, rng=0),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_the_layer_that_cannot_is_named(layer):
    kind = type(layer).__name__
    inner = Sequential({"odd": layer})
    net = Sequential({"relu": Relu(), "inner": inner})
    words = rf"inner \(Sequential\): odd \({kind}\): {kind}:? (cannot go|goes) step by step"
    assert not net.can_step
    with pytest.raises(StepError, match=words):
        net.step(X[:, :1])


@pytest.mark.parametrize("cls", [Rnn, Lstm, Gru])
def test_the_last_step_of_what_came_so_far(cls):
    layer = cls(4, 3, last_only=True, **OF_WEIGHTS)
    net, state = Sequential({"rnn": layer, "out": Affine(3, 2, **OF_WEIGHTS)}), None
    for t in range(7):
        out, state = net.step(X[:, t : t + 1], state)
        np.testing.assert_allclose(out, net.forward(X[:, : t + 1]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize(("cls", "n"), [(Rnn, 1), (Gru, 1), (Lstm, 0), (Lstm, 1), (Lstm, 2)])
def test_first_states_that_are_given(cls, n, last_only):
    """The first step begins from them; a later one goes on from its state alone, and one without
    positions changes nothing."""
    layer = cls(4, 3, last_only=last_only, **OF_WEIGHTS)
    given, state = RNG.standard_normal((n, 3, 3)), None
    for t in range(7):
        out, state = layer.step(X[:, t : t + 1], *given, state)
        whole = layer.forward(X[:, : t + 1], *given)
        out, whole = (out, whole) if last_only else (out[:, 0], whole[:, t])
        np.testing.assert_allclose(out, whole, rtol=0, atol=1e-12)
    nothing, after = layer.step(X[:, :0], *given, state)
    if last_only:
        np.testing.assert_array_equal(nothing, out)
    else:
        assert nothing.shape == (3, 0, 3)
    for ours, right in zip(after, state, strict=True):
        np.testing.assert_array_equal(ours, right)


def test_the_last_step_of_nothing_new():
    layer = LastStep()
    first, state = layer.step(X[:, :4])
    np.testing.assert_array_equal(first, X[:, 3])
    np.testing.assert_array_equal(layer.step(X[:, :0], state)[0], X[:, 3])
    np.testing.assert_array_equal(layer.step(X[:, 4:5], state)[0], X[:, 4])
    with pytest.raises(ShapeError, match=r"LastStep: expects sequences .* got \(N, 0, 4\)"):
        layer.step(X[:, :0])


def test_how_many_positions_a_net_takes():
    def positions(n):
        return PositionalEncoding(4, learned=n, rng=0)

    net = Sequential({"a": positions(5), "inner": Sequential({"b": positions(3)}), "relu": Relu()})
    assert net.most_positions == 3
    assert Sequential({"sines": PositionalEncoding(4), "relu": Relu()}).most_positions is None
    _, state = net.step(X[:, :3])
    with pytest.raises(ShapeError, match="at most 3 positions, those of its learned table, got 4"):
        net.step(X[:, 3:4], state)


def test_one_may_go_on_from_a_state_more_than_once():
    net = language_model()
    _, state = net.step(WORDS[:, :3])
    before = copy.deepcopy(state)
    first = net.step(WORDS[:, 3:4], state)[0]
    net.step(WORDS[:, 4:5], state)
    np.testing.assert_array_equal(net.step(WORDS[:, 3:4], state)[0], first)
    for name, kept in before.items():
        for ours, right in zip(state[name], kept, strict=True):
            np.testing.assert_array_equal(ours, right)


def test_training_does_not_notice():
    """Neither what is carried nor random numbers move, and no gradient goes back from a step."""
    net, t = language_model(), np.zeros((3, 7), int)
    net.loss(WORDS, t)
    before = net.state()
    net.step(WORDS[:, :1])
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call just before it"):
        net.backward()


def test_what_evaluation_carries_stays():
    net = language_model()
    net.set_training(False)
    net.forward(WORDS)
    kept = net.layers["lstm"].carried["h0"].evaluated
    net.step(WORDS[:, :1])
    assert net.layers["lstm"].carried["h0"].evaluated is kept


def test_a_net_in_shards_steps_as_one():
    net = language_model()
    (right,), _ = stepped(net, WORDS)
    (found,), _ = stepped(Sharded(net, 2), WORDS)
    np.testing.assert_array_equal(found, right)


def test_float32_stays():
    net = Sequential({"lstm": Lstm(4, 3, rng=0), "gru": Gru(3, 3, rng=0), "rnn": Rnn(3, 3, rng=0)})
    assert net.step(X[:, :1].astype(np.float32))[0].dtype == np.float32


def test_wrong_positions_and_states_are_refused():
    net = language_model()
    with pytest.raises(ShapeError, match=r"Sequential.step: expects positions .* got \(3,\)"):
        net.step(WORDS[:, 0])
    with pytest.raises(ShapeError, match=r"expects positions \(N, 1, ...\), got \(3, 0\)"):
        net.step(WORDS[:, :0])
    with pytest.raises(TypeError, match="takes X, Z; got 1 inputs"):
        graph().step(X)
    with pytest.raises(StepError, match="what the step before gave, or None at the start; got a"):
        net.step(WORDS[:, :1], 3)
    with pytest.raises(StepError, match="a state of another net, with inner"):
        net.step(WORDS[:, :1], {"inner": None})
    _, state = net.step(WORDS[:, :1])
    with pytest.raises(ShapeError, match=r"Lstm: expects h0 \(2, 5\), a row for each sequence"):
        net.step(WORDS[:2, :1], state)
