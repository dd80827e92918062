"""Steps that overshoot, by the size of the updates and by what the loss did."""

import math

from lamina.diagnosis.finding import Finding, largest, listed, median
from lamina.diagnosis.progress import GROWN, came_to_guessing, is_lost, losses_said
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.updates import (
    START,
    THUMB,
    TOO_HIGH,
    TOO_LOW,
    better_rate,
    median_ratio,
    norms_of,
    ratios_of,
)

LARGE = 5.0 * START  # at first, where nothing moves any more
FALLEN = 0.15  # below its own best score: a net that has been thrown back


def rate_too_high(record, earlier) -> Finding | None:
    """Updates a large part of the weights, once or all the time, and a loss that rose, stayed or
    overflowed."""
    if not record.layers:
        return _by_the_loss(record)
    lost, evidence = is_lost(record), []
    if lost:
        evidence = _one_large_update(record)
    if not evidence and (lost or not _learned(record)):
        evidence = _many_large_updates(record)
    evidence = evidence or _thrown_out(record) or _fell_back(record)
    evidence = evidence or _thrown_and_still(record)
    return _too_high(record, [*evidence, *losses_said(record)]) if evidence else None


def _one_large_update(record) -> list[str]:
    worst = {name: largest(ratios_of(record, name)) for name in record.weights}
    limit = TOO_HIGH / 2 if _killed(record) else TOO_HIGH  # it may have been between two records
    name = max((n for n in worst if worst[n] >= limit), key=worst.__getitem__, default=None)
    if name is None:
        return []
    series = record.weights[name]
    at = list(ratios_of(record, name)).index(worst[name])  # what was measured then, as below
    return [
        f"the update of {name} was {series['update_ratio'][at]:.2g} times its weights at iteration "
        f"{series.iterations[at]:.0f}; rule of thumb: {THUMB:g}"
    ]


def _killed(record) -> bool:
    """Has a layer of ReLUs that was alive died while training?"""
    dead = [s["dead"] for s in record.layers.values()]
    return any(d[0] < 0.5 and d[-1] >= 0.9 for d in dead)


def _many_large_updates(record) -> list[str]:
    if came_to_guessing(record):
        return []
    for name in record.weights:
        ratio, norms = median_ratio(record, name), norms_of(record, name)
        if ratio >= TOO_HIGH / 10 and norms[-1] > GROWN * norms[0]:
            series = record.weights[name]  # what was measured, whatever the limits are beside
            ratio, norms = series.median("update_ratio"), series["weight_norm"]
            return [
                f"update / weight of {name} is {ratio:.2g} at the median; rule of thumb: {THUMB:g}",
                f"its norm has grown from {norms[0]:.3g} to {norms[-1]:.3g}",
            ]
    return []


def _thrown_out(record) -> list[str]:
    """Weights that one update has replaced, a loss that shot up, and a net that has not learned
    well since: it goes on from wherever it was thrown."""
    peak = largest(record.loss["loss"])
    worst = largest([largest(ratios_of(record, name)) for name in record.weights] or [math.nan])
    shot_up = peak > GROWN * abs(record.start_loss)
    missed = not _learned(record) or record.train < record.reachable - MISSED
    return _one_large_update(record) if shot_up and worst > 3.0 and missed else []


def _thrown_and_still(record) -> list[str]:
    """Large updates at first, by which weights have grown, and next to none since: a net that now
    guesses was thrown to where its units are dead. Of batches of few samples dead units are not
    known."""
    rates = record.history.get("lr", ())
    lowered = len(rates) > 0 and rates[-1] < 0.1 * rates.max()  # so that little moves anyway
    if _learned(record) or lowered:
        return []
    for name in record.weights:
        ratios, norms = ratios_of(record, name), norms_of(record, name)
        late = median(ratios[-max(len(ratios) // 3, 1) :])
        if not late <= TOO_LOW or not largest(ratios) >= LARGE:
            continue
        if norms[-1] > (2.0 if record.guesses else GROWN) * norms[0]:
            series, at = record.weights[name], list(ratios).index(largest(ratios))
            measured, norms = series["update_ratio"], series["weight_norm"]
            late = median(measured[-max(len(ratios) // 3, 1) :])
            return [
                f"the update of {name} was {measured[at]:.2g} times its weights at iteration "
                f"{series.iterations[at]:.0f}, and its norm has grown from {norms[0]:.3g} to "
                f"{norms[-1]:.3g}; since then it hardly moves, by {late:.1g}"
            ]
    return []


def _learned(record) -> bool:
    return math.isnan(record.train) or record.train >= record.halfway


def _fell_back(record) -> list[str]:
    """A net that had learned and ends far below that, on its training samples: one step has thrown
    it out of where it was. Not if the best weights were kept."""
    scores = record.scores("train")
    if not len(scores) or not scores.max() > record.halfway:
        return []
    kept = record.kept is not None and record.has_weights
    if not record.guesses and (kept or not record.train < scores.max() - FALLEN):
        return []
    best = int(scores.argmax())
    value = record.figure.shown(float(record.values("train")[best]))
    at = record.history["iteration"][best]
    return [f"train {record.figure.name} was {value} at iteration {at:.0f}, and fell back"]


def _by_the_loss(record) -> Finding | None:
    """Nothing was recorded, so only the loss can tell."""
    peak = largest(record.loss["loss"])
    if not (peak - record.start_loss > 9.0 * abs(record.start_loss) and is_lost(record)):
        return None
    return _too_high(record, losses_said(record))


def _too_high(record, evidence: list[str]) -> Finding:
    own = listed(record.own_kinds)
    return Finding(
        "learning rate too high",
        evidence,
        "Each step overshoots: the weights land where the loss is higher than before, and from "
        "there further off."
        + (f" A gradient of {own} that is wrong looks the same, at any rate." if own else ""),
        [
            *([f"lamina check of {own}"] if own else []),
            f"a smaller rate: {better_rate(record, larger=False)}",
            f"a longer warm_up than {record.warm_up}"
            if record.warm_up
            else "a schedule that rises slowly at first: schedule: {..., warm_up: "
            f"{min(500, max(record.iterations // 10, 1))}}}",
        ],
        explains=(
            *("dead ReLUs", "saturated units", "vanishing gradients", "overflow"),
            *("wrong labels", "too little capacity", "over-fitting", "gradients are zero"),
            *("training too short", "unequal classes", "nothing learned"),
        ),
    )
