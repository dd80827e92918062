"""Arrays as plain numbers in a row, to travel between ranks, and back: duals part by part."""

import numpy as np

from lamina.autodiff import Dual

NONE = -0.0  # x + -0.0 is x, to the bit, for every x: what stands for a gradient that is not there


def leaves(array) -> list:
    """What an array, or a number, is made of: of a dual its value, then its derivative."""
    if isinstance(array, Dual):
        return leaves(array.primal) + leaves(array.tangent)
    return [array]


def rebuilt(like, parts: list[np.ndarray]):
    """The array of these leaves; `like` has as many, of the same levels."""
    return _taken(like, iter(parts))


def _taken(like, parts):
    if isinstance(like, Dual):
        primal = _taken(like.primal, parts)
        return Dual(primal, _taken(like.tangent, parts), like.level)
    return next(parts)


def leaves_like(like, array) -> list[np.ndarray | None]:
    """The leaves of an array, one for each leaf of `like`: None for those that it has not, as a
    gradient that is no dual though its parameter is one."""
    if not isinstance(like, Dual):
        return [array]
    if isinstance(array, Dual) and array.level == like.level:
        primal, tangent = array.primal, array.tangent
    else:
        primal, tangent = array, None
    return leaves_like(like.primal, primal) + leaves_like(like.tangent, tangent)


class Row:
    """How several arrays lie one behind the other in a row of numbers of one dtype."""

    def __init__(self, like: list[np.ndarray]):
        self.like = like
        ends = np.cumsum([array.size for array in like], dtype=int)
        self.places = [slice(e - a.size, e) for e, a in zip(ends, like, strict=True)]
        self.size = int(ends[-1]) if len(ends) else 0

    def fill(self, row: np.ndarray, arrays: list[np.ndarray | None]) -> None:
        """Write the arrays into a row; those that are not there as what adds nothing."""
        for place, like, array in zip(self.places, self.like, arrays, strict=True):
            if array is None:
                row[place] = NONE
            else:
                row[place].reshape(like.shape)[...] = array

    def arrays(self, row: np.ndarray) -> list[np.ndarray]:
        """The arrays in a row, as views."""
        shaped = zip(self.places, self.like, strict=True)
        return [row[place].reshape(like.shape) for place, like in shaped]
