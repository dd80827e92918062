"""Note 004 (computational graphs, a class for each operation, and a two-layer net on MNIST)."""

import numpy as np
import pytest

from lamina.autodiff import Dual, jvp, new_level, numeric_gradient
from lamina.datasets import draw_digits, load_mnist
from lamina.layers import (
    Addition,
    Affine,
    Copy,
    CrossEntropyError,
    Maximum,
    Multiplication,
    Relu,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    Step,
)
from lamina.nets import Sequential, TwoLayerNet

# The operations of the note as closed formulas: what comes out, and what goes back.


def softmax(a):
    """exp(a) over its sum along the rows."""
    return np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True)


def cross_entropy_error(y, t):
    """-Σ t log y, the mean over the rows; t in one-hot rows."""
    return -(t * np.log(y)).sum() / len(y)


FORMULAS = {
    "Multiplication": (lambda x, y: x * y, lambda x, y, g: (y * g, x * g)),
    "Maximum": (
        lambda x, y: np.where(x < y, y, x),
        lambda x, y, g: (np.where(x < y, 0, g), np.where(y < x, 0, g)),
    ),
    "Addition": (lambda x, y: y + x, lambda x, y, g: (g, g)),
}
GATES = {"Multiplication": Multiplication, "Maximum": Maximum, "Addition": Addition}


@pytest.fixture
def rng():
    return np.random.default_rng(4)


# 1. Computational graphs -----------------------------------------------------------------------


def test_1_1_the_forward_graph_a1_z1_a2_y(rng):
    """Note 004, 1.1: a1 = x W1 + b1, z1 = sigmoid(a1), a2 = z1 W2 + b2, y = softmax(a2)."""
    x, W1, b1 = rng.standard_normal((5, 4)), rng.standard_normal((4, 3)), rng.standard_normal(3)
    W2, b2 = rng.standard_normal((3, 2)), rng.standard_normal(2)
    a1 = np.dot(x, W1) + b1
    z1 = 1 / (1 + np.exp(-a1))
    a2 = np.dot(z1, W2) + b2
    y = softmax(a2)
    layers = {
        "a1": Affine.from_arrays(W1, b1),
        "z1": Sigmoid(),
        "a2": Affine.from_arrays(W2, b2),
        "y": Softmax(),
    }
    X = x
    for (name, layer), value in zip(layers.items(), (a1, z1, a2, y), strict=True):
        X = layer.forward(X)
        np.testing.assert_allclose(X, value, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(Sequential(layers).forward(x), y, rtol=1e-12)


def test_1_2_the_chain_rule_of_one_and_of_several_variables():
    """Note 004, 1.2: df/dt = df/du · du/dt, and ∂f/∂t = Σ_i ∂f/∂u_i · ∂u_i/∂t."""
    t, one = np.array(0.7), np.array(1.0)
    u, du = jvp(np.sin, t, one)
    df = jvp(np.exp, u, one)[1]
    assert jvp(lambda t: np.exp(np.sin(t)), t, one)[1] == pytest.approx(df * du, rel=1e-14)

    product = Multiplication()
    (u1, du1), (u2, du2) = jvp(np.sin, t, one), jvp(np.square, t, one)
    product.forward(u1, u2)
    df_du1, df_du2 = product.backward(1.0)
    total = jvp(lambda t: np.sin(t) * np.square(t), t, one)[1]
    assert total == pytest.approx(df_du1 * du1 + df_du2 * du2, rel=1e-14)


def test_1_2_1_the_differential_of_affine(rng):
    """Note 004, equation (1): dY = dX W + X dW + dB, all three moved at once, B = 1 b."""
    shapes = ((5, 4), (4, 3), (3,))
    (X, dX), (W, dW), (b, db) = (
        (rng.standard_normal(shape), rng.standard_normal(shape)) for shape in shapes
    )
    level = new_level()
    layer = Affine.from_arrays(Dual(W, dW, level), Dual(b, db, level))
    Y = layer.forward(Dual(X, dX, level))
    ones = np.ones((5, 1))
    np.testing.assert_allclose(Y.primal, X @ W + ones @ b[None, :], rtol=1e-13)
    np.testing.assert_allclose(Y.tangent, dX @ W + X @ dW + ones @ db[None, :], rtol=1e-12)


def test_1_2_1_the_gradients_of_affine_index_by_index(rng):
    """Note 004, equation (2): the sums over indices, then dY Wᵗ, Xᵗ dY and 1ᵗ dY."""
    X, W, b, dY = (
        rng.integers(-5, 6, shape).astype(float) for shape in ((5, 4), (4, 3), (3,), (5, 3))
    )
    layer = Affine.from_arrays(W, b)
    np.testing.assert_array_equal(layer.forward(X), np.einsum("ik,kj->ij", X, W) + b)
    dX = layer.backward(dY)
    np.testing.assert_array_equal(dX, np.einsum("iq,jq->ij", dY, W))
    np.testing.assert_array_equal(layer.W.grad, np.einsum("pj,pi->ij", dY, X))
    np.testing.assert_array_equal(layer.W.grad, np.dot(X.T, dY))  # the note's grads["W2"]
    np.testing.assert_array_equal(layer.b.grad, np.sum(dY, axis=0))  # and grads["b2"]
    np.testing.assert_array_equal(layer.b.grad, np.ones(5) @ dY)


def test_1_2_1_a_column_of_ones_for_the_bias_gives_the_same_gradients(rng):
    """Note 004, 1.2.1: X' = [1 X], W' = [b; W]: X' W' = Y, and dW' = [db; dW], dX' = [· dX]."""
    X, W, b, dY = (
        rng.integers(-5, 6, shape).astype(float) for shape in ((5, 4), (4, 3), (3,), (5, 3))
    )
    plain = Affine.from_arrays(W, b)
    joined = Affine.from_arrays(np.vstack([b, W]), np.zeros(3))
    wide = np.hstack([np.ones((5, 1)), X])
    np.testing.assert_array_equal(joined.forward(wide), plain.forward(X))
    dwide, dX = joined.backward(dY), plain.backward(dY)
    np.testing.assert_array_equal(joined.W.grad, np.vstack([plain.b.grad, plain.W.grad]))
    np.testing.assert_array_equal(dwide[:, 1:], dX)
    np.testing.assert_array_equal(dwide[:, 0], dY @ b)


def one_hot_case(rng):
    """Scores (5, 4), class indices, the same in one-hot rows."""
    t = np.array([0, 3, 1, 1, 2])
    return rng.standard_normal((5, 4)), t, np.eye(4)[t]


def test_1_2_2_the_gradient_of_loss_after_softmax_is_y_minus_t(rng):
    """Note 004, 1.2.2: Σ_p ∂L/∂y_p ∂y_p/∂a_k, with ∂y_p/∂a_k = y_k (1[p = k] - y_p): y_k - t_k."""
    a, t = rng.standard_normal(4), np.array([0.0, 0.0, 1.0, 0.0])
    y = softmax(a)
    dL_dy = -t / y
    dy_da = np.array([[y[k] * ((p == k) - y[p]) for k in range(4)] for p in range(4)])
    layer, fused = Softmax(), SoftmaxWithLoss()
    jacobian = np.stack([jvp(layer.forward, a, unit)[1] for unit in np.eye(4)], axis=1)
    np.testing.assert_allclose(jacobian, dy_da, atol=1e-14)
    layer.forward(a)
    np.testing.assert_allclose(layer.backward(dL_dy), dL_dy @ dy_da, rtol=1e-12)
    assert fused.forward(a, t) == pytest.approx(-np.log(y[2]))
    np.testing.assert_allclose(fused.backward(), dL_dy @ dy_da, rtol=1e-12)
    np.testing.assert_allclose(fused.backward(), y - t, rtol=1e-12)


@pytest.mark.parametrize("form", ["one-hot", "indices"])
def test_1_2_2_a_batch_in_both_forms_of_targets(rng, form):
    """Note 004, 1.2.2: (y - t) / batch_size, or minus 1 at the right class for class indices."""
    a, indices, rows = one_hot_case(rng)
    layer, y = SoftmaxWithLoss(), softmax(a)
    loss = layer.forward(a, rows if form == "one-hot" else indices)
    assert loss == pytest.approx(cross_entropy_error(y, rows), rel=1e-13)
    np.testing.assert_allclose(layer.backward(), (y - rows) / 5, rtol=1e-12, atol=1e-16)
    da = y.copy()
    da[np.arange(5), indices] -= 1
    np.testing.assert_allclose(layer.backward(), da / 5, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_1_2_2_softmax_and_then_cross_entropy_give_the_gradient_of_both_in_one(rng, reduction):
    """Note 004, 1.2.2: separately or as one lump, the loss and its gradient are the same."""
    a, t, _ = one_hot_case(rng)
    first, second, fused = Softmax(), CrossEntropyError(reduction), SoftmaxWithLoss(reduction)
    loss = second.forward(first.forward(a), t)
    assert loss == pytest.approx(fused.forward(a, t), rel=1e-13)
    np.testing.assert_allclose(
        first.backward(second.backward(3.0)), fused.backward(3.0), rtol=1e-10, atol=1e-15
    )


# 2. A class for each operation ------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_2_the_gates_of_two_inputs(rng, name):
    """Note 004, 2, classes Multiplication, Maximum, Addition: whole numbers, ties among them."""
    value, gradient = FORMULAS[name]
    x, y, dout = (rng.integers(-2, 3, (6, 5)).astype(float) for _ in range(3))
    assert 0 < (x == y).sum() < x.size
    gate = GATES[name]()
    np.testing.assert_array_equal(gate.forward(x, y), value(x, y))
    for ours, expected in zip(gate.backward(dout), gradient(x, y, dout), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_2_copy():
    """Note 004, 2, class Copy: x twice; back comes the sum of what comes in."""
    gate = Copy()
    x, dout1, dout2 = np.array([1.0, 2.0]), np.array([3.0, -4.0]), np.array([0.5, 6.0])
    one, other = gate.forward(x)
    assert one.tolist() == other.tolist() == [1, 2]
    assert gate.backward(dout1, dout2).tolist() == [3.5, 2.0]
    assert dout1.tolist() == [3, -4]


def test_2_step():
    """Note 004, 2, class Step: 1 above 0, else 0; back comes 0 whatever the upstream gradient."""
    layer = Step()
    X = np.array([[-2.0, 0.0, 3.0], [1e-300, -1e-300, 7.0]])
    assert layer.forward(X).tolist() == [[0, 0, 1], [1, 0, 1]]
    assert layer.backward(np.full((2, 3), 5.0)).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert jvp(layer.forward, X, np.ones_like(X))[1].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_2_step_is_made_of_floats_and_its_gradient_stays_zero_far_out():
    """Note 004, 2, class Step returns int32, which no further layer could differentiate, and
    takes its zeros from x · 0, which is NaN for an infinite x."""
    layer = Step()
    X = np.array([-np.inf, np.inf, 1.0], np.float32)
    Y, dX = layer.forward(X), layer.backward(np.ones(3, np.float32))
    assert Y.dtype == dX.dtype == np.float32
    assert (Y.tolist(), dX.tolist()) == ([0, 1, 1], [0, 0, 0])


def test_2_relu(rng):
    """Note 004, 2, class Relu: the mask of what is above 0, in forward and in backward."""
    layer = Relu()
    X, dout = rng.integers(-3, 4, (6, 5)).astype(float), rng.integers(-9, 10, (6, 5)).astype(float)
    mask = (X > 0) * 1.0
    np.testing.assert_array_equal(layer.forward(X), X * mask)
    np.testing.assert_array_equal(layer.backward(dout), dout * mask)


def test_2_relu_keeps_single_precision():
    """Note 004, 2, class Relu: its int32 mask would make a float32 gradient float64."""
    X = np.array([-1.0, 2.0], np.float32)
    int_mask = np.array(X > 0, dtype=np.int32)
    layer = Relu()
    layer.forward(X)
    gradient = layer.backward(np.ones(2, np.float32))
    assert (np.ones(2, np.float32) * int_mask).dtype == np.float64
    assert gradient.dtype == np.float32


def test_2_affine_on_a_batch(rng):
    """Note 004, 2, class Affine(W, b): X (n, d) gives dX = dout Wᵗ, dW = Xᵗ dout, db = Σ dout."""
    X, W, b, dout = (
        rng.integers(-5, 6, shape).astype(float) for shape in ((4, 3), (3, 2), (2,), (4, 2))
    )
    layer = Affine.from_arrays(W, b)
    assert layer.W.data is W
    assert layer.b.data is b
    for n in range(4):
        for p in range(2):
            assert layer.forward(X)[n, p] == sum(X[n, d] * W[d, p] for d in range(3)) + b[p]
    dX = layer.backward(dout)
    np.testing.assert_array_equal(dX, [[dout[n] @ W[d] for d in range(3)] for n in range(4)])
    np.testing.assert_array_equal(layer.W.grad, sum(np.outer(X[n], dout[n]) for n in range(4)))
    np.testing.assert_array_equal(layer.b.grad, sum(dout[n] for n in range(4)))


def test_2_affine_on_a_single_sample(rng):
    """Note 004, 2, class Affine, its ndim == 1 branch: dW is the outer product, db is dout."""
    X, W, b, dout = (rng.integers(-5, 6, s).astype(float) for s in ((3,), (3, 2), (2,), (2,)))
    layer, row = Affine.from_arrays(W, b), Affine.from_arrays(W, b)
    Y = layer.forward(X)
    assert Y.shape == (2,)
    np.testing.assert_array_equal(Y, row.forward(X[None, :])[0])
    np.testing.assert_array_equal(layer.backward(dout), W @ dout)
    np.testing.assert_array_equal(layer.W.grad, np.outer(X, dout))
    np.testing.assert_array_equal(layer.b.grad, dout)
    np.testing.assert_array_equal(layer.backward(dout), row.backward(dout[None, :])[0])


def test_2_affine_on_a_sequence(rng):
    """Note 004, 2, class Affine gives up at three axes; here every axis but the last is a batch."""
    X, W, b, dout = (
        rng.integers(-5, 6, s).astype(float) for s in ((2, 4, 3), (3, 2), (2,), (2, 4, 2))
    )
    layer = Affine.from_arrays(W, b)
    np.testing.assert_array_equal(layer.forward(X), X @ W + b)
    np.testing.assert_array_equal(layer.backward(dout), dout @ W.T)
    np.testing.assert_array_equal(layer.W.grad, np.einsum("abi,abj->ij", X, dout))
    np.testing.assert_array_equal(layer.b.grad, dout.sum(axis=(0, 1)))


def test_2_sigmoid(rng):
    """Note 004, 2, class Sigmoid: out = 1 / (1 + e⁻ˣ), and dout · out (1 - out) goes back."""
    layer = Sigmoid()
    X, dout = 3 * rng.standard_normal((4, 5)), rng.standard_normal((4, 5))
    out = 1 / (1 + np.exp(-X))
    np.testing.assert_allclose(layer.forward(X), out, rtol=1e-12)
    np.testing.assert_allclose(layer.backward(dout), dout * out * (1 - out), rtol=1e-9)


def test_2_sigmoid_does_not_overflow():
    """Note 004, 2, class Sigmoid: exp(-x) overflows at x = -1000, with a warning; ours is quiet."""
    X = np.array([-1000.0, 0.0, 1000.0])
    with pytest.warns(RuntimeWarning, match="overflow"):
        plainly = 1 / (1 + np.exp(-X))
    assert Sigmoid().forward(X).tolist() == plainly.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("form", ["one-hot", "indices"])
def test_2_cee_softmax_by_differences(rng, form):
    """Note 004, 2, class CEE_Softmax: forward is the mean loss, backward its gradient."""
    a, indices, rows = one_hot_case(rng)
    t = rows if form == "one-hot" else indices
    layer = SoftmaxWithLoss()
    assert layer.forward(a, t) == pytest.approx(cross_entropy_error(softmax(a), rows), rel=1e-13)
    gradient = layer.backward()
    differences = numeric_gradient(lambda a: SoftmaxWithLoss().forward(a, t), a)
    np.testing.assert_allclose(gradient, differences, atol=1e-9)


def test_2_cee_softmax_setting_the_entry_to_1_is_wrong_and_subtracting_1_is_right(rng):
    """Note 004, 2, class CEE_Softmax writes `= 1` for class indices where 1.2.2 has `-= 1`.

    Differences are the judge: what comes out by `= 1` is far off at every right class, and makes
    the loss grow; ours is right.
    """
    a, t, _ = one_hot_case(rng)
    layer, rows = SoftmaxWithLoss(), np.arange(5)
    loss = layer.forward(a, t)
    ours = layer.backward()
    with_assignment = softmax(a)
    with_assignment[rows, t] = 1
    with_assignment /= 5

    differences = numeric_gradient(lambda a: SoftmaxWithLoss().forward(a, t), a)
    np.testing.assert_allclose(ours, differences, atol=1e-9)
    assert (np.abs(with_assignment - differences)[rows, t] > 0.1).all()
    assert layer.forward(a - 0.1 * ours, t) < loss < layer.forward(a - 0.1 * with_assignment, t)


def test_2_cee_softmax_hands_on_what_comes_from_above(rng):
    """Note 004, 2, class CEE_Softmax takes `dout` and does not use it; a factor must pass."""
    a, t, _ = one_hot_case(rng)
    layer = SoftmaxWithLoss()
    layer.forward(a, t)
    np.testing.assert_allclose(layer.backward(-2.5), -2.5 * layer.backward(), rtol=1e-14)
    differences = numeric_gradient(lambda a: -2.5 * SoftmaxWithLoss().forward(a, t), a)
    np.testing.assert_allclose(layer.backward(-2.5), differences, atol=1e-8)


def test_2_cee_softmax_of_a_single_sample(rng):
    """Note 004, 2, class CEE_Softmax divides by t.shape[0], which for one one-hot row is C."""
    a, row = rng.standard_normal(4), np.array([0, 1, 0, 0])
    for t in (row, np.array(1)):
        layer = SoftmaxWithLoss()
        assert layer.forward(a, t) == pytest.approx(-np.log(softmax(a)[1]))
        np.testing.assert_allclose(layer.backward(), softmax(a) - row, rtol=1e-12)


# TwoLayerNet and the training loop ---------------------------------------------------------------


def test_two_layer_net_starts_as_in_the_note():
    """Note 004, class TwoLayerNet: its arguments, the names and shapes of params, the layers."""
    network = TwoLayerNet(input_size=784, hidden_size=50, output_size=10, rng=0)
    shapes = {key: array.shape for key, array in network.params.items()}
    assert shapes == {"W1": (784, 50), "b1": (50,), "W2": (50, 10), "b2": (10,)}
    assert list(network.layers) == ["Affine1", "Relu", "Affine2"]
    assert type(network.last_layer) is SoftmaxWithLoss
    assert not network.params["b1"].any()
    assert not network.params["b2"].any()
    assert network.params["W1"].std() == pytest.approx(0.01, rel=0.02)
    wider = TwoLayerNet(784, 50, 10, weight_init_std=0.1, rng=0)
    np.testing.assert_allclose(wider.params["W1"], 10 * network.params["W1"], rtol=1e-5)


def small_problem(rng):
    network = TwoLayerNet(input_size=6, hidden_size=5, output_size=3, weight_init_std=0.5, rng=rng)
    X = rng.standard_normal((8, 6)).astype(np.float32)
    return network, X, np.eye(3)[rng.integers(0, 3, 8)]


def test_two_layer_net_predict_loss_accuracy_and_gradient_by_hand(rng):
    """Note 004, class TwoLayerNet: its five methods against the formulas of section 1.2."""
    network, X, t = small_problem(rng)
    params = {key: array.astype(np.float64) for key, array in network.params.items()}
    a1 = X @ params["W1"] + params["b1"]
    z1 = np.maximum(a1, 0)
    a2 = z1 @ params["W2"] + params["b2"]
    y = softmax(a2)
    da2 = (y - t) / 8
    da1 = (da2 @ params["W2"].T) * (a1 > 0)
    by_hand = {"W1": X.T @ da1, "b1": da1.sum(axis=0), "W2": z1.T @ da2, "b2": da2.sum(axis=0)}

    np.testing.assert_allclose(network.predict(X), a2, atol=1e-5)
    assert network.loss(X, t) == pytest.approx(cross_entropy_error(y, t), rel=1e-5)
    right = (a2.argmax(axis=1) == t.argmax(axis=1)).mean()
    assert 0 < right < 1
    assert network.accuracy(X, t) == network.accuracy(X, t.argmax(axis=1)) == right
    grad = network.gradient(X, t)
    assert list(grad) == ["W1", "b1", "W2", "b2"]
    for key, expected in by_hand.items():
        np.testing.assert_allclose(grad[key], expected, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("key", ["W1", "b1", "W2", "b2"])
def test_two_layer_net_updates_through_params_change_the_net(rng, key):
    """Note 004, "Renewal": after `network.params[key] -= ...` the layers compute with the new."""
    network, X, t = small_problem(rng)
    before = network.predict(X)
    grad = network.gradient(X, t)
    network.params[key] -= 0.1 * grad[key]
    layer = network.layers["Affine1" if key.endswith("1") else "Affine2"]
    np.testing.assert_array_equal(getattr(layer, key[0]).data, network.params[key])
    a1 = X @ network.params["W1"] + network.params["b1"]
    scores = np.maximum(a1, 0) @ network.params["W2"] + network.params["b2"]
    np.testing.assert_allclose(network.predict(X), scores, atol=1e-6)
    assert np.abs(scores - before).max() > 1e-4
    network.params[key] = network.params[key] + 0.1 * grad[key]
    np.testing.assert_allclose(network.predict(X), before, atol=1e-6)


def the_loop_of_the_note(network, train, test, iters_num, rng):
    """Note 004, the training loop as it stands there: the losses and the accuracies of it."""
    (x_train, t_train), (x_test, t_test) = train, test
    train_size = x_train.shape[0]
    batch_size = 100
    learning_rate = 0.1

    train_loss_list = []
    train_acc_list = []
    test_acc_list = []

    iter_per_epoch = max(train_size / batch_size, 1)

    for i in range(iters_num):
        batch_mask = rng.choice(train_size, batch_size)
        x_batch = x_train[batch_mask]
        t_batch = t_train[batch_mask]

        # Gradient
        grad = network.gradient(x_batch, t_batch)

        # Renewal
        for key in ("W1", "b1", "W2", "b2"):
            network.params[key] -= learning_rate * grad[key]

        # Loss and Accuracy
        loss = network.loss(x_batch, t_batch)
        train_loss_list.append(loss)

        if i % iter_per_epoch == 0:
            train_acc = network.accuracy(x_train, t_train)
            test_acc = network.accuracy(x_test, t_test)
            train_acc_list.append(train_acc)
            test_acc_list.append(test_acc)
    return train_loss_list, train_acc_list, test_acc_list


def test_the_training_loop_lowers_the_loss():
    """Note 004, the loop, for 400 iterations on digits that the project draws itself."""
    rng = np.random.default_rng(0)
    images, digits = draw_digits(1200, rng)
    X = images.reshape(-1, 784).astype(np.float32) / 255
    t = np.eye(10, dtype=np.float32)[digits]
    network = TwoLayerNet(input_size=784, hidden_size=50, output_size=10, rng=rng)
    losses, train_acc, test_acc = the_loop_of_the_note(
        network, (X[:1000], t[:1000]), (X[1000:], t[1000:]), iters_num=400, rng=rng
    )
    assert len(losses) == 400
    assert len(train_acc) == len(test_acc) == 40
    assert losses[0] == pytest.approx(np.log(10), abs=0.05)  # small weights: all classes alike
    assert np.mean(losses[-20:]) < 0.3 * losses[0]
    assert train_acc[-1] > 0.85
    assert test_acc[-1] > 0.75
    assert train_acc[0] < 0.5


@pytest.mark.slow  # tests/test_train.py trains the same net by its configuration
@pytest.mark.needs_mnist
def test_the_training_loop_on_mnist_reaches_the_accuracy_of_the_note():
    """Note 004, the loop and its output: after 10,000 iterations 0.978 and 0.968."""
    train, test = load_mnist(normalize=True, flatten=True, one_hot_label=True)
    rng = np.random.default_rng(0)
    network = TwoLayerNet(input_size=784, hidden_size=50, output_size=10, rng=rng)
    losses, train_acc, test_acc = the_loop_of_the_note(network, train, test, 10_000, rng)
    assert len(losses) == 10_000
    assert len(test_acc) == 17  # at the start of each epoch of 600 iterations
    assert train_acc[-1] >= 0.97
    assert test_acc[-1] >= 0.96
