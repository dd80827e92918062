"""Note 002 (the delta rule on a 3-4-2 net of sigmoids, and automatic differentiation)."""

import copy
from collections import OrderedDict

import numpy as np
import pytest

from lamina.autodiff import Dual, jvp, new_level, numeric_gradient, numeric_jvp
from lamina.layers import Affine, Sigmoid, SquaredErrorLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD

# The nodes as the note numbers them, from the top of the input layer to the bottom of the output.
INPUT, HIDDEN, OUTPUT = (1, 2, 3), (4, 5, 6, 7), (8, 9)
X = np.array([0.5, -1.0, 2.0])
T = np.array([1.0, 0.25])


@pytest.fixture
def net():
    """The net of the note: 3 inputs, 4 hidden and 2 output nodes, logistic, E = ½ ‖t - y‖².

    The note has no biases; those of Affine stay 0.
    """
    rng = np.random.default_rng(0)
    W1, W2 = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    layers = OrderedDict(
        affine1=Affine.from_arrays(W1, np.zeros(4)),
        sigmoid1=Sigmoid(),
        affine2=Affine.from_arrays(W2, np.zeros(2)),
        sigmoid2=Sigmoid(),
    )
    return Sequential(layers, loss=SquaredErrorLoss("sum"))


def place(j, i):
    """Where the weight w_ji, from node j to node i, stands: (parameter, row, column)."""
    return ("affine1.W", j - 1, i - 4) if j in INPUT else ("affine2.W", j - 4, i - 8)


def weights(net):
    """{(j, i): w_ji} of all connections."""
    pairs = [(j, i) for j in INPUT for i in HIDDEN] + [(j, i) for j in HIDDEN for i in OUTPUT]
    parameters = net.parameters()
    return {(j, i): float(parameters[(p := place(j, i))[0]].data[p[1:]]) for j, i in pairs}


def logistic(z):
    return 1 / (1 + np.exp(-z))


def outputs(w, x):
    """{i: o_i} of all nodes: o_i = φ(Σ_j w_ji o_j), and o_i = x_u in the input layer."""
    o = dict(zip(INPUT, x.tolist(), strict=True))
    for before, layer in ((INPUT, HIDDEN), (HIDDEN, OUTPUT)):
        for i in layer:
            o[i] = logistic(sum(w[j, i] * o[j] for j in before))
    return o


def deltas(w, o, t):
    """{i: δ_i} of the output and hidden nodes, by the two cases of the note."""
    delta = {i: (o[i] - t[i - 8]) * o[i] * (1 - o[i]) for i in OUTPUT}
    for i in HIDDEN:
        delta[i] = sum(delta[k] * w[i, k] for k in OUTPUT) * o[i] * (1 - o[i])
    return delta


# Back propagation ----------------------------------------------------------------------------


def test_the_net_of_the_figure_has_20_connections(net):
    """Note 002, "Back propagation": m = 3, n = 2, e = 20, and w_14 leads from node 1 to node 4."""
    assert len(weights(net)) == 20 == net.layers["affine1"].W.data.size + 8
    assert net.output_shape((3,)) == (2,)
    moved = copy.deepcopy(net)
    moved.layers["affine1"].W.data[0, 0] += 1.0
    before, after = outputs(weights(net), X), outputs(weights(moved), X)
    assert [i for i in HIDDEN if before[i] != after[i]] == [4]
    assert place(1, 4) == ("affine1.W", 0, 0)


def test_the_outputs_of_the_nodes(net):
    """Note 002: o_i = φ(Σ_j w_ji o_j), node by node; o_8 = y_1 and o_9 = y_2."""
    o = outputs(weights(net), X)
    y = net.forward(X)
    np.testing.assert_allclose(y, [o[8], o[9]], rtol=1e-13)
    np.testing.assert_allclose(net.layers["sigmoid1"].Y, [o[i] for i in HIDDEN], rtol=1e-13)


def test_the_error_is_half_the_squared_distance(net):
    """Note 002: E = ½ ‖t - y‖² = ½ Σ_j (t_j - y_j)²."""
    y = net.forward(X)
    E = 0.5 * ((T[0] - y[0]) ** 2 + (T[1] - y[1]) ** 2)
    assert net.loss(X, T) == pytest.approx(E, rel=1e-14)
    np.testing.assert_allclose(net.loss_layer.backward(), y - T, rtol=1e-14)
    exact = SquaredErrorLoss("sum")
    assert exact.forward(np.array([3.0, -1.0]), np.array([1.0, 2.0])) == 6.5
    assert exact.backward().tolist() == [2, -3]


def test_the_derivative_of_the_logistic_function():
    """Note 002: dφ/dz = φ(z) (1 - φ(z)), by Sigmoid's backward and by duals."""
    z, layer = np.linspace(-4.0, 4.0, 9), Sigmoid()
    layer.forward(z)
    expected = logistic(z) * (1 - logistic(z))
    np.testing.assert_allclose(layer.backward(np.ones(9)), expected, rtol=1e-12)
    np.testing.assert_allclose(jvp(logistic, z, np.ones(9))[1], expected, rtol=1e-12)
    np.testing.assert_allclose(jvp(layer.forward, z, np.ones(9))[1], expected, rtol=1e-12)


def test_w14_by_the_delta_rule_by_backprop_by_duals_and_by_differences(net):
    """Note 002, the example at the end: ∂E/∂w_14 = δ4 o1 = (δ8 w48 + δ9 w49) o4 (1 - o4) o1."""
    w = weights(net)
    o = outputs(w, X)
    delta8 = (o[8] - T[0]) * o[8] * (1 - o[8])
    delta9 = (o[9] - T[1]) * o[9] * (1 - o[9])
    delta4 = (delta8 * w[4, 8] + delta9 * w[4, 9]) * o[4] * (1 - o[4])
    by_hand = delta4 * o[1]
    assert abs(by_hand) > 1e-3

    assert net.gradient(X, T)["affine1.W"][0, 0] == pytest.approx(by_hand, rel=1e-12)

    W1 = net.layers["affine1"].W.data
    unit = np.zeros_like(W1)
    unit[0, 0] = 1.0

    def E(W):
        moved = copy.deepcopy(net)
        moved.layers["affine1"].W.data = W
        return moved.loss(X, T)

    assert jvp(E, W1, unit)[1] == pytest.approx(by_hand, rel=1e-12)
    assert numeric_jvp(E, W1, unit) == pytest.approx(by_hand, rel=1e-6)


def test_all_20_weights_by_the_delta_rule(net):
    """Note 002, the summary: ∂E/∂w_ji = δ_i o_j for output and for hidden nodes i."""
    w = weights(net)
    o = outputs(w, X)
    delta = deltas(w, o, T)
    gradient = net.gradient(X, T)
    for j, i in w:
        name, row, column = place(j, i)
        assert gradient[name][row, column] == pytest.approx(delta[i] * o[j], rel=1e-12)


def test_all_20_weights_as_three_factors(net):
    """Note 002: ∂E/∂w_ji = ∂E/∂o_i · ∂o_i/∂net_i · ∂net_i/∂w_ji, the factors from the layers."""
    net.loss(X, T)
    layers = net.layers
    gradient = net.loss_layer.backward()
    for sigmoid, affine in (("sigmoid2", "affine2"), ("sigmoid1", "affine1")):
        o, inputs = layers[sigmoid].Y, layers[affine].X
        factors = inputs[:, None] * (o * (1 - o))[None, :] * gradient[None, :]
        gradient = layers[affine].backward(layers[sigmoid].backward(gradient))
        np.testing.assert_allclose(layers[affine].W.grad, factors, rtol=1e-12)


def test_the_error_with_respect_to_a_hidden_node_adds_up_over_the_next_layer(net):
    """Note 002, total derivative: ∂E/∂o_i = Σ_{l ∈ L} δ_l w_il with L = {8, 9} for node 4.

    It is what Affine hands down. An input node has no φ, so there it is the whole answer, and the
    second case of the note's δ holds for hidden nodes only.
    """
    w = weights(net)
    delta = deltas(w, outputs(w, X), T)
    net.loss(X, T)
    hidden = net.layers["affine2"].backward(
        net.layers["sigmoid2"].backward(net.loss_layer.backward())
    )
    np.testing.assert_allclose(hidden, [sum(delta[k] * w[i, k] for k in OUTPUT) for i in HIDDEN])
    assert hidden[0] == pytest.approx(delta[8] * w[4, 8] + delta[9] * w[4, 9])

    net.loss(X, T)
    by_inputs = [sum(delta[k] * w[i, k] for k in HIDDEN) for i in INPUT]
    np.testing.assert_allclose(net.backward(), by_inputs, rtol=1e-12)
    differences = numeric_gradient(lambda x: net.loss(x, T), X)
    np.testing.assert_allclose(by_inputs, differences, atol=1e-9)


def test_the_whole_gradient_by_duals_and_by_differences(net):
    """Note 002: backpropagation agrees with forward mode in a random direction of all weights."""
    rng = np.random.default_rng(1)
    gradient = net.gradient(X, T)
    direction = {name: rng.standard_normal(g.shape) for name, g in gradient.items()}
    expected = sum(np.sum(gradient[name] * direction[name]) for name in gradient)

    def moved(h):
        other = copy.deepcopy(net)
        for name, param in other.parameters().items():
            param.data = param.data + h * direction[name]
        return other.loss(X, T)

    level = new_level()
    duals = copy.deepcopy(net)
    for name, param in duals.parameters().items():
        param.data = Dual(param.data, direction[name], level)
    assert duals.loss(X, T).tangent == pytest.approx(expected, rel=1e-12)
    assert jvp(moved, np.array(0.0), np.array(1.0))[1] == pytest.approx(expected, rel=1e-12)
    assert (moved(1e-5) - moved(-1e-5)) / 2e-5 == pytest.approx(expected, rel=1e-6)


def test_samples_one_after_another_update_the_weights(net):
    """Note 002: w_0, w_1, w_2, ... by gradient descent, a training sample at a time.

    The gradients of the samples add up to that of the batch, and the sum of all E_i goes down.
    """
    rng = np.random.default_rng(2)
    samples, targets = rng.standard_normal((6, 3)), rng.uniform(0.2, 0.8, (6, 2))
    whole = net.gradient(samples, targets)
    single = [net.gradient(x, t) for x, t in zip(samples, targets, strict=True)]
    for name in ("affine1.W", "affine2.W"):
        np.testing.assert_allclose(sum(g[name] for g in single), whole[name], rtol=1e-10)

    before = float(net.loss(samples, targets))
    connections = [net.layers["affine1"].W, net.layers["affine2"].W]
    w0 = connections[0].data.copy()
    optimizer = SGD({"w1": connections[0], "w2": connections[1]}, lr=0.5)
    errors = [before]
    for _ in range(5):
        for x, t in zip(samples, targets, strict=True):
            net.gradient(x, t)
            optimizer.step()
        errors.append(float(net.loss(samples, targets)))
    assert (connections[0].data != w0).all()
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * before
    assert not net.layers["affine1"].b.data.any()


# Automatic differentiation --------------------------------------------------------------------


def test_four_x_squared_is_a_composition():
    """Note 002: f(x) = 4x² = g(h(x)), g(x) = x², h(x) = 2x, so f'(x) = g'(h(x)) h'(x) = 8x."""

    def g(x):
        return x**2

    def h(x):
        return 2.0 * x

    x, one = np.array([3.0, -1.5, 0.0]), np.ones(3)
    value, slope = jvp(lambda x: g(h(x)), x, one)
    assert value.tolist() == (4 * x**2).tolist() == [36, 9, 0]
    assert slope.tolist() == (8 * x).tolist() == [24, -12, 0]
    inner, d_inner = jvp(h, x, one)
    outer, d_outer = jvp(g, inner, one)
    assert outer.tolist() == value.tolist()
    assert (d_outer * d_inner).tolist() == slope.tolist()
    assert jvp(g, inner, d_inner)[1].tolist() == slope.tolist()  # forward mode, a step at a time


def f_of_the_note(x):
    return (np.log(x) * (x + 3) + x**2) / np.sin(x)


@pytest.mark.parametrize("x", [0.5, 2.0, 4.0])
def test_the_harder_function_by_duals(x):
    """Note 002: f(x) = (ln(x) (x + 3) + x²) / sin(x), against its derivative on paper."""
    value, slope = jvp(f_of_the_note, np.array(x), np.array(1.0))
    top, d_top = np.log(x) * (x + 3) + x**2, (x + 3) / x + np.log(x) + 2 * x
    on_paper = (d_top * np.sin(x) - top * np.cos(x)) / np.sin(x) ** 2
    assert value == pytest.approx(top / np.sin(x), rel=1e-14)
    assert slope == pytest.approx(on_paper, rel=1e-12)
    differences = numeric_jvp(f_of_the_note, np.array(x), np.array(1.0))
    assert slope == pytest.approx(differences, rel=1e-7)


def test_the_harder_function_a_step_at_a_time():
    """Note 002 stops where forward mode would take f apart. The trace: v1 ... v7, and beside each
    value its derivative, by the rule of that one step. Duals have the same at every step."""
    x = 2.0
    v1, d1 = np.log(x), 1 / x
    v2, d2 = x + 3, 1.0
    v3, d3 = v1 * v2, d1 * v2 + v1 * d2
    v4, d4 = x**2, 2 * x
    v5, d5 = v3 + v4, d3 + d4
    v6, d6 = np.sin(x), np.cos(x)
    v7, d7 = v5 / v6, (d5 - v5 / v6 * d6) / v6

    level = new_level()
    u = Dual(np.array(x), np.array(1.0), level)
    u1, u2, u4, u6 = np.log(u), u + 3.0, u**2, np.sin(u)
    u3 = u1 * u2
    u5 = u3 + u4
    u7 = u5 / u6
    values, slopes = (v1, v2, v3, v4, v5, v6, v7), (d1, d2, d3, d4, d5, d6, d7)
    for dual, value, slope in zip((u1, u2, u3, u4, u5, u6, u7), values, slopes, strict=True):
        assert dual.primal == pytest.approx(value, rel=1e-14)
        assert dual.tangent == pytest.approx(slope, rel=1e-14)
    assert jvp(f_of_the_note, np.array(x), np.array(1.0))[1] == pytest.approx(d7, rel=1e-14)
