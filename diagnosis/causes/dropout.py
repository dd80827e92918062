"""Dropout that leaves next to nothing."""

import math

from lamina.diagnosis.causes.far_off import far_too_high, far_too_low
from lamina.diagnosis.finding import Finding, listed
from lamina.diagnosis.recall import misses_a_class
from lamina.diagnosis.updates import UNMOVED

MOST = 0.8  # of a layer; 0.5 is usual. Srivastava et al. 2014, section 7.3


def dropout_too_strong(record, earlier) -> Finding | None:
    """More is dropped than Srivastava et al. found useful at all, in a layer, or on the way through
    all of them, and the net has not learned, or misses a rare class."""
    dropped = {n: p for n, p in record.facts.get("dropout", {}).items() if p}
    learned = (record.well or record.has_what_is_told) and not misses_a_class(record)
    if earlier or not dropped or learned or math.isnan(record.train):
        return None
    if record.never_moved(UNMOVED) or far_too_low(record) or far_too_high(record):
        return None
    worst = max(dropped, key=dropped.__getitem__)
    p, passed = dropped[worst], record.facts.get("left_by_dropout", 1.0)
    if p >= MOST:
        if record.train > 0.9:
            return None
        said = f"{worst} drops all of its units"
        if p < 1:
            said = f"{worst} drops {100 * p:.3g} % of its units, and multiplies the rest by "
            said += f"{1 / (1 - p):.3g}"
        remedy = f"p: 0.5 or less for {worst}"
    elif passed <= 1.0 - MOST and record.train < record.halfway:
        one_way = math.isclose(passed, math.prod(1.0 - p for p in dropped.values()), rel_tol=1e-4)
        way = f"on the way through {listed(dropped)}" if one_way else "on the way that drops least"
        said = f"{way} one unit in {1 / passed:.3g} is left"
        remedy = "fewer of them, or a smaller p"
    else:
        return None
    return Finding(
        "dropout too strong",
        [said, f"{record.said('train')}, without dropout in evaluation"],
        "So few units are left in a step that its gradient is mostly noise, and what the others "
        "know is not used.",
        [f"{remedy}, or no dropout until the net learns its training samples"],
        explains=(
            *("learning rate too high", "dead ReLUs", "learning rate too low", "overflow"),
            *("training too short", "wrong labels", "too little capacity", "nothing learned"),
            *("weight decay too strong", "unequal classes", "vanishing gradients"),
        ),
    )
