"""A run that ended while the net was still learning."""

import math

from lamina.diagnosis.finding import Finding, largest
from lamina.diagnosis.progress import still_falling
from lamina.diagnosis.record import BY_HEART, MISSED
from lamina.diagnosis.updates import THUMB, better_rate

DONE = 0.01  # of the loss of guessing
LEAST = 40  # iterations: fewer are a try
LOW = 0.75  # a train score at which a net may do for now
LOW_OF_ERRORS = 0.5  # of R², which noise may keep from rising


def training_too_short(record, earlier) -> Finding | None:
    """The loss still falls at the end, beyond its noise, and the training set is not yet learned:
    neither well nor as well as noise lets it be."""
    if earlier or record.iterations < LEAST or math.isnan(record.train):
        return None
    low = LOW if record.figure.is_share else LOW_OF_ERRORS
    if record.train >= min(low, record.reachable - MISSED) or not still_falling(record):
        return None
    guess = record.guessing_loss
    if guess and 0 <= record.end_loss < DONE * guess:  # what the loss asks for is learned
        return None
    if not record.end_loss < record.start_loss or record.train - record.test > BY_HEART:
        return None
    ratio = largest([s.median("update_ratio") for s in record.weights.values()] or [math.nan])
    remedies = [
        f"a larger patience than {record.ended_by_patience}: it ended the run, and more iterations "
        "alone change nothing"
        if record.ended_by_patience
        else "more iterations: several times as many, or until the loss stays"
    ]
    evidence = [
        f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end, and falling",
        f"{record.said('train', 'test')} after {record.last_evaluated:,} iterations",
    ]
    if ratio < THUMB:
        evidence.append(f"update / weight is {ratio:.2g} at the median; rule of thumb: {THUMB:g}")
        remedies.append(f"or a larger rate: {better_rate(record, larger=True)}")
    return Finding(
        "training too short",
        evidence,
        "The net was still getting better when the run ended.",
        remedies,
        explains=("too little capacity", "nothing learned"),
    )
