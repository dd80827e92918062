"""How what a layer holds is turned into an array to save, and back."""

import json

import numpy as np

from lamina.layers.carried import Carried

# NumPy takes the place in a buffer of random numbers as it comes, and reads there, wherever it is.
_PLACE_IS_INSIDE = {
    "MT19937": lambda state: state["state"]["pos"] in range(625),
    "Philox": lambda state: state["buffer_pos"] in range(5),
}


def saved(held) -> np.ndarray:
    """A copy of the data of a Param, State or Carried; the state of a generator as JSON text."""
    if isinstance(held, np.random.Generator):
        return np.array(json.dumps(held.bit_generator.state, default=np.ndarray.tolist))
    return held.data.copy()


def misfit(held, array) -> str:
    """Why `array` cannot be put back into `held`; "" if it can. Of a Param or State only shape and
    dtype are looked at, so that an array which is still in its file can be asked about."""
    if isinstance(held, np.random.Generator):
        return _misfit_of_generator(held, array)
    if isinstance(held, Carried):
        if np.shape(array)[1:] != held.shape or not np.ndim(array):
            return f"expects rows of shape {held.shape}, got {np.shape(array)}"
    elif np.shape(array) != held.data.shape:
        return f"expects shape {held.data.shape}, got {np.shape(array)}"
    if not np.can_cast(array.dtype, held.data.dtype, "same_kind"):
        return f"expects {held.data.dtype}, got {array.dtype}"
    return ""


def _misfit_of_generator(held: np.random.Generator, array) -> str:
    kind = type(held.bit_generator)
    try:
        state = json.loads(str(array))
        if not _PLACE_IS_INSIDE.get(kind.__name__, bool)(state):
            raise ValueError
        kind(0).state = state  # tried on another one
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError, AttributeError):
        return f"expects the state of a {kind.__name__}, got {str(array)[:40]!r}"
    return ""


def restore(held, array) -> None:
    """Put back what `saved` gave."""
    if isinstance(held, np.random.Generator):
        held.bit_generator.state = json.loads(str(array))
    elif isinstance(held, Carried):
        held.data = np.array(array)
    else:
        data = np.empty_like(held.data)  # in the same order in memory: so sums stay the same
        data[...] = array
        held.data = data
