"""Training on loss + λ ‖∇loss‖²: the value, its gradient, and what must not be disturbed."""

import copy

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, Samples
from lamina.layers import Affine, BatchNormalization, Dropout, Sigmoid, SoftmaxWithLoss
from lamina.nets import Graph, Head, Node, Sequential
from lamina.optimizers import SGD
from lamina.training.gradient_penalty import add_penalised_gradient
from lamina.training.trainer import Trainer

PENALTY = 0.7


def make_net():
    rng = np.random.default_rng(0)
    return Sequential(
        {
            "affine1": Affine(4, 6, rng=rng, dtype=np.float64),
            "norm": BatchNormalization(6, dtype=np.float64),
            "sigmoid": Sigmoid(),
            "drop": Dropout(0.3, rng=rng),
            "affine2": Affine(6, 3, rng=rng, dtype=np.float64),
        },
        loss=SoftmaxWithLoss(),
    )


def batch(n=8):
    rng = np.random.default_rng(1)
    return rng.standard_normal((n, 4)), rng.integers(0, 3, n)


def value(net, values, X, t):
    """L + λ ‖∇L‖² from a plain gradient, on a copy."""
    copied = copy.deepcopy(net)
    for name, param in copied.parameters().items():
        param.data = values[name]
    loss = float(copy.deepcopy(copied).loss(X, t))
    gradients = copied.gradient(X, t)
    return loss + PENALTY * sum(float(np.sum(g * g)) for g in gradients.values())


def test_value_and_gradient_agree_with_differences():
    net, (X, t) = make_net(), batch()
    at = {name: param.data.copy() for name, param in net.parameters().items()}
    rng = np.random.default_rng(2)
    v = {name: rng.standard_normal(a.shape) for name, a in at.items()}
    h = 1e-5
    ahead, behind = (value(net, {n: at[n] + step * v[n] for n in at}, X, t) for step in (h, -h))
    expected = value(net, at, X, t)
    assert add_penalised_gradient(net, X, t, penalty=PENALTY) == pytest.approx(expected, rel=1e-12)
    slope = sum(np.sum(v[n] * p.grad) for n, p in net.parameters().items())
    assert slope == pytest.approx((ahead - behind) / (2 * h), rel=1e-7)


def test_gradients_add_up_and_are_scaled():
    net, (X, t) = make_net(), batch()
    plain = copy.deepcopy(net)
    add_penalised_gradient(plain, X, t, penalty=PENALTY)
    for param in net.parameters().values():
        param.accumulate(np.ones_like(param.data))
    add_penalised_gradient(net, X, t, lambda: 0.25, penalty=PENALTY)
    for name, param in net.parameters().items():
        np.testing.assert_allclose(param.grad, 1 + 0.25 * plain.parameters()[name].grad)


def test_running_statistics_and_random_numbers_move_once():
    net, (X, t) = make_net(), batch()
    plain = copy.deepcopy(net)
    plain.gradient(X, t)
    add_penalised_gradient(net, X, t, penalty=PENALTY)
    for name, array in plain.state().items():
        np.testing.assert_array_equal(net.state()[name], array)


def trainer_with(penalty, accumulate=1):
    X, t = batch(40)
    samples = Samples(X, t)
    net = make_net()
    return Trainer(
        net,
        SGD(net.parameters(), lr=0.1),
        Dataset(samples, samples, Classification("abc")),
        rng=np.random.default_rng(0),
        batch_size=8,
        accumulate=accumulate,
        gradient_penalty=penalty,
        quiet=True,
    )


def test_a_penalty_of_zero_changes_nothing_and_a_small_one_little():
    losses = {penalty: [trainer_with(penalty).step()] for penalty in (0.0, 1e-9, 0.5)}
    assert losses[0.0][0] == pytest.approx(losses[1e-9][0], rel=1e-6)
    assert losses[0.5][0] > losses[0.0][0] + 1e-3


def test_a_step_with_it_leads_to_a_flatter_place():
    """A small step η changes ‖∇L‖² by -4 η λ ‖H g‖² more than a step without the penalty."""
    X, t = batch(40)
    eta, steepness, products = 1e-4, {}, {}
    for penalty in (0.0, 1.0):
        net = make_net()
        del net.layers["drop"], net.layers["norm"]
        g = net.gradient(X, t)
        products = net.hvp(X, t, g)
        for param in net.parameters().values():
            param.grad = None
        add_penalised_gradient(net, X, t, penalty=penalty)
        for param in net.parameters().values():
            param.data = param.data - eta * param.grad
        steepness[penalty] = sum(float(np.sum(g * g)) for g in net.gradient(X, t).values())
    expected = 4 * eta * sum(float(np.sum(a * a)) for a in products.values())
    assert steepness[0.0] - steepness[1.0] == pytest.approx(expected, rel=0.01)
    assert expected > 0


def test_a_negative_penalty_is_refused():
    with pytest.raises(ValueError, match=r"gradient_penalty: expects at least 0, got -1\.0"):
        trainer_with(-1.0)


def test_several_batches_are_refused_whose_penalties_do_not_add_up():
    with pytest.raises(ValueError, match="accumulate: 4 batches add up to one large one, but grad"):
        trainer_with(0.5, accumulate=4)
    trainer_with(0.0, accumulate=4)


def test_a_frozen_parameter_has_no_part_in_it():
    net, (X, t) = make_net(), batch()
    net.layers["affine1"].W.trainable = False
    gradients = copy.deepcopy(net).gradient(X, t)
    assert "affine1.W" not in gradients
    plain = float(copy.deepcopy(net).loss(X, t))
    squares = sum(float(np.sum(g * g)) for g in gradients.values())
    value = add_penalised_gradient(net, X, t, penalty=PENALTY)
    assert value == pytest.approx(plain + PENALTY * squares, rel=1e-10)
    assert net.parameters()["affine1.W"].grad is None


def test_a_parameter_that_no_loss_reaches_stays():
    rng = np.random.default_rng(0)
    nodes = {
        "a": Node(Affine(4, 3, rng=rng), inputs="X"),
        "u": Node(Affine(4, 2, rng=rng), inputs="X"),
    }
    net = Graph(nodes, outputs=("a", "u"), losses={"of_a": Head(SoftmaxWithLoss(), "a")})
    X, t = batch()
    add_penalised_gradient(net, X.astype(np.float32), t, penalty=PENALTY)
    assert np.any(net.layers["a"].W.grad)
    assert not np.any(net.layers["u"].W.grad)
