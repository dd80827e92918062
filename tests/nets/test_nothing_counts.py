"""Sequences of which nothing is seen, or nothing counts: no NaN forward or back, and nothing
learned."""

import numpy as np
import pytest

from lamina.layers import Affine, Embedding, Lstm, MultiHeadAttention, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import Adam
from lamina.training.parallel import Sharded

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 3, 4)).astype(np.float32)
S = RNG.standard_normal((2, 5, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def every_warning_is_an_error():
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.mark.parametrize("kind", ["causal", "cross"])
def test_a_mask_that_hides_everything(kind):
    layer = MultiHeadAttention(4, 2, dropout=0.3, rng=0, **{kind: True})
    layer.b_out.data[:] = 3.0
    others = (S, np.zeros((2, 5), bool)) if kind == "cross" else (np.zeros((2, 3), bool),)
    Y = layer.forward(X, *others)
    assert (Y == 3.0).all()
    gradients = layer.backward(np.ones_like(Y))
    assert not any(dZ.any() for dZ in gradients if dZ is not None)
    assert not any(p.grad.any() for n, p in layer.parameters().items() if n != "b_out")
    assert (layer.b_out.grad == 6).all()
    layer.set_training(False)
    state = None
    for t in range(3):
        seen = others if kind == "cross" else (others[0][:, t : t + 1],)
        y, state = layer.step(X[:, t : t + 1], *seen, state)
        assert (y == 3.0).all()


@pytest.mark.parametrize("shards", [None, 3])
def test_targets_that_are_all_ignored(shards):
    """A step of Adam with clipping, whose norm is 0, moves nothing."""
    layers = {
        "embedding": Embedding(7, 4, rng=0),
        "lstm": Lstm(4, 5, stateful=True, rng=0),
        "attention": MultiHeadAttention(5, 1, causal=True, rng=0),
        "scores": Affine(5, 7, rng=0),
    }
    net = Sequential(layers, SoftmaxWithLoss(ignore_index=0))
    words, t = RNG.integers(0, 7, (3, 6)), np.zeros((3, 6), int)
    before = {name: param.data.copy() for name, param in net.parameters().items()}
    optimizer = Adam(net.parameters(), clip_norm=1.0)
    trained = net if shards is None else Sharded(net, shards)
    assert trained.loss(words, t) == 0
    assert not any(gradient.any() for gradient in trained.gradient(words, t).values())
    optimizer.step()
    for name, param in net.parameters().items():
        np.testing.assert_array_equal(param.data, before[name])
