"""How what a layer holds is turned into an array to save, and back."""

import json

import numpy as np


def saved(held) -> np.ndarray:
    """A copy of the data of a Param or State; the state of a random generator as JSON text."""
    if isinstance(held, np.random.Generator):
        return np.array(json.dumps(held.bit_generator.state, default=np.ndarray.tolist))
    return held.data.copy()


def misfit(held, array) -> str:
    """Why `array` cannot be put back into `held`; "" if it can."""
    if isinstance(held, np.random.Generator):
        kind = type(held.bit_generator).__name__
        fits = f'"{kind}"' in str(array)
        return "" if fits else f"expects the state of a {kind}, got {str(array)[:40]}"
    if np.shape(array) != held.data.shape:
        return f"expects shape {held.data.shape}, got {np.shape(array)}"
    return ""


def restore(held, array) -> None:
    """Put back what `saved` gave."""
    if isinstance(held, np.random.Generator):
        held.bit_generator.state = json.loads(str(array))
    else:
        held.data = array.astype(held.data.dtype)
