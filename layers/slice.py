"""Slice: one array cut into several."""

import itertools

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError


class Slice(Layer):
    """(Y0, Y1, ...) = X cut along an axis into parts of these sizes; dX is the douts side by side.

    The axis counts the batch axis: 1 are the channels of images or the features of rows.
    Shapes: X (N, a + b + ..., ...), Y0 (N, a, ...), Y1 (N, b, ...), ... Raises ShapeError if the
    sizes do not add up to that of X, ValueError unless backward gets a gradient for each part.
    `output_shape` gives a list with a shape for each part. Source: Caffe (Slice).
    """

    def __init__(self, axis: int, sizes: tuple):
        sizes = tuple(sizes)
        if axis < 1 or not sizes or min(sizes) < 1:
            raise ValueError(
                "Slice: expects an axis of at least 1, since 0 is the batch, and sizes of at least "
                f"1; got {axis} and {sizes}"
            )
        self.axis, self.sizes = axis, sizes

    def forward(self, X):
        self.output_shape(X.shape[1:])
        ends = list(itertools.accumulate(self.sizes))
        return tuple(np.split(X, ends[:-1], axis=self.axis))

    def backward(self, *douts):
        if len(douts) != len(self.sizes):
            raise ValueError(f"Slice: expects {len(self.sizes)} gradients, got {len(douts)}")
        return np.concatenate(douts, axis=self.axis)

    @property
    def by_position(self):
        """Behind the axis of the positions, which is axis 1."""
        return self.axis > 1

    def output_shape(self, input_shape):
        place, total = self.axis - 1, sum(self.sizes)
        if input_shape[place : place + 1] != (total,):
            wanted = f"{total} entries along axis {self.axis}, {' + '.join(map(str, self.sizes))}"
            got = f"(N, {', '.join(map(str, input_shape))})"
            raise ShapeError("Slice", wanted, got)
        return [(*input_shape[:place], n, *input_shape[place + 1 :]) for n in self.sizes]

    @classmethod
    def examples(cls, rng):
        yield cls(1, (1, 3)), rng.standard_normal((3, 4))
        yield cls(2, (1, 2, 2)), rng.standard_normal((2, 3, 5))
