"""The examples of the notes."""

from typing import NamedTuple

import numpy as np
import pytest

from lamina.autodiff import grad


class Example(NamedTuple):
    f: object
    inputs: dict

    def arrays(self) -> dict:
        return {name: np.array(value, float)[()] for name, value in self.inputs.items()}

    def value(self):
        return self.f(**self.arrays())

    def gradients(self) -> dict:
        return grad(lambda arrays: self.f(**arrays))(self.arrays())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def neuron(w0, x0, w1, x1, w2):
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def copy(w):
    return 4 * w + 2 * w


def net_342(x, W1, W2):
    """The net of note 002: 3-4-2 with sigmoids and the squared error to (0, 1)."""
    y = sigmoid(sigmoid(x @ W1) @ W2)
    return 0.5 * np.sum((np.array([0.0, 1.0]) - y) ** 2)


def chain(x, A0, b0, A1, b1):
    """Note 003: f_i = σ_i(A_{i-1} f_{i-1} + b_{i-1}) and the squared loss."""
    f1 = np.tanh(A0 @ x + b0)
    f2 = np.tanh(A1 @ f1 + b1)
    return np.sum((np.array([1.0, -1.0]) - f2) ** 2)


def affine_softmax(X, W, b):
    """Note 004: affine, softmax and cross-entropy, with targets 0 and 2."""
    scores = X @ W + b
    powers = np.exp(scores)
    p = powers / np.sum(powers, axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(2), np.array([0, 2])]))


def two_layer(X, W1, b1, W2, b2):
    hidden = np.maximum(X @ W1 + b1, 0)
    return np.sum((hidden @ W2 + b2 - np.array([[1.0, 0.0], [0.0, 1.0]])) ** 2) / 2


def _normal(*shape):
    return np.round(np.random.default_rng(sum(shape)).standard_normal(shape), 2)


NEURON = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
EXAMPLES = {
    "000 (x+y)z": Example(lambda x, y, z: (x + y) * z, {"x": -2.0, "y": 5.0, "z": -4.0}),
    "000 sigmoid": Example(neuron, NEURON),
    "000 add": Example(lambda x, y: x + y, {"x": 3.0, "y": -4.0}),
    "000 copy": Example(copy, {"w": 0.5}),
    "000 mul": Example(lambda x, y: x * y, {"x": 2.0, "y": 3.0}),
    "000 max": Example(lambda x, y: np.maximum(x, y), {"x": 4.0, "y": 5.0}),
    "000 relu": Example(lambda x: np.sum(np.maximum(x, 0)), {"x": [1.0, -2.0, 3.0, -1.0]}),
    "000 matmul": Example(
        lambda x, w: np.sum((x @ w) ** 2),
        {"x": [[1.0, 2.0, -1.0], [0.5, -3.0, 2.0]], "w": [[1.0, 0.0], [2.0, -1.0], [0.5, 4.0]]},
    ),
    "001 xy": Example(lambda x, y: x * y, {"x": 4.0, "y": -3.0}),
    "001 x+y": Example(lambda x, y: x + y, {"x": 4.0, "y": -3.0}),
    "001 max": Example(lambda x, y: np.maximum(x, y), {"x": 4.0, "y": -3.0}),
    "002 f": Example(lambda x: (np.log(x) * (x + 3) + x**2) / np.sin(x), {"x": 2.0}),
    "002 4x²": Example(lambda x: (2 * x) ** 2, {"x": 3.0}),
    "002 net": Example(net_342, {"x": [0.5, -1.0, 2.0], "W1": _normal(3, 4), "W2": _normal(4, 2)}),
    "003 chain": Example(
        chain,
        {
            "x": [1.0, -2.0],
            "A0": [[0.5, -0.3], [0.2, 0.8], [-0.6, 0.1]],
            "b0": [0.1, 0.0, -0.2],
            "A1": [[0.4, -0.9, 0.3], [0.7, 0.2, -0.5]],
            "b1": [0.0, 0.3],
        },
    ),
    "004 softmax": Example(
        affine_softmax,
        {"X": [[1.0, -0.5], [0.3, 2.0]], "W": _normal(2, 3), "b": [0.1, 0.0, -0.1]},
    ),
    "two-layer net": Example(
        two_layer,
        {
            "X": [[1.0, 2.0], [3.0, -1.0]],
            "W1": _normal(2, 3),
            "b1": [0.0, 0.1, -0.1],
            "W2": _normal(3, 2),
            "b2": [0.5, -0.5],
        },
    ),
}


@pytest.fixture(params=EXAMPLES)
def example(request) -> Example:
    return EXAMPLES[request.param]
