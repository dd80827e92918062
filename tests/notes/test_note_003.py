"""Note 003 (the gradients of a deep chain share factors; forward and reverse mode)."""

from collections import OrderedDict

import numpy as np
import pytest

from lamina.autodiff import jvp, numeric_gradient
from lamina.layers import Addition, Affine, Multiplication, Relu, Sigmoid, SquaredErrorLoss, Tanh
from lamina.nets import Sequential

WIDTHS = (3, 5, 4, 4, 2)
K = len(WIDTHS) - 1
ACTIVATIONS = {
    "sigmoid": (Sigmoid, lambda z: 1 / (1 + np.exp(-z))),
    "tanh": (Tanh, np.tanh),
    "relu": (Relu, lambda z: np.maximum(z, 0.0)),
}
SIGMAS = ("sigmoid", "tanh", "relu", "sigmoid")  # σ_1 ... σ_K


class Deep:
    """x -> f_1 -> ... -> f_K with the note's indices: f_i = σ_i(A_{i-1} f_{i-1} + b_{i-1}).

    `A[i]` and `b[i]` make up θ_i, and the note's A is the transpose of Affine's W.
    """

    def __init__(self, rng):
        self.x, self.y = rng.standard_normal(WIDTHS[0]), rng.standard_normal(WIDTHS[-1])
        self.A = [rng.standard_normal((WIDTHS[i + 1], WIDTHS[i])) for i in range(K)]
        self.b = [0.5 * rng.standard_normal(WIDTHS[i + 1]) for i in range(K)]
        self.steps = [self._step(i) for i in range(K)]  # steps[i] takes f_i to f_{i+1}
        self.net = Sequential(
            OrderedDict((f"f{i + 1}", step) for i, step in enumerate(self.steps)),
            loss=SquaredErrorLoss(factor=1.0),
        )

    def _step(self, i):
        return Sequential(
            OrderedDict(
                affine=Affine.from_arrays(self.A[i].T.copy(), self.b[i]),
                sigma=ACTIVATIONS[SIGMAS[i]][0](),
            )
        )

    def f(self):
        """[f_0, ..., f_K] by the note's formula, in plain NumPy."""
        f = [self.x]
        for A, b, name in zip(self.A, self.b, SIGMAS, strict=True):
            f.append(ACTIVATIONS[name][1](A @ f[-1] + b))
        return f

    def df_df(self, i):
        """∂f_{i+1}/∂f_i, entry (row of f_{i+1}, column of f_i), by duals."""
        f, units = self.f()[i], np.eye(WIDTHS[i])
        return np.stack([jvp(self._step(i).forward, f, unit)[1] for unit in units], axis=1)

    def df_dtheta(self, i, part):
        """∂f_{i+1}/∂θ_i for a part of θ_i, A or b; the last axes are those of the part."""
        f, sigma, at = self.f()[i], ACTIVATIONS[SIGMAS[i]][1], getattr(self, part)[i]
        by_part = {
            "A": lambda A: sigma(A @ f + self.b[i]),
            "b": lambda b: sigma(self.A[i] @ f + b),
        }
        units = np.eye(at.size).reshape(at.size, *at.shape)
        columns = [jvp(by_part[part], at, unit)[1] for unit in units]
        return np.stack(columns, axis=1).reshape(-1, *at.shape)

    def dL_df(self, i):
        """∂L/∂f_i as the note writes it: ∂L/∂f_K · ∂f_K/∂f_{K-1} · ... · ∂f_{i+1}/∂f_i."""
        product = 2 * (self.f()[K] - self.y)
        for k in range(K - 1, i - 1, -1):
            product = product @ self.df_df(k)
        return product


@pytest.fixture(params=range(3))
def deep(request):
    return Deep(np.random.default_rng(request.param))


# Gradient in a deep network ------------------------------------------------------------------


def test_the_chain_is_the_notes_formula(deep):
    """Note 003: f_0 = x, f_i = σ_i(A_{i-1} f_{i-1} + b_{i-1}), and L = ‖y - f_K‖²."""
    f = deep.f()
    np.testing.assert_allclose(deep.net.forward(deep.x), f[K], rtol=1e-12)
    assert deep.net.loss(deep.x, deep.y) == pytest.approx(np.square(deep.y - f[K]).sum())
    np.testing.assert_allclose(deep.net.loss_layer.backward(), 2 * (f[K] - deep.y), rtol=1e-12)


def test_the_squared_loss_has_no_half():
    """Note 003: L = ‖y - f_K‖², so dL/df_K = 2 (f_K - y); in whole numbers."""
    loss = SquaredErrorLoss(factor=1.0)
    assert loss.forward(np.array([3.0, -1.0]), np.array([1.0, 2.0])) == 4 + 9
    assert loss.backward().tolist() == [4, -6]


@pytest.mark.parametrize("i", range(K))
def test_the_gradients_of_every_layer_are_the_products_of_the_note(deep, i):
    """Note 003: ∂L/∂θ_i = ∂L/∂f_K · ∂f_K/∂f_{K-1} · ... · ∂f_{i+2}/∂f_{i+1} · ∂f_{i+1}/∂θ_i.

    For i = K-1, K-2, K-3 these are the note's three lines. Every factor but the last is ∂f/∂f.
    """
    gradient = deep.net.gradient(deep.x, deep.y)
    dA = np.tensordot(deep.dL_df(i + 1), deep.df_dtheta(i, "A"), axes=1)
    db = np.tensordot(deep.dL_df(i + 1), deep.df_dtheta(i, "b"), axes=1)
    assert np.abs(dA).max() > 1e-4
    np.testing.assert_allclose(gradient[f"f{i + 1}.affine.W"], dA.T, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(gradient[f"f{i + 1}.affine.b"], db, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("i", range(K))
def test_the_gradients_of_every_layer_by_differences(deep, i):
    """Note 003: ∂L/∂θ_i, by a witness that knows no chain rule."""
    gradient = deep.net.gradient(deep.x, deep.y)
    affine = deep.steps[i].layers["affine"]
    for name in ("W", "b"):
        param = getattr(affine, name)
        at = param.data

        def L(value, param=param):
            param.data = value
            return deep.net.loss(deep.x, deep.y)

        differences = numeric_gradient(L, at)
        param.data = at
        np.testing.assert_allclose(gradient[f"f{i + 1}.affine.{name}"], differences, atol=1e-7)


def test_the_shared_factors_are_computed_once(deep):
    """Note 003: the products for the layers repeat each other; backpropagation reuses them.

    Each step is visited once, from the last to the first, and is handed the product so far.
    """
    visits = []
    for i, step in enumerate(deep.steps):

        def watched(dout, i=i, backward=step.backward):
            visits.append((i, dout))
            return backward(dout)

        step.backward = watched
    deep.net.loss(deep.x, deep.y)
    dx = deep.net.backward()
    assert [i for i, _ in visits] == [3, 2, 1, 0]
    for i, handed_down in visits:
        np.testing.assert_allclose(handed_down, deep.dL_df(i + 1), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(dx, deep.dL_df(0), rtol=1e-10, atol=1e-13)


# Automatic differentiation -------------------------------------------------------------------

ELEMENTARY = {
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "addition": (lambda x: x + 3.0 + x, lambda x: 2.0 * np.ones_like(x)),
    "multiplication": (lambda x: x * (3.0 * x), lambda x: 6.0 * x),
}


@pytest.mark.parametrize("name", ELEMENTARY)
def test_elementary_functions_can_be_differentiated(name):
    """Note 003: addition, multiplication, sin, cos, exp, log."""
    f, derivative = ELEMENTARY[name]
    x = np.array([0.5, 1.0, 2.5])
    value, slope = jvp(f, x, np.ones(3))
    np.testing.assert_array_equal(value, f(x))
    np.testing.assert_allclose(slope, derivative(x), rtol=1e-14)


def composed(rng):
    """x (4) -> a (3) -> b (3) -> y (1): an Affine, a Sigmoid, an Affine."""
    return Sequential(
        OrderedDict(
            a=Affine(4, 3, rng=rng, dtype=np.float64),
            b=Sigmoid(),
            y=Affine(3, 1, rng=rng, dtype=np.float64),
        )
    )


def factors(net, x):
    """dy/db, db/da, da/dx at x, rows for outputs, as in dy/dx = dy/db · db/da · da/dx."""
    matrices = []
    for layer in net.layers.values():
        units = np.eye(x.size)
        matrices.append(np.stack([jvp(layer.forward, x, unit)[1] for unit in units], axis=1))
        x = layer.forward(x)
    return matrices[::-1]


def test_both_bracketings_of_the_chain_rule_agree():
    """Note 003: (dy/db · db/da) · da/dx is reverse mode, dy/db · (db/da · da/dx) forward mode."""
    rng = np.random.default_rng(0)
    net, x, v = composed(rng), rng.standard_normal(4), rng.standard_normal(4)
    dy_db, db_da, da_dx = factors(net, x)
    reverse, forward = (dy_db @ db_da) @ da_dx, dy_db @ (db_da @ da_dx)
    np.testing.assert_allclose(reverse, forward, rtol=1e-12)

    net.forward(x)
    np.testing.assert_allclose(net.backward(np.ones(1)), reverse[0], rtol=1e-12)
    np.testing.assert_allclose(jvp(net.forward, x, v)[1], forward @ v, rtol=1e-12)


def test_both_bracketings_with_numbers():
    """Note 003: dy/dx = dy/db · db/da · da/dx for a = x + 3, b = 4a, y = 5b at x = 2: 20."""
    add, times4, times5 = Addition(), Multiplication(), Multiplication()
    assert times5.forward(times4.forward(add.forward(2, 3), 4), 5) == 100
    dy_db, _ = times5.backward(1)
    db_da, _ = times4.backward(1)
    da_dx, _ = add.backward(1)
    assert (dy_db * db_da) * da_dx == dy_db * (db_da * da_dx) == 20
    assert add.backward(times4.backward(times5.backward(1)[0])[0])[0] == 20
    y = jvp(lambda x: (x + 3.0) * 4.0 * 5.0, np.array(2.0), np.array(1.0))
    assert y == (100, 20)


def test_reverse_mode_needs_one_pass_where_forward_mode_needs_one_per_input():
    """Note 003: reverse mode costs less, for there are many parameters and one loss."""
    rng = np.random.default_rng(1)
    net, x, passes = composed(rng), rng.standard_normal(4), []

    def counted(x):
        passes.append("forward")
        return net.forward(x)

    by_forward_mode = [jvp(counted, x, unit)[1][0] for unit in np.eye(4)]
    assert len(passes) == 4
    passes.clear()
    counted(x)
    by_reverse_mode = net.backward(np.ones(1))
    assert len(passes) == 1
    np.testing.assert_allclose(by_reverse_mode, by_forward_mode, rtol=1e-12)
