"""A question and an answer: an encoder, a decoder that sees it at every step, attention, masks."""

import numpy as np
import pytest

from lamina.layers import (
    Addition,
    Affine,
    Concatenation,
    Embedding,
    LastStep,
    MultiHeadAttention,
    PositionalEncoding,
    Repeat,
    RMSNormalization,
    SoftmaxWithLoss,
)
from lamina.nets import Graph, Node, load_net

WORDS, D = 7, 6


def peeky(rng, dtype=np.float64):
    """What a peeky decoder with attention hangs together of, recurrent layers apart."""
    options = {"rng": rng, "dtype": dtype}
    return Graph(
        {
            "words": Node(Embedding(WORDS, D, **options), "question"),
            "encoder": MultiHeadAttention(D, 2, causal=True, **options),
            "found": LastStep(),
            "embedding": Node(Embedding(WORDS, D, **options), "answer"),
            "positions": PositionalEncoding(D, learned=4, **options),
            "self": Node(MultiHeadAttention(D, 3, causal=True, **options), "positions"),
            "residual": Node(Addition(), ["positions", "self"]),
            "norm": RMSNormalization(D, dtype=dtype),
            "cross": Node(MultiHeadAttention(D, 2, cross=True, **options), ["norm", "encoder"]),
            "everywhere": Node(Repeat(), ["found", "answer"]),
            "peeky": Node(Concatenation(axis=2), ["everywhere", "cross"]),
            "scores": Affine(2 * D, WORDS, **options),
        },
        inputs=["question", "answer"],
        losses=SoftmaxWithLoss(),
    )


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    question, answer = rng.integers(0, WORDS, (3, 5)), rng.integers(0, WORDS, (3, 4))
    return (question, answer), rng.integers(0, WORDS, (3, 4))


def test_gradients_are_those_of_differences(batch):
    X, t = batch
    net, rng, h = peeky(0), np.random.default_rng(2), 1e-6
    for name, gradient in net.gradient(X, t).items():
        param = net.parameters()[name]
        step, data = rng.standard_normal(gradient.shape), param.data
        values = []
        for sign in (1, -1):
            param.data = data + sign * h * step
            values.append(float(net.loss(X, t)))
        param.data = data
        slope = (values[0] - values[1]) / (2 * h)
        assert np.any(gradient), name
        assert slope == pytest.approx(np.sum(gradient * step), rel=1e-6, abs=1e-8), name


def test_hessian_vector_products_are_those_of_differences(batch):
    X, t = batch
    net, rng, h = peeky(0), np.random.default_rng(3), 1e-5
    params = net.parameters()
    v = {name: rng.standard_normal(p.data.shape) for name, p in params.items()}
    exact = net.hvp(X, t, v)
    ends = []
    for sign in (1, -1):
        for name, param in params.items():
            param.data = param.data + sign * h * v[name]
        ends.append(net.gradient(X, t))
        for name, param in params.items():
            param.data = param.data - sign * h * v[name]
    for name, product in exact.items():
        rough = (ends[0][name] - ends[1][name]) / (2 * h)
        np.testing.assert_allclose(product, rough, atol=1e-6 * max(1, np.abs(rough).max()))


def test_such_a_net_is_saved_whole(batch, tmp_path):
    net = peeky(0, np.float32)
    net.save(tmp_path / "net.npz")
    again = load_net(tmp_path / "net.npz")
    np.testing.assert_array_equal(again.predict(batch[0]), net.predict(batch[0]))
    assert again.structure() == net.structure()


def test_a_mask_that_two_layers_read():
    """It comes through a Copy gate, and has no gradient, whoever asks for one."""
    rng = np.random.default_rng(0)
    net = Graph(
        {
            "one": Node(MultiHeadAttention(4, 2, rng=rng, dtype=np.float64), ["X", "mask"]),
            "two": Node(MultiHeadAttention(4, 2, rng=rng, dtype=np.float64), ["one", "mask"]),
        },
        inputs=["X", "mask"],
    )
    X, mask = rng.standard_normal((2, 3, 4)), np.array([[1, 1, 0], [0, 1, 1]])
    Y = net.forward(X, mask)
    dX, nothing = net.backward(np.ones_like(Y))
    assert nothing is None
    assert net.output_shape((3, 4), (3,)) == (3, 4)
    layers = list(net.nodes.values())
    expected = layers[1].layer.forward(layers[0].layer.forward(X, mask), mask)
    np.testing.assert_array_equal(Y, expected)
    assert np.abs(dX).max() > 0
