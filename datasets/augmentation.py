"""Augmentation: each training image a little different every time it is seen."""

import functools
import math

import numpy as np

from lamina.common.generators import generator_state, set_generator_state

_SPANS = 4  # of the elastic field along each axis: on 28 pixels about as smooth as Simard's
_ERASED = (0.02, 0.1)  # share of the image; Zhong et al. go to 0.4, which hides a whole digit
_ASPECT = (0.3, 1 / 0.3)  # height / width of what is erased, as Zhong et al.
_CHUNK = 1 << 13  # pixels resampled at a time: what that needs stays in cache, three times as fast


class Augmentation:
    """Random shifts, turns, zooms, elastic warps, erased rectangles and flips of a batch.

    Every image gets its own random numbers, from `rng`, a generator or a seed:

    - `shift`: up to so many pixels along each axis, fractions included
    - `rotation`: up to so many degrees about the centre, to either side
    - `scale`: a zoom between 1 - scale and 1 + scale
    - `elastic`: the standard deviation, in pixels, of a smooth random displacement field
    - `erasing`: the probability that a rectangle of 2 to 10 % of the image is erased
    - `flip`: left becomes right in every second image

    Shift, turn, zoom and warp are one bilinear resampling, since each more would blur. What comes
    in from outside, and what is erased, is `background`: the value of empty paper. A configuration
    takes it from the border of the training pictures: black as in MNIST, or white as in a scan.
    `state()` and `load_state()` hold the generator's place exactly.

    Raises ValueError for a strength that is negative or not finite, a scale of 1 or more, or a
    probability above 1.
    Sources: Simard, Steinkraus & Platt 2003 (elastic), Zhong et al. 2017 (erasing).
    """

    def __init__(
        self,
        *,
        shift: float = 0.0,
        rotation: float = 0.0,
        scale: float = 0.0,
        elastic: float = 0.0,
        erasing: float = 0.0,
        flip: bool = False,
        background: float = 0.0,
        rng,
    ):
        strengths = {"shift": shift, "rotation": rotation, "scale": scale}
        strengths |= {"elastic": elastic, "erasing": erasing}
        for name, value in strengths.items():
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name}: expects a finite number of at least 0, got {value}")
        if scale >= 1:
            raise ValueError(f"scale: expects a share below 1, got {scale}")
        if erasing > 1:
            raise ValueError(f"erasing: expects a probability, 0 to 1, got {erasing}")
        self.shift, self.rotation, self.scale, self.elastic = shift, rotation, scale, elastic
        self.erasing, self.flip, self.background = erasing, flip, background
        self.rng = np.random.default_rng(rng)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """X (N, C, H, W), float32 or float64, anew: X itself stays as it is, and so do shape and
        dtype. Raises ValueError for anything else."""
        if X.ndim != 4 or X.dtype not in (np.float32, np.float64):
            raise ValueError(
                "Augmentation: expects float32 or float64 images (N, C, H, W), got "
                f"{X.dtype} {X.shape}"
            )
        if self.shift or self.rotation or self.scale or self.elastic:
            X = resample(X, self._coefficients(len(X)), self.background)
        else:
            X = X.copy()
        if self.flip:
            flipped = self.rng.random(len(X)) < 0.5
            X[flipped] = X[flipped, :, :, ::-1]
        if self.erasing:
            X[self._erased(X)] = self.background
        return X

    def state(self) -> dict[str, np.ndarray]:
        """The generator, as an array."""
        return {"rng": generator_state(self.rng)}

    def load_state(self, state: dict) -> None:
        """Go on where `state()` was taken."""
        set_generator_state(self.rng, state["rng"])

    def _coefficients(self, n: int) -> np.ndarray:
        """A random map for each of n images; see `resample`."""
        degrees = self.rng.uniform(-self.rotation, self.rotation, n)
        zoom = self.rng.uniform(1.0 - self.scale, 1.0 + self.scale, n)
        moves = affine(degrees, zoom, self.rng.uniform(-self.shift, self.shift, (n, 2)))
        if not self.elastic:
            return moves
        knots = self.rng.standard_normal((n, 2, (_SPANS + 3) ** 2), np.float32)
        return np.concatenate([moves, self.elastic * knots], axis=2, dtype=np.float32)

    def _erased(self, X) -> np.ndarray:
        """Which pixels are erased: (N, C, H, W)."""
        n, _, h, w = X.shape
        chosen = self.rng.random(n) < self.erasing
        area = h * w * self.rng.uniform(*_ERASED, n)
        least, most = map(math.log, _ASPECT)
        aspect = np.exp(self.rng.uniform(least, most, n))
        rows = self._range(h, np.sqrt(area * aspect))
        columns = self._range(w, np.sqrt(area / aspect))
        erased = (chosen[:, None] & rows)[:, :, None] & columns[:, None, :]
        return np.broadcast_to(erased[:, None], X.shape)

    def _range(self, size: int, length) -> np.ndarray:
        """(N, size): a run of each length, of one pixel at least, anywhere in 0 ... size - 1."""
        length = np.rint(length).clip(1, size).astype(int)
        start = self.rng.integers(0, size - length, endpoint=True)
        places = np.arange(size) - start[:, None]
        return (places >= 0) & (places < length[:, None])


def affine(degrees, zoom, shift) -> np.ndarray:
    """Coefficients (N, 2, 3), for `resample`, of turning by `degrees` (N,), counter-clockwise,
    and zooming (N,) about the centre, then shifting (N, 2) down and to the right, in pixels."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    back = np.stack([cos, sin, -sin, cos], axis=1).reshape(-1, 2, 2)
    return np.concatenate([back, -back @ shift[:, :, np.newaxis]], axis=2, dtype=np.float32)


def resample(X, coefficients, background: float = 0.0) -> np.ndarray:
    """Images whose every pixel shows what X (N, C, H, W) has at another place, bilinearly.

    The place (row, column) is a sum of fields: coefficients (N, 2, K) times the first K rows of
    `_fields`. Outside of X there is `background`, into which X fades over one pixel.
    """
    n, _, h, w = X.shape
    out = np.empty_like(X)
    fields = _fields(h, w)[: coefficients.shape[2]]
    rows = max(_CHUNK // max(X[:1].size, 1), 1)
    for start in range(0, n, rows):
        chunk = slice(start, start + rows)
        places = coefficients[chunk].reshape(-1, len(fields)) @ fields  # one matrix product
        out[chunk] = _bilinear(X[chunk], places.reshape(-1, 2, h * w), background)
    return out


def _bilinear(X, places, background: float) -> np.ndarray:
    """X (N, C, H, W) at the places (N, 2, H W): row and column, in pixels from the centre."""
    n, c, h, w = X.shape
    height, width = h + 3, w + 3  # one row before and two behind, so that no corner falls out
    padded = np.full((n, c, height, width), background, X.dtype)
    padded[:, :, 1:-2, 1:-2] = X
    y = (places[:, 0] + (0.5 * (h - 1) + 1.0)).clip(0.0, h + 1.0)
    x = (places[:, 1] + (0.5 * (w - 1) + 1.0)).clip(0.0, w + 1.0)
    top, left = np.floor(y), np.floor(x)
    # Numbers of pixels are exact in float32 up to 2²⁴; those of the images need integers.
    corner = (top * width + left).astype(np.intp)[:, np.newaxis]
    corner = corner + np.arange(0, padded.size, height * width).reshape(n, c, 1)
    down, right = (y - top)[:, np.newaxis], (x - left)[:, np.newaxis]
    pixels = padded.reshape(-1)
    upper, lower = (
        _between(pixels[start:].take(corner), pixels[start + 1 :].take(corner), right)
        for start in (0, width)
    )
    return _between(upper, lower, down).reshape(X.shape)


def _between(a, b, share):
    """a + share (b - a), written into b."""
    b -= a
    b *= share
    b += a
    return b


@functools.lru_cache(maxsize=4)
def _fields(h: int, w: int) -> np.ndarray:
    """(3 + (SPANS + 3)², h w): row and column from the centre, 1, and the bumps of the elastic
    field: cubic B-splines, smooth to the second derivative and about as wide as the Gaussian
    (4 of 28 pixels) with which Simard et al. filter, at a fraction of the work."""
    y, x = np.mgrid[:h, :w] - np.array([(h - 1) / 2, (w - 1) / 2]).reshape(2, 1, 1)
    bumps = np.kron(_splines(h), _splines(w)).T
    fields = np.stack([y.ravel(), x.ravel(), np.ones(h * w), *bumps])
    return fields.astype(np.float32)


def _splines(size: int) -> np.ndarray:
    """Weights (size, SPANS + 3) of the knots at each pixel, every row of length 1: independent
    numbers of deviation 1 at the knots give deviation 1 at every pixel."""
    u = _SPANS * (np.arange(size) + 0.5) / size
    span = u.astype(int)
    s = u - span
    pieces = ((1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, 1 + 3 * (s + s**2 - s**3), s**3)
    weights = np.zeros((size, _SPANS + 3))
    for i, piece in enumerate(pieces):
        weights[np.arange(size), span + i] = piece
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)
