"""What callbacks remember, in checkpoints and back."""

from collections import Counter

import numpy as np

from lamina.training.callbacks.base import Callback, name_of


def saved(callbacks: list[Callback]) -> dict[str, np.ndarray]:
    """{"Goal0/waited": array}: the states of all callbacks, by class, its how manyth, and name.
    Raises ValueError for what is neither numbers nor text."""
    return {
        f"{key}/{name}": _array(key, name, value)
        for key, callback in named(callbacks).items()
        for name, value in callback.state().items()
    }


def restore(callbacks: list[Callback], state: dict[str, np.ndarray]) -> list[str]:
    """Give each callback what it has saved, if it has; returns those that are not there any more,
    and lose it. Raises ValueError for what a callback does not take."""
    given: dict[str, dict] = {}
    for place, array in state.items():
        key, _, name = place.partition("/")
        given.setdefault(key, {})[name] = array
    for key, callback in named(callbacks).items():
        if (own := given.pop(key, None)) is None:
            continue
        try:
            callback.load_state(own)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise ValueError(f"callback {key}: cannot take what it has saved ({error!r})") from None
    return list(given)


def key_of(callbacks: list[Callback], one: Callback) -> str:
    """What it is known by from run to run."""
    return next(key for key, callback in named(callbacks).items() if callback is one)


def named(callbacks: list[Callback]) -> dict[str, Callback]:
    """By what they are known from run to run: the class, or the function that it is, and its how
    manyth of these it is. The order of those of one class counts, others may come and go."""
    seen: Counter[str] = Counter()
    found = {}
    for callback in callbacks:
        name = name_of(callback)
        found[f"{name}{seen[name]}"] = callback
        seen[name] += 1
    return found


def _array(key: str, name: str, value) -> np.ndarray:
    array = np.array(value)
    if array.dtype.kind not in "biufcU":
        raise ValueError(
            f"callback {key}: state(): {name}: expects numbers or text, got {type(value).__name__}"
        )
    return array
