"""Which evaluation of a run is that of the weights in weights.npz."""

import numpy as np

from lamina.metrics import Metric, make_metric


def kept_row(config: dict, facts: dict, history: dict) -> int | None:
    """The row of history.csv whose weights `training.keep_best` has kept, as training.best chooses
    it: the first of the best on the validation set. None where the last weights are kept."""
    training = config.get("training")
    if not (isinstance(training, dict) and training.get("keep_best") is True):
        return None
    name, higher_is_better = _counts(facts, history)
    values = np.asarray(history.get(f"validation_{name}", ()), float)
    if not len(values) or np.isnan(values).all():
        return None
    return int(np.nanargmax(values) if higher_is_better else np.nanargmin(values))


def _counts(facts: dict, history: dict) -> tuple[str, bool]:
    """The figure that has chosen, and whether more of it is better. An older run may have no facts:
    then it is the first metric of the table, and of one of the user's own more is taken to be
    better, as Metric has it."""
    if said := facts.get("figure"):
        return said["name"], said["higher_is_better"]
    names = (c.removeprefix("validation_") for c in history if c.startswith("validation_"))
    name = next((name for name in names if name != "loss"), "loss")
    if name == "loss":
        return name, False
    try:
        return name, make_metric(name).higher_is_better
    except ValueError:
        return name, Metric.higher_is_better
