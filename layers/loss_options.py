"""Options that several losses have, checked."""

import math
import numbers

from lamina.common.counts import is_whole


def checked_weights(name: str, option: str, weights) -> tuple:
    """Weights, positive or zero and not all zero, as a tuple of floats. Raises TypeError for what
    is no sequence of numbers, ValueError for other numbers."""
    try:
        weights = tuple(weights)
    except TypeError:
        raise TypeError(f"{name}: {option} is a list of numbers, got {weights!r:.60}") from None
    for weight in weights:
        if isinstance(weight, bool) or not isinstance(weight, numbers.Real):
            raise TypeError(f"{name}: {option} is a list of numbers, got {weight!r:.60} in it")
        if not 0 <= float(weight) < math.inf:
            raise ValueError(f"{name}: {option} are positive or zero, got {weight}")
    if not any(weights):
        raise ValueError(f"{name}: {option} has no number above 0, so nothing would count")
    return tuple(map(float, weights))


def checked_ignore_index(name: str, index):
    """A whole number or None. Raises TypeError."""
    if index is None:
        return None
    if not is_whole(index):
        raise TypeError(f"{name}: ignore_index is a whole number or None, got {index!r:.60}")
    return int(index)
