"""A learned factor, and a learned summand: for each feature or channel, or one for all."""

import math

import numpy as np

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError


class _OfSamples(Layer):
    """What Scale and Bias share: one array for all samples, broadcast over them."""

    def _filled(self, shape, value, dtype):
        shape, kind = tuple(shape), type(self).__name__
        if not shape or min(shape) < 1:
            raise ValueError(f"{kind}: expects a shape of numbers >= 1, as (3, 1, 1); got {shape}")
        values, n = np.array(value, dtype), math.prod(shape)
        if values.ndim and values.size != n:
            raise ValueError(f"{kind}: value is a number, or a list of {n}; got {values.size}")
        return values.reshape(shape) if values.ndim else np.full(shape, values)

    def _share(self, gradient):
        """The gradient added up over the batch, and over what shares a number."""
        shape = self._array.shape
        before = gradient.ndim - len(shape)
        gradient = gradient.sum(axis=tuple(range(before)))
        along = tuple(i for i, n in enumerate(shape) if n == 1)
        return gradient.sum(axis=along, keepdims=True) if along else gradient

    @property
    def by_position(self):
        """Where the numbers are those of the last axis, or one for all."""
        return self._array.ndim < 2

    @property
    def _array(self):
        return next(iter(self.parameters().values())).data

    def output_shape(self, input_shape):
        shape = self._array.shape
        fitting = len(shape) <= len(input_shape) and all(
            n in (1, of_X) for n, of_X in zip(reversed(shape), reversed(input_shape), strict=False)
        )
        if not fitting:
            wanted = f"samples to which {shape} can be broadcast"
            raise ShapeError(type(self).__name__, wanted, str(input_shape))
        return input_shape


class Scale(_OfSamples):
    """Y = s · X, with s broadcast over the batch and over the axes where its length is 1.

        dX = s · dout        ds = Σ dout · X

    added up over what shares a number. `shape` is that of s, aligned with the last axes of a sample
    as NumPy does: (C, 1, 1) is a factor for each channel of images, (1,) one for all. It begins at
    `value`, a number or a list of as many as there are.
    Shapes: X (N, ...), s as given, Y as X. Raises ShapeError for samples to which s does not
    broadcast, ValueError for a shape without axes. Source: Caffe (Scale).
    """

    def __init__(self, shape: tuple = (1,), *, value: float | tuple = 1.0, dtype=np.float32):
        self.s = Param(self._filled(shape, value, dtype))

    def forward(self, X):
        self.output_shape(X.shape[1:])
        self.X = X
        return self.s.data * X

    def backward(self, dout):
        self.s.accumulate(self._share(dout * self.X))
        return self.s.data * dout if self.needs_dX else None

    @classmethod
    def examples(cls, rng):
        for shape in ((1,), (3,), (3, 1, 2)):
            layer = cls(shape, dtype=np.float64)
            layer.s.data = rng.standard_normal(shape)
            yield layer, rng.standard_normal((4, 3, 3) if len(shape) < 2 else (2, 3, 4, 2))


class Bias(_OfSamples):
    """Y = X + b, with b broadcast over the batch and over the axes where its length is 1.

        dX = dout        db = Σ dout

    added up over what shares a number. `shape` and `value` are as for Scale, and so are the errors.
    Shapes: X (N, ...), b as given, Y as X. Source: Caffe (Bias).
    """

    def __init__(self, shape: tuple = (1,), *, value: float | tuple = 0.0, dtype=np.float32):
        self.b = Param(self._filled(shape, value, dtype))

    def forward(self, X):
        self.output_shape(X.shape[1:])
        return X + self.b.data

    def backward(self, dout):
        self.b.accumulate(self._share(dout))
        return dout

    @classmethod
    def examples(cls, rng):
        for shape in ((1,), (3,), (3, 1, 2)):
            layer = cls(shape, dtype=np.float64)
            yield layer, rng.standard_normal((4, 3, 3) if len(shape) < 2 else (2, 3, 4, 2))
