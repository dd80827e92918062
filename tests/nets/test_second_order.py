"""Hessian-vector products: duals through the forward and backward of a whole net."""

import copy

import numpy as np
import pytest

from lamina.autodiff import Dual, new_level, primal, tangent
from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Flatten,
    Relu,
    SoftmaxWithLoss,
    SVMLoss,
)
from lamina.nets import Sequential


def convolutional_net(rng, loss):
    """Convolution, batch normalisation, dropout, Affine and a loss, in float64."""
    double = {"rng": rng, "dtype": np.float64}
    return Sequential(
        {
            "conv1": Convolution(2, 3, 3, padding=1, **double),
            "norm1": BatchNormalization(3, dtype=np.float64),
            "relu1": Relu(),
            "conv2": Convolution(3, 4, 2, stride=2, dilation=2, **double),
            "relu2": Relu(),
            "flatten": Flatten(),
            "drop": Dropout(0.4, rng=rng),
            "affine": Affine(16, 3, **double),
        },
        loss=loss,
    )


def gradients_at(net, values, X, t):
    """The gradients of a copy of the net: the same dropout mask, the same statistics each time."""
    net = copy.deepcopy(net)
    for name, param in net.parameters().items():
        param.data = values[name]
    return net.gradient(X, t)


@pytest.mark.parametrize("loss", [SoftmaxWithLoss(), SVMLoss()], ids=["softmax", "svm"])
@pytest.mark.parametrize("seed", range(5))
def test_duals_through_forward_and_backward_agree_with_differences(seed, loss):
    rng = np.random.default_rng(seed)
    net = convolutional_net(rng, loss)
    X, t = rng.standard_normal((4, 2, 6, 6)), rng.integers(0, 3, 4)
    at = {name: param.data for name, param in net.parameters().items()}
    v = {name: rng.standard_normal(data.shape) for name, data in at.items()}

    level = new_level()
    duals = gradients_at(net, {n: Dual(at[n], v[n], level) for n in at}, X, t)

    h = 1e-5
    ahead = gradients_at(net, {n: at[n] + h * v[n] for n in at}, X, t)
    behind = gradients_at(net, {n: at[n] - h * v[n] for n in at}, X, t)
    size = max(np.abs(tangent(duals[n], level)).max() for n in at)
    assert size > 0.1
    for name in at:
        differences = (ahead[name] - behind[name]) / (2 * h)
        np.testing.assert_array_equal(primal(duals[name]), net_gradient(net, X, t)[name])
        np.testing.assert_allclose(
            tangent(duals[name], level), differences, atol=1e-6 * size, rtol=1e-6
        )


def net_gradient(net, X, t):
    return gradients_at(net, {n: p.data for n, p in net.parameters().items()}, X, t)


def test_running_statistics_stay_plain_arrays():
    rng = np.random.default_rng(0)
    net = convolutional_net(rng, SoftmaxWithLoss())
    level = new_level()
    for param in net.parameters().values():
        param.data = Dual(param.data, np.ones_like(param.data), level)
    net.gradient(rng.standard_normal((4, 2, 6, 6)), rng.integers(0, 3, 4))
    assert type(net.layers["norm1"].running_mean.data) is np.ndarray


def test_the_hessian_is_symmetric():
    """u · H v = v · H u, which no difference quotient gives to this precision."""
    rng = np.random.default_rng(1)
    net = convolutional_net(rng, SoftmaxWithLoss())
    X, t = rng.standard_normal((4, 2, 6, 6)), rng.integers(0, 3, 4)
    at = {name: param.data for name, param in net.parameters().items()}
    u, v = ({n: rng.standard_normal(a.shape) for n, a in at.items()} for _ in range(2))

    def hessian_times(direction):
        level = new_level()
        values = {n: Dual(at[n], direction[n], level) for n in at}
        return {n: g.tangent for n, g in gradients_at(net, values, X, t).items()}

    Hv, Hu = hessian_times(v), hessian_times(u)
    one, other = (sum(np.sum(a[n] * b[n]) for n in at) for a, b in ((u, Hv), (v, Hu)))
    assert abs(one - other) < 1e-10 * abs(one)
