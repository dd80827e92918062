"""Samples kept as they were stored, and scaled when a batch is taken."""

import math
import zlib

import numpy as np

from lamina.common.arguments import Remembers
from lamina.datasets.shown import shown_dataset, shown_samples

TO_UNIT = (1.0 / 255.0, 0.0)  # scale and offset that bring the pixels 0-255 to 0-1


class Samples:
    """Inputs X (N, ...) with targets t (N,) or (N, ...).

    `samples[rows]` gathers rows; with a `scale` they come as float32, X · scale + offset: 60,000
    images stay 47 MB of uint8 instead of 188 MB of floats, and a batch is one gather, one
    multiplication and, unless the offset is 0, one addition. Raises ValueError if there are no
    samples, not as many targets, or an offset without a scale.
    """

    def __init__(self, X, t, scale: float | None = None, offset: float = 0.0):
        if len(X) != len(t) or not len(X):
            raise ValueError(f"Samples: {len(X)} inputs and {len(t)} targets")
        if offset and scale is None:
            raise ValueError(f"Samples: an offset ({offset}) needs a scale; 1.0 changes nothing")
        self.X, self.t, self.scale, self.offset = X, t, scale, offset

    def __repr__(self):
        return shown_samples(self)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        """(inputs, targets) of an index array or a slice."""
        X = self.X.take(rows, axis=0) if isinstance(rows, np.ndarray) else self.X[rows]
        if self.scale is not None:
            X = np.multiply(X, self.scale, dtype=np.float32)
            if self.offset:
                X += self.offset
        return X, self.t[rows]

    def fingerprint(self) -> str:
        """The CRC-32 of the contents, with shapes, types and scaling: whether they are the same."""
        words = [f"scale {self.scale}, offset {self.offset}"]
        for array in (self.X, self.t):
            crc = zlib.crc32(np.ascontiguousarray(array))
            words.append(f"{array.dtype.str} {array.shape} {crc:08x}")
        return "; ".join(words)

    def batches(self, rows: int | None = None):
        """Yield (inputs, targets) of all samples in order, up to `rows` at a time.

        The default keeps the matrix products busy and stays in cache: 1,000 rows, or 200 images,
        of which a convolutional net makes many times as many numbers on their way through it.
        """
        rows = rows or (1000 if self.X.ndim < 3 else 200)
        for start in range(0, len(self), rows):
            yield self[start : start + rows]


class Dataset(Remembers):
    """Training and test samples of one task: `train`, `test`, `input_shape`, `class_names`.

    A subclass that reads files may do so when `train` or `test` is first used, so that a net that
    does not fit the input shape is refused before anything is downloaded.
    """

    def __init__(self, train: Samples, test: Samples, class_names):
        self.train, self.test = train, test
        self.class_names = tuple(str(name) for name in class_names)
        self.input_shape = train.X.shape[1:]

    def __repr__(self):
        return shown_dataset(self)


def standardising(X: np.ndarray) -> tuple[float, float]:
    """(scale, offset) that bring the pixels X (N, ...), uint8, to mean 0 and deviation 1, all of
    them together. Pixels that are all the same become 0."""
    # Counted in pieces, since bincount widens what it counts eightfold. All is exact.
    pieces = (np.bincount(X[i : i + 256].ravel(), minlength=256) for i in range(0, len(X), 256))
    values, counts = np.arange(256), sum(pieces)
    mean = float(counts @ values) / X.size
    deviation = math.sqrt((counts @ np.square(values - mean)) / X.size) or 1.0
    return 1.0 / deviation, -mean / deviation
