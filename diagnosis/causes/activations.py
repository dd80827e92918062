"""Units that pass no gradient: dead ReLUs, saturated sigmoids."""

import math

import numpy as np

from lamina.common.percent import percent
from lamina.diagnosis.finding import Finding, listed
from lamina.diagnosis.progress import SHORT
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.updates import UNMOVED

MOST, MANY, NEARLY_ALL = 0.5, 0.75, 0.9  # of the units of a layer
QUARTER = 0.25  # of the way from guessing; how far an error can fall depends on the task
GATED = ("Rnn", "Lstm", "Gru")  # open or closed may be what a gate has learned to be
LAST = 3  # records that must agree: a unit may rest for a batch


def dead_relus(record, earlier) -> Finding | None:
    """Half of a layer's ReLUs or more give 0 for every sample of the last batches looked at, and
    the net has not learned; or nearly all do, and it has not learned well; or nearly all in the
    last record, and the net only guesses, at whatever moment they died. (Half a layer may be
    dead in a good net: DeepConvNet's last one is, of Adam's first steps.)

    CS231n, "Neural networks part 1": a ReLU that is pushed below zero for all inputs has no
    gradient any more and never comes back.
    """
    found = _held(record, "dead")
    if not found and record.guesses:
        found = _held(record, "dead", last=1, most=NEARLY_ALL)
    if not found:
        return None
    worst = max(found, key=found.__getitem__)
    missed = record.train < record.simple[0] - MISSED
    nearly_all = found[worst] >= (MANY if missed else NEARLY_ALL)
    shares = record.figure is None or record.figure.is_share
    if record.well or record.train > (0.9 if nearly_all else record.halfway if shares else QUARTER):
        return None
    if (record.iterations <= SHORT and not nearly_all) or _untried(record, found[worst]):
        return None
    series = record.layers[worst]
    since = series.iterations[np.flatnonzero(series["dead"] >= 0.95 * found[worst])[0]]
    at_once = since == 1
    evidence = [f"{percent(found[worst], 1)} of the units of {worst} are 0 for whole batches"]
    if len(found) > 1:
        evidence.append(f"dead by half or more: {listed(found)}")
    seen = "so from the first iteration on" if at_once else f"seen first at iteration {since:.0f}"
    earliest = not at_once and since == series.iterations[0]
    evidence.append(seen + (", the first that was recorded" if earliest else ""))
    if not at_once and (moved := _largest_update(record, since)) > 0.1:
        evidence.append(f"an update before that was {moved:.2g} times the weights")
    remedies = ["a smaller learning rate", "LeakyRelu or Elu, which keep a gradient below zero"]
    if at_once:
        remedies[0] = "look at the first biases and weights: biases of 0, weights of he_normal"
    return Finding(
        "dead ReLUs",
        evidence,
        "No gradient passes a ReLU whose input is below zero for every sample: it, and what leads "
        "only to it, does not learn any more.",
        remedies,
        explains=(
            *("vanishing gradients", "wrong labels", "too little capacity"),
            *("learning rate too low", "saturated units", "gradients are zero"),
            *("training too short", "unequal classes", "over-fitting", "nothing learned"),
        ),
    )


def saturated(record, earlier) -> Finding | None:
    """Half of a layer's sigmoid or tanh outputs or more sit where hardly a gradient passes, and
    the net has hardly learned; or so from the start, and it has not learned well: units that have
    gone there while the net was learning may be where they should. Glorot and Bengio 2010, section
    3. The outputs of the net itself may sit there: pixels are black or white, labels 0 or 1."""
    found = _held(record, "saturated")
    for name in [name for name in found if record.layers[name].type in GATED]:
        del found[name]
    if record.task != "classification":
        found.pop(record.last_layer, None)
    if not found:
        return None
    worst = max(found, key=found.__getitem__)
    series = record.layers[worst]
    first = series.at_start("saturated")
    little = record.chance + QUARTER * (1.0 - record.chance)
    if record.well or record.train > (0.9 if first >= MOST else little):
        return None
    if _untried(record, found[worst]):
        return None
    evidence = [
        f"{percent(found[worst], 1)} of the outputs of {worst} are at their ends, "
        f"{percent(series['saturated'][0], 1)} {series.since}"
    ]
    if len(found) > 1:
        evidence.append(f"saturated by half or more: {listed(found)}")
    if not math.isnan(record.train):
        evidence.append(record.said("train"))
    return Finding(
        "saturated units",
        evidence,
        "At its ends a sigmoid is flat: its derivative is under a twentieth of the largest, so "
        "what is below it learns next to nothing.",
        [
            "xavier_normal, and inputs of mean 0 and deviation 1",
            "a smaller learning rate, if the share has grown while training",
            "Relu instead",
        ],
        explains=("vanishing gradients", "learning rate too low", "wrong labels"),
    )


def _untried(record, share: float) -> bool:
    """Has nothing moved that could show what the other units can do?"""
    return share < NEARLY_ALL and record.never_moved(UNMOVED)


def _held(record, column: str, last: int = LAST, most: float = MOST) -> dict[str, float]:
    """{layer: the least share among its last records}, where that is at least `most`."""
    least = {
        name: float(series[column][-last:].min())
        for name, series in record.layers.items()
        if not np.isnan(series[column]).any()
    }
    return {name: share for name, share in least.items() if share >= most}


def _largest_update(record, until: float) -> float:
    values = [s["update_ratio"][s.iterations < until] for s in record.weights.values()]
    values = [v for part in values for v in part if not math.isnan(v)]
    return max(values, default=0.0)
