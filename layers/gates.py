"""The gates of the notes' computational graphs: how a gradient flows back through +, ·, max, copy.

They take whole arrays of one shape, entry by entry, or plain numbers; sums, products and maxima two
or more of them. Source: notes 000 ("patterns in gradient flow"), 001 and 004 (section 2); Caffe
(Eltwise).
"""

import functools
import operator

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats


class _SeveralInputs(Layer):
    """What the gates with several inputs share: all have one shape, and so has z."""

    by_position = True

    def output_shape(self, input_shape, *others):
        for other in others:
            if other != input_shape:
                wanted = f"y of the shape of x, {input_shape}"
                raise ShapeError(type(self).__name__, wanted, str(other))
        return input_shape


class Addition(_SeveralInputs):
    """z = x + y + ..., the gradient distributor: dx = dout, dy = dout.

    With `coefficients`, a number for each input, z = a x + b y + ..., dx = a dout, dy = b dout.
    """

    def __init__(self, coefficients: tuple | None = None):
        self.coefficients = None if coefficients is None else tuple(coefficients)

    def forward(self, x, y, *others):
        check_floats(self, x, y, *others)
        self.output_shape(*map(np.shape, (x, y, *others)))
        self.n = 2 + len(others)
        if self.coefficients is None:
            return sum(others, x + y)
        a, *rest = self.coefficients
        return sum((b * more for b, more in zip(rest, (y, *others), strict=True)), a * x)

    def backward(self, dout):
        if self.coefficients is None:
            return (dout,) * self.n
        return tuple(a * dout for a in self.coefficients)

    def output_shape(self, input_shape, *others):
        n = 1 + len(others)
        if self.coefficients is not None and len(self.coefficients) != n:
            wanted = f"{len(self.coefficients)} inputs, as many as coefficients"
            raise ShapeError("Addition", wanted, str(n))
        return super().output_shape(input_shape, *others)

    @classmethod
    def examples(cls, rng):
        yield cls(), *rng.standard_normal((2, 4, 5))
        yield cls(), *rng.standard_normal((3, 4, 5))
        yield cls((0.5, -2.0, 3.0)), *rng.standard_normal((3, 2, 3))


class Multiplication(_SeveralInputs):
    """z = x y ..., the swap multiplier: dx = dout · y, dy = dout · x, the product of the others."""

    def forward(self, x, y, *others):
        self.inputs = (x, y, *others)
        check_floats(self, *self.inputs)
        self.output_shape(*map(np.shape, self.inputs))
        return functools.reduce(operator.mul, self.inputs)

    def backward(self, dout):
        return tuple(
            functools.reduce(operator.mul, self.inputs[:i] + self.inputs[i + 1 :], dout)
            for i in range(len(self.inputs))
        )

    @classmethod
    def examples(cls, rng):
        yield cls(), *rng.standard_normal((2, 4, 5))
        yield cls(), *rng.standard_normal((4, 2, 3))


class Maximum(_SeveralInputs):
    """z = max(x, y, ...), the gradient router: the largest one gets dout, the others 0.

    At a tie no derivative exists; all that are the largest get dout, as in note 004.
    """

    def forward(self, x, y, *others):
        inputs = (x, y, *others)
        self.output_shape(*map(np.shape, inputs))
        z = functools.reduce(np.maximum, inputs)
        self.largest = [x == z for x in inputs]
        return z

    def backward(self, dout):
        return tuple(dout * largest for largest in self.largest)

    @classmethod
    def examples(cls, rng):
        yield cls(), *rng.standard_normal((2, 4, 5))
        yield cls(), *rng.standard_normal((3, 4, 5))


class Copy(Layer):
    """(z1, ..., zn) = (x, ..., x), the gradient adder: dx = dout1 + ... + doutn."""

    by_position = True

    def __init__(self, n: int = 2):
        if n < 1:
            raise ValueError(f"Copy: n is at least 1, got {n}")
        self.n = n

    def forward(self, x):
        return (x,) * self.n

    def output_shape(self, input_shape):
        return input_shape if self.n == 1 else [input_shape] * self.n

    def backward(self, *douts):
        if len(douts) != self.n:
            raise ValueError(f"Copy: expects {self.n} gradients, got {len(douts)}")
        first, *others = douts
        return sum(others, first)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
        yield cls(3), rng.standard_normal((4, 5))


class Step(Layer):
    """Y = 1 where X > 0, else 0. Its derivative is 0 wherever it exists, so dX = 0: nothing can be
    learned through a step, which is why nets use sigmoids and ReLUs."""

    by_position = True
    zero_gradient = True

    def forward(self, X):
        check_floats(self, X)
        return np.heaviside(X, 0.0)

    def backward(self, dout):
        return dout * 0.0

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5))
