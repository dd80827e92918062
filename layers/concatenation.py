"""Concatenation: several arrays side by side."""

import itertools

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError


class Concatenation(Layer):
    """Y = X0, X1, ... side by side along an axis; each gets back its own part of dout.

    The axis counts the batch axis: 1 are the channels of images or the features of rows.
    Shapes: X0 (N, a, ...), X1 (N, b, ...), ..., Y (N, a + b + ..., ...). Raises ShapeError if the
    inputs differ along another axis. `output_shape(*input_shapes)` takes a shape for each input.
    Source: Caffe (Concat).
    """

    def __init__(self, axis: int = 1):
        if axis < 1:
            raise ValueError(f"Concatenation: axis is at least 1, since 0 is the batch; got {axis}")
        self.axis = axis

    def forward(self, *Xs):
        self.output_shape(*(X.shape[1:] for X in Xs))
        if len({len(X) for X in Xs}) > 1:
            got = ", ".join(str(len(X)) for X in Xs)
            raise ShapeError("Concatenation", "inputs of one batch size", got)
        self.ends = list(itertools.accumulate(X.shape[self.axis] for X in Xs))
        return np.concatenate(Xs, axis=self.axis)

    def backward(self, dout):
        return tuple(np.split(dout, self.ends[:-1], axis=self.axis))

    @property
    def by_position(self):
        """Behind the axis of the positions, which is axis 1."""
        return self.axis > 1

    def output_shape(self, *input_shapes):
        place = self.axis - 1
        if not input_shapes or min(map(len, input_shapes)) <= place:
            raise ShapeError(
                "Concatenation",
                f"inputs of at least {self.axis + 1} axes",
                _listed(input_shapes),
            )
        others = {(*shape[:place], None, *shape[place + 1 :]) for shape in input_shapes}
        if len(others) > 1:
            wanted = f"inputs of the same shape but for axis {self.axis}"
            raise ShapeError("Concatenation", wanted, _listed(input_shapes))
        joined = sum(shape[place] for shape in input_shapes)
        return (*input_shapes[0][:place], joined, *input_shapes[0][place + 1 :])

    @classmethod
    def examples(cls, rng):
        shapes = ((2, 1, 3), (2, 2, 3), (2, 4, 3))
        yield cls(), *(rng.standard_normal(shape) for shape in shapes)
        yield cls(2), rng.standard_normal((3, 2, 2)), rng.standard_normal((3, 2, 1))


def _listed(shapes: tuple) -> str:
    """The shapes of the arrays, (N, ...), in words."""
    return " and ".join(f"(N, {', '.join(map(str, s))})" for s in shapes) or "none"
