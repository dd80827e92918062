"""A gradient of a table that has a few of its rows: all others are 0."""

import numpy as np


class SparseRows:
    """The array of this shape that is 0 but for the sum of `values[i]` over all i with `rows[i]` =
    r in its row r. A row may stand there several times. So a table of a million words has a
    gradient as large as the batch is.

    Shapes: rows (...) integers, values (..., *shape[1:]); both are kept flat, (n,) and
    (n, *shape[1:]). The field's other names: IndexedSlices (TensorFlow), row-sparse.
    """

    def __init__(self, rows, values, shape: tuple):
        self.rows, self.shape = rows.reshape(-1), tuple(shape)
        self.values = values.reshape((self.rows.size, *self.shape[1:]))

    @property
    def dtype(self):
        return self.values.dtype

    def __repr__(self):
        return f"SparseRows {self.rows.size} of {self.shape} {self.dtype}"

    def __mul__(self, factor):
        return SparseRows(self.rows, self.values * factor, self.shape)

    def dense(self):
        """The whole array."""
        whole = np.zeros(self.shape, self.dtype, like=self.values)
        if isinstance(self.values, np.ndarray):  # sorting takes a fifth of the time of add.at
            few = self.merged()
            whole[few.rows] = few.values
        else:
            np.add.at(whole, self.rows, self.values)
        return whole

    def merged(self) -> "SparseRows":
        """The same with each row once, in ascending order; of plain arrays."""
        if not self.rows.size:
            return self
        order = np.argsort(self.rows, kind="stable")
        rows = self.rows[order]
        is_first = np.ones(len(rows), bool)
        np.not_equal(rows[1:], rows[:-1], out=is_first[1:])
        begins = np.flatnonzero(is_first)
        sums = self.values.take(order[begins], axis=0)
        # Of a large table most rows are there once: only the others are added up.
        counts = np.diff(begins, append=len(rows))
        several = counts > 1
        if several.any():
            of_several = np.repeat(several, counts)
            values = self.values.take(order[of_several], axis=0)
            sums[several] = np.add.reduceat(values, np.flatnonzero(is_first[of_several]))
        return SparseRows(rows[begins], sums, self.shape)


def added(a, b):
    """The sum of two gradients, sparse if both are."""
    if isinstance(a, SparseRows) and isinstance(b, SparseRows):
        rows = np.concatenate([a.rows, b.rows])
        return SparseRows(rows, np.concatenate([a.values, b.values]), a.shape)
    return dense(a) + dense(b)


def dense(gradient):
    """A gradient as an array, or None as None."""
    return gradient.dense() if isinstance(gradient, SparseRows) else gradient


def entries(gradient):
    """The numbers of a gradient that may be other than 0, as an array."""
    return gradient.values if isinstance(gradient, SparseRows) else gradient
