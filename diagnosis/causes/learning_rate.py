"""The rate, by the size of the updates and by what the loss did."""

import math

import numpy as np

from lamina.diagnosis.causes.initial_weights import SMALL, began_near_0, he_norm
from lamina.diagnosis.finding import Finding, largest, median
from lamina.diagnosis.linear import is_linear
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.recorded import number

START = 1e-2  # what the largest first update of healthy runs is, as a share of the weights
ADA_GRAD = 10.0  # times that: its first update is its largest, of step t it is 1/√t at most
THUMB = 1e-3  # CS231n, "Neural networks part 3": update / weight should be about this
TOO_HIGH, TOO_LOW = 0.2, 5e-4
UNMOVED = 3e-5  # of the weights, by which nothing else can have been tried yet
LARGE = 5.0 * START  # at first, where nothing moves any more
GROWN = 5.0  # times, that weights or losses grow in no healthy run
ENDED = 0.01  # of the rate, at which a schedule has ended the training
SHORT = 200  # iterations, up to which a low rate may be a warm-up
LITTLE = 0.05  # of the highest rate, on the mean over the run: a schedule that has ended it early
OF_THE_GRADIENT = ("SGD", "Momentum", "Nesterov")  # rules whose steps are as large as it
SETTLED, STEADY = 0.01, 0.05  # of the loss: below guessing; by which it moves where it rests
FAR_ABOVE, ON_ITS_WAY = 2.0, 1.1  # times the loss of guessing
FALLEN = 0.15  # below its own best score: a net that has been thrown back
RESTING, AT_WORK = 0.1, 0.15  # of the fall, in the second half of a run; of the rate, then
STILL = 0.08  # of the loss in the third quarter, and of all it has fallen: still falling


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
    return _too_high(record, [*evidence, *_losses(record)]) if evidence else None


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


def ratios_of(record, name: str) -> np.ndarray:
    """Update / weight in each record, of tables that are still near 0 update / `_norms`."""
    series = record.weights[name]
    return series["update_ratio"] * (series["weight_norm"] / _norms(record, name))


def _median_ratio(record, name: str) -> float:
    return record.weights[name].median(ratios_of(record, name))


def _norms(record, name: str) -> np.ndarray:
    """The norms of these weights. What may start at 0 or near it has at least another: a table of
    words, whose rows are looked up and multiplied with nothing, that of rows of length 1, others
    that of He's rule. Else any first update of theirs would seem a large one."""
    norms = record.weights[name]["weight_norm"]
    if record.kind_of(name) == "Embedding":
        norms = np.maximum(norms, math.sqrt(record.matrices[name]["shape"][0]))
    elif began_near_0(record, name, SMALL):
        norms = np.maximum(norms, he_norm(record, name))
    return np.where(norms > 0, norms, math.nan)


def _killed(record) -> bool:
    """Has a layer of ReLUs that was alive died while training?"""
    dead = [s["dead"] for s in record.layers.values()]
    return any(d[0] < 0.5 and d[-1] >= 0.9 for d in dead)


def _many_large_updates(record) -> list[str]:
    if _came_to_guessing(record):
        return []
    for name in record.weights:
        ratio, norms = _median_ratio(record, name), _norms(record, name)
        if ratio >= TOO_HIGH / 10 and norms[-1] > GROWN * norms[0]:
            series = record.weights[name]  # what was measured, whatever the limits are beside
            ratio, norms = series.median("update_ratio"), series["weight_norm"]
            return [
                f"update / weight of {name} is {ratio:.2g} at the median; rule of thumb: {THUMB:g}",
                f"its norm has grown from {norms[0]:.3g} to {norms[-1]:.3g}",
            ]
    return []


def _came_to_guessing(record) -> bool:
    """Numbers: has the loss fallen from far above that of guessing to it, and never shot up? Such
    weights have grown since there was a long way to go."""
    guess = record.guessing_loss
    if record.task != "regression" or not guess or not record.end_loss < ON_ITS_WAY * guess:
        return False
    losses = record.loss["loss"]
    far = float(np.mean(losses[:5])) > FAR_ABOVE * guess
    return far and largest(losses) <= GROWN * abs(record.start_loss)


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
        ratios, norms = ratios_of(record, name), _norms(record, name)
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


def still_falling(record) -> bool:
    """Is the mean loss of the last quarter lower than that of the third by a share that matters,
    and by more than three times what the means scatter by, or that of the whole training set lower
    at each of the last evaluations?"""
    whole = record.history.get("train_loss", np.empty(0))[-5:]
    steady = len(whole) == 5 and bool((np.diff(whole) < 0).all())
    return _falls(record.loss["loss"], steady)


def _falls(losses: np.ndarray, steady: bool = False) -> bool:
    quarter = len(losses) // 4
    if quarter < 2:
        return True
    before, last = (losses[i * quarter : (i + 1) * quarter] for i in (2, 3))
    falling = before.mean() - last.mean()
    scatter = math.sqrt((before.var() + last.var()) / quarter)
    matters = min(STILL * abs(before.mean()), STILL * (losses[0] - last.mean()))
    return bool(falling > matters and (steady or falling > 3.0 * scatter))


def rate_too_low(record, earlier) -> Finding | None:
    """Updates far below the rule of thumb, and a loss that has hardly fallen; or a schedule that
    has ended the training before the net has learned much, or all that it could."""
    if earlier or record.iterations <= SHORT:
        return None
    if record.train > record.halfway and not _cut_short(record):
        return None
    ratios = [_median_ratio(record, name) for name in record.weights]
    ratio = largest(ratios) if ratios else math.nan
    hardly = record.end_loss > record.start_loss - 0.3 * abs(record.start_loss)
    at_rest = _has_come_to_rest(record) or record.has_what_is_told
    low = ratio <= TOO_LOW and hardly and not at_rest
    at, rate = _early(record)
    if not low and not _was_ended(record, rate):
        return None
    said = f"{_measured(record, ratio)} at the median; rule of thumb: {THUMB:g}"
    if not low:
        said = f"the rate was {rate:.2g} at iteration {at:,.0f} of {record.iterations:,}"
    evidence = [said, *_losses(record)]
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
    return len(ends) > 0 and _falls(record.loss["loss"][: ends[-1] + 1])


def _has_come_to_rest(record) -> bool:
    """Has the loss of the training set fallen, and hardly so in the second half of the run, though
    the rate was there? One that is too low lets it fall on and on."""
    losses, at = record.history.get("train_loss", ()), record.history.get("iteration", ())
    if len(losses) < 4 or not losses[0] > losses[-1]:
        return False
    half = int(np.searchsorted(at, at[-1] / 2))
    late = record.factors[int(at[half]) - 1 :]
    return late.sum() > AT_WORK * len(late) and losses[half] - losses[-1] < RESTING * (
        losses[0] - losses[-1]
    )


def _measured(record, ratio: float) -> str:
    """The largest median of the updates in words; beside what, where it is not the weights."""
    for name, series in record.weights.items():
        own = series.median("update_ratio")
        if _median_ratio(record, name) == ratio and own != ratio:
            norm = series.median(_norms(record, name))
            return (
                f"update / {norm:.3g}, the norm that {name} may have as a rule, is {ratio:.2g} "
                f"(its own norm was {series.median('weight_norm'):.2g})"
            )
    return f"update / weight is {ratio:.2g}"


def _by_the_loss(record) -> Finding | None:
    """Nothing was recorded, so only the loss can tell."""
    peak = largest(record.loss["loss"])
    if not (peak - record.start_loss > 9.0 * abs(record.start_loss) and is_lost(record)):
        return None
    return _too_high(record, _losses(record))


def _too_high(record, evidence: list[str]) -> Finding:
    return Finding(
        "learning rate too high",
        evidence,
        "Each step overshoots: the weights land where the loss is higher than before, and from "
        "there further off.",
        [
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


def better_rate(record, larger: bool) -> str:
    """The rate at which the first update would have been START of the weights; the updates of most
    rules are proportional to it. One at a part of the rate, as in a warm-up, is taken as at the
    full rate, which is the one that is said. Three times as large, or small, at least."""
    first = [
        float(ratios_of(record, name)[0]) / factor
        for name, series in record.weights.items()
        if series.iterations[0] == 1 and (factor := record.factor_at(1)) > 0
    ]
    first = [ratio for ratio in first if 0 < ratio < math.inf]
    start = START * (ADA_GRAD if record.optimizer.get("type") == "AdaGrad" else 1.0)
    factor = start / max(first) if first else (10.0 if larger else 0.1)
    factor = max(factor, 3.0) if larger else min(factor, 1.0 / 3.0)
    return f"lr: about {record.lr * factor:.1g} instead of {record.lr:g}"


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
    """Does the net miss what is known to be within reach, and had a schedule all but ended the
    training while the loss was still falling, or left next to nothing of the rate?"""
    best, factors = record.simple[0], record.factors
    if math.isnan(best) or record.train >= best - MISSED or not factors.min() < factors.max():
        return False
    return _left_off(record)


def is_lost(record) -> bool:
    """Did the run overflow, end hardly better than it began, or no better than guessing? A net that
    has learned something has recovered from whatever large update it once had, and one that has
    learned what noise leaves may have little to show for it in its loss."""
    if record.culprit.get("when") in ("forward", "backward", "update"):
        return True
    if _has_settled(record):
        return False
    hardly = record.end_loss > record.start_loss - 0.1 * abs(record.start_loss)
    return record.has_risen or (hardly and not record.well) or record.guesses


def _has_settled(record) -> bool:
    """Has the loss of the training set come to stay where it is lowest, below that of guessing? Of
    a net that says little, as a line through noise or waves, its figure cannot tell."""
    losses, guess = record.history.get("train_loss", np.empty(0)), record.guessing_loss
    late = losses[len(losses) // 2 :]
    if len(late) < 3:
        return False
    says_more = guess is not None and late[-1] < (1.0 - SETTLED) * guess
    if not says_more and not is_linear(record):  # with activations it may rest where these are dead
        return False
    return bool(late.max() - losses.min() <= STEADY * abs(late[-1]))


def _losses(record) -> list[str]:
    peak, at = largest(record.loss["loss"]), int(record.loss["loss"].argmax())
    line = f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end"
    if peak - record.start_loss > 0.5 * abs(record.start_loss) and record.iterations:
        line += f", {peak:.3g} at iteration {record.loss['iteration'][at]:.0f}"
    figures = [record.said("train")] if not math.isnan(record.train) else []
    return [line, *figures]
