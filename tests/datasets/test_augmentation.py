"""Augmentation: each effect alone on known images, and what all of them keep."""

import re

import numpy as np
import pytest

from lamina.datasets.augmentation import Augmentation, affine, resample

ALL = {"shift": 2, "rotation": 10, "scale": 0.1, "elastic": 1.0, "erasing": 0.5, "flip": True}


def images(n=4, channels=1, height=9, width=9, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).random((n, channels, height, width)).astype(dtype)


def blobs(n=50, size=28):
    """Round blobs in the middle of black paper, as light as digits."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    blob = np.exp(-(x**2 + y**2) / (2 * 3.0**2)).astype(np.float32)
    return np.broadcast_to(blob, (n, 1, size, size)).copy()


def augment(X, seed=0, **strengths):
    return Augmentation(**strengths, rng=np.random.default_rng(seed))(X)


def moved(X, *, degrees=0.0, zoom=1.0, shift=(0.0, 0.0), background=0.0):
    """The same affine map for every image."""
    n = len(X)
    maps = affine(np.full(n, degrees), np.full(n, zoom), np.tile(np.array(shift), (n, 1)))
    return resample(X, maps, background)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("down", "right"), [(0, 0), (2, 0), (0, 3), (-1, 2), (-4, -3), (3, -9)])
def test_a_shift_by_whole_pixels_moves_exactly(down, right, dtype):
    X = images(channels=2, height=8, width=11, dtype=dtype)
    expected = np.zeros_like(X)
    for i in range(8):
        for j in range(11):
            if 0 <= i - down < 8 and 0 <= j - right < 11:
                expected[:, :, i, j] = X[:, :, i - down, j - right]
    shifted = moved(X, shift=(down, right))
    np.testing.assert_array_equal(shifted, expected)
    assert shifted.dtype == dtype


def test_a_shift_by_half_a_pixel_is_the_mean_of_two():
    X = images()
    wide = np.pad(X, ((0, 0), (0, 0), (0, 0), (1, 0)))
    expected = 0.5 * (wide[..., 1:] + wide[..., :-1])
    np.testing.assert_allclose(moved(X, shift=(0.0, 0.5)), expected, atol=1e-6)


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("quarters", [-1, 1, 2, 3])
def test_quarter_turns(size, quarters):
    X = images(channels=3, height=size, width=size)
    turned = moved(X, degrees=90.0 * quarters)
    np.testing.assert_allclose(turned, np.rot90(X, quarters, axes=(2, 3)), atol=1e-5)


def test_a_zoom_of_two_shows_the_middle_twice_as_large():
    y, x = np.mgrid[:21, :21] - 10.0
    X = (100.0 + 3.0 * y - 2.0 * x)[None, None]  # a plane: bilinear interpolation is exact on it
    np.testing.assert_allclose(moved(X, zoom=2.0)[0, 0], 100.0 + 1.5 * y - 1.0 * x, rtol=1e-6)


def test_turn_then_shift():
    X = images()
    both = moved(X, degrees=90.0, shift=(1.0, 2.0))
    one_by_one = moved(moved(X, degrees=90.0), shift=(1.0, 2.0))
    np.testing.assert_allclose(both, one_by_one, atol=1e-5)


def test_every_image_has_its_own_map():
    X = images(n=3)
    maps = affine(np.array([0.0, 90.0, 0.0]), np.ones(3), np.array([[0, 0], [0, 0], [1, 0]]))
    Y = resample(X, maps)
    np.testing.assert_array_equal(Y[0], X[0])
    np.testing.assert_allclose(Y[1], np.rot90(X[1], axes=(1, 2)), atol=1e-5)
    np.testing.assert_array_equal(Y[2, :, 1:], X[2, :, :-1])
    assert (Y[2, :, 0] == 0).all()


def test_a_large_batch_is_as_its_images_alone():
    X = images(n=100, channels=2, height=20, width=17)
    maps = Augmentation(shift=3, rotation=40, elastic=2, rng=np.random.default_rng(0))
    coefficients = maps._coefficients(100)
    alone = [resample(X[i : i + 1], coefficients[i : i + 1]) for i in range(100)]
    np.testing.assert_allclose(resample(X, coefficients), np.concatenate(alone), atol=1e-5)


def test_what_comes_in_from_outside_is_background():
    X = images() + 5.0
    assert (moved(X, shift=(20.0, 0.0)) == 0).all()
    Y = moved(X, shift=(2.0, 0.0), background=-0.5)
    assert (Y[:, :, :2] == -0.5).all()
    np.testing.assert_array_equal(Y[:, :, 2:], X[:, :, :-2])
    Y = augment(np.ones((50, 1, 20, 20), np.float32), shift=300.0)
    assert (Y == 0).all(axis=(1, 2, 3)).sum() > 40


def test_background_follows_a_normalisation():
    """To augment and then normalise is to normalise and then augment onto normalised paper."""
    X = images(n=20, height=28, width=28)
    first = (augment(X, **ALL) - 0.25) / 0.5
    then = augment((X - 0.25) / 0.5, **ALL, background=-0.5)
    np.testing.assert_allclose(first, then, atol=1e-5)


def test_shifts_are_within_their_bounds_and_fill_them():
    X = np.zeros((500, 1, 21, 21), np.float32)
    X[:, :, 10, 10] = 1.0
    Y = augment(X, shift=2.0)[:, 0]
    np.testing.assert_allclose(Y.sum(axis=(1, 2)), 1.0, rtol=1e-5)
    for axis in (1, 2):
        centre = (Y.sum(axis=axis) * np.arange(21)).sum(axis=1) - 10.0
        assert np.abs(centre).max() <= 2.0 + 1e-4
        assert np.abs(centre).max() > 1.9
        assert abs(centre.mean()) < 0.2


def test_angles_are_within_their_bounds_and_fill_them():
    X = np.zeros((300, 1, 41, 41), np.float32)
    X[:, :, 20, 35] = 1.0  # 15 pixels to the right of the centre
    weights = augment(X, rotation=30.0)[:, 0]
    mass = weights.sum(axis=(1, 2))
    up = 20.0 - (weights.sum(axis=2) @ np.arange(41)) / mass
    right = (weights.sum(axis=1) @ np.arange(41)) / mass - 20.0
    degrees = np.rad2deg(np.arctan2(up, right))
    assert np.abs(degrees).max() < 32
    assert degrees.max() > 27
    assert degrees.min() < -27


def test_zooms_are_within_their_bounds():
    ratio = augment(blobs(200), scale=0.2).sum(axis=(1, 2, 3)) / blobs(1).sum()
    assert ratio.min() > 0.8**2 - 0.02
    assert ratio.max() < 1.2**2 + 0.02
    assert ratio.max() - ratio.min() > 0.6


def test_the_elastic_field_has_its_strength_everywhere_and_is_smooth():
    """Read off two ramps: what they show is where each pixel looks."""
    y, x = np.mgrid[:28, :28].astype(np.float64)
    ramps = np.broadcast_to(np.stack([y, x]) + 100.0, (2000, 2, 28, 28))
    field = (augment(ramps, elastic=0.5) - ramps)[:, :, 4:-4, 4:-4]  # away from the edges
    np.testing.assert_allclose(field.std(axis=0), 0.5, rtol=0.1)
    assert np.abs(field.mean(axis=0)).max() < 0.06
    bend = np.abs(np.diff(field, n=2, axis=3)).max()
    assert 0.0 < bend < 0.15
    assert abs(np.corrcoef(field[:, 0, 9, 9], field[:, 1, 9, 9])[0, 1]) < 0.1
    assert abs(np.corrcoef(field[:, 0, 0, 0], field[:, 0, -1, -1])[0, 1]) < 0.1


@pytest.mark.parametrize("strengths", [{"shift": 2}, {"rotation": 20}, {"elastic": 0.7}])
def test_small_warps_keep_the_mass(strengths):
    mass = augment(blobs(), **strengths).sum(axis=(1, 2, 3))
    spread = (
        0.4 if "elastic" in strengths else 0.01
    )  # an elastic warp swells here and shrinks there
    np.testing.assert_allclose(mass, blobs(1).sum(), rtol=spread)
    assert mass.mean() == pytest.approx(blobs(1).sum(), rel=0.06)


def test_a_flip_turns_left_into_right_in_half_of_the_images():
    X = images(n=400, channels=2, height=5, width=6)
    Y = augment(X, flip=True)
    flipped = (X[..., ::-1] == Y).all(axis=(1, 2, 3))
    assert ((X == Y).all(axis=(1, 2, 3)) ^ flipped).all()
    assert 150 < flipped.sum() < 250


@pytest.mark.parametrize(("erasing", "low", "high"), [(0.3, 230, 370), (1.0, 1000, 1000)])
def test_erasing_leaves_one_rectangle_in_that_share_of_the_images(erasing, low, high):
    X = np.ones((1000, 3, 28, 28), np.float32)
    Y = augment(X, erasing=erasing, background=-2.0)
    gone = Y == -2.0
    assert ((Y == 1.0) | gone).all()
    assert (gone == gone[:, :1]).all()  # the same place in every channel
    gone = gone[gone.any(axis=(1, 2, 3)), 0]
    assert low <= len(gone) <= high
    rows, columns = gone.any(axis=2), gone.any(axis=1)
    np.testing.assert_array_equal(gone, rows[:, :, None] & columns[:, None, :])
    for side in (rows, columns):
        assert (np.abs(np.diff(side.astype(int), axis=1)).sum(axis=1) <= 2).all()  # one run
        assert side.any(axis=0).all()  # anywhere, the edges too
    share = gone.mean(axis=(1, 2))
    assert 0.012 < share.min() < 0.03
    assert 0.09 < share.max() < 0.115


@pytest.mark.parametrize("shape", [(20, 1, 1, 1), (20, 1, 1, 40), (20, 2, 3, 2), (0, 1, 5, 5)])
def test_small_narrow_and_no_images(shape):
    X = np.random.default_rng(0).random(shape)
    Y = augment(X, **(ALL | {"erasing": 1.0}))
    assert Y.shape == shape
    assert np.isfinite(Y).all()


def test_without_strength_the_values_are_the_same_in_a_new_array():
    X = images()
    Y = augment(X)
    np.testing.assert_array_equal(Y, X)
    assert not np.shares_memory(X, Y)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_dtype_stay_and_so_does_the_input(name, dtype):
    X = images(n=30, channels=2, height=12, width=14, dtype=dtype)
    before = X.copy()
    X.flags.writeable = False
    Y = augment(X, **{name: ALL[name]})
    assert Y.shape == X.shape
    assert Y.dtype == dtype
    np.testing.assert_array_equal(X, before)
    assert (Y != X).any()
    assert Y.min() >= 0.0  # between what was there and the background
    assert Y.max() <= X.max() + 1e-6


@pytest.mark.parametrize("name", ["shift", "rotation", "scale", "elastic"])
def test_the_images_of_a_batch_differ_and_so_do_two_calls(name):
    X = blobs(10)
    X[:, :, :, :14] = 0.0  # not the same when turned
    augmentation = Augmentation(**{name: ALL[name]}, rng=np.random.default_rng(0))
    first, second = augmentation(X), augmentation(X)
    assert len({image.tobytes() for image in [*first, *second]}) == 20


def test_the_seed_decides():
    X = images(n=10, height=28, width=28)
    assert augment(X, 1, **ALL).tobytes() == augment(X, 1, **ALL).tobytes()
    assert augment(X, 1, **ALL).tobytes() != augment(X, 2, **ALL).tobytes()


def test_its_place_is_saved_exactly():
    X = images(n=10, height=28, width=28)
    augmentation = Augmentation(**ALL, rng=np.random.default_rng(0))
    augmentation(X)
    saved = augmentation.state()
    assert all(isinstance(array, np.ndarray) for array in saved.values())
    rest = [augmentation(X) for _ in range(3)]
    other = Augmentation(**ALL, rng=np.random.default_rng(99))
    other.load_state(saved)
    np.testing.assert_array_equal([other(X) for _ in range(3)], rest)


def test_nan_passes_through_and_does_not_spread():
    X = images(n=2)
    X[0, 0, 4, 4] = np.nan
    Y = moved(X, shift=(0.0, 0.5))
    assert np.isnan(Y[0, 0, 4, 4:6]).all()
    assert np.isnan(Y).sum() <= 4  # the four pixels that may look at it
    assert np.isfinite(Y[1]).all()


@pytest.mark.parametrize(
    ("X", "given"),
    [
        (np.zeros((5, 784), np.float32), "float32 (5, 784)"),
        (np.zeros((5, 28, 28), np.float32), "float32 (5, 28, 28)"),
        (np.zeros((5, 1, 28, 28), np.uint8), "uint8 (5, 1, 28, 28)"),
        (np.zeros((5, 1, 28, 28), np.float16), "float16 (5, 1, 28, 28)"),
    ],
)
def test_what_is_no_batch_of_images_is_refused(X, given):
    words = re.escape(f"expects float32 or float64 images (N, C, H, W), got {given}")
    with pytest.raises(ValueError, match=words):
        augment(X, shift=1.0)


@pytest.mark.parametrize("name", ["shift", "rotation", "scale", "elastic", "erasing"])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf])
def test_a_strength_that_is_none(name, value):
    with pytest.raises(ValueError, match=f"{name}: expects a finite number of at least 0, got"):
        augment(images(), **{name: value})


def test_a_scale_or_a_probability_that_is_too_large():
    with pytest.raises(ValueError, match=r"scale: expects a share below 1, got 1\.0"):
        augment(images(), scale=1.0)
    with pytest.raises(ValueError, match=r"erasing: expects a probability, 0 to 1, got 1\.5"):
        augment(images(), erasing=1.5)


def test_what_is_erased_is_as_often_high_as_wide():
    """Height over width is log-uniform from 0.3 to 3.3."""
    X = np.ones((4000, 1, 100, 100), np.float32)
    gone = augment(X, erasing=1.0)[:, 0] == 0.0
    ratio = np.log(gone.any(axis=2).sum(axis=1) / gone.any(axis=1).sum(axis=1))
    ends = np.log(1 / 0.3)
    assert ratio.min() == pytest.approx(-ends, abs=0.1)
    assert ratio.max() == pytest.approx(ends, abs=0.1)
    np.testing.assert_allclose(
        np.quantile(ratio, [0.25, 0.5, 0.75]), [-ends / 2, 0, ends / 2], atol=0.1
    )
