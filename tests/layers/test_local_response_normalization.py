"""LocalResponseNormalization and Power: numbers known by hand, edges, errors."""

import math

import numpy as np
import pytest

from lamina.layers import LocalResponseNormalization, Power, ShapeError

RNG = np.random.default_rng(0)


def test_three_channels_by_hand():
    """Squares 1, 4, 9: their sums are 5, 14, 13, and one third of these is added to 1."""
    layer = LocalResponseNormalization(3, alpha=1.0, beta=1.0)
    Y = layer.forward(np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(Y, [[1 / (1 + 5 / 3), 2 / (1 + 14 / 3), 3 / (1 + 13 / 3)]])


@pytest.mark.parametrize("size", [3, 9])
def test_a_window_within_a_channel_entry_by_entry(size):
    X, half = RNG.standard_normal((2, 3, 4, 5)), size // 2
    layer = LocalResponseNormalization(size, alpha=2.0, beta=0.75, k=0.5, within_channel=True)
    Y = layer.forward(X)
    for n, c, i, j in np.ndindex(X.shape):
        window = X[n, c, max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1]
        S = 0.5 + 2.0 / size**2 * (window**2).sum()
        assert Y[n, c, i, j] == pytest.approx(X[n, c, i, j] / S**0.75, rel=1e-12)


def test_float32_stays_and_images_are_not_written_into():
    X = RNG.standard_normal((2, 4, 3, 3)).astype(np.float32)
    for layer in (
        LocalResponseNormalization(3),
        LocalResponseNormalization(3, within_channel=True),
        Power(2.0, scale=0.5, shift=1.0),
    ):
        before = X.copy()
        assert layer.forward(X).dtype == layer.backward(X).dtype == np.float32
        np.testing.assert_array_equal(X, before)


def test_the_power_1_takes_numbers_below_0():
    """0 ** 0 is no matter for it, and its gradient is one number."""
    layer = Power(scale=1 / 256, shift=-0.5)
    assert layer.forward(np.array([0.0, 128.0, 256.0])).tolist() == [-0.5, 0.0, 0.5]
    assert layer.backward(np.ones(3)).tolist() == [1 / 256] * 3
    with np.errstate(invalid="ignore"):
        assert math.isnan(Power(0.5).forward(np.array([-1.0]))[0])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LocalResponseNormalization(4), "size is odd and at least 1, .* got 4"),
        (lambda: LocalResponseNormalization(-1), "got -1"),
        (lambda: LocalResponseNormalization(3, k=0.0), "k is positive and alpha not negative"),
        (lambda: LocalResponseNormalization(3, alpha=-1.0), r"got 1\.0 and -1\.0"),
        (lambda: Power(0), "power is not 0"),
    ],
)
def test_arguments_that_make_no_sense(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_inputs_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"expects \(N, C, ...\), got \(N\)"):
        LocalResponseNormalization(3).forward(np.ones(4))
    with pytest.raises(ShapeError, match=r"expects images \(N, C, H, W\), got \(N, 3\)"):
        LocalResponseNormalization(3, within_channel=True).forward(np.ones((4, 3)))
    for layer in (LocalResponseNormalization(3), Power(2.0)):
        with pytest.raises(TypeError, match="expects floats, got uint8"):
            layer.forward(np.ones((2, 3), np.uint8))


@pytest.mark.parametrize("within", [False, True])
def test_a_window_that_is_wider_than_all_there_is_takes_no_longer(within):
    """Beyond the edges are zeros, as many as a file may claim."""
    X = np.random.default_rng(0).standard_normal((2, 3, 4, 2))
    wide, wider = (
        LocalResponseNormalization(n, alpha=float(n ** (2 if within else 1)), within_channel=within)
        for n in (9, 4_294_967_295)
    )
    np.testing.assert_allclose(wider.forward(X), wide.forward(X), rtol=1e-12)
    np.testing.assert_allclose(wider.backward(X), wide.backward(X), rtol=1e-12)
