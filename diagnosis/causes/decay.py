"""Weight decay against the weights."""

import math

import numpy as np

from lamina.diagnosis.causes.far_off import far_too_high
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.recorded import number
from lamina.diagnosis.updates import OF_THE_GRADIENT

SHRUNK = 0.3  # of the norm at the start
STUCK = 0.4  # of the loss of guessing, which a net that is right about most leaves far behind
FORGETS = 0.02  # of each weight at every step: what is older than 50 steps is gone
USUAL, USUAL_L1 = 0.02, 0.002  # up to which a decay does no such harm, whatever the rate


def decay_too_strong(record, earlier) -> Finding | None:
    """The weights have shrunk to a fraction, as the decay and the rate foretell, or lose so much at
    every step that they keep nothing."""
    optimizer = record.optimizer
    pulled = {n: s for n, s in record.weights.items() if record.matrices[n].get("decays", True)}
    pulled = {n: s for n, s in pulled.items() if _mult(record, n, "lr_mult") > 0}
    if not pulled:
        return None
    worst = max(pulled, key=lambda n: _mult(record, n, "decay_mult") * _mult(record, n, "lr_mult"))
    decay = decay_of(record) * _mult(record, worst, "decay_mult")
    rate = record.mean_rate * _mult(record, worst, "lr_mult")  # a schedule makes it another
    rule = optimizer.get("type")
    kind = optimizer.get("decay", "decoupled" if rule == "AdamW" else "l2")
    if not decay > (USUAL_L1 if kind == "l1" else USUAL):
        return None
    norms = [
        math.hypot(*map(record.start_norm, pulled)),
        math.hypot(*(s["weight_norm"][-1] for s in pulled.values())),
    ]
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
    if far_too_high(record, taken_off=share):  # of which the decay is the lesser part
        return None
    learned = record.well or record.has_what_is_told
    stuck = record.guessing_loss and record.end_loss > STUCK * record.guessing_loss
    if math.isnan(record.train) and record.well:
        return None
    if (record.train > 0.9 and not stuck) or (record.train <= 0.9 and learned):
        return None
    last, usual = next(iter(pulled.values())).iterations[-1], 1e-5 if kind == "l1" else 5e-4
    a_share = kind == "decoupled" or (kind == "l2" and rule == "SGD")
    began = "" if math.isnan(norms[0]) else f"{norms[0]:.3g} at the start, "
    evidence = [
        f"norm of the weights: {began}{norms[1]:.3g} at iteration {last:.0f}",
        _taken_off(record, worst, a_share, kind),
    ]
    gradients = [s["gradient_norm"][-1] for s in pulled.values()]
    if np.isfinite(gradients).all() and kind == "l2":
        own = (
            decay_of(record) * _mult(record, n, "decay_mult") * s["weight_norm"][-1]
            for n, s in pulled.items()
        )
        pulls = (math.hypot(*own), math.hypot(*gradients) * _clipped(record))
        evidence.append("last pull of the decay {:.2g}, of the data {:.2g}".format(*pulls))
    return Finding(
        "weight decay too strong",
        evidence,
        "Each step takes off more than twice each weight, which so turns round and grows."
        if a_share and decay * rate > 2.0 and norms[1] >= norms[0]
        else "The decay takes off the weights what the data have built up before more can follow"
        + ("; what is left answers the same to every input." if record.guesses else "."),
        [
            f"weight_decay: {usual:g}, or none, instead of {decay_of(record):g}"
            if decay_of(record) > usual
            else f"decay_mult: 1 instead of {_mult(record, worst, 'decay_mult'):g} in the layer of "
            f"{worst}"
        ],
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


def _mult(record, name: str, which: str) -> float:
    """The decay_mult or lr_mult of a parameter."""
    said = record.matrices[name].get(which)
    return 1.0 if said is None else said


def _taken_off(record, worst: str, a_share: bool, kind: str) -> str:
    """What the decay does to the weights that it pulls at most. A share of each it takes off beside
    the rule, and in SGD; other rules scale it with the gradient, by its size or over many steps."""
    decay, rate = decay_of(record), record.mean_rate
    by_decay, by_rate = (_mult(record, worst, which) for which in ("decay_mult", "lr_mult"))
    said = f"weight_decay {decay:g}"
    said += f" times decay_mult {by_decay:g}" if by_decay != 1.0 else ""
    whose = f" of {worst}" if (by_decay, by_rate) != (1.0, 1.0) else ""
    if not a_share and not (kind == "l1" and record.optimizer.get("type") == "SGD"):
        said += f": {decay * by_decay:.2g}" if by_decay != 1.0 else ""
        if kind == "l1":
            own = f"of each weight{whose}, whatever its size"
            return f"{said} is in the gradient {own}; the rule scales it"
        return (
            f"{said} times the weight is in the gradient of each weight{whose}; the rule scales it"
        )
    varies = record.iterations and record.factors.min() < record.factors.max()
    said += f" times the rate {rate:.3g}{' (its mean)' if varies else ''}"
    said += f" times lr_mult {by_rate:g}" if by_rate != 1.0 else ""
    every = "at a step, in the mean" if varies else "at every step"
    product = f"{decay * by_decay * rate * by_rate:.2g}"
    if kind == "l1":
        return f"{said}: {product} is taken off the weights{whose}, whatever their size, {every}"
    return f"{said}: {product} of each weight{whose} is taken off {every}"
