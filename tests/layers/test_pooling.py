"""MaxPooling, AveragePooling, GlobalAveragePooling: known numbers, order in memory, errors."""

from collections import OrderedDict

import numpy as np
import pytest

from lamina.layers import AveragePooling, Convolution, GlobalAveragePooling, MaxPooling, ShapeError
from lamina.layers.check import check_layer
from lamina.nets import Sequential

PICTURE = np.array(
    [[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 8.0, 1.0], [0.0, 9.0, 6.0, 7.0], [2.0, 1.0, 0.0, 3.0]]
)[np.newaxis, np.newaxis]
both = pytest.mark.parametrize("cls", [MaxPooling, AveragePooling])


def of_ones(layer, X) -> list:
    """dX of the sum of all outputs, for a batch of one picture with one channel."""
    return layer.backward(np.ones_like(layer.forward(X)))[0, 0].tolist()


def test_the_largest_of_each_window_gets_the_gradient():
    layer = MaxPooling(2)
    assert layer.forward(PICTURE).tolist() == [[[[5, 8], [9, 7]]]]
    dX = layer.backward(np.array([[[[10.0, 20.0], [30.0, 40.0]]]]))
    assert dX.tolist() == [[[[0, 10, 0, 0], [0, 0, 20, 0], [0, 30, 0, 40], [0, 0, 0, 0]]]]


def test_the_average_gives_each_entry_its_share():
    layer = AveragePooling(2)
    assert layer.forward(PICTURE).tolist() == [[[[3.25, 2.75], [3, 4]]]]
    dX = layer.backward(np.array([[[[4.0, 8.0], [12.0, 16.0]]]]))
    assert dX.tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]


def test_gradients_of_overlapping_windows_add_up():
    assert MaxPooling(3, stride=1).forward(PICTURE).tolist() == [[[[9, 9], [9, 9]]]]
    assert of_ones(MaxPooling(3, stride=1), PICTURE)[2] == [0, 4, 0, 0]
    weights = np.array([1, 2, 2, 1]) / 9
    share = of_ones(AveragePooling(3, stride=1), PICTURE)
    np.testing.assert_allclose(share, 9 * np.outer(weights, weights))


def test_at_a_tie_the_first_entry_gets_the_gradient():
    layer = MaxPooling(2)
    assert of_ones(layer, np.zeros((1, 1, 2, 2))) == [[1, 0], [0, 0]]
    assert of_ones(layer, np.array([[[[0.0, 7.0], [7.0, 7.0]]]])) == [[0, 1], [0, 0]]
    assert of_ones(layer, np.array([[[[0.0, 0.0], [7.0, 7.0]]]])) == [[0, 0], [1, 0]]


def test_padding_is_never_the_largest_but_counts_in_the_mean():
    X = np.full((1, 1, 2, 2), -4.0)
    assert MaxPooling(2, padding=1).forward(X).tolist() == [[[[-4, -4], [-4, -4]]]]
    assert of_ones(MaxPooling(2, padding=1), X) == [[1, 1], [1, 1]]
    assert AveragePooling(2, padding=1).forward(X).tolist() == [[[[-1, -1], [-1, -1]]]]
    assert of_ones(AveragePooling(2, padding=1), X) == [[0.25, 0.25], [0.25, 0.25]]


def test_partial_windows_reach_over_the_edge():
    X = np.arange(9.0).reshape(1, 1, 3, 3)
    assert MaxPooling(2).forward(X).tolist() == [[[[4]]]]
    assert MaxPooling(2, partial=True).forward(X).tolist() == [[[[4, 5], [7, 8]]]]
    # Beyond the edge nothing counts: these are the means of 4, 2, 2 and 1 entries.
    assert AveragePooling(2, partial=True).forward(X).tolist() == [[[[2, 3.5], [6.5, 8]]]]
    assert of_ones(AveragePooling(2, partial=True), X)[1:] == [[0.25, 0.25, 0.5], [0.5, 0.5, 1]]
    # Padding counts, what lies beyond it does not: a window of 2 x 1 at the right edge.
    layer = AveragePooling((1, 3), stride=(1, 2), padding=(0, 1), partial=True)
    assert layer.forward(X[:, :, :1, :2]).tolist() == [[[[1 / 3, 1 / 2]]]]


def test_a_partial_window_starts_in_the_image():
    layer = MaxPooling(2, stride=3, padding=1, partial=True)
    assert layer.output_shape((1, 5, 6)) == (1, 2, 3)
    assert layer.output_shape((1, 2, 3)) == (1, 1, 2)
    assert MaxPooling(3, partial=True).output_shape((1, 1, 2)) == (1, 1, 1)
    assert MaxPooling(2, stride=4, partial=True).output_shape((1, 4, 5)) == (1, 1, 2)


@both
@pytest.mark.parametrize("settings", [{}, {"stride": 2, "padding": 1}, {"partial": True}])
@pytest.mark.parametrize("axes", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 3, 2, 0)])
def test_the_order_in_memory_is_kept_and_changes_no_number(cls, settings, axes):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 3, 7, 8)).astype(np.float32)
    turned = np.ascontiguousarray(X.transpose(axes)).transpose(np.argsort(axes))
    plain, layer = cls(3, **settings), cls(3, **settings)
    Y = layer.forward(turned)
    np.testing.assert_array_equal(Y, plain.forward(X))
    assert Y.dtype == np.float32
    assert Y.transpose(axes).flags["C_CONTIGUOUS"]
    dout = rng.standard_normal(Y.shape).astype(np.float32)
    dX = layer.backward(dout)
    np.testing.assert_array_equal(dX, plain.backward(dout))
    assert dX.dtype == np.float32
    assert np.argsort(dX.strides).tolist() == np.argsort(turned.strides).tolist()


@both
@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({"kernel": 2}, (4, 6)),
        ({"kernel": 2}, (5, 6)),
        ({"kernel": 2, "stride": 3}, (6, 6)),
        ({"kernel": (1, 2), "stride": (2, 2)}, (4, 4)),
        ({"kernel": 2, "padding": 1}, (4, 5)),
        ({"kernel": 2, "partial": True}, (5, 3)),
    ],
)
def test_what_no_window_reaches_has_no_gradient(monkeypatch, cls, settings, size):
    """And what is not zero at first is all written: new memory holds NaN here."""
    monkeypatch.setattr(np, "empty", lambda size, *_, **__: np.full(size, np.nan))
    layer = cls(**settings)
    X = np.random.default_rng(0).standard_normal((1, 1, *size))
    Y = layer.forward(X)
    dX = layer.backward(np.ones_like(Y))
    assert np.isfinite(dX).all()
    reached = {tuple(place) for place in np.argwhere(dX[0, 0])}
    if cls is AveragePooling:
        (kh, kw), (sh, sw) = layer.windows.kernel, layer.windows.stride
        ph, pw = layer.windows.padding
        places = np.ndindex(Y.shape[2], Y.shape[3], kh, kw)
        inside = {(i * sh + k - ph, j * sw + m - pw) for i, j, k, m in places}
        assert reached == inside & set(np.ndindex(size))


def test_a_window_of_many_entries():
    X = np.arange(400.0).reshape(1, 1, 20, 20)  # more entries than a byte can number
    layer = MaxPooling(20)
    assert layer.forward(X).item() == 399
    assert of_ones(layer, X)[-1][-1] == 1


@both
@pytest.mark.parametrize("settings", [{}, {"stride": 2, "padding": 1, "partial": True}])
def test_gradients_are_right_between_convolutions(cls, settings):
    """Whose memory is channels-last, also on duals."""
    first, second = (Convolution(2, 2, 2, rng=i, dtype=np.float64) for i in range(2))
    net = Sequential(OrderedDict(first=first, pool=cls(3, **settings), second=second))
    report = check_layer(net, np.random.default_rng(0).standard_normal((2, 2, 9, 8)))
    assert report.passed, report


@both
def test_a_nan_spoils_its_own_window_only(cls):
    X = PICTURE.copy()
    X[0, 0, 3, 0] = np.nan
    layer = cls(2)
    Y = layer.forward(X)
    assert np.isnan(Y).tolist() == [[[[False, False], [True, False]]]]
    assert layer.backward(np.ones_like(Y)).sum() == 4  # no gradient is lost


@both
def test_a_window_of_one_entry_picks_entries(cls):
    layer = cls(1, stride=2)
    assert layer.forward(PICTURE).tolist() == [[[[1, 2], [0, 6]]]]
    assert of_ones(layer, PICTURE)[0] == [1, 0, 1, 0]


def test_shapes_with_kernels_of_two_numbers():
    layer = MaxPooling((2, 3), stride=(1, 2), padding=(1, 0))
    assert layer.output_shape((5, 6, 8)) == (5, 7, 3)
    assert layer.forward(np.ones((1, 5, 6, 8))).shape == (1, 5, 7, 3)
    assert layer.forward(np.ones((0, 5, 6, 8))).shape == (0, 5, 7, 3)


@both
def test_images_that_do_not_fit(cls):
    with pytest.raises(ShapeError, match=rf"{cls.__name__}: expects \(N, C, H, W\), got \(3, 6\)"):
        cls(2).forward(np.ones((3, 6)))
    with pytest.raises(ShapeError, match=r"at least as large as the window \(3, 3\) once they are"):
        cls(3).forward(np.ones((2, 4, 2, 6)))
    with pytest.raises(ShapeError, match=r"expects images \(C, H, W\), got \(4, 0, 6\)"):
        cls(2, padding=1).output_shape((4, 0, 6))
    with pytest.raises(ShapeError, match=r"expects images \(C, H, W\), got \(16,\)"):
        cls(2).output_shape((16,))
    with pytest.raises(TypeError, match="expects floats, got uint8"):
        cls(2).forward(np.ones((1, 1, 4, 4), np.uint8))


@both
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kernel": 0}, "kernel: expects one or two whole numbers >= 1, got 0"),
        ({"stride": 0}, "stride: expects one or two whole numbers >= 1"),
        ({"padding": -1}, "padding: expects one or two whole numbers >= 0"),
        ({"kernel": (4, 3), "padding": 2}, r"at most half the kernel, \(4, 3\); got \(2, 2\)"),
    ],
)
def test_settings_that_do_not_work(cls, settings, words):
    with pytest.raises(ValueError, match=f"{cls.__name__}.*{words}"):
        cls(**{"kernel": 2, **settings})


def test_global_average():
    layer = GlobalAveragePooling()
    X = np.arange(12.0, dtype=np.float32).reshape(1, 2, 2, 3)
    Y = layer.forward(X)
    assert Y.tolist() == [[2.5, 8.5]]
    dX = layer.backward(np.array([[6.0, 12.0]], np.float32))
    assert dX.tolist() == [[[[1] * 3] * 2, [[2] * 3] * 2]]
    assert Y.dtype == dX.dtype == np.float32
    assert layer.output_shape((5, 3, 4)) == (5,)
    with pytest.raises(ShapeError, match=r"expects images \(C, H, W\), got \(3, 4\)"):
        layer.forward(np.ones((2, 3, 4)))
