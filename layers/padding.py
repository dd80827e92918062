"""Padding: a border of one number around each sample, on each side as wide as one says."""

import numpy as np

from lamina.common.counts import is_count
from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of
from lamina.layers.floats import check_floats


class Padding(Layer):
    """Y = X with `before[i]` entries of `value` before axis i + 1, and `after[i]` behind it; dX is
    dout without them. The layers that pad by themselves do so on both sides alike.

        Padding((0, 0, 0), (0, 1, 1))        images with a row below and a column to the right

    Shapes: X (N, a, b, ...), Y (N, before[0] + a + after[0], ...). Raises ShapeError for another
    number of axes, ValueError for widths below 0.
    """

    def __init__(self, before: tuple, after: tuple, *, value: float = 0.0):
        before, after = tuple(before), tuple(after)
        whole = all(is_count(n, 0) for n in before + after)
        if not before or len(before) != len(after) or not whole:
            raise ValueError(
                "Padding: expects two lists of whole numbers >= 0, as many as a sample has axes; "
                f"got {before} and {after}"
            )
        self.before, self.after, self.value = before, after, value

    def forward(self, X):
        check_floats(self, X)
        shape = self.output_shape(X.shape[1:])
        starts = zip(self.before, X.shape[1:], strict=True)
        self.inside = (slice(None), *(slice(start, start + n) for start, n in starts))
        Y = np.full((len(X), *shape), self.value, X.dtype, like=X)
        Y[self.inside] = X
        return Y

    def backward(self, dout):
        return dout[self.inside]

    def output_shape(self, input_shape):
        if len(input_shape) != len(self.before):
            wanted = f"arrays of {len(self.before) + 1} axes"
            raise ShapeError("Padding", wanted, batch_of(input_shape))
        widths = zip(self.before, input_shape, self.after, strict=True)
        return tuple(map(sum, widths))

    @classmethod
    def examples(cls, rng):
        yield cls((0, 1, 0), (0, 2, 1)), rng.standard_normal((2, 2, 3, 2))
        yield cls((2,), (0,), value=1.5), rng.standard_normal((3, 2))
