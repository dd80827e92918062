"""A power of a shifted multiple."""

from lamina.layers.base import Layer
from lamina.layers.floats import check_floats


class Power(Layer):
    """Y = (shift + scale · X)^power, number by number.

        dX = power · scale · (shift + scale · X)^(power - 1) · dout

    With the power 1 it is a fixed change of scale, such as that of pixels from 0 to 1. Below 0 a
    power that is no whole number gives NaN, and at 0 one below 1 has no derivative.

    Shapes: X (...), Y as X. Raises TypeError for whole numbers, ValueError for the power 0, whose
    result does not depend on X. Source: Caffe (Power).
    """

    by_position = True

    def __init__(self, power: float = 1.0, *, scale: float = 1.0, shift: float = 0.0):
        if power == 0:
            raise ValueError("Power: power is not 0, which would give 1 whatever comes in")
        self.power, self.scale, self.shift = power, scale, shift

    def forward(self, X):
        check_floats(self, X)
        self.base = self.shift + self.scale * X
        return self.base if self.power == 1 else self.base**self.power

    def backward(self, dout):
        factor = self.power * self.scale
        return dout * factor if self.power == 1 else dout * factor * self.base ** (self.power - 1.0)

    @classmethod
    def examples(cls, rng):
        yield cls(scale=-0.5, shift=2.0), rng.standard_normal((4, 5))
        yield cls(2, scale=1.5), rng.standard_normal((4, 3))
        yield cls(3, scale=2.0, shift=0.5), rng.standard_normal((4, 3))
        yield cls(-0.75, scale=0.5, shift=3.0), rng.uniform(-1, 1, (2, 3, 2))
