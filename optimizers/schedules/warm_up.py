"""A linear rise in front of a schedule."""

from typing import Any

import numpy as np

from lamina.optimizers.schedules.fit import schedule_end
from lamina.optimizers.schedules.form import Schedule, chooses


class WarmUp:
    """A linear rise, (step + 1) / (steps + 1), in front of a schedule, which then begins with its
    own step 0, and is told of evaluations from there on (Goyal et al. 2017, section 2.2)."""

    def __init__(self, steps: int, after: Schedule):
        self.steps = steps
        self.after: Any = after  # a function, or an object that remembers
        self.chooses = chooses(after)
        self._over = False  # from its last step on

    def __call__(self, step: int) -> float:
        self._over = step + 1 >= self.steps
        return (step + 1) / (self.steps + 1) if step < self.steps else self.after(step - self.steps)

    @property
    def end(self) -> int | None:
        end = schedule_end(self.after)
        return None if end is None else end + self.steps

    def evaluated(self, value: float, higher_is_better: bool) -> None:
        if self._over and self.chooses:
            self.after.evaluated(value, higher_is_better)

    def state(self) -> dict:
        if not hasattr(self.after, "state"):
            return {}
        return {"warm_up_over": self._over, **self.after.state()}

    def load_state(self, state: dict) -> None:
        if not hasattr(self.after, "state"):
            if state:
                raise ValueError(f"{', '.join(state)} does not belong here")
            return
        others = {name: value for name, value in state.items() if name != "warm_up_over"}
        over = np.asarray(state.get("warm_up_over")).item()
        if not isinstance(over, bool):
            raise ValueError(f"expects warm_up_over as true or false, got {over!r}")
        self.after.load_state(others)
        self._over = over
