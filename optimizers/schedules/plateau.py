"""The schedule that falls where the validation set sees no progress."""

import math

import numpy as np

from lamina.common.counts import is_count
from lamina.optimizers.settings import is_number, share


class Plateau:
    """factor ← max(γ · factor, lowest) after `patience` evaluations in a row without a better one.

    Better than the best so far by more than `threshold`, in the units of the metric: then a metric
    below 0 is treated as any other. After a fall `cooldown` evaluations do not count. An evaluation
    that is NaN is not better. PyTorch's ReduceLROnPlateau with threshold_mode="abs", whose patience
    is one smaller for the same: it falls when more than its patience are over.
    """

    chooses = True

    def __init__(
        self,
        *,
        gamma: float = 0.1,
        patience: int = 5,
        threshold: float = 0.0,
        cooldown: int = 0,
        lowest: float = 0.0,
    ):
        self.gamma = share("schedule plateau: gamma", gamma)
        self.lowest = share("schedule plateau: lowest", lowest)
        self.threshold = share("schedule plateau: threshold", threshold, below=math.inf)
        for name, value, least in (("patience", patience, 1), ("cooldown", cooldown, 0)):
            if not is_count(value, least):
                raise ValueError(f"schedule plateau: {name} is at least {least}, got {value!r}")
        self.patience, self.cooldown = patience, cooldown
        self.factor, self.best = 1.0, math.nan  # NaN: nothing was seen yet
        self.since = self.resting = 0  # evaluations without a better one; of the cooldown left

    def __call__(self, step: int) -> float:
        return self.factor

    def evaluated(self, value: float, higher_is_better: bool) -> None:
        if higher_is_better:
            better = value > self.best + self.threshold
        else:
            better = value < self.best - self.threshold
        if better or (math.isnan(self.best) and not math.isnan(value)):
            self.best, self.since = value, 0
        else:
            self.since += 1
        if self.resting:
            self.resting, self.since = self.resting - 1, 0
        if self.since >= self.patience:
            self.factor = max(self.gamma * self.factor, self.lowest)
            self.since, self.resting = 0, self.cooldown

    def state(self) -> dict:
        return {name: getattr(self, name) for name in ("factor", "best", "since", "resting")}

    def load_state(self, state: dict) -> None:
        if state.keys() != self.state().keys():
            raise ValueError(f"expects {', '.join(self.state())}, got {', '.join(state) or 'none'}")
        kept = {name: np.asarray(value).item() for name, value in state.items()}
        for name, high in (("since", self.patience - 1), ("resting", self.cooldown)):
            if not (is_count(kept[name], 0) and kept[name] <= high):
                raise ValueError(f"{name} is from 0 to {high}, got {kept[name]!r}")
        if not (is_number(kept["factor"]) and self.lowest <= kept["factor"] <= 1.0):
            raise ValueError(f"factor is from {self.lowest:g} to 1, got {kept['factor']!r}")
        if not is_number(kept["best"]):
            raise ValueError(f"best is a number, got {kept['best']!r}")
        for name, value in kept.items():
            setattr(self, name, value)
