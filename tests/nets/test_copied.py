"""A net is copied and pickled at any moment, also right after a differentiation."""

import copy
import pickle

import numpy as np
import pytest

from lamina.autodiff import grad, jvp
from lamina.layers import Affine, BatchNormalization, Dropout, SoftmaxWithLoss, Tanh
from lamina.nets import Sequential

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((5, 4)), RNG.integers(0, 3, 5)


def made():
    rng = np.random.default_rng(1)
    layers = {"a": Affine(4, 6, rng=rng, dtype=np.float64), "t": Tanh()}
    layers["bn"] = BatchNormalization(6, dtype=np.float64)
    layers["d"] = Dropout(0.2, rng=rng)
    return Sequential(
        layers | {"b": Affine(6, 3, rng=rng, dtype=np.float64)}, loss=SoftmaxWithLoss()
    )


def directions(net):
    return {name: np.ones(p.data.shape) for name, p in net.parameters().items()}


LEFT_BY = {
    "gradient": lambda net: net.gradient(X, T),
    "hvp": lambda net: net.hvp(X, T, directions(net)),
    "jvp of the net": lambda net: net.jvp(X, X),
    "jvp": lambda net: jvp(lambda x: net.loss(x, T), X, X),
    "grad": lambda net: grad(lambda x: net.loss(x, T))(X),
}


@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, copy.copy, lambda net: pickle.loads(pickle.dumps(net))],
    ids=["deepcopy", "copy", "pickle"],
)
@pytest.mark.parametrize("leaves", LEFT_BY.values(), ids=LEFT_BY)
def test_a_copy_gives_what_the_net_gives(leaves, copied):
    net = made()
    leaves(net)
    state = net.state()
    other = copied(net)
    assert other.state().keys() == state.keys()
    for name, array in other.state().items():
        np.testing.assert_array_equal(array, state[name])
    there = other.gradient(X, T)
    net.load_state(state)
    for name, gradient in net.gradient(X, T).items():
        np.testing.assert_array_equal(there[name], gradient)
