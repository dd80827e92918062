"""Digits drawn by our own pen: a data set that needs no download.

Each image starts from one of several skeletons of its digit (digit_strokes.py). The points are
jittered, joined by splines, bent, slanted, turned and stretched at random, scaled into a box of
20 x 20 pixels and centred in 28 x 28, as MNIST is; then a pen of random width inks every pixel
that is near enough. White (255) on black (0), like MNIST.
"""

import contextlib
import functools
import gzip
from pathlib import Path

import numpy as np

from lamina.common.counts import check_count
from lamina.common.files import whole_file
from lamina.datasets.dataset import TO_UNIT, Samples
from lamina.datasets.digit_strokes import SKELETONS, Stroke
from lamina.datasets.download import NoHome, data_home
from lamina.datasets.idx import IdxError, read_idx, write_idx
from lamina.datasets.images import Images
from lamina.datasets.split import validation_beside

_VERSION = 1  # to be raised when the same seed begins to give other images: names the cache
_SIZE, _BOX, _CENTRE = 28, 20.0, 13.5  # pixels
_POINTS = 72  # along all strokes of a digit: about one per pixel of ink
_CHUNK = 64  # images drawn at a time; their distances stay in cache
_SOFT = 1.4  # pixels over which the ink fades at its edge

# Standard deviations, in units of the digit's height unless said otherwise.
_JITTER, _WOBBLE = 0.06, 0.045
_TURN = 0.14  # radians
_SLANT = (0.12, 0.24)  # mean and deviation; people slant to the right
_STRETCH = (-0.15, 0.22)  # mean and deviation of log(width / height)
_PEN = (0.75, 1.7)  # least and largest radius, pixels


class DrawnDigits(Images):
    """`n_train` + `n_test` drawn digits, the same for the same seed, drawn when first used.

    They are kept as IDX files in $LAMINA_DATA/drawn_digits; a folder that cannot be written only
    means that they are drawn again. Inputs are (784,) flat, or (1, 28, 28), scaled to 0-1; with
    `normalise` to mean 0 and deviation 1, by the pixels of the training images. `n_validation`, or
    so many that they are `validation_share` of them and the training images together: further
    digits of the same pen, so that the training images stay what they are without. task:
    "classification" or "reconstruction".
    """

    classes = tuple("0123456789")

    def __init__(
        self,
        n_train: int = 12_000,
        n_test: int = 2_000,
        seed: int = 0,
        flatten: bool = True,
        normalise: bool = False,
        *,
        validation_share: float | None = None,
        n_validation: int | None = None,
        task: str = "classification",
    ):
        check_count("n_train", n_train)
        check_count("n_test", n_test)
        check_count("seed", seed, 0)
        more = validation_beside(n_train, validation_share, n_validation)
        super().__init__(flatten, normalise, task, more)
        self.n_train, self.n_test, self.seed = n_train, n_test, seed

    @functools.cached_property
    def train(self) -> Samples:
        X, t = self._arrays("train", self.n_train)
        return self._samples("train", X, t, self._scaling(X))

    @functools.cached_property
    def validation(self) -> Samples | None:
        return self._beside("validation", self.n_validation) if self.has_validation else None

    @functools.cached_property
    def test(self) -> Samples:
        return self._beside("test", self.n_test)

    def _beside(self, part: str, n: int) -> Samples:
        """Another set, scaled as the training images are."""
        scaling = (self.train.scale, self.train.offset) if self.normalise else TO_UNIT
        return self._samples(part, *self._arrays(part, n), scaling)

    def _arrays(self, part: str, n: int) -> tuple[np.ndarray, np.ndarray]:
        name = f"v{_VERSION}-seed{self.seed}-{part}{n}"
        try:
            folder = data_home() / "drawn_digits"
        except NoHome:  # they are drawn each time, then
            X, t = draw_digits(n, np.random.default_rng([self.seed, *part.encode()]))
            return X.reshape(n, *self.input_shape), t.astype(np.intp)
        images = folder / f"{name}-images-idx3-ubyte.gz"
        labels = folder / f"{name}-labels-idx1-ubyte.gz"
        try:
            X, t = read_idx(images, (n, _SIZE, _SIZE)), read_idx(labels, (n,))
        except (OSError, IdxError):  # not there, or damaged: draw anew
            rng = np.random.default_rng([self.seed, *part.encode()])
            X, t = draw_digits(n, rng)
            _keep(images, X)
            _keep(labels, t)
        return X.reshape(n, *self.input_shape), t.astype(np.intp)


def draw_digits(n: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """n images (n, 28, 28) and their digits (n,), both uint8, as many of each digit as possible;
    `rng` is a generator or a seed."""
    rng = np.random.default_rng(rng)
    t = rng.permutation(np.arange(n) % len(SKELETONS)).astype(np.uint8)
    X = np.empty((n, _SIZE, _SIZE), np.uint8)
    for digit, ways in SKELETONS.items():
        rows = np.flatnonzero(t == digit)
        chosen = rng.integers(len(ways), size=len(rows))
        for way, strokes in enumerate(ways):
            x, y = _write(strokes, int(np.sum(chosen == way)), rng)
            radius = rng.uniform(*_PEN, len(x))
            x, y = _place(x, y, radius, rng)
            X[rows[chosen == way]] = _ink(x, y, radius)
    return X, t


def _write(strokes: list[Stroke], n: int, rng: np.random.Generator):
    """The points x and y (n, POINTS) that a pen passes when it writes the skeleton n times."""
    corners = np.concatenate([np.array(stroke.points) for stroke in strokes])
    _, joined = np.unique(corners, axis=0, return_inverse=True)  # one jitter for shared points
    jitter = _JITTER * rng.standard_normal((n, joined.max() + 1, 2))[:, joined.ravel()]
    points = _interpolation(strokes) @ (corners - 0.5 + jitter)
    x, y = points[..., 0], points[..., 1]
    x, y = x + _wave(y, rng), y + _wave(x, rng)
    x = x * np.exp(_each(rng.normal(*_STRETCH, n))) - y * _each(rng.normal(*_SLANT, n))
    angle = _each(_TURN * rng.standard_normal(n))
    return np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y


def _interpolation(strokes: list[Stroke]) -> np.ndarray:
    """The matrix (POINTS, corners) that joins the corners, points evenly spaced along the ink."""
    dense = [_spline(len(s.points), 400, s.smooth) for s in strokes]
    paths = [m @ np.array(s.points) for m, s in zip(dense, strokes, strict=True)]
    along = [np.cumsum([0, *np.hypot(*np.diff(p, axis=0).T)]) for p in paths]
    lengths = np.array([a[-1] for a in along])
    ends = np.rint(_POINTS * np.cumsum(lengths) / lengths.sum()).astype(int)
    matrix = np.zeros((_POINTS, sum(m.shape[1] for m in dense)))
    row = column = 0
    for m, a, end in zip(dense, along, ends, strict=True):
        places = np.searchsorted(a, np.linspace(0, a[-1], end - row)).clip(0, len(a) - 1)
        matrix[row:end, column : column + m.shape[1]] = m[places]
        row, column = end, column + m.shape[1]
    return matrix


def _spline(n_corners: int, n: int, smooth: bool) -> np.ndarray:
    """Weights (n, n_corners) of a path through the corners: straight, or a Catmull-Rom spline."""
    u = np.linspace(0, n_corners - 1, n)
    i = np.minimum(u.astype(int), n_corners - 2)
    s = u - i
    weights = np.zeros((n, n_corners))
    if smooth:
        terms = {
            -1: (-s + 2 * s**2 - s**3) / 2,
            0: (2 - 5 * s**2 + 3 * s**3) / 2,
            1: (s + 4 * s**2 - 3 * s**3) / 2,
            2: (-(s**2) + s**3) / 2,
        }
    else:
        terms = {0: 1 - s, 1: s}
    for offset, weight in terms.items():
        np.add.at(weights, (np.arange(n), (i + offset).clip(0, n_corners - 1)), weight)
    return weights


def _wave(along, rng: np.random.Generator):
    """A slow random wobble of one coordinate along the other."""
    n = len(along)
    size, waves = _WOBBLE * rng.standard_normal(n), rng.uniform(0.5, 1.5, n)
    return _each(size) * np.sin(2 * np.pi * (_each(waves) * along + _each(rng.random(n))))


def _place(x, y, radius, rng: np.random.Generator):
    """Scale each digit into the box, ink included, and centre its mass, give or take half a
    pixel."""
    extent = np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))
    scale = _each((_BOX - 2 * radius) / extent)
    return tuple(
        (
            (z - z.mean(axis=1, keepdims=True)) * scale
            + _CENTRE
            + _each(rng.uniform(-0.5, 0.5, len(z)))
        ).astype(np.float32)
        for z in (x, y)
    )


def _ink(x, y, radius) -> np.ndarray:
    """Images (n, 28, 28): how much of the pen reaches each pixel, by its distance to the path."""
    images = np.empty((len(x), _SIZE, _SIZE), np.uint8)
    pixels = np.arange(_SIZE, dtype=np.float32)
    for start in range(0, len(x), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        # Squared distances by axis, images last: (28, POINTS, n). Their sum for one point of the
        # path is two broadcast reads and one write per pixel, which beats any formula by segments.
        dx = np.square(pixels[:, None, None] - x[chunk].T)
        dy = np.square(pixels[:, None, None] - y[chunk].T)
        nearest = np.full((_SIZE, _SIZE, dx.shape[2]), np.inf, np.float32)
        squared = np.empty_like(nearest)
        for point in range(_POINTS):
            np.add(dy[:, None, point], dx[None, :, point], out=squared)
            np.minimum(nearest, squared, out=nearest)
        reach = radius[chunk].astype(np.float32) + _SOFT / 2
        ink = ((reach - np.sqrt(nearest)) * (1.0 / _SOFT)).clip(0.0, 1.0)
        images[chunk] = np.rint(255.0 * ink).astype(np.uint8).transpose(2, 0, 1)
    return images


def _each(a):
    """(n,) -> (n, 1): a number for each image."""
    return a[:, np.newaxis]


def _keep(path: Path, array: np.ndarray) -> None:
    """Write a cache file; a folder that cannot be written is no error."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file, gzip.open(file, "wb", compresslevel=1) as stream:
            write_idx(stream, array)
