"""Which evaluation of a run is that of the weights in weights.npz."""

import numpy as np

from lamina.diagnosis.figure import what_counts


def kept_row(config: dict, facts: dict, history: dict) -> int | None:
    """The row of history.csv whose weights `training.keep_best` has kept, as training.best chooses
    it: the first of the best on the validation set. None where the last weights are kept."""
    training = config.get("training")
    if not (isinstance(training, dict) and training.get("keep_best") is True):
        return None
    name, higher_is_better = what_counts(facts, history)
    values = np.asarray(history.get(f"validation_{name}", ()), float)
    if not len(values) or np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if higher_is_better else np.nanargmin(values))
