"""The layers that PyTorch has too give the same numbers, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.layers import (
    Affine,
    BatchNormalization,
    Bias,
    Convolution,
    Embedding,
    LocalResponseNormalization,
    LogSoftmax,
    Padding,
    Power,
    Scale,
    SoftmaxWithLoss,
    Transpose,
)

pytestmark = pytest.mark.needs_torch
seeds = st.integers(0, 2**31)


def compare(layer, inputs, function, rng, tolerance=1e-10):
    """Outputs, input gradients and parameter gradients beside those of a torch function."""
    import torch

    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    parameters = layer.parameters()
    weights = {n: torch.tensor(p.data, requires_grad=True) for n, p in parameters.items()}
    Y, theirs = layer.forward(*inputs), function(*tensors, **weights)
    np.testing.assert_allclose(Y, theirs.detach().numpy(), atol=tolerance)
    dout = rng.standard_normal(np.shape(Y))
    dX = layer.backward(np.asarray(dout))
    theirs.backward(torch.tensor(dout))
    if dX is not None:
        np.testing.assert_allclose(dX, tensors[0].grad.numpy(), atol=tolerance)
    for name, param in parameters.items():
        np.testing.assert_allclose(param.grad, weights[name].grad.numpy(), atol=tolerance)


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 5), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))
def test_convolution(seed, kernel, stride, padding, dilation):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    groups = int(rng.integers(1, 4))
    channels = groups * rng.integers(1, 4, 2)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    layer = Convolution(
        int(channels[0]), int(channels[1]), kernel, rng=rng, dtype=np.float64, **options
    )
    layer.b.data = rng.standard_normal(channels[1])
    size = dilation * (kernel - 1) + 1 + rng.integers(0, 5, 2)
    X = rng.standard_normal((int(rng.integers(1, 4)), channels[0], *size))
    compare(layer, [X], lambda X, W, b: F.conv2d(X, W, b, **options), rng)


@settings(max_examples=10, deadline=None)
@given(seeds, st.integers(2, 6), st.integers(1, 4))
def test_batch_normalisation_with_its_running_statistics(seed, n, c):
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    layer = BatchNormalization(c, dtype=np.float64)
    layer.gamma.data = rng.standard_normal(c)
    mean, var = torch.zeros(c, dtype=torch.float64), torch.ones(c, dtype=torch.float64)

    def function(X, gamma, beta):
        return F.batch_norm(X, mean, var, gamma, beta, training=True, momentum=0.1)

    compare(layer, [rng.standard_normal((n, c, 3, 2))], function, rng)
    np.testing.assert_allclose(layer.running_mean.data, mean.numpy(), atol=1e-12)
    np.testing.assert_allclose(layer.running_var.data, var.numpy(), atol=1e-12)


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from(["mean", "sum"]))
def test_softmax_with_loss(seed, reduction):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    scores, t = 10 * rng.standard_normal((5, 7)), rng.integers(0, 7, 5)

    def function(scores, t):
        return F.cross_entropy(scores, t, reduction=reduction)

    compare(SoftmaxWithLoss(reduction), [scores, t], function, rng)


def test_affine_and_embedding():
    import torch.nn.functional as F

    rng = np.random.default_rng(0)
    compare(
        Affine(5, 3, rng=rng, dtype=np.float64),
        [rng.standard_normal((2, 4, 5))],
        lambda X, W, b: X @ W + b,
        rng,
    )
    compare(
        Embedding(6, 3, rng=rng, dtype=np.float64),
        [rng.integers(0, 6, (4, 5))],
        lambda X, W: F.embedding(X, W),
        rng,
    )


def test_moving_and_scaling():
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 3, 4, 5))
    compare(Transpose((3, 1, 2)), [X], lambda X: X.permute(0, 3, 1, 2), rng)
    padding = Padding((0, 1, 2), (0, 0, 3), value=2.5)
    compare(padding, [X], lambda X: F.pad(X, (2, 3, 1, 0), value=2.5), rng)
    compare(LogSoftmax(), [1e3 * X], lambda X: F.log_softmax(X, -1), rng)
    for shape in ((1,), (5,), (3, 1, 1), (1, 4, 1), (3, 4, 5)):
        for cls, function in ((Scale, torch.mul), (Bias, torch.add)):
            layer = cls(shape, dtype=np.float64)
            (param,) = layer.parameters().values()
            param.data = rng.standard_normal(shape)
            compare(layer, [X], lambda X, f=function, **w: f(X, *w.values()), rng)


@pytest.mark.parametrize("size", [1, 3, 5, 9])
@pytest.mark.parametrize("shape", [(2, 6, 4, 3), (2, 4, 5)])
def test_local_response_normalisation_of_channels(size, shape):
    import torch.nn.functional as F

    rng = np.random.default_rng(size)
    options = {"alpha": 0.8, "beta": 0.6, "k": 1.5}
    compare(
        LocalResponseNormalization(size, **options),
        [2.0 * rng.standard_normal(shape)],
        lambda X: F.local_response_norm(X, size, **options),
        rng,
    )


@pytest.mark.parametrize("size", [1, 3, 7])
def test_local_response_normalisation_within_channels(size):
    """Caffe's layer: squares, their means over windows that padding fills up, a power."""
    import torch.nn.functional as F

    def function(X):
        means = F.avg_pool2d(X * X, size, 1, size // 2, count_include_pad=True)
        return X * (1.0 + 0.8 * means) ** -0.6

    rng = np.random.default_rng(size)
    layer = LocalResponseNormalization(size, alpha=0.8, beta=0.6, within_channel=True)
    compare(layer, [2.0 * rng.standard_normal((2, 3, 4, 5))], function, rng)


def test_power():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (3, 4))
    for power, scale, shift in ((1.0, 2.0, 0.5), (2.0, -1.0, 0.0), (-0.5, 0.5, 1.0)):
        layer = Power(power, scale=scale, shift=shift)
        compare(layer, [X], lambda X, p=power, a=scale, c=shift: (c + a * X) ** p, rng)
