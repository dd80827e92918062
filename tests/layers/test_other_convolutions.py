"""TransposedConvolution and Convolution1d: by hand, beside Convolution, and what they refuse."""

import numpy as np
import pytest

from lamina.layers import (
    Affine,
    Convolution,
    Convolution1d,
    ShapeError,
    TransposedConvolution,
)
from lamina.layers.initializers import bilinear, caffe_xavier


def test_each_pixel_gives_a_window():
    layer = TransposedConvolution(1, 1, 2, stride=2, rng=0, dtype=np.float64)
    layer.W.data, layer.b.data = np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), np.array([0.5])
    Y = layer.forward(np.array([[[[1.0, 10.0]]]]))
    assert Y.tolist() == [[[[1.5, 2.5, 10.5, 20.5], [3.5, 4.5, 30.5, 40.5]]]]
    layer.backward(np.ones_like(Y))
    assert layer.b.grad.tolist() == [8.0]
    assert layer.W.grad.tolist() == [[[[11, 11], [11, 11]]]]


@pytest.mark.parametrize("size", [(7, 9), (8, 10)])
def test_it_is_the_transpose_of_a_convolution(size):
    """⟨conv(X), Z⟩ = ⟨X, transposed(Z)⟩, with the same W: sizes too, by output_padding."""
    rng = np.random.default_rng(0)
    options = {"stride": 2, "padding": 1, "bias": False, "rng": rng, "dtype": np.float64}
    extra = tuple((n + 2 - 3) % 2 for n in size)
    convolution = Convolution(2, 4, 3, **options)
    transposed = TransposedConvolution(4, 2, 3, output_padding=extra, **options)
    transposed.W.data = convolution.W.data
    X = rng.standard_normal((3, 2, *size))
    Y = convolution.forward(X)
    Z = rng.standard_normal(Y.shape)
    back = transposed.forward(Z)
    assert back.shape == X.shape
    assert np.sum(Y * Z) == pytest.approx(np.sum(X * back), rel=1e-12)
    assert transposed.flops(Z.shape[1:]) == convolution.flops(X.shape[1:])


def test_chunks_of_images_change_nothing():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((5, 3, 4, 4))
    results = []
    for chunk_bytes in (1, 3000, 1 << 21):
        layer = TransposedConvolution(3, 2, 3, stride=2, rng=0, dtype=np.float64)
        layer.chunk_bytes = chunk_bytes
        Y = layer.forward(X)
        results.append([Y, layer.backward(np.cos(Y)), layer.W.grad, layer.b.grad])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_groups_do_not_see_each_other():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 4, 3, 3))
    options = {"stride": 2, "padding": 1, "rng": rng, "dtype": np.float64}
    both = TransposedConvolution(4, 6, 3, groups=2, bias_value=0.25, **options)
    Y = both.forward(X)
    for g in range(2):
        one = TransposedConvolution(2, 3, 3, bias_value=0.25, **options)
        one.W.data = both.W.data[2 * g : 2 * g + 2]
        part = one.forward(X[:, 2 * g : 2 * g + 2])
        np.testing.assert_allclose(Y[:, 3 * g : 3 * g + 3], part, rtol=1e-12, atol=1e-12)
    assert both.flops((4, 3, 3)) == 2 * one.flops((2, 3, 3))
    # Each output sums over the inputs of its group alone, and that many count as its fan-in.
    wide = TransposedConvolution(40, 400, 3, groups=4, init=caffe_xavier, rng=0).W.data
    assert wide.shape == (40, 100, 3, 3)
    assert np.abs(wide).max() == pytest.approx(np.sqrt(3 / 90), rel=0.01)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_with_bilinear_filters_it_enlarges_images(scale):
    """A plane stays one, but for the pixels at the edges, which see zeros."""
    kernel, padding = 2 * scale - scale % 2, -(-(scale - 1) // 2)
    sizes = {"stride": scale, "padding": padding, "groups": 2, "bias": False, "init": bilinear}
    layer = TransposedConvolution(2, 2, kernel, rng=0, dtype=np.float64, **sizes)

    def plane(n, step):
        places = (np.arange(n) + 0.5) * step - 0.5
        return np.stack([places + 10 * places[:, None], 1 - places + 0 * places[:, None]])[None]

    Y, wanted = layer.forward(plane(5, 1.0)), plane(5 * scale, 1 / scale)
    assert Y.shape == wanted.shape
    inside = (..., slice(scale, -scale), slice(scale, -scale))
    np.testing.assert_allclose(Y[inside], wanted[inside], rtol=1e-12)


def test_biases_begin_at_a_number():
    for made in (
        Affine(3, 2, bias_value=0.1, rng=0),
        Convolution(3, 2, 1, bias_value=0.1, rng=0),
        TransposedConvolution(3, 2, 1, bias_value=0.1, rng=0),
    ):
        assert made.b.data.tolist() == [np.float32(0.1)] * 2
        assert made.b.data.dtype == np.float32
        cls, sizes = type(made), (3, 2, 1)[: 2 if isinstance(made, Affine) else 3]
        with pytest.raises(ValueError, match=rf"{cls.__name__}: bias_value 0\.1 is of biases"):
            cls(*sizes, bias=False, bias_value=0.1, rng=0)


def test_no_images_and_float32():
    layer = TransposedConvolution(3, 2, 3, rng=0)
    Y = layer.forward(np.zeros((0, 3, 4, 4), np.float32))
    assert Y.shape == (0, 2, 6, 6)
    assert layer.backward(Y).shape == (0, 3, 4, 4)
    assert layer.W.grad.dtype == Y.dtype == np.float32
    assert TransposedConvolution.infer((3, 8, 8)) == {"c_in": 3}
    assert Convolution1d.infer((8, 3)) == {"c_in": 3}


def test_positions_are_images_of_one_row():
    rng = np.random.default_rng(0)
    layer = Convolution1d(3, 4, 2, stride=2, rng=1)
    twin = Convolution(3, 4, (1, 2), stride=(1, 2), rng=1)
    np.testing.assert_array_equal(layer.W.data, twin.W.data)
    X = rng.standard_normal((2, 7, 3)).astype(np.float32)
    Y = layer.forward(X)
    assert Y.shape == (2, *layer.output_shape((7, 3))) == (2, 3, 4)
    assert Y.flags["C_CONTIGUOUS"]  # as the layers behind it like it
    rows = X.transpose(0, 2, 1)[:, :, np.newaxis]
    np.testing.assert_array_equal(Y.transpose(0, 2, 1), twin.forward(rows)[:, :, 0])
    assert layer.flops((7, 3)) == twin.flops((3, 1, 7))
    assert list(layer.parameters()) == ["W", "b"]
    layer.needs_dX = False
    assert layer.backward(Y) is None


@pytest.mark.parametrize(
    ("layer", "shape", "words"),
    [
        (TransposedConvolution(3, 2, 3, rng=0), (4, 3, 5), r"expects \(N, C, H, W\), got \(4, 3,"),
        (TransposedConvolution(3, 2, 3, rng=0), (1, 2, 5, 5), r"images \(3, H, W\), got \(2, 5,"),
        (TransposedConvolution(3, 2, 1, padding=1, rng=0), (1, 3, 2, 5), r"when \(1, 1\) is cut"),
        (Convolution1d(3, 2, 3, rng=0), (4, 5), r"Convolution1d: .*\(N, T, 3\), got \(N, 5\)"),
        (Convolution1d(3, 2, 3, rng=0), (4, 5, 2), r"sequences \(N, T, 3\), got \(N, 5, 2\)"),
        (Convolution1d(3, 2, 3, dilation=2, rng=0), (4, 4, 3), r"at least 5 positions, .*N, 4, 3"),
    ],
)
def test_inputs_that_do_not_fit(layer, shape, words):
    with pytest.raises(ShapeError, match=words):
        layer.forward(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TransposedConvolution(0, 2, 3, rng=0), "all at least 1; got c_in 0, c_out 2"),
        (lambda: TransposedConvolution(2, 3, 1, groups=2, rng=0), "c_in 2, c_out 3, groups 2"),
        (lambda: TransposedConvolution(1, 2, 0, rng=0), "TransposedConvolution: kernel: expects"),
        (lambda: Convolution1d(1, 2, (3, 3), rng=0), r"kernel: expects a whole .*got \(3, 3\)"),
        (lambda: Convolution1d(1, 2, 3, padding=-1, rng=0), r"padding: .*>= 0, got -1"),
        (lambda: Convolution1d(3, 2, 3, groups=2, rng=0), "groups must divide c_in and c_out"),
    ],
)
def test_settings_that_make_no_layer(make, words):
    with pytest.raises(ValueError, match=words):
        make()
