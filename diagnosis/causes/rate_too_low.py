"""Steps so small that the weights hardly move, or a schedule that has ended the training early."""

import math

import numpy as np

from lamina.diagnosis.finding import Finding, largest
from lamina.diagnosis.progress import SHORT, falls, has_come_to_rest, losses_said
from lamina.diagnosis.recall import misses_a_class
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.recorded import number
from lamina.diagnosis.updates import (
    OF_THE_GRADIENT,
    THUMB,
    TOO_LOW,
    better_rate,
    median_ratio,
    norms_of,
)

ENDED = 0.01  # of the rate, at which a schedule has ended the training
LITTLE = 0.05  # of the highest rate, on the mean over the run: a schedule that has ended it early


def rate_too_low(record, earlier) -> Finding | None:
    """Updates far below the rule of thumb, and a loss that has hardly fallen; or a schedule that
    has ended the training before the net has learned much, or all that it could."""
    if earlier or record.iterations <= SHORT:
        return None
    if record.train > record.halfway and not _cut_short(record):
        return None
    ratios = [median_ratio(record, name) for name in record.weights]
    ratio = largest(ratios) if ratios else math.nan
    hardly = record.end_loss > record.start_loss - 0.3 * abs(record.start_loss)
    at_rest = has_come_to_rest(record) or record.has_what_is_told
    low = ratio <= TOO_LOW and hardly and not at_rest
    at, rate = _early(record)
    if not low and not _was_ended(record, rate):
        return None
    said = f"{_measured(record, ratio)} at the median; rule of thumb: {THUMB:g}"
    if not low:
        said = f"the rate was {rate:.2g} at iteration {at:,.0f} of {record.iterations:,}"
    evidence = [said, *losses_said(record)]
    return Finding(
        "learning rate too low",
        evidence,
        "The steps are so small that the weights hardly move; the gradients themselves are there."
        if low
        else "The schedule had all but ended the training "
        + ("while the loss was still falling." if _was_falling(record) else "soon after it began."),
        _larger_steps(record),
        explains=(
            *("training too short", "unequal classes", "wrong labels", "too little capacity"),
            *("nothing learned",),
        ),
    )


def _was_ended(record, rate: float) -> bool:
    """Had a schedule that foresees it, as plateau does not, left next to nothing of the rate early
    on, while the loss was falling, or before there was much of it?"""
    schedule = record.optimizer.get("schedule")
    kind = schedule.get("type") if isinstance(schedule, dict) else ""
    if math.isnan(record.train) or kind == "plateau" or not rate < ENDED * record.lr:
        return False
    return record.factors.max() < ENDED or _left_off(record)


def _left_off(record) -> bool:
    """Is next to nothing of the highest rate left in the mean, or was the loss still falling when
    it was gone?"""
    return record.factors.mean() < LITTLE * record.factors.max() or _was_falling(record)


def _was_falling(record) -> bool:
    """Was the loss falling when a tenth of the highest rate was left?"""
    factors = record.factors
    ends = np.flatnonzero(factors > 0.101 * factors.max())
    return len(ends) > 0 and falls(record.loss["loss"][: ends[-1] + 1])


def _measured(record, ratio: float) -> str:
    """The largest median of the updates in words; beside what, where it is not the weights."""
    for name, series in record.weights.items():
        own = series.median("update_ratio")
        if median_ratio(record, name) == ratio and own != ratio:
            norm = series.median(norms_of(record, name))
            return (
                f"update / {norm:.3g}, the norm that {name} may have as a rule, is {ratio:.2g} "
                f"(its own norm was {series.median('weight_norm'):.2g})"
            )
    return f"update / weight is {ratio:.2g}"


def _larger_steps(record) -> list[str]:
    """What makes the steps so small: a schedule that has ended, clipping, or the rate itself."""
    rates, norms = record.history.get("lr", ()), record.everything
    clip = number(record.optimizer.get("clip_norm"))
    if record.warm_up > record.iterations // 2:
        last = rates[-1] if len(rates) else record.factor_at(record.iterations) * record.lr
        return [
            f"warm_up: about {max(record.iterations // 10, 1)} instead of {record.warm_up}: the "
            f"rate was {last:.2g} at the end, of "
            f"{record.lr:g}"
        ]
    at, rate = _early(record)
    if rate < 0.1 * record.lr:
        early = record.factors[: int(at)]
        highest = record.lr * float(record.factors.max())
        of = "" if highest >= 0.99 * record.lr else f", of lr: {record.lr:g}"
        moves = "falls more slowly" if early.max() > 2.0 * early[-1] else "rises sooner"
        return [
            f"a schedule that {moves}: at iteration {at:,.0f} of {record.iterations:,} "
            f"the rate was {rate:.2g}, in the whole run {highest:.2g} at the most{of}"
        ]
    scaled = record.optimizer.get("type") not in OF_THE_GRADIENT  # whatever their size
    if norms is not None and not scaled and norms.median("gradient_norm") > 3.0 * clip:
        norm = norms.median("gradient_norm")
        return [f"clip_norm: about {norm:.1g} instead of {clip:g}: gradients have norm {norm:.2g}"]
    return [f"a larger rate: {better_rate(record, larger=True)}"]


def _early(record) -> tuple[float, float]:
    """(iteration, rate) of the last evaluation in the first three fifths of the run, where the rate
    is known; NaN if the run was evaluated later alone."""
    at, rates = record.history.get("iteration", ()), record.history.get("lr", ())
    known = np.flatnonzero(np.asarray(at) <= 0.6 * record.iterations)
    if not len(known) or not len(rates):
        return math.nan, math.nan
    return float(at[known[-1]]), float(rates[known[-1]])


def _cut_short(record) -> bool:
    """Does the net miss what is known to be within reach, or a rare class, and had a schedule all
    but ended the training while the loss was still falling, or left next to nothing of the rate?"""
    if not record.factors.min() < record.factors.max():
        return False
    misses = record.train < record.simple[0] - MISSED or misses_a_class(record)
    return misses and _left_off(record)
