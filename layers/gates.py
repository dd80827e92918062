"""The gates of the notes' computational graphs: how a gradient flows back through +, ·, max, copy.

They take whole arrays of one shape, entry by entry, or plain numbers. Source: notes 000
("patterns in gradient flow"), 001 and 004 (section 2).
"""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats


class _TwoInputs(Layer):
    """What the gates with two inputs share: both have one shape, and so has z."""

    by_position = True

    def output_shape(self, input_shape, other=None):
        if other is not None and other != input_shape:
            raise ShapeError(type(self).__name__, f"y of the shape of x, {input_shape}", str(other))
        return input_shape


class Addition(_TwoInputs):
    """z = x + y, the gradient distributor: dx = dout, dy = dout."""

    def forward(self, x, y):
        check_floats(self, x, y)
        self.output_shape(np.shape(x), np.shape(y))
        return x + y

    def backward(self, dout):
        return dout, dout

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5)), rng.standard_normal((4, 5))


class Multiplication(_TwoInputs):
    """z = x y, the swap multiplier: dx = dout · y, dy = dout · x."""

    def forward(self, x, y):
        check_floats(self, x, y)
        self.output_shape(np.shape(x), np.shape(y))
        self.x, self.y = x, y
        return x * y

    def backward(self, dout):
        return dout * self.y, dout * self.x

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5)), rng.standard_normal((4, 5))


class Maximum(_TwoInputs):
    """z = max(x, y), the gradient router: the larger one gets dout, the other 0.

    At a tie no derivative exists; both get dout, as in note 004.
    """

    def forward(self, x, y):
        self.output_shape(np.shape(x), np.shape(y))
        self.to_x, self.to_y = x >= y, x <= y
        return np.maximum(x, y)

    def backward(self, dout):
        return dout * self.to_x, dout * self.to_y

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 5)), rng.standard_normal((4, 5))


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
