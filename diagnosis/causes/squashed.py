"""A last layer that squashes what it gives, before a loss that takes scores of any size."""

import math

from lamina.diagnosis.finding import Finding
from lamina.training.squashed import OF_SCORES

FREE = (
    *("Affine", "Convolution", "BatchNormalization", "LayerNormalization", "GroupNormalization"),
    *("Convolution1d", "TransposedConvolution", "RMSNormalization"),
    *("LeakyRelu", "PRelu", "Embedding", "Addition", "DotProducts"),
)
BY_NUMBER = ("Bias", "Scale")  # what these give is bounded where that is which they read
NEAR = 0.02  # of an end that scores come to and never pass
MANY = 4  # outputs
ABOVE_ALONE = "below 0"  # scores may grow in one direction: a net may be as sure as it likes


def squashed_scores(record, earlier) -> Finding | None:
    """Scores of the training set that have never left 0 to 1 or -1 to 1, though they have come to
    an end of it, or never been below 0. Scores that nothing bounds begin on both sides of 0 and
    grow as the net gets surer. Of numbers: outputs that end where targets do not. A last layer of
    which it is known that it does not squash is not asked."""
    series = list(record.outputs.values())
    name = record.last_layer
    kind = record.facts.get("layers", {}).get(name, "")
    if not series or len(record.facts.get("losses", {})) != 1:
        return None
    if kind in FREE or (kind in BY_NUMBER and _reads_what_is_free(record, name)):
        return None
    low = min(float(s["low"].min()) for s in series)
    high = max(float(s["high"].max()) for s in series)
    if math.isnan(low) or math.isnan(high) or low == high:
        return None
    loss = next(iter(record.facts["losses"].values()))
    numbers = record.task == "regression"
    bound = _bound(low, high, 1 if "(all)" in record.outputs else len(series), numbers)
    if not bound or (bound == ABOVE_ALONE and record.well):
        return None
    if loss in OF_SCORES:
        wants = f"{loss} takes scores of any size"
    elif numbers and _targets_beyond(record, low, high, bound):
        targets = record.facts["targets"]
        wants = f"targets go from {targets['low']:.3g} to {targets['high']:.3g}"
    else:
        return None
    evidence = [
        f"outputs on the training set are between {low:.3g} and {high:.3g} in all "
        f"{len(series[0].iterations)} evaluations: never {bound}",
        f"last layer: {name} ({kind}); {wants}" if kind else wants,
    ]
    if said := record.said("train"):
        evidence.append(said)
    return Finding(
        "squashed scores",
        evidence,
        (
            "No score says less than nothing."
            if kind == "Softplus"
            else "No gradient passes where a score is cut off, and none says less than nothing."
        )
        if bound == ABOVE_ALONE and loss in OF_SCORES
        else "The loss can fall only so far, and gradients fade where the outputs come to their "
        "end: the net can never be sure, or cannot say what it should.",
        [
            f"take {name or 'the last layer'} out: the loss wants what comes before it",
            *(["CrossEntropyError, if it is a softmax"] if loss == "SoftmaxWithLoss" else []),
        ],
        explains=(
            *("dead ReLUs", "saturated units", "vanishing gradients", "learning rate too low"),
            *("learning rate too high", "training too short", "wrong labels", "nothing learned"),
            *("too little capacity", "unequal classes", "gradients are zero", "over-fitting"),
        ),
    )


def _reads_what_is_free(record, name: str) -> bool:
    """Is what stands before such layers known not to squash, or not known at all, as with
    branches?"""
    kinds = record.facts["layers"]
    before = list(kinds)[: list(kinds).index(name)]
    read = next((kinds[one] for one in reversed(before) if kinds[one] not in BY_NUMBER), "")
    return record.has_branches or read in FREE


def _bound(low: float, high: float, outputs: int, one_end: bool) -> str:
    """What the outputs never are, "" if nothing seems to bound them. Of a tanh both ends must have
    been reached, or `one_end`, where targets lie beyond it alone. Many outputs that are not
    squashed do not all begin above 0; of few it may be chance unless they come to an end."""
    if low >= 0.0 and (outputs >= MANY or low < NEAR * min(high, 1.0)):
        if high > 1.0:
            return ABOVE_ALONE
        return "below 0 or above 1" if outputs >= MANY or high > 1.0 - NEAR else ""
    ends = (-1.0 <= low < -1.0 + NEAR, 1.0 - NEAR < high <= 1.0)
    if all(ends) or (one_end and any(ends) and low >= -1.0 and high <= 1.0):
        return "below -1 or above 1"
    return ""


def _targets_beyond(record, low: float, high: float, bound: str) -> bool:
    """Do targets lie further out than the outputs, by a quarter of their deviation?"""
    targets = record.facts.get("targets", {})
    if None in (targets.get("low"), targets.get("high"), targets.get("std")):
        return False
    more = 0.25 * targets["std"]
    above = "above" in bound and targets["high"] > high + more
    return (targets["low"] < low - more or above) and not record.train > 0.9
