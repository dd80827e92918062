"""Note 000 (backpropagation: scalars, tensors, automatic differentiation, self-checks)."""

from collections import OrderedDict

import numpy as np
import pytest

from lamina.autodiff import jvp, numeric_gradient
from lamina.layers import (
    Addition,
    Affine,
    Copy,
    Maximum,
    Multiplication,
    Relu,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    SVMLoss,
)
from lamina.nets import Sequential


def units(x):
    """The arrays of the shape of x that are 1 at one place and 0 elsewhere."""
    return np.eye(x.size).reshape(x.size, *x.shape)


def jacobian(f, x):
    """dy/dx as the note lays it out: entry (n, m) is ∂y_m / ∂x_n. One row per forward pass."""
    return np.stack([jvp(f, x, unit)[1].ravel() for unit in units(x)])


# Backprop with scalars -----------------------------------------------------------------------


def test_scalars_f_is_x_plus_y_times_z_by_the_gates():
    """Note 000, "Backprop with scalars": f = (x + y) z at (-2, 5, -4), the five derivatives."""
    add, mul = Addition(), Multiplication()
    q = add.forward(-2, 5)
    f = mul.forward(q, -4)
    assert (q, f) == (3, -12)
    df = 1
    dq, dz = mul.backward(df)
    dx, dy = add.backward(dq)
    assert (dz, dq, dy, dx) == (3, -4, -4, -4)


def test_scalars_f_is_x_plus_y_times_z_by_duals():
    """Note 000, "Backprop with scalars": the same three derivatives in forward mode."""
    at = np.array([-2.0, 5.0, -4.0])

    def plainly(v):
        return (v[0] + v[1]) * v[2]

    def by_the_gates(v):
        return Multiplication().forward(Addition().forward(v[0], v[1]), v[2])

    for f in (plainly, by_the_gates):
        assert [jvp(f, at, unit) for unit in units(at)] == [(-12, -4), (-12, -4), (-12, 3)]


def test_scalars_the_sigmoid_neuron():
    """Note 000, "Backprop with scalars", other example: f = 1 / (1 + exp(-(w0 x0 + w1 x1 + w2))).

    The note gives no numbers; these are those of the course that it follows (CS231n): w = (2, -3,
    -3), x = (-1, -2). The sum is 1, f is 0.73, and the gradients are known to two places.
    """
    mul0, mul1, add, plus_w2, sigmoid = (
        Multiplication(),
        Multiplication(),
        Addition(),
        Addition(),
        Sigmoid(),
    )
    total = plus_w2.forward(add.forward(mul0.forward(2.0, -1.0), mul1.forward(-3.0, -2.0)), -3.0)
    f = sigmoid.forward(total)
    assert total == 1.0
    assert f == pytest.approx(0.73, abs=0.005)

    products, dw2 = plus_w2.backward(sigmoid.backward(1.0))
    first, second = add.backward(products)
    (dw0, dx0), (dw1, dx1) = mul0.backward(first), mul1.backward(second)
    assert dw2 == pytest.approx((1 - f) * f)
    gradient = [dw0, dw1, dw2, dx0, dx1]
    assert [round(float(g), 2) for g in gradient] == [-0.20, -0.39, 0.20, 0.39, -0.59]

    def neuron(v):
        w0, w1, w2, x0, x1 = v
        return 1.0 / (1.0 + np.exp(-(w0 * x0 + w1 * x1 + w2)))

    at = np.array([2.0, -3.0, -3.0, -1.0, -2.0])
    np.testing.assert_allclose(gradient, [jvp(neuron, at, unit)[1] for unit in units(at)])


def test_scalars_the_local_gradient_of_the_sigmoid_is_one_minus_z_times_z():
    """Note 000, "Sigmoid local gradient": e⁻ˣ / (1 + e⁻ˣ)² = (1 - z) z."""
    x, layer = np.linspace(-6.0, 6.0, 25), Sigmoid()
    z = layer.forward(x)
    local = layer.backward(np.ones_like(x))
    np.testing.assert_allclose(z, 1 / (1 + np.exp(-x)), rtol=1e-13)
    np.testing.assert_allclose(local, (1 - z) * z, rtol=1e-13)
    np.testing.assert_allclose(local, np.exp(-x) / (1 + np.exp(-x)) ** 2, rtol=1e-10)


@pytest.mark.parametrize("score", [-3.0, 0.0, 1.0])
def test_scalars_the_sigmoid_is_a_softmax_of_zero_and_the_score(score):
    """Note 000: f = softmax(0, score), "the first element": the first if one counts from 0."""
    p = Softmax().forward(np.array([0.0, score]))
    assert p[1] == pytest.approx(Sigmoid().forward(np.array(score)))
    assert p[0] == pytest.approx(Sigmoid().forward(np.array(-score)))


# Implementation: patterns in gradient flow ---------------------------------------------------


def test_patterns_add_gate_is_a_gradient_distributor():
    """Note 000, "Patterns in Gradient Flow": both inputs get the upstream gradient."""
    gate = Addition()
    assert gate.forward(3, 4) == 7
    assert gate.backward(2) == (2, 2)


def test_patterns_copy_gate_is_a_gradient_adder():
    """Note 000, "Patterns in Gradient Flow": φ(w) = (w, w), and (1, 1) · (4, 2) = 4 + 2 = 6."""
    gate = Copy()
    assert gate.forward(7) == (7, 7)
    assert gate.backward(4, 2) == 6
    jacobian_of_copy = jacobian(lambda w: np.stack(Copy().forward(w)), np.array(7.0))
    assert jacobian_of_copy.tolist() == [[1, 1]]
    assert jacobian_of_copy @ [4, 2] == gate.backward(4, 2)


def test_patterns_mul_gate_is_a_swap_multiplier():
    """Note 000, "Patterns in Gradient Flow": each input gets upstream times the other input."""
    gate = Multiplication()
    assert gate.forward(2, 3) == 6
    assert gate.backward(5) == (15, 10)


@pytest.mark.parametrize(("x", "y", "gradient"), [(5, 4, (9, 0)), (4, 5, (0, 9))])
def test_patterns_max_gate_is_a_gradient_router(x, y, gradient):
    """Note 000, "Patterns in Gradient Flow": the larger input gets all, the other nothing."""
    gate = Maximum()
    assert gate.forward(x, y) == 5
    assert gate.backward(9) == gradient


# Backprop with tensors -----------------------------------------------------------------------


def test_vectors_downstream_is_the_local_jacobian_times_upstream():
    """Note 000, "Backprop with vectors": ∂L/∂x = (∂z/∂x) (∂L/∂z), a matrix times a vector."""
    x, y, upstream = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), np.array([7.0, 8, 9])
    gate = Multiplication()
    gate.forward(x, y)
    dx, dy = gate.backward(upstream)
    assert dx.tolist() == (jacobian(lambda x: gate.forward(x, y), x) @ upstream).tolist()
    assert dy.tolist() == (jacobian(lambda y: gate.forward(x, y), y) @ upstream).tolist()


def test_vectors_relu_multiplies_by_its_sparse_jacobian_implicitly():
    """Note 000, "Backprop with vectors": the gradient passes where x_i > 0, and is 0 otherwise."""
    x, upstream = np.array([1.0, -2.0, 3.0, -1.0]), np.array([4.0, -1.0, 5.0, 9.0])
    layer = Relu()
    assert layer.forward(x).tolist() == [1, 0, 3, 0]
    assert layer.backward(upstream).tolist() == [4, 0, 5, 0]
    explicit = jacobian(Relu().forward, x)
    assert explicit.tolist() == np.diag([1.0, 0, 1, 0]).tolist()
    assert (explicit @ upstream).tolist() == [4, 0, 5, 0]


def test_matrices_matrix_multiplication_against_the_explicit_jacobian():
    """Note 000, "Matrix Multiplication": dL/dx = dL/dy wᵀ and dL/dw = xᵀ dL/dy, exactly."""
    rng = np.random.default_rng(0)
    N, D, M = 2, 3, 4
    x, w, dy = (rng.integers(-5, 6, shape).astype(float) for shape in ((N, D), (D, M), (N, M)))
    layer = Affine.from_arrays(w, np.zeros(M))
    np.testing.assert_array_equal(layer.forward(x), x @ w)
    dx, dw = layer.backward(dy), layer.W.grad

    dy_dx = jacobian(lambda x: Affine.from_arrays(w, np.zeros(M)).forward(x), x)
    dy_dw = jacobian(lambda w: Affine.from_arrays(w, np.zeros(M)).forward(x), w)
    assert (dy_dx.shape, dy_dw.shape) == ((N * D, N * M), (D * M, N * M))
    np.testing.assert_array_equal(dx, (dy_dx @ dy.ravel()).reshape(N, D))
    np.testing.assert_array_equal(dw, (dy_dw @ dy.ravel()).reshape(D, M))
    np.testing.assert_array_equal(dx, dy @ w.T)
    np.testing.assert_array_equal(dw, x.T @ dy)


def test_matrices_the_entries_that_the_note_derives():
    """Note 000, "Matrix Multiplication": ∂y/∂x11 entry by entry, then ∂L/∂x_ij = w_j · ∂L/∂y_i."""
    x, w = np.arange(1.0, 7.0).reshape(2, 3), np.arange(7.0, 19.0).reshape(3, 4)
    dy = np.array([[1.0, -2.0, 3.0, 0.0], [2.0, 0.0, -1.0, 4.0]])
    layer = Affine.from_arrays(w, np.zeros(4))
    dy_dx11 = jacobian(layer.forward, x)[0].reshape(2, 4)
    assert (dy_dx11[0, 0], dy_dx11[0, 1], dy_dx11[1, 0]) == (w[0, 0], w[0, 1], 0)
    layer.forward(x)
    dx = layer.backward(dy)
    assert dx[0, 0] == w[0] @ dy[0] == 7 - 16 + 27
    assert dx[1, 2] == w[2] @ dy[1] == 30 - 17 + 72
    assert all(dx[i, j] == w[j] @ dy[i] for i in range(2) for j in range(3))


# Advanced topics -----------------------------------------------------------------------------


def chain(rng):
    """x0 (4) -> x1 (3) -> x2 (3) -> x3 (2)."""
    return [
        Affine(4, 3, rng=rng, dtype=np.float64),
        Sigmoid(),
        Affine(3, 2, rng=rng, dtype=np.float64),
    ]


def jacobians(layers, x):
    """∂x1/∂x0, ∂x2/∂x1, ∂x3/∂x2 at x."""
    for layer in layers:
        yield jacobian(layer.forward, x)
        x = layer.forward(x)


def test_reverse_mode_multiplies_the_jacobians_from_right_to_left():
    """Note 000, "Reverse-Mode": J1 (J2 (J3 dL/dx3)) is what backward does; (J1 J2) J3 agrees."""
    rng = np.random.default_rng(0)
    layers, x0, dx3 = chain(rng), rng.standard_normal(4), rng.standard_normal(2)
    J1, J2, J3 = jacobians(layers, x0)
    assert (J1.shape, J2.shape, J3.shape) == ((4, 3), (3, 3), (3, 2))

    X = x0
    for layer in layers:
        X = layer.forward(X)
    vector, gradient = dx3, dx3
    for layer, J in zip(reversed(layers), (J3, J2, J1), strict=True):
        gradient, vector = layer.backward(gradient), J @ vector  # matrix-vector products only
        np.testing.assert_allclose(gradient, vector, rtol=1e-12)
    np.testing.assert_allclose(gradient, ((J1 @ J2) @ J3) @ dx3, rtol=1e-12)


def test_forward_mode_multiplies_the_jacobians_from_left_to_right():
    """Note 000, "Forward-Mode": ((dx0/da J1) J2) J3 for a scalar a is one pass of duals."""
    rng = np.random.default_rng(1)
    layers, slope, start = chain(rng), rng.standard_normal(4), rng.standard_normal(4)
    a = np.array(0.5)

    def x0_of(a):
        return a * slope + start

    def x3_of(a):
        X = x0_of(a)
        for layer in layers:
            X = layer.forward(X)
        return X

    J1, J2, J3 = jacobians(layers, x0_of(a))
    derivative = jvp(x3_of, a, np.array(1.0))[1]
    np.testing.assert_allclose(derivative, ((slope @ J1) @ J2) @ J3, rtol=1e-12)
    np.testing.assert_allclose(derivative, slope @ (J1 @ (J2 @ J3)), rtol=1e-12)


def test_higher_order_the_gradient_of_the_norm_of_a_gradient():
    """Note 000, "Higher-Order Derivatives": R(W) = ‖∂L/∂W‖², a penalty on the gradient's norm.

    Its gradient is 2 H g, the Hessian times the gradient: duals through forward and backward.
    """
    rng = np.random.default_rng(2)
    X, t = rng.standard_normal((5, 4)), rng.integers(0, 3, 5)
    W, b = rng.standard_normal((4, 3)), np.zeros(3)

    def gradient(W):
        net = Sequential(OrderedDict(affine=Affine.from_arrays(W, b)), loss=SoftmaxWithLoss())
        return net.gradient(X, t)["affine.W"]

    g = gradient(W)
    penalty = 2 * jvp(gradient, W, g)[1]
    differences = numeric_gradient(lambda W: np.square(gradient(W)).sum(), W)
    assert np.abs(penalty).max() > 0.01
    np.testing.assert_allclose(penalty, differences, atol=1e-8)


# Self-check ----------------------------------------------------------------------------------


def test_self_check_1_the_bias_is_a_copy_gate_so_its_gradient_adds_up():
    """Note 000, self-check 1: Z = XW + B with B = N copies of b, against loops over samples."""
    rng = np.random.default_rng(3)
    N, D, H = 5, 3, 2
    X, W, b, dZ = (
        rng.integers(-4, 5, shape).astype(float) for shape in ((N, D), (D, H), (H,), (N, H))
    )
    layer = Affine.from_arrays(W, b)
    Z = layer.forward(X)
    layer.backward(dZ)

    db = np.zeros(H)
    for i in range(N):
        for j in range(H):
            assert Z[i, j] == sum(W[d, j] * X[i, d] for d in range(D)) + b[j]
            db[j] += dZ[i, j]
    assert layer.b.grad.tolist() == db.tolist()

    copy, add = Copy(N), Addition()
    np.testing.assert_array_equal(add.forward(X @ W, np.stack(copy.forward(b))), Z)
    dQ, dB = add.backward(dZ)
    np.testing.assert_array_equal(dQ, dZ)
    assert copy.backward(*dB).tolist() == layer.b.grad.tolist()


@pytest.mark.parametrize("upstream", [1.0, -2.5])
def test_self_check_2_softmax_loss_without_normalising_by_the_sample_size(upstream):
    """Note 000, self-check 2: L = Σᵢ (-S[i, yᵢ] + log Σₖ exp S[i, k]) and its two cases."""
    rng = np.random.default_rng(4)
    N, C = 4, 3
    S, y = rng.standard_normal((N, C)), np.array([2, 0, 1, 0])
    L, dS = 0.0, np.zeros((N, C))
    for i in range(N):
        total = sum(np.exp(S[i, k]) for k in range(C))
        L += -S[i, y[i]] + np.log(total)
        for j in range(C):
            local = np.exp(S[i, j]) / total if j != y[i] else np.exp(S[i, j]) / total - 1
            dS[i, j] = local * upstream
    layer = SoftmaxWithLoss("sum")
    assert layer.forward(S, y) == pytest.approx(L, rel=1e-13)
    np.testing.assert_allclose(layer.backward(upstream), dS, rtol=1e-12)


@pytest.mark.parametrize("upstream", [1.0, -2.5])
def test_self_check_3_multiclass_svm_loss_without_normalising_by_the_sample_size(upstream):
    """Note 000, self-check 3: L = Σᵢ Σ_{k ≠ yᵢ} max(0, S[i, k] - S[i, yᵢ] + 1), both cases.

    The row of the right class counts the violated margins of all *other* classes.
    """
    S = np.array([[1.0, 2.5, 0.25], [3.0, 0.5, 2.5], [0.0, 5.0, 0.5], [-1.0, -0.5, -1.75]])
    y, (N, C) = np.array([0, 0, 1, 2]), (4, 3)
    L, dS = 0.0, np.zeros((N, C))
    for i in range(N):
        for k in range(C):
            if k == y[i]:
                continue
            margin = S[i, k] - S[i, y[i]] + 1
            L += max(0.0, margin)
            dS[i, k] += (margin > 0) * upstream
            dS[i, y[i]] -= (margin > 0) * upstream
    layer = SVMLoss("sum")
    assert layer.forward(S, y) == L == 2.5 + 0.25 + 0.5 + 0.0 + 1.75 + 2.25
    assert layer.backward(upstream).tolist() == dS.tolist()
    differences = numeric_gradient(lambda S: layer.forward(S, y), S) * upstream
    np.testing.assert_allclose(dS, differences, atol=1e-9)


def test_goal_one_step_against_the_gradient_lowers_the_loss():
    """Note 000, goals: W ← W - η ∇L(W), with L = ½ Σ ‖y - t‖² on whole numbers."""
    X, W, t = np.array([[1.0, 2.0]]), np.array([[1.0], [1.0]]), np.array([[1.0]])
    net = Sequential(
        OrderedDict(affine=Affine.from_arrays(W, np.zeros(1))), loss=SquaredErrorLoss("sum")
    )
    gradient = net.gradient(X, t)["affine.W"]
    assert net.loss(X, t) == 2.0  # y = 3
    assert gradient.tolist() == [[2.0], [4.0]]
    W -= 0.125 * gradient
    assert W.tolist() == [[0.75], [0.5]]
    assert net.loss(X, t) == 0.5 * 0.75**2  # y = 1.75: the layer holds W itself
