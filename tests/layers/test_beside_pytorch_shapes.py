"""The layers that PyTorch has too agree with it whatever the shapes, in float64: Y, dX, gradients
of parameters, and which shapes are refused."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lamina.layers import (
    Affine,
    AveragePooling,
    BatchNormalization,
    Convolution,
    Convolution1d,
    Elu,
    Gelu,
    GlobalAveragePooling,
    GroupNormalization,
    LayerNormalization,
    LeakyRelu,
    MaxPooling,
    PRelu,
    Relu,
    RMSNormalization,
    ShapeError,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
    TransposedConvolution,
)

pytestmark = pytest.mark.needs_torch
seeds = st.integers(0, 2**31)
small, sizes = st.integers(1, 3), st.integers(1, 11)
thorough = settings(max_examples=100, deadline=None)
quick = settings(max_examples=30, deadline=None)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """So small arrays are slower by far on several threads that wait for each other."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pairs(low: int, high: int):
    return st.tuples(st.integers(low, high), st.integers(low, high))


def compare(layer, X, function, rng):
    """Y, dX and the gradients of parameters, which move off their zeros and ones first."""
    import torch

    parameters = layer.parameters()
    for param in parameters.values():
        param.data = rng.standard_normal(param.data.shape)
    tensor = torch.tensor(X, requires_grad=True)
    weights = {n: torch.tensor(p.data, requires_grad=True) for n, p in parameters.items()}
    Y, theirs = layer.forward(X), function(tensor, **weights)
    assert Y.shape == theirs.shape
    close(Y, theirs.detach())
    dout = rng.standard_normal(Y.shape)
    dX = layer.backward(dout)
    theirs.backward(torch.tensor(dout))
    close(dX, tensor.grad)
    for name, param in parameters.items():
        close(param.grad, weights[name].grad)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-10)


def compare_or_refuse(layer, X, function, rng):
    """As `compare`; where PyTorch finds no window, the layer must not find one either."""
    import torch

    weights = {n: torch.tensor(p.data) for n, p in layer.parameters().items()}
    try:
        function(torch.tensor(X), **weights)
    except RuntimeError:
        with pytest.raises(ShapeError):
            layer.forward(X)
        with pytest.raises(ShapeError):
            layer.output_shape(X.shape[1:])
        return
    compare(layer, X, function, rng)
    assert layer.output_shape(X.shape[1:]) == layer.forward(X).shape[1:]


def images(rng, n, channels, size, channels_last=False):
    if channels_last:
        return rng.standard_normal((n, *size, channels)).transpose(0, 3, 1, 2)
    return rng.standard_normal((n, channels, *size))


@thorough
@given(
    seeds,
    st.tuples(small, small, small, small),
    st.tuples(sizes, sizes),
    pairs(1, 5),
    pairs(1, 3),
    pairs(0, 2),
    pairs(1, 2),
    st.booleans(),
)
def test_convolution(seed, numbers, size, kernel, stride, padding, dilation, channels_last):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    n, groups, c_in, c_out = numbers
    channels = (groups * c_in, groups * c_out)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    layer = Convolution(*channels, kernel, rng=rng, dtype=np.float64, **options)
    X = images(rng, n, channels[0], size, channels_last)
    compare_or_refuse(layer, X, lambda X, W, b: F.conv2d(X, W, b, **options), rng)


@thorough
@given(
    seeds,
    st.tuples(small, small, small, small),
    pairs(1, 5),
    pairs(1, 4),
    pairs(1, 3),
    pairs(0, 2),
    pairs(1, 3),
    pairs(0, 3),
    st.booleans(),
)
def test_transposed_convolution(
    seed, numbers, size, kernel, stride, padding, dilation, extra, bias
):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    n, groups, c_in, c_out = numbers
    c_in, c_out = groups * c_in, groups * c_out
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    options |= {"output_padding": extra, "groups": groups}
    X = images(rng, n, c_in, size, channels_last=bias)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        with pytest.raises(ValueError, match="output_padding is below the stride or the dilation"):
            TransposedConvolution(c_in, c_out, kernel, rng=0, **options)
        return
    layer = TransposedConvolution(
        c_in, c_out, kernel, bias=bias, rng=rng, dtype=np.float64, **options
    )

    def theirs(X, W, b=None):
        return F.conv_transpose2d(X, W, b, **options)

    compare_or_refuse(layer, X, theirs, rng)


@quick
@given(
    seeds,
    st.tuples(small, small, small, small),
    *(sizes, st.integers(1, 5), small, st.integers(0, 2), st.integers(1, 2)),
)
def test_convolution1d(seed, numbers, t, kernel, stride, padding, dilation):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    n, groups, c_in, c_out = numbers
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    channels = (groups * c_in, groups * c_out)
    layer = Convolution1d(*channels, kernel, rng=rng, dtype=np.float64, **options)
    X = rng.standard_normal((n, t, channels[0]))

    def theirs(X, W, b):
        return F.conv1d(X.transpose(1, 2), W[:, :, 0], b, **options).transpose(1, 2)

    compare_or_refuse(layer, X, theirs, rng)


@st.composite
def poolings(draw):
    kernel = draw(pairs(1, 5))
    padding = tuple(draw(st.integers(0, min(2, k // 2))) for k in kernel)
    stride = draw(st.none() | pairs(1, 3))
    return {"kernel": kernel, "stride": stride, "padding": padding, "partial": draw(st.booleans())}


pooled = given(seeds, st.tuples(small, small), st.tuples(sizes, sizes), poolings(), st.booleans())


def pooling_in_torch(function, kernel, stride, padding, partial):
    return lambda X: function(X, kernel, stride=stride, padding=padding, ceil_mode=partial)


@thorough
@pooled
def test_max_pooling(seed, numbers, size, options, channels_last):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    X = images(rng, *numbers, size, channels_last)
    theirs = pooling_in_torch(F.max_pool2d, **options)
    compare_or_refuse(MaxPooling(**options), X, theirs, rng)


@quick
@pooled
def test_max_pooling_at_ties(seed, numbers, size, options, channels_last):
    """Many entries of a window are the largest: the same one gets the gradient."""
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    X = np.rint(0.7 * images(rng, *numbers, size, channels_last))
    theirs = pooling_in_torch(F.max_pool2d, **options)
    compare_or_refuse(MaxPooling(**options), X, theirs, rng)


@thorough
@pooled
def test_average_pooling(seed, numbers, size, options, channels_last):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    X = images(rng, *numbers, size, channels_last)
    theirs = pooling_in_torch(F.avg_pool2d, **options)
    compare_or_refuse(AveragePooling(**options), X, theirs, rng)


@pytest.mark.parametrize("cls", [MaxPooling, AveragePooling])
def test_padding_of_more_than_half_the_kernel_is_refused_by_both(cls):
    import torch

    theirs = {MaxPooling: torch.nn.MaxPool2d, AveragePooling: torch.nn.AvgPool2d}[cls]
    for kernel, padding in ((1, 1), (3, 2), ((4, 3), (2, 2))):
        with pytest.raises(ValueError, match="at most half the kernel"):
            cls(kernel, padding=padding)
        with pytest.raises(RuntimeError, match="at most half"):
            theirs(kernel, padding=padding)(torch.zeros(1, 1, 9, 9))


@quick
@given(seeds, st.tuples(small, small), st.tuples(sizes, sizes), st.booleans())
def test_global_average_pooling(seed, numbers, size, channels_last):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    X = images(rng, *numbers, size, channels_last)
    compare(GlobalAveragePooling(), X, lambda X: F.adaptive_avg_pool2d(X, 1)[:, :, 0, 0], rng)


@quick
@given(seeds, st.lists(sizes, min_size=1, max_size=4), st.integers(1, 3))
@example(0, [5], 1)  # a single sample
@example(0, [3, 1], 1)  # a single feature
def test_layer_normalisation(seed, shape, n_axes):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    features = tuple(shape[-n_axes:])
    layer = LayerNormalization(features, dtype=np.float64)

    def function(X, gamma, beta):
        return F.layer_norm(X, features, gamma, beta)

    compare(layer, rng.standard_normal(shape), function, rng)


@quick
@given(seeds, st.lists(sizes, min_size=1, max_size=4), st.integers(1, 3), st.floats(1e-8, 1e-2))
@example(0, [5], 1, 1e-5)  # a single sample
@example(0, [3, 1], 1, 1e-5)  # a single feature
def test_rms_normalisation(seed, shape, n_axes, eps):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    features = tuple(shape[-n_axes:])
    layer = RMSNormalization(features, eps=eps, dtype=np.float64)

    def function(X, gamma):
        return F.rms_norm(X, features, gamma, eps)

    compare(layer, rng.standard_normal(shape), function, rng)


@quick
@given(seeds, small, small, small, st.lists(st.integers(1, 6), max_size=3), st.floats(1e-8, 1e-2))
def test_group_normalisation(seed, n, groups, channels, places, eps):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    layer = GroupNormalization(groups, groups * channels, eps=eps, dtype=np.float64)
    # PyTorch refuses a single value in all; with several samples of one value it gives β, as here.
    n = n + 1 if n * channels * np.prod(places) == 1 else n
    X = rng.standard_normal((n, groups * channels, *places))
    compare(layer, X, lambda X, gamma, beta: F.group_norm(X, groups, gamma, beta, eps), rng)


@quick
@given(seeds, small, small, st.lists(st.integers(1, 6), max_size=3), st.booleans())
def test_batch_normalisation(seed, n, channels, places, training):
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    places = [] if len(places) == 1 else places  # (N, C), (N, C, H, W) or (N, C, D, H, W)
    X = rng.standard_normal((n, channels, *places))
    layer = BatchNormalization(channels, dtype=np.float64)
    layer.running_mean.data = rng.standard_normal(channels)
    layer.running_var.data = rng.uniform(0.5, 2.0, channels)
    layer.set_training(training)
    running = [torch.tensor(s.data) for s in (layer.running_mean, layer.running_var)]

    def function(X, gamma, beta):
        return F.batch_norm(X, *running, gamma, beta, training=training, momentum=0.1)

    if training and X.size == channels:
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            function(torch.tensor(X), None, None)
        with pytest.raises(ValueError, match="at least 2 values per channel"):
            layer.forward(X)
        return
    compare(layer, X, function, rng)
    close(layer.running_mean.data, running[0])
    close(layer.running_var.data, running[1])


@quick
@given(seeds, small, st.integers(1, 4), st.lists(st.integers(1, 5), max_size=2), st.booleans())
def test_prelu(seed, n, channels, places, shared):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    layer = PRelu(1 if shared else channels, dtype=np.float64)
    X = rng.standard_normal((n, channels, *places))
    compare(layer, X, lambda X, a: F.prelu(X, a), rng)


@quick
@given(seeds, st.lists(sizes, max_size=3), sizes, sizes, st.booleans())
def test_affine(seed, samples, n_in, n_out, bias):
    rng = np.random.default_rng(seed)
    layer = Affine(n_in, n_out, bias=bias, rng=rng, dtype=np.float64)
    compare(layer, rng.standard_normal((*samples, n_in)), lambda X, W, b=0.0: X @ W + b, rng)


@pytest.mark.parametrize(
    ("layer", "name", "options"),
    [
        (Relu(), "relu", {}),
        (LeakyRelu(0.1), "leaky_relu", {"negative_slope": 0.1}),
        (Elu(0.7), "elu", {"alpha": 0.7}),
        (Gelu(), "gelu", {"approximate": "tanh"}),
        (Swish(), "silu", {}),
        (Softplus(), "softplus", {"threshold": 100}),
        (Sigmoid(), "sigmoid", {}),
        (Tanh(), "tanh", {}),
        (Softmax(), "softmax", {"dim": -1}),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
@settings(max_examples=10, deadline=None)
@given(seed=seeds, shape=st.lists(sizes, min_size=1, max_size=4))
def test_activations(layer, name, options, seed, shape):
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    X = 5 * rng.standard_normal(shape)
    compare(layer, X, lambda X: getattr(F, name)(X, **options), rng)
