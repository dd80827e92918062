"""Weight decay against the weights."""

import math

import numpy as np

from lamina.diagnosis.finding import Finding
from lamina.diagnosis.record import MISSED, number

SHRUNK = 0.3  # of the norm at the start
STUCK = 0.4  # of the loss of guessing, which a net that is right about most leaves far behind
FORGETS = 0.02  # of each weight at every step: what is older than 50 steps is gone
USUAL, USUAL_L1 = 0.05, 0.002  # up to which a decay does no such harm, whatever the rate
OF_THE_GRADIENT = ("SGD", "Momentum", "Nesterov")  # rules whose steps are as large as it


def decay_too_strong(record, earlier) -> Finding | None:
    """The weights have shrunk to a fraction, as the decay and the rate foretell, or lose so much at
    every step that they keep nothing."""
    optimizer = record.optimizer
    pulled = {n: s for n, s in record.weights.items() if record.matrices[n].get("decays", True)}
    mults = {n: record.matrices[n].get("decay_mult") or 1.0 for n in pulled}
    decay = decay_of(record) * max(mults.values(), default=1.0)
    rule = optimizer.get("type")
    kind = optimizer.get("decay", "decoupled" if rule == "AdamW" else "l2")
    if not decay > (USUAL_L1 if kind == "l1" else USUAL) or not pulled:
        return None
    norms = [math.hypot(*(s["weight_norm"][i] for s in pulled.values())) for i in (0, -1)]
    fastest = max((record.matrices[n].get("lr_mult") or 1.0 for n in pulled), default=1.0)
    rate = record.mean_rate * fastest  # a schedule makes it another
    share = decay * rate  # of each weight at a step, where it is one
    if (kind == "l2" and rule not in OF_THE_GRADIENT) or kind == "l1":
        # Each weight loses the same however small it is: the rate, in rules that scale gradients.
        size = norms[0] / math.sqrt(sum(math.prod(record.matrices[n]["shape"]) for n in pulled))
        share = (rate if rule not in OF_THE_GRADIENT else decay * rate) / size if size else 0.0
    pull = share * record.iterations
    forgets = decay * rate >= FORGETS and pull >= 2.0
    # Where more is known to be within reach, half the weights gone are enough to say so.
    short = record.reachable < 1.0 and record.train < record.reachable - MISSED and pull >= 3.0
    shrunk = norms[1] < (0.5 if short else SHRUNK) * norms[0] and pull >= 1.0
    if not shrunk and not forgets:
        return None
    stuck = record.guessing_loss and record.end_loss > STUCK * record.guessing_loss
    if (record.train > 0.9 and not stuck) or (record.train <= 0.9 and record.well):
        return None
    last = next(iter(pulled.values())).iterations[-1]
    a_share = kind == "decoupled" or (kind == "l2" and rule == "SGD")
    evidence = [
        f"norm of the weights: {norms[0]:.3g} at the start, {norms[1]:.3g} at iteration {last:.0f}",
        _taken_off(decay, rate, a_share),
    ]
    gradients = [s["gradient_norm"][-1] for s in pulled.values()]
    if np.isfinite(gradients).all() and kind == "l2":
        own = (decay_of(record) * mults[n] * s["weight_norm"][-1] for n, s in pulled.items())
        pulls = (math.hypot(*own), math.hypot(*gradients) * _clipped(record))
        evidence.append("last pull of the decay {:.2g}, of the data {:.2g}".format(*pulls))
    return Finding(
        "weight decay too strong",
        evidence,
        "Each step takes off more than twice each weight, which so turns round and grows."
        if a_share and decay * rate > 2.0 and not norms[1] < norms[0]
        else "The decay takes off the weights what the data have built up before more can follow"
        + ("; what is left answers the same to every input." if record.guesses else "."),
        [f"weight_decay: {1e-5 if kind == 'l1' else 5e-4:g}, or none, instead of {decay:g}"],
        explains=(
            *("learning rate too high", "learning rate too low", "dead ReLUs", "wrong labels"),
            *("vanishing gradients", "too little capacity", "saturated units"),
            *("training too short", "unequal classes", "nothing learned"),
        ),
    )


def _clipped(record) -> float:
    """What clip_norm leaves of the last gradient that was recorded."""
    limit = number(record.optimizer.get("clip_norm"))
    if record.everything is None or not limit > 0:
        return 1.0
    return min(1.0, limit / max(float(record.everything["gradient_norm"][-1]), 1e-300))


def decay_of(record) -> float:
    """The weight decay of a run: where none is said, that of its rule."""
    optimizer = record.optimizer
    return number(optimizer.get("weight_decay", 0.01 if optimizer.get("type") == "AdamW" else 0.0))


def _taken_off(decay: float, lr: float, a_share: bool) -> str:
    """What the decay does at every step. A share of the weight it takes off beside the rule, and in
    SGD; other rules scale it with the gradient, by its size or over many steps."""
    said = f"weight_decay {decay:g} times the rate {lr:.3g}: "
    if not a_share:
        return f"{said}{decay * lr:.2g}, in the gradient that the rule scales"
    return f"{said}{decay * lr:.2g} of each weight is taken off at every step"
