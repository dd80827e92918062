"""From strokes to pixels: the page beside the same in NumPy, and beside the data sets."""

import numpy as np
import pytest
from played import scripts_alone, skeletons

pytestmark = pytest.mark.needs_browser


@pytest.fixture(scope="module")
def scripts(browser):
    yield from scripts_alone(browser)


def images_of(scripts, drawings, side, by):
    found = scripts.evaluate(
        "([all, side, by]) => all.map((strokes) => Array.from(imageOf(strokes, side, by)))",
        [drawings, side, by],
    )
    return np.reshape(found, (-1, side, side)).astype(float)


def expected_image(strokes, side, by):
    """Placed and inked as play/js/strokes.js says, all pixels at once."""
    radius, middle = {"points": 1.2, "mass": 1.1}[by] * side / 28, (side - 1) / 2
    parts = [np.array(stroke, float) for stroke in strokes]
    points = np.concatenate(parts)
    low, high = points.min(axis=0), points.max(axis=0)
    extent = (high - low).max()
    scale = min((side * 20 / 28 - 2 * radius) / extent if extent else np.inf, 3 * side)
    parts = [(part - (low + high) / 2) * scale for part in parts]
    if by == "points":
        return inked([part - line_middle(parts) + middle for part in parts], side, radius)
    first = inked([part + middle for part in parts], side, radius)
    y, x = np.indices(first.shape)
    mass = np.array([(first * x).sum(), (first * y).sum()]) / first.sum()
    return inked([part + middle + side / 2 - mass for part in parts], side, radius)


def line_middle(parts):
    starts, ends = (np.concatenate([p[cut] for p in parts]) for cut in (np.s_[:-1], np.s_[1:]))
    lengths = np.hypot(*(ends - starts).T)
    if not lengths.sum():
        return np.concatenate(parts).mean(axis=0)
    return lengths @ (starts + ends) / 2 / lengths.sum()


def inked(parts, side, radius):
    y, x = np.indices((side, side))
    pixels, nearest = np.stack([x, y], axis=-1).reshape(-1, 1, 2), np.full(side * side, np.inf)
    for part in parts:
        starts = part[:-1] if len(part) > 1 else part
        v = np.diff(part, axis=0) if len(part) > 1 else np.zeros((1, 2))
        square = np.square(v).sum(axis=1)
        along = ((pixels - starts) * v).sum(axis=-1) / np.where(square, square, 1.0)
        gaps = pixels - starts - np.clip(along, 0, 1)[..., None] * v
        nearest = np.minimum(nearest, np.hypot(*gaps.transpose(2, 0, 1)).min(axis=1))
    soft = 1.4 * side / 28
    ink = np.clip((radius + soft / 2 - nearest) / soft, 0, 1)
    return np.rint(255 * ink).reshape(side, side)


def some_drawings():
    rng = np.random.default_rng(4)
    wild = [[rng.random((n, 2)).tolist() for n in rng.integers(1, 30, 3)] for _ in range(8)]
    flat, dot = [[[0.2, 0.5], [0.9, 0.5]]], [[[0.1, 0.9]]]
    tiny = [[[0.5, 0.5], [0.52, 0.53]]]
    standing = [[[0.3, 0.1], [0.3, 0.1], [0.3, 0.8]], [[0.6, 0.6]]]
    corner = [[[0.0, 0.0], [1.0, 0.0], [1.0, 0.02]]]
    return [*wild, flat, dot, tiny, standing, corner]


@pytest.mark.parametrize("side", [28, 12])
@pytest.mark.parametrize("by", ["mass", "points"])
def test_images_are_those_of_the_same_in_numpy(scripts, by, side):
    drawings = some_drawings()
    found = images_of(scripts, drawings, side, by)
    right = [expected_image(strokes, side, by) for strokes in drawings]
    np.testing.assert_allclose(found, right, atol=1)  # a tone, where it is half way
    assert found.max(axis=(1, 2)).min() > 30


@pytest.mark.parametrize(("by", "middle"), [("mass", 14.0), ("points", 13.5)])
def test_a_digit_lies_where_those_of_the_data_set_lie(scripts, by, middle):
    """MNIST's centre of mass is pixel 14, and 20 pixels the longer side; drawn digits are centred
    by their line."""
    for image in images_of(scripts, skeletons(), 28, by):
        y, x = np.indices(image.shape)
        mass = np.array([(image * x).sum(), (image * y).sum()]) / image.sum()
        assert np.abs(mass - middle).max() < (0.2 if by == "mass" else 1.0)
        rows, columns = np.nonzero(image > 60)
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22


def test_how_large_and_where_one_draws_makes_no_difference(scripts):
    digit = [np.array(stroke) for stroke in skeletons()[3]]
    drawings = [
        [(factor * part + move).tolist() for part in digit]
        for factor, move in ((1, 0), (0.4, 0.5), (0.6, 0.1))
    ]
    first, *others = images_of(scripts, drawings, 28, "mass")
    for other in others:
        np.testing.assert_allclose(other, first, atol=1)


def test_without_strokes_the_image_is_empty(scripts):
    assert not images_of(scripts, [[]], 28, "mass").any()
