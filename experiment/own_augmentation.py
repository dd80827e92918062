"""An augmentation that is a function of the user's own."""

import inspect
from collections.abc import Callable

import numpy as np

from lamina.common.generators import generator_state, set_generator_state
from lamina.common.names import chosen


class FunctionAugmentation:
    """`function(X, *, rng, ...)` with its settings, and the generator that it draws from, whose
    place goes into checkpoints. A function that takes no `rng` gets none.

    X is a batch of inputs, to be left as it is; the function returns another of that shape and
    dtype. Raises ValueError for settings that it does not take or misses.
    """

    def __init__(self, type: Callable, *, rng, **settings):
        self.rng, self.name = np.random.default_rng(rng), type.__name__
        draws = {"rng": self.rng} if "rng" in inspect.signature(type).parameters else {}
        self.function = chosen("augmentation", {}, type, settings | draws, ("X",))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Raises ValueError for a result of another shape or dtype."""
        changed = self.function(X)
        got = (getattr(changed, "shape", None), getattr(changed, "dtype", None))
        if got != (X.shape, X.dtype):
            raise ValueError(
                f"{self.name}: expects to return {X.dtype} {X.shape}, as it got, but returned "
                f"{type(changed).__name__ if got[0] is None else f'{got[1]} {got[0]}'}"
            )
        return changed

    def state(self) -> dict[str, np.ndarray]:
        """The generator, as an array."""
        return {"rng": generator_state(self.rng)}

    def load_state(self, state: dict) -> None:
        """Go on where `state()` was taken."""
        set_generator_state(self.rng, state["rng"])
