"""How much room the arrays of a net may take, when they are in a file already."""

import math

import numpy as np

from lamina.layers.base import Param, State

MAX_COUNTS = 1 << 17  # what sizes may add up to beside the numbers that a file holds
MAX_PIECES = 4  # that an array is drawn in: the gates of a recurrent layer are drawn one by one


class Room(np.random.Generator):
    """A generator that draws zeros and counts them: no more arrays and numbers than there is room
    for. With it a net is made whose arrays are in a file already; a structure that promises other
    ones is refused before there is memory for them."""

    def __init__(self, numbers: int, arrays: int):
        super().__init__(np.random.PCG64(0))
        self.numbers, self.pieces = numbers, MAX_PIECES * arrays
        self.counts = self.left = numbers + MAX_COUNTS
        self.held: set[int] = set()

    def take(self, shape, dtype=np.float32) -> np.ndarray:
        """Zeros of this shape, for which there is no memory taken yet."""
        shape = tuple(n.__index__() for n in (shape if isinstance(shape, tuple) else (shape,)))
        self.numbers -= math.prod(shape)
        self.pieces -= 1
        if min(shape, default=0) < 0 or self.numbers < 0 or self.pieces < 0:
            raise ValueError(f"an array of shape {shape} is not among those of the file")
        return np.broadcast_to(np.zeros((), dtype), shape)

    def init(self, shape, rng, dtype=np.float32):
        """As an initializer."""
        return self.take(shape, dtype)

    def standard_normal(self, size=None, *args, **named):
        return self.take(size or ())

    def uniform(self, low=0.0, high=1.0, size=None):
        return self.take(size or ())

    def spawn(self, n):
        """Real ones: a layer keeps them."""
        return np.random.default_rng(0).spawn(n)

    def count(self, value) -> None:
        """Sizes that arguments give: arrays of one axis are made by these, without a generator."""
        if isinstance(value, (list, tuple)):
            for item in value:
                self.count(item)
        elif isinstance(value, int):
            self.counts -= abs(value)
            if self.counts < 0:
                raise ValueError("its sizes are larger than what is in the file")

    def hold(self, layer) -> None:
        """The arrays that a layer has been made with, however it made them; those that it shares
        with others once."""
        held = {id(h): h for _, h in layer.walk() if isinstance(h, (Param, State))}
        self.left -= sum(h.data.size for i, h in held.items() if i not in self.held)
        self.held |= held.keys()
        if self.left < 0:
            raise ValueError("holds more numbers than there are in the file")
