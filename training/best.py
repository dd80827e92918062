"""The best evaluation of a run so far."""

import numpy as np

from lamina.layers.base import Layer


class Best:
    """Test accuracy and iteration of the best evaluation, and how many have come since that were
    no better; with `keep`, also the state of the net then, `net_state`."""

    def __init__(self, keep: bool = False):
        self.keep = keep
        self.accuracy, self.iteration, self.since = -1.0, 0, 0
        self.net_state: dict[str, np.ndarray] | None = None

    def note(self, row: dict, net: Layer) -> bool:
        """Take an evaluation into account; returns whether it is the best."""
        if row["test_accuracy"] <= self.accuracy:
            self.since += 1
            return False
        self.accuracy, self.iteration, self.since = row["test_accuracy"], row["iteration"], 0
        if self.keep:
            self.net_state = net.state()
        return True

    def state(self) -> dict[str, dict]:
        """Parts for a checkpoint: "best", and "best_net" if that is kept."""
        numbers = {"accuracy": self.accuracy, "iteration": self.iteration, "since": self.since}
        parts = {"best": {name: np.array(value) for name, value in numbers.items()}}
        return parts if self.net_state is None else {**parts, "best_net": self.net_state}

    def load_state(self, parts: dict[str, dict]) -> None:
        """Go on where `state()` was taken."""
        best = parts["best"]
        self.accuracy, self.iteration = float(best["accuracy"]), int(best["iteration"])
        self.since, self.net_state = int(best["since"]), parts.get("best_net")
