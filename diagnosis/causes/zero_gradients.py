"""Weights that learn, but never get a gradient."""

import numpy as np

from lamina.diagnosis.causes.decay import decay_of
from lamina.diagnosis.finding import Finding, listed

RECURRENT = ("Rnn", "Lstm", "Gru")
FEW = 3  # records, fewer of which say nothing


def zero_gradients(record, earlier) -> Finding | None:
    """The gradient of weights is exactly 0, or none comes at all, in every record. A gradient that
    is merely small is no such case; a loss that is 0 has done its work."""
    n = len(record.everything.iterations) if record.everything else 0
    if n < FEW or record.train > 0.99:
        return None
    zero = [n for n, s in record.weights.items() if not s["gradient_norm"].any()]
    zero = [n for n in zero if not _has_no_state_before(record, n) and not _moved(record, n)]
    starts = record.facts.get("parameters", {})
    never = [
        name
        for name, start in starts.items()
        if start["learns"] and len(start["shape"]) > 1 and name not in record.parameters
    ]
    names = [name for name in starts if name in {*zero, *never}]
    if not names:
        return None
    evidence = [f"the gradient of {listed(names)} is exactly 0 in all {n} records"]
    getting = [name for name in record.weights if name not in names]
    evidence.append(f"others get theirs: {listed(getting)}" if getting else "no weights get any")
    return Finding(
        "gradients are zero",
        evidence,
        "Nothing comes back to these weights, so they never change: something between them and "
        "the loss stops the gradient, or their outputs are not used.",
        [
            "look at the backward of the layer behind them: lamina check, if it is your own",
            "a layer that is a step, a rounding or an argmax has no gradient; take a smooth one",
            "weights of 0 give the layers below a gradient of 0: leave out init:",
        ],
        explains=(
            *("vanishing gradients", "learning rate too low", "training too short"),
            *("wrong labels", "too little capacity", "over-fitting", "nothing learned"),
        ),
    )


def _has_no_state_before(record, name: str) -> bool:
    """Are these the weights of the hidden states of a layer that takes one step, the first?"""
    layer, _, own = name.rpartition(".")
    return own == "Wh" and record.kind_of(name) in RECURRENT and layer not in record.steps


def _moved(record, name: str) -> bool:
    """Have these weights changed between two records, of which each is of one batch alone? Decay
    moves them too, whatever comes back, but not further from 0 than they were."""
    decays = decay_of(record) > 0 and record.matrices[name].get("decays", True)
    norms = record.weights[name]["weight_norm"]
    return bool((norms > norms[0]).any() if decays else np.ptp(norms) > 0)
