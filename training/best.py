"""The best evaluation of a run so far, by the validation set."""

import math

import numpy as np

from lamina.layers.base import Layer


class Best:
    """Value and iteration of the best evaluation by one column, and how many have come since that
    were no better; with `keep`, also the state of the net then, `net_state`. Without a column
    nothing is the best. A NaN is never better."""

    def __init__(self, column: str | None, higher_is_better: bool = True, keep: bool = False):
        self.column, self.higher_is_better, self.keep = column, higher_is_better, keep
        self.value, self.iteration, self.since = math.nan, 0, 0
        self.net_state: dict[str, np.ndarray] | None = None

    def note(self, row: dict, net: Layer) -> bool:
        """Take an evaluation into account; returns whether it is the best."""
        if self.column is None:
            return False
        value = float(f"{row[self.column]:.9g}")  # as history.csv has it: both tell the same best
        if math.isnan(value):  # says neither yes nor no
            return False
        better = value > self.value if self.higher_is_better else value < self.value
        if not (better or math.isnan(self.value)):
            self.since += 1
            return False
        self.value, self.iteration, self.since = value, row["iteration"], 0
        if self.keep:
            self.net_state = net.state()
        return True

    def state(self) -> dict[str, dict]:
        """Parts for a checkpoint: "best", and "best_net" if that is kept."""
        numbers: dict[str, float] = {"iteration": self.iteration, "since": self.since}
        if not math.isnan(self.value):  # no checkpoint holds a NaN
            numbers["value"] = self.value
        parts = {"best": {name: np.array(value) for name, value in numbers.items()}}
        return parts if self.net_state is None else {**parts, "best_net": self.net_state}

    def load_state(self, parts: dict[str, dict]) -> None:
        """Go on where `state()` was taken."""
        best = parts["best"]
        self.value, self.iteration = float(best.get("value", math.nan)), int(best["iteration"])
        self.since, self.net_state = int(best["since"]), parts.get("best_net")
