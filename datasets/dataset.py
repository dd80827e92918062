"""Samples kept as they were stored, and scaled when a batch is taken."""

import numpy as np


class Samples:
    """Inputs X (N, ...) with targets t (N,) or (N, ...).

    `samples[rows]` gathers rows; with a `scale` they come as float32 times the scale: 60,000 images
    stay 47 MB of uint8 instead of 188 MB of floats, and a batch is one gather and one
    multiplication. Raises ValueError if there are none, or not as many targets.
    """

    def __init__(self, X, t, scale: float | None = None):
        if len(X) != len(t) or not len(X):
            raise ValueError(f"Samples: {len(X)} inputs and {len(t)} targets")
        self.X, self.t, self.scale = X, t, scale

    def __len__(self):
        return len(self.X)

    def __getitem__(self, rows):
        """(inputs, targets) of an index array or a slice."""
        X = self.X.take(rows, axis=0) if isinstance(rows, np.ndarray) else self.X[rows]
        if self.scale is not None:
            X = np.multiply(X, self.scale, dtype=np.float32)
        return X, self.t[rows]

    def batches(self, rows: int = 1000):
        """Yield (inputs, targets) of all samples in order, up to `rows` at a time: the default
        stays in cache and keeps the matrix products busy."""
        for start in range(0, len(self), rows):
            yield self[start : start + rows]


class Dataset:
    """Training and test samples of one task: `train`, `test`, `input_shape`, `class_names`.

    A subclass that reads files may do so when `train` or `test` is first used, so that a net that
    does not fit the input shape is refused before anything is downloaded.
    """

    def __init__(self, train: Samples, test: Samples, class_names):
        self.train, self.test = train, test
        self.class_names = tuple(str(name) for name in class_names)
        self.input_shape = train.X.shape[1:]
