"""The rate, by the size of the updates and by what the loss did."""

import math

from lamina.diagnosis.finding import Finding, largest, median

START = 1e-2  # what the largest first update of healthy runs is, as a share of the weights
THUMB = 1e-3  # CS231n, "Neural networks part 3": update / weight should be about this
TOO_HIGH, TOO_LOW = 0.2, 5e-4
GROWN = 5.0  # times, that weights grow in no healthy run
SHORT = 200  # iterations, up to which a low rate may be a warm-up


def rate_too_high(record, earlier) -> Finding | None:
    """Updates a large part of the weights, once or all the time, and a loss that rose, stayed or
    overflowed."""
    if not record.layers:
        return _by_the_loss(record)
    lost, evidence = _is_lost(record), []
    if lost:
        evidence = _one_large_update(record)
    if not evidence and (lost or record.train < record.halfway):
        evidence = _many_large_updates(record)
    return _too_high(record, [*evidence, *_losses(record)]) if evidence else None


def _one_large_update(record) -> list[str]:
    worst = {name: largest(s["update_ratio"]) for name, s in record.weights.items()}
    name = max((n for n in worst if worst[n] >= TOO_HIGH), key=worst.get, default=None)
    if name is None:
        return []
    series = record.weights[name]
    at = series.iterations[list(series["update_ratio"]).index(worst[name])]
    return [
        f"the update of {name} was {worst[name]:.2g} times its weights at iteration {at:.0f}; "
        f"rule of thumb: {THUMB:g}"
    ]


def _many_large_updates(record) -> list[str]:
    for name, series in record.weights.items():
        ratio, norms = median(series["update_ratio"]), series["weight_norm"]
        if ratio >= TOO_HIGH / 10 and norms[-1] > GROWN * norms[0] > 0:
            return [
                f"update / weight of {name} is {ratio:.2g} at the median; rule of thumb: {THUMB:g}",
                f"its norm has grown from {norms[0]:.3g} to {norms[-1]:.3g}",
            ]
    return []


def rate_too_low(record, earlier) -> Finding | None:
    """Updates far below the rule of thumb, and a loss that has hardly fallen."""
    if earlier or record.iterations <= SHORT or record.train > record.halfway:
        return None
    ratios = [median(series["update_ratio"]) for series in record.weights.values()]
    ratio = largest(ratios) if ratios else math.nan
    hardly = record.end_loss > 0.7 * record.start_loss
    if math.isnan(ratio) or ratio > TOO_LOW or not hardly:
        return None
    evidence = [
        f"update / weight is {ratio:.2g} at the median; rule of thumb: {THUMB:g}",
        *_losses(record),
    ]
    return Finding(
        "learning rate too low",
        evidence,
        "The steps are so small that the weights hardly move; the gradients themselves are there.",
        [f"a larger rate: {_better(record)}"],
        explains=("wrong labels", "too little capacity"),
    )


def _by_the_loss(record) -> Finding | None:
    """Nothing was recorded, so only the loss can tell."""
    peak = largest(record.loss["loss"])
    if not (peak > 10 * record.start_loss and _is_lost(record)):
        return None
    return _too_high(record, _losses(record))


def _too_high(record, evidence: list[str]) -> Finding:
    return Finding(
        "learning rate too high",
        evidence,
        "Each step overshoots: the weights land where the loss is higher than before, and from "
        "there further off.",
        [
            f"a smaller rate: {_better(record)}",
            "a schedule that rises slowly at first: schedule: {..., warm_up: 500}",
        ],
        explains=(
            *("dead ReLUs", "saturated units", "vanishing gradients", "overflow"),
            *("wrong labels", "too little capacity", "over-fitting"),
        ),
    )


def _better(record) -> str:
    """The rate at which the first update would have been START of the weights; the updates of most
    rules are proportional to it."""
    first = [float(s["update_ratio"][0]) for s in record.weights.values()]
    first = [ratio for ratio in first if 0 < ratio < math.inf]
    if not first:
        return f"lr: {record.lr / 10:.1g} instead of {record.lr:g}"
    factor = START / max(first)
    return f"lr: about {record.lr * factor:.1g} instead of {record.lr:g}"


def _is_lost(record) -> bool:
    """Did the run overflow, end hardly better than it began, or no better than guessing? A net that
    has learned something has recovered from whatever large update it once had."""
    if record.culprit.get("when") in ("forward", "backward", "update"):
        return True
    guessing = record.train < record.chance + 0.1 * (1.0 - record.chance)
    return record.end_loss > 0.9 * record.start_loss or guessing


def _losses(record) -> list[str]:
    peak, at = largest(record.loss["loss"]), int(record.loss["loss"].argmax())
    line = f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end"
    if peak > 1.5 * record.start_loss and record.iterations:
        line += f", {peak:.3g} at iteration {record.loss['iteration'][at]:.0f}"
    figures = [record.said("train")] if not math.isnan(record.train) else []
    return [line, *figures]
