"""Rates so far off that nothing else can be judged: settings that would do no harm, or less, with a
usual rate, are not to blame."""

from lamina.diagnosis.causes.rate_too_low import rate_too_low
from lamina.diagnosis.finding import largest
from lamina.diagnosis.progress import is_lost
from lamina.diagnosis.updates import OF_THE_GRADIENT, first_ratios

OVERTHROWN = 1.0  # times the weights, by a first update, which nothing that comes later has made
FAR_TOO_LOW = 2e-4  # of the weights, by the median of all updates


def far_too_low(record) -> bool:
    """Do the weights hardly move, and is that all that is wrong?"""
    return record.hardly_moves(FAR_TOO_LOW) and rate_too_low(record, ()) is not None


def far_too_high(record, times: float = 1.0, taken_off: float = 0.0) -> bool:
    """Was a run lost whose first update was larger than the weights, and would have been if it were
    so many `times` smaller? Numbers that are so many times too large make gradients larger, which
    only some rules hand on to the weights. A decay that has `taken_off` a share of the weights must
    be less than half of it."""
    first = largest(first_ratios(record) or [0.0])
    handed_on = record.optimizer.get("type", "SGD") in OF_THE_GRADIENT
    least = OVERTHROWN * (max(times, 1.0) if handed_on else 1.0)
    return first >= max(least, 2.0 * taken_off) and is_lost(record)
