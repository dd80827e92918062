"""What cannot be cut into shards is refused in words when the twins would be made."""

import random

import numpy as np
import pytest

from lamina.layers import Affine, Layer, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.training.parallel import Sharded

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((6, 4)).astype(np.float32), RNG.integers(0, 3, 6)


class Noise(Layer):
    def __init__(self, held):
        self.held = held

    def forward(self, X):
        return X

    def backward(self, dout):
        return dout


class NoLoss(Layer):
    def forward(self, scores, targets):
        self.scores = scores
        return np.square(scores).mean()

    def backward(self, dout=1.0):
        return self.scores * (2.0 / self.scores.size * dout)


def net(loss, *layers):
    named = {f"own{i}": layer for i, layer in enumerate(layers)}
    return Sequential(named | {"affine": Affine(4, 3, rng=0)}, loss=loss)


@pytest.mark.parametrize(
    ("held", "name"),
    [
        (np.random.RandomState(0), "held is a RandomState"),
        (random.Random(0), "held is a Random"),
        ([1, random.Random(0)], "held.1 is a Random"),
        (Noise(np.random.RandomState(0)), "held is a RandomState"),
    ],
)
def test_random_numbers_that_all_twins_would_share(held, name):
    made = net(SoftmaxWithLoss(), Noise(held))
    with pytest.raises(TypeError, match=rf"shards: Noise.*{name}.*np.random.default_rng\(seed\)"):
        Sharded(made, 2)
    Sharded(made, 1)


def test_a_generator_gives_each_twin_its_own():
    made = Sharded(net(SoftmaxWithLoss(), Noise(np.random.default_rng(0))), 2)
    drawn = [one.layers["own0"].held.random(3).tolist() for one in made.nets]
    assert drawn[0] != drawn[1]


def test_a_loss_that_does_not_say_how_much_counts():
    made = net(NoLoss())
    words = r"loss \(NoLoss\): expects a layers.Loss, .* class NoLoss\(Loss\)"
    with pytest.raises(TypeError, match=words):
        Sharded(made, 2)
    with pytest.raises(TypeError, match=words):
        made.scores_and_losses(X, T)
    assert made.loss(X, T) > 0
