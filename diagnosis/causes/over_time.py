"""Gradients that grow or shrink from step to step of a recurrent layer."""

import math

import numpy as np

from lamina.diagnosis.finding import Finding, largest
from lamina.diagnosis.progress import GROWN
from lamina.diagnosis.record import BY_HEART
from lamina.diagnosis.updates import TOO_HIGH, TOO_LOW

EXPLODING = 1000.0  # times, from the last step to the first
LARGE = 1.0  # gradients that clip_norm would leave as they are throw no net away
FADED = 1e-3  # on the whole, where it was less than the following for a time
LOST = 5e-5  # at some time, of one that has learned nothing that holds for others
VANISHING = 1e-5  # what is left at the first step; a layer whose 28 steps keep 0.71 each has 1e-4


def exploding_over_time(record, earlier) -> Finding | None:
    """The gradient at the first step is many times that at the last, no clip_norm holds it, and the
    loss overflowed or shot up, or nothing was learned. Pascanu et al. 2013, section 2.

    An update that replaced weights before that is another cause. Where each step has a loss of its
    own, the first gathers those of all T, which is at most T times as much; the limit is above it.
    """
    names = [n for n in record.steps if _growth(record.steps[n]) > 1.0]
    if not names or record.optimizer.get("clip_norm") or not _went_wrong(record):
        return None
    name = max(names, key=lambda n: _growth(record.steps[n]))
    series = record.steps[name]
    at = int((_ratios(series) > _limit(series)).argmax())
    iteration, steps = series.iterations[at], series["steps"][at]
    if _thrown_before(record, iteration) or not (record.failed or series["first"][at] > LARGE):
        return None
    evidence = [
        f"gradient of {name} at iteration {iteration:.0f}: {series['last'][at]:.2g} at the last "
        f"step, {series['first'][at]:.2g} at the first of {steps:.0f}",
        f"loss {record.start_loss:.3g} at the start, {largest(record.loss['loss']):.3g} at the "
        "highest, and no clip_norm",
    ]
    return Finding(
        "exploding gradients over time",
        evidence,
        f"Each step back multiplies the gradient by about {_factor(series, at):.2g}: over the "
        "steps of a sequence this grows beyond all bounds, and one update throws the net away.",
        [
            "clip_norm: 1.0 under optimizer",
            "smaller first recurrent weights: leave out init:, or tanh instead of relu",
            "Lstm or Gru instead of Rnn",
            "shorter sequences; of one long text, pieces of it with stateful: true",
        ],
        explains=(
            *("exploding depth", "learning rate too high", "dead ReLUs", "saturated units"),
            *("vanishing gradients", "learning rate too low", "wrong labels", "overflow"),
            *("too little capacity", "over-fitting", "initial weights too large"),
        ),
    )


def vanishing_over_time(record, earlier) -> Finding | None:
    """Next to nothing of the gradient at the last step is left at the first, throughout the run,
    and the net has learned nothing that holds beyond its training samples. Hochreiter 1991;
    Bengio et al. 1994.

    Whatever else was found is the better explanation: a rate that is too high, say, drives all
    tanhs to their ends. Only judged where a sequence is asked for one output: where each step has
    a loss of its own, the first has the gradient of its own, whatever comes back from the others.
    """
    ratios = {
        name: series.median(_ratios(series))
        for name, series in record.steps.items()
        if (series["asked"] == 1).all()
    }
    blind = short_sighted(record)
    limit = FADED if blind else VANISHING
    name = min((n for n in ratios if ratios[n] < limit), key=ratios.__getitem__, default=None)
    if earlier or name is None or not _hardly_learned(record, by_heart=blind):
        return None
    series = record.steps[name]
    steps, kind = series["steps"][-1], record.facts.get("layers", {}).get(name, "")
    from_the_end = name in record.facts.get("from_the_end", ())
    far, near = ("late", "early") if from_the_end else ("early", "late")
    way = ", from the end on" if from_the_end else ""
    evidence = [
        f"gradient of {name}, medians: {series.median('last'):.2g} at the last step, "
        f"{series.median('first'):.2g} at the first of {steps:.0f}{way}",
        f"{record.said('train', 'test')} after {record.last_evaluated:,} iterations",
    ]
    return Finding(
        "vanishing gradients over time",
        evidence,
        f"What comes back to the first step is {ratios[name]:.1g} of the gradient at the last: "
        f"what stands {far} in a sequence cannot be learned, only what stands {near}."
        + (
            " Labels that do not follow from the sequences at all look the same."
            if record.train > record.halfway or record.train - record.test > BY_HEART
            else ""
        ),
        [
            *(["Lstm or Gru instead of Rnn"] if kind == "Rnn" else []),
            "larger first recurrent weights, if init: makes them small",
            "shorter sequences, or no reverse: true"
            if from_the_end
            else "shorter sequences, or reverse: true if what counts stands at the start",
            "attention, which reaches each position in one step",
        ],
        explains=(
            *("vanishing gradients", "learning rate too low", "training too short"),
            *("wrong labels", "too little capacity", "over-fitting", "nothing learned"),
        ),
    )


def short_sighted(record) -> bool:
    """Did a recurrent layer that is asked for one output have at some time next to nothing of the
    gradient at the first step? Then what a net can learn until then stands late in a sequence, and
    it may have learned its samples by heart from there, whatever stands early."""
    return any(map(_loses_sight, record.steps.values()))


def _loses_sight(series) -> bool:
    return bool((series["asked"] == 1).all() and (_ratios(series) < LOST).any())


def not_seen(record) -> str:
    """The least that came back to the first step of such a layer, in words; "" without one."""
    names = [n for n, series in record.steps.items() if _loses_sight(series)]
    if not names:
        return ""
    name = min(names, key=lambda n: np.nanmin(_ratios(record.steps[n])))
    series = record.steps[name]
    at = int(np.nanargmin(_ratios(series)))
    return (
        f"gradient of {name} at its least, iteration {series.iterations[at]:.0f}: "
        f"{series['last'][at]:.2g} at the last step, {series['first'][at]:.2g} at the first of "
        f"{series['steps'][at]:.0f} steps"
    )


def _ratios(series) -> np.ndarray:
    """First / last of each record; NaN where there is no gradient at all."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return series["first"] / series["last"]


def _limit(series) -> np.ndarray:
    return EXPLODING * np.maximum(series["asked"], 1.0)


def _growth(series) -> float:
    """The largest ratio, as a multiple of its limit."""
    return largest(_ratios(series) / _limit(series))


def _factor(series, at: int) -> float:
    """What a step back multiplies by, in the geometric mean."""
    return float(_ratios(series)[at] ** (1.0 / max(series["steps"][at] - 1.0, 1.0)))


def _went_wrong(record) -> bool:
    peak = largest(record.loss["loss"]) if record.iterations else math.nan
    return record.failed or peak > GROWN * abs(record.start_loss) or record.guesses


def _hardly_learned(record, by_heart: bool) -> bool:
    """No better than a guess on other samples, and not well on those of the training, unless these
    may have been learned `by_heart`: they can be told apart by their last steps alone. A net that
    hardly moves has not tried."""
    if math.isnan(record.train):
        return False
    moves = largest([s.median("update_ratio") for s in record.weights.values()] or [math.nan])
    if moves < TOO_LOW or not (by_heart or record.train < record.halfway):
        return False
    chance = record.figure.chance("test")
    return record.guesses or record.test < chance + 0.1 * (1.0 - chance)


def _thrown_before(record, iteration: float) -> bool:
    updates = [s["update_ratio"][s.iterations < iteration] for s in record.weights.values()]
    return any((u >= TOO_HIGH).any() for u in updates)
