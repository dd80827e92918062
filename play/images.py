"""The images of a data set as a page needs them: which are shown, and how one is drawn for it."""

import base64
import dataclasses
import math

import numpy as np

from lamina.common.predicted import UNKNOWN
from lamina.datasets import Classification, Dataset, DrawnDigits, Reconstruction
from lamina.datasets.paper import WHITE, paper_of
from lamina.play.weights import written

SHOWN = 100  # images of the test set in a page
_SMALLEST, _LARGEST = 8, 64  # pixels of a side


@dataclasses.dataclass
class ShownImages:
    """Images of the test set: `rows` are theirs in it, `pixels` (n, side, side) as bytes 0-255, of
    which the net sees pixels · scale + offset; or where bytes only come near to them, so that they
    are shown alone, `numbers` (n, side, side). `by` says how a drawing is placed in an image."""

    rows: np.ndarray
    pixels: np.ndarray
    scale: float
    offset: float
    side: int
    by: str
    numbers: np.ndarray | None = None

    def as_data(self) -> dict:
        return {
            "side": self.side,
            "scale": self.scale,
            "offset": self.offset,
            "by": self.by,
            "white": paper_of(self.pixels) == WHITE,
            "pixels": base64.b64encode(self.pixels.tobytes()).decode(),
            "numbers": None if self.numbers is None else written([self.numbers], short=False)[1],
        }


def shown_images(dataset: Dataset) -> ShownImages:
    """About as many of each class, those that come first. Raises ValueError, saying why, for data
    that are no grey images, and for a task that is not about whole images."""
    side = _side(dataset)
    samples, task = dataset.test, dataset.task
    rows = np.arange(min(SHOWN, len(samples)))
    if isinstance(task, Classification):
        rows = _of_each_class(targets_of(dataset), len(task.class_names))
    numbers = None
    if samples.X.dtype == np.uint8 and samples.scale is not None:
        X, scale, offset = samples.X.take(rows, axis=0), samples.scale, samples.offset
    else:  # numbers of any kind: as many grey tones between the smallest and the largest
        numbers = samples[rows][0].astype(np.float32).reshape(-1, side, side)
        X = numbers.astype(np.float64)
        offset, scale = float(X.min()), float(np.ptp(X)) / 255.0 or 1.0
        X = np.rint((X - offset) / scale)
    by = "points" if isinstance(dataset, DrawnDigits) else "mass"
    pixels = X.astype(np.uint8).reshape(-1, side, side)
    return ShownImages(rows, pixels, float(scale), float(offset), side, by, numbers)


def targets_of(dataset: Dataset) -> np.ndarray:
    """The classes of the test images, (N,); UNKNOWN where the target does not count."""
    task, samples = dataset.task, dataset.test
    assert isinstance(task, Classification)
    t = task.indices(samples.t.take(np.arange(len(samples)), axis=0))
    return t if task.ignore_index is None else np.where(t == task.ignore_index, UNKNOWN, t)


def _side(dataset: Dataset) -> int:
    """Pixels of a side of the images. Raises ValueError."""
    task, shape = dataset.task, tuple(dataset.input_shape)
    side = math.isqrt(shape[0]) if len(shape) == 1 else shape[-1] if shape else 0
    grey = shape in ((side * side,), (1, side, side)) and dataset.widths is None
    images = isinstance(task, (Classification, Reconstruction)) and (
        isinstance(task, Reconstruction) or not dataset.target_shape
    )
    if not images or not grey or not _SMALLEST <= side <= _LARGEST:
        raise ValueError(
            "a page shows nets that classify square grey images, (1, n, n) or (n * n,), n from "
            f"{_SMALLEST} to {_LARGEST}, or give them back; this run has samples {shape} of "
            f"{type(dataset).__name__}, and learns {task!r}"
        )
    return side


def _of_each_class(t: np.ndarray, n_classes: int) -> np.ndarray:
    """The first rows of each class, class by class. Raises ValueError if there is none."""
    each = max(SHOWN // n_classes, 1)
    rows = [np.flatnonzero(t == i)[:each] for i in range(n_classes)]
    if not any(map(len, rows)):
        raise ValueError("a page shows test images, and no target of the test set counts")
    return np.concatenate(rows)[:SHOWN]
