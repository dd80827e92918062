"""Dropout that leaves next to nothing."""

import math

from lamina.diagnosis.finding import Finding

MOST = 0.8  # of a layer; 0.5 is usual. Srivastava et al. 2014, section 7.3


def dropout_too_strong(record, earlier) -> Finding | None:
    """More is dropped than Srivastava et al. found useful at all, and the net has not learned."""
    dropped = {n: p for n, p in record.facts.get("dropout", {}).items() if p and p >= MOST}
    if earlier or not dropped or record.well or math.isnan(record.train):
        return None
    worst = max(dropped, key=dropped.__getitem__)
    p = dropped[worst]
    evidence = [
        f"{worst} drops {100 * p:.3g} % of its units, and multiplies the rest by {1 / (1 - p):.3g}"
        if p < 1
        else f"{worst} drops all of its units"
    ]
    if not math.isnan(record.train):
        evidence.append(f"{record.said('train')}, without dropout in evaluation")
    return Finding(
        "dropout too strong",
        evidence,
        "So few units are left in a step that its gradient is mostly noise, and what the others "
        "know is not used.",
        [f"p: 0.5 or less for {worst}, or no dropout until the net learns its training samples"],
        explains=(
            *("learning rate too high", "dead ReLUs", "learning rate too low", "overflow"),
            *("training too short", "wrong labels", "too little capacity", "nothing learned"),
            *("weight decay too strong", "unequal classes", "vanishing gradients"),
        ),
    )
