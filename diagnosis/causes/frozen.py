"""Frozen parameters: nets in which nothing learns, or too little."""

import math

import numpy as np

from lamina.diagnosis.finding import EVERYTHING, Finding, listed


def nothing_can_learn(record, earlier) -> Finding | None:
    """No parameter learns: all are frozen, have a rate of 0, or were never moved by an update."""
    parameters = record.facts.get("parameters", {})
    if not parameters or record.failed:
        return None
    frozen = [name for name, start in parameters.items() if not start["learns"]]
    ratios = [s["update_ratio"] for s in record.parameters.values()]
    gradients = record.everything["gradient_norm"] if record.everything else []
    moved = any(np.nan_to_num(ratio).any() for ratio in ratios)  # NaN: 0 of weights that are 0
    # Records are of some iterations alone; what moved between two of them shows in the weights.
    moved |= any(np.ptp(s["weight_norm"]) > 0 for s in record.parameters.values())
    still = bool(ratios) and max(gradients, default=0.0) > 0 and not moved
    if len(frozen) < len(parameters) and not still:
        return None
    evidence = [f"{len(frozen)} of {len(parameters)} parameters are frozen: {listed(frozen)}"]
    if still:
        evidence = [f"there are gradients (norm {gradients[0]:.2g}), but every update is 0"]
    return Finding(
        "nothing can learn",
        evidence,
        "No update changes any parameter, so the net stays what it was at the start.",
        [
            "trainable: false and lr_mult: 0 only under what is to stay as it is",
            "a rate above 0 throughout",
        ],
        explains=(EVERYTHING,),
    )


def too_much_frozen(record, earlier) -> Finding | None:
    """Biases and scales alone may learn, and do not get far."""
    parameters = record.facts.get("parameters", {})
    weights = record.matrices.values()
    if earlier or not weights or any(p["learns"] for p in weights):
        return None
    if not record.train <= 0.9 or record.well or record.has_what_is_told:
        return None
    learn = [name for name, start in parameters.items() if start["learns"]]
    count = sum(math.prod(parameters[name]["shape"]) for name in learn)
    return Finding(
        "too much is frozen",
        [
            f"all weights are frozen; {count} numbers learn: {listed(learn)}",
            record.said("train"),
        ],
        "Without weights that learn, the outputs are those of the net as it was made, moved and "
        "stretched.",
        ["let at least the last layer learn: no trainable: false under it"],
        explains=(EVERYTHING,),
    )
