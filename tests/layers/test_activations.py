"""Activations and gates at points worked out by hand, and at the extremes of float32."""

import math

import numpy as np
import pytest

from lamina.layers import (
    Addition,
    Copy,
    Elu,
    Gelu,
    LeakyRelu,
    Maximum,
    Multiplication,
    Relu,
    ShapeError,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)

LN2, LN3, LN4, LN5 = (math.log(n) for n in (2, 3, 4, 5))
# Gelu's u and tanh(u) at X = 1.
U = math.sqrt(2 / math.pi) * 1.044715
TANH_U = (math.exp(2 * U) - 1) / (math.exp(2 * U) + 1)
GELU_SLOPE = 0.5 * (1 - TANH_U**2) * math.sqrt(2 / math.pi) * 1.134145

# layer: X, Y, dY/dX
POINTS = [
    (Sigmoid(), [0, LN3, -LN3, LN4], [1 / 2, 3 / 4, 1 / 4, 4 / 5], [1 / 4, 3 / 16, 3 / 16, 4 / 25]),
    (Tanh(), [0, LN2, -LN2, LN3], [0, 3 / 5, -3 / 5, 4 / 5], [1, 16 / 25, 16 / 25, 9 / 25]),
    (LeakyRelu(), [3, -2, 0], [3, -0.02, 0], [1, 0.01, 0.01]),
    (LeakyRelu(0.25), [3, -2, 0], [3, -0.5, 0], [1, 0.25, 0.25]),
    (Softplus(), [0, LN3, -LN3], [LN2, LN4, LN4 - LN3], [1 / 2, 3 / 4, 1 / 4]),
    (Elu(), [3, 0, -LN2, -LN4], [3, 0, -1 / 2, -3 / 4], [1, 1, 1 / 2, 1 / 4]),
    (Elu(2.0), [3, 0, -LN2], [3, 0, -1], [1, 2, 1]),
    (
        Gelu(),
        [0, 1, -1],
        [0, 0.5 * (1 + TANH_U), -0.5 * (1 - TANH_U)],
        [1 / 2, 0.5 * (1 + TANH_U) + GELU_SLOPE, 0.5 * (1 - TANH_U) - GELU_SLOPE],
    ),
    (
        Swish(),
        [0, LN3, -LN3],
        [0, 0.75 * LN3, -0.25 * LN3],
        [1 / 2, 3 / 4 + 3 / 16 * LN3, 1 / 4 - 3 / 16 * LN3],
    ),
]


def name_of(value):
    return type(value).__name__ if hasattr(value, "forward") else None


@pytest.mark.parametrize(("layer", "X", "Y", "slopes"), POINTS, ids=name_of)
def test_values_and_slopes_by_hand(layer, X, Y, slopes):
    X = np.array(X, float)
    np.testing.assert_allclose(layer.forward(X), Y, rtol=1e-14, atol=1e-15)
    dout = np.arange(1.0, len(X) + 1)
    np.testing.assert_allclose(layer.backward(dout), dout * slopes, rtol=1e-13)


def test_gelu_is_near_the_exact_one():
    """X Φ(X), of which it is the usual approximation."""
    X = np.linspace(-6, 6, 241)
    exact = [0.5 * x * (1 + math.erf(x / math.sqrt(2))) for x in X]
    np.testing.assert_allclose(Gelu().forward(X), exact, atol=5e-4)
    assert np.abs(Gelu().forward(X) - exact).max() > 1e-5
    assert Gelu().forward(np.array([1.0]))[0] == pytest.approx(0.841192, abs=1e-6)


def test_softmax_by_hand():
    """exp = 1, 2, 5; dX = Y (dout - Σ dout Y), and Σ dout Y = 1."""
    layer = Softmax()
    np.testing.assert_allclose(layer.forward(np.array([[0, LN2, LN5]])), [[1 / 8, 2 / 8, 5 / 8]])
    dX = layer.backward(np.array([[8.0, 0.0, 0.0]]))
    np.testing.assert_allclose(dX, [[7 / 8, -2 / 8, -5 / 8]])


def test_softmax_is_along_the_last_axis_and_knows_no_shift():
    X = np.random.default_rng(0).standard_normal((2, 3, 4))
    Y = Softmax().forward(X)
    np.testing.assert_allclose(Y.sum(axis=-1), np.ones((2, 3)))
    np.testing.assert_allclose(Softmax().forward(X + 100.0), Y)
    np.testing.assert_allclose(Softmax().forward(X[1, 2]), Y[1, 2])


EXTREMES = np.array([-1e4, -100, -20, 0, 20, 100, 1e4], np.float32)
LIMITS = [
    (Sigmoid(), [0, 0, 0, 0.5, 1, 1, 1], [0, 0, 0, 0.25, 0, 0, 0]),
    (Tanh(), [-1, -1, -1, 0, 1, 1, 1], [0, 0, 0, 1, 0, 0, 0]),
    (
        LeakyRelu(0.5),
        [-5e3, -50, -10, 0, 20, 100, 1e4],
        [0.5, 0.5, 0.5, 0.5, 1, 1, 1],
    ),
    (Softplus(), [0, 0, 0, LN2, 20, 100, 1e4], [0, 0, 0, 0.5, 1, 1, 1]),
    (Elu(), [-1, -1, -1, 0, 20, 100, 1e4], [0, 0, 0, 1, 1, 1, 1]),
    (Gelu(), [0, 0, 0, 0, 20, 100, 1e4], [0, 0, 0, 0.5, 1, 1, 1]),
    (Swish(), [0, 0, 0, 0, 20, 100, 1e4], [0, 0, 0, 0.5, 1, 1, 1]),
    (Step(), [0, 0, 0, 0, 1, 1, 1], [0] * 7),
]


@pytest.mark.parametrize(("layer", "Y", "slopes"), LIMITS, ids=name_of)
def test_at_the_extremes_of_float32_all_is_finite(layer, Y, slopes):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        got = layer.forward(EXTREMES)
        dX = layer.backward(np.ones_like(EXTREMES))
    assert got.dtype == dX.dtype == np.float32
    np.testing.assert_allclose(got, Y, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(dX, slopes, rtol=1e-6, atol=1e-6)


def test_softmax_at_the_extremes_of_float32():
    X = np.array([[1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, -1e4]], np.float32)
    layer = Softmax()
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        Y = layer.forward(X)
        dX = layer.backward(np.ones_like(X))
    assert Y.dtype == dX.dtype == np.float32
    np.testing.assert_allclose(Y, [[1, 0, 0], [1 / 3] * 3, [0.5, 0.5, 0]], rtol=1e-6)
    np.testing.assert_allclose(dX, np.zeros((3, 3)), atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [Sigmoid(), Tanh(), Relu(), LeakyRelu(), Softplus(), Elu(), Gelu(), Swish()],
    ids=name_of,
)
def test_nan_passes_through(layer):
    Y = layer.forward(np.array([math.nan, 1.0]))
    assert np.isnan(Y).tolist() == [True, False]


# Gates.


def test_the_circuit_of_note_000_in_plain_numbers():
    """f = (x + y) z at (-2, 5, -4): the gradients are -4, -4 and 3."""
    add, multiply = Addition(), Multiplication()
    q = add.forward(-2.0, 5.0)
    assert q == 3.0
    assert multiply.forward(q, -4.0) == -12.0
    dq, dz = multiply.backward(1.0)
    assert (dq, dz) == (-4.0, 3.0)
    assert add.backward(dq) == (-4.0, -4.0)


def test_maximum_routes_the_gradient():
    gate = Maximum()
    assert gate.forward(2.0, -1.0) == 2.0
    assert gate.backward(3.0) == (3.0, 0.0)
    assert gate.forward(2.0, 5.0) == 5.0
    assert gate.backward(3.0) == (0.0, 3.0)
    assert gate.forward(2.0, 2.0) == 2.0
    assert gate.backward(3.0) == (3.0, 3.0)


def test_gates_take_arrays_entry_by_entry():
    x, y, dout = np.array([1.0, 2.0, 3.0]), np.array([5.0, -1.0, 3.0]), np.array([1.0, 10.0, 100.0])
    gates = {
        gate: gate.forward(x, y).tolist() for gate in (Addition(), Multiplication(), Maximum())
    }
    assert list(gates.values()) == [[6, 1, 6], [5, -2, 9], [5, 2, 3]]
    gradients = [[d.tolist() for d in gate.backward(dout)] for gate in gates]
    assert gradients == [
        [[1, 10, 100], [1, 10, 100]],
        [[5, -10, 300], [1, 20, 300]],
        [[0, 10, 100], [1, 0, 100]],
    ]


def test_gates_take_more_than_two_inputs():
    x, y, z = np.array([1.0, 2.0]), np.array([5.0, -1.0]), np.array([5.0, 3.0])
    dout = np.array([1.0, 10.0])
    wanted = {
        Addition(): ([11, 4], [[1, 10], [1, 10], [1, 10]]),
        Addition((1, -1, 0.5)): ([-1.5, 4.5], [[1, 10], [-1, -10], [0.5, 5]]),
        Multiplication(): ([25, -6], [[25, -30], [5, 60], [5, -20]]),
        Maximum(): ([5, 3], [[0, 0], [1, 0], [1, 10]]),  # 5 and 5: a tie
    }
    for gate, (out, gradients) in wanted.items():
        assert gate.forward(x, y, z).tolist() == out
        assert [d.tolist() for d in gate.backward(dout)] == gradients
        with pytest.raises(ShapeError, match=r"expects y of the shape of x, \(2,\), got \(3,\)"):
            gate.forward(x, y, np.ones(3))
    with pytest.raises(ShapeError, match="expects 3 inputs, as many as coefficients, got 2"):
        Addition((1, -1, 0.5)).forward(x, y)
    assert Addition((2.0, 1.0)).forward(*np.ones((2, 3), np.float32)).dtype == np.float32


@pytest.mark.parametrize("gate", [Addition(), Multiplication(), Maximum()], ids=name_of)
@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.ones(2), np.ones(3), r"\(2,\), got \(3,\)"),
        (np.ones((2, 3)), np.ones(3), r"\(2, 3\), got \(3,\)"),
        (np.ones((4, 1)), np.ones((4, 5)), r"\(4, 1\), got \(4, 5\)"),
        (np.ones(3), 2.0, r"\(3,\), got \(\)"),
        (2.0, np.ones(3), r"\(\), got \(3,\)"),
    ],
)
def test_gates_refuse_different_shapes(gate, x, y, words):
    """Broadcasting would need a sum on the way back."""
    with pytest.raises(ShapeError, match=f"{name_of(gate)}: expects y of the shape of x, {words}"):
        gate.forward(x, y)


def test_copy_adds_up_what_comes_back():
    gate = Copy(3)
    x = np.array([1.0, 2.0])
    copies = gate.forward(x)
    assert len(copies) == 3
    assert all(copy.tolist() == [1.0, 2.0] for copy in copies)
    douts = [np.array([1.0, 10.0]), np.array([2.0, 20.0]), np.array([4.0, 40.0])]
    assert gate.backward(*douts).tolist() == [7.0, 70.0]
    assert [dout.tolist() for dout in douts] == [[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]]


def test_copy_of_plain_numbers_and_its_default():
    assert Copy().forward(5.0) == (5.0, 5.0)
    assert Copy(3).backward(1.0, 2.0, 3.0) == 6.0
    assert Copy(1).forward(5.0) == (5.0,)
    assert Copy(1).backward(2.0) == 2.0
    with pytest.raises(ValueError, match="Copy: n is at least 1, got 0"):
        Copy(0)


def test_step_is_0_or_1_and_lets_no_gradient_through():
    layer = Step()
    assert layer.forward(np.array([-2.0, -0.0, 0.0, 1e-30, 3.0])).tolist() == [0, 0, 0, 1, 1]
    assert layer.backward(np.array([1.0, -2.0, 3.0, 4.0, 5.0])).tolist() == [0, 0, 0, 0, 0]
    assert layer.forward(2.0) == 1.0
    assert layer.zero_gradient
