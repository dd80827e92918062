"""Convolution against its definition, and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.layers import Convolution, ShapeError
from lamina.layers.check import check_layer

small = st.integers(1, 3)


def by_definition(layer, X):
    """The sum of the docstring, entry by entry."""
    W, b = layer.W.data, layer.b.data
    (sh, sw), (ph, pw), (dh, dw) = layer.stride, layer.padding, layer.dilation
    padded = np.pad(X, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    Y = np.empty((len(X), *layer.output_shape(X.shape[1:])))
    per_group_in, per_group_out = W.shape[1], W.shape[0] // layer.groups
    for n, o, i, j in np.ndindex(Y.shape):
        first = (o // per_group_out) * per_group_in
        Y[n, o, i, j] = b[o] + sum(
            W[o, c, k, m] * padded[n, first + c, i * sh + k * dh, j * sw + m * dw]
            for c, k, m in np.ndindex(W.shape[1:])
        )
    return Y


@st.composite
def cases(draw):
    groups = draw(st.integers(1, 2))
    kernel = draw(st.tuples(small, small))
    settings = {
        "stride": draw(st.tuples(small, small)),
        "padding": draw(st.tuples(st.integers(0, 3), st.integers(0, 3))),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "groups": groups,
    }
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, settings["dilation"], strict=True)]
    lowest = [max(1, e - 2 * p) for e, p in zip(extent, settings["padding"], strict=True)]
    size = [draw(st.integers(low, low + 4)) for low in lowest]
    channels = (groups * draw(small), groups * draw(small))
    return channels, kernel, settings, (draw(small), channels[0], *size), draw(st.booleans())


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, 2**31))
def test_forward_is_the_definition_and_backward_its_derivative(case, seed):
    channels, kernel, options, shape, small_chunks = case
    rng = np.random.default_rng(seed)
    layer = Convolution(*channels, kernel, rng=rng, dtype=np.float64, **options)
    layer.b.data = rng.standard_normal(channels[1])
    if small_chunks:
        layer.chunk_bytes = 1
    X = rng.standard_normal(shape)
    np.testing.assert_allclose(layer.forward(X), by_definition(layer, X), atol=1e-12)
    report = check_layer(layer, X, seed=seed)
    assert not report.failures, report


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("padding", [0, 1])
def test_chunks_of_unequal_size_share_one_buffer(channels, padding):
    rng = np.random.default_rng(0)
    X, dout = rng.standard_normal((7, channels, 6, 5)), None
    results = []
    for chunk_bytes in (1 << 21, 3 * 6 * 5 * 9 * channels * 8):  # chunks of 2, 2 and 3 images
        layer = Convolution(channels, 3, 3, padding=padding, rng=0, dtype=np.float64)
        layer.chunk_bytes = chunk_bytes
        Y = layer.forward(X)
        dout = rng.standard_normal(Y.shape) if dout is None else dout
        results.append([Y, *gradients(layer, dout)])
    for whole, cut in zip(*results, strict=True):
        np.testing.assert_allclose(cut, whole, rtol=1e-12, atol=1e-12)


def gradients(layer, dout) -> list:
    for param in layer.parameters().values():
        param.grad = None
    return [layer.backward(dout), layer.W.grad, layer.b.grad]


@pytest.mark.parametrize("chunk_bytes", [1, 1 << 21])
@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, (7, 5)),
        ({"padding": 3}, (4, 6)),
        ({"stride": (2, 3), "padding": (1, 0)}, (9, 11)),
        ({"groups": 2, "padding": 1, "stride": 4}, (9, 8)),
    ],
)
def test_both_ways_to_go_back_give_the_same(settings, size, chunk_bytes):
    rng = np.random.default_rng(0)
    layer = Convolution(4, 6, 3, rng=rng, dtype=np.float64, **settings)
    layer.chunk_bytes = chunk_bytes
    X = rng.standard_normal((3, 4, *size))
    dout = rng.standard_normal(layer.forward(X).shape)
    layer.by_pixel = True
    by_pixel = gradients(layer, dout)
    layer.by_pixel = False
    by_window = gradients(layer, dout)
    for one, other in zip(by_pixel, by_window, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    layer.needs_dX = False
    nothing, *of_parameters = gradients(layer, dout)
    assert nothing is None
    for one, other in zip(by_window[1:], of_parameters, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("sizes", "settings", "by_pixel"),
    [
        ((16, 16, 28), {"padding": 1}, True),  # as many pixels as windows
        ((32, 32, 14), {"padding": 2}, True),
        ((16, 32, 28), {"padding": 1, "stride": 2}, False),  # four times as many
        ((32, 32, 6), {}, False),
        ((16, 32, 28), {"stride": 2, "dilation": 2}, True),  # the only way there is
    ],
)
def test_backward_goes_the_way_that_takes_less_time(sizes, settings, by_pixel):
    c_in, c_out, size = sizes
    layer = Convolution(c_in, c_out, 3, rng=0, **settings)
    layer.forward(np.ones((1, c_in, size, size), np.float32))
    assert layer.by_pixel is by_pixel


def test_an_output_is_channels_last_in_memory():
    layer = Convolution(3, 8, 3, rng=0)
    Y = layer.forward(np.ones((2, 3, 6, 6), np.float32))
    assert Y.shape == (2, 8, 4, 4)
    assert Y.transpose(0, 2, 3, 1).flags["C_CONTIGUOUS"]


def test_images_of_whole_numbers_are_not_cut_off():
    layer = Convolution(1, 2, 3, rng=0)
    X = np.random.default_rng(0).integers(0, 256, (2, 1, 6, 6), dtype=np.uint8)
    Y = layer.forward(X)
    assert Y.dtype == np.float32
    np.testing.assert_allclose(Y, by_definition(layer, X.astype(float)), rtol=1e-4, atol=1e-3)


def test_window_buffers_do_not_grow_with_the_batch(monkeypatch):
    from lamina.layers import convolution

    sizes = []

    def watched(*arguments):
        for images, rows in windows(*arguments):
            sizes.append(rows.nbytes)
            yield images, rows

    windows = convolution.windows
    monkeypatch.setattr(convolution, "windows", watched)
    layer = Convolution(4, 4, 3, padding=1, rng=0)
    for n in (8, 64):
        layer.forward(np.ones((n, 4, 28, 28), np.float32))
        layer.backward(np.ones((n, 4, 28, 28), np.float32))
    assert 0 < max(sizes) <= layer.chunk_bytes


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((2, 3, 6), r"expects \(N, C, H, W\), got \(2, 3, 6\)"),
        ((2, 4, 6, 6), r"expects images \(3, H, W\), got \(4, 6, 6\)"),
        ((2, 3, 2, 6), r"at least as large as the window \(kernel \(3, 3\)"),
    ],
)
def test_images_that_do_not_fit(shape, words):
    with pytest.raises(ShapeError, match=words):
        Convolution(3, 4, 3, rng=0).forward(np.ones(shape, np.float32))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"groups": 2}, "groups must divide c_in and c_out"),
        ({"kernel": 0}, "kernel: expects one or two whole numbers >= 1, got 0"),
        ({"kernel": (3, 3, 3)}, "one or two whole numbers"),
        ({"stride": 0}, "stride: expects"),
        ({"padding": -1}, "padding: expects one or two whole numbers >= 0, got -1"),
        ({"dilation": 1.5}, "dilation: expects"),
    ],
)
def test_settings_that_do_not_work(settings, words):
    with pytest.raises(ValueError, match=words):
        Convolution(**{"c_in": 3, "c_out": 4, "kernel": 3, "rng": 0, **settings})


def test_inference():
    assert Convolution.infer((3, 8, 8)) == {"c_in": 3}
    assert Convolution(3, 4, 3, stride=2, padding=1, rng=0).output_shape((3, 8, 8)) == (4, 4, 4)
