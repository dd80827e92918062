"""Batch normalisations whose running averages are not those of the training set: not yet, or of too
few samples to be."""

import math

import numpy as np

from lamina.common.percent import percent
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.recorded import number

STILL_THERE = 0.02  # of an average: what it began with, mean 0 and variance 1
TIMES = 3.0  # the loss of the training set as it is evaluated, over that of its batches
SHARE = 0.05  # of the loss at the start, by which the two are apart at least
USUAL = 0.9
FEW = 64.0  # samples, of which an average of one size of batch hardly says more than a batch
MATTER = 0.02  # of the first loss
JUMPS = 0.2  # of the loss, by which it moves from one evaluation to the next


def averages_behind(record, earlier) -> Finding | None:
    """A net that does well on its batches, and badly on the same samples when it is evaluated: then
    it normalises by running averages, in which momentum^iterations of their first values are left
    (Ioffe and Szegedy 2015, section 3.1)."""
    momentum = {n: m for n, m in record.facts.get("averages", {}).items() if 0.0 < m < 1.0}
    if earlier or not momentum or not record.iterations:
        return None
    name = max(momentum, key=momentum.__getitem__)
    several = number(record.training.get("accumulate", 1))
    if not len(record.history["iteration"]):
        return None
    batches = record.last_evaluated * (int(several) if several >= 1 else 1)
    uses = record.facts.get("uses", {}).get(name, 1)  # each takes in a mean
    left = momentum[name] ** (batches * uses)
    evaluated = record.history.get("train_loss", np.empty(0))[-1:]
    if left < STILL_THERE or not len(evaluated):
        return None
    end_loss = record.loss_at(record.last_evaluated) / record.in_a_loss
    start_loss = record.start_loss / record.in_a_loss
    apart = evaluated[0] - max(TIMES * end_loss, end_loss + SHARE * start_loss)
    if not (apart > 0.0 and math.isfinite(end_loss)):
        return None
    evidence = [
        f"loss {end_loss:.3g} on the batches before the last evaluation, {evaluated[0]:.3g} on the "
        "training set as it is evaluated",
        f"of the running averages of {name}, {percent(left, 1)} are still what they began with: "
        f"momentum {momentum[name]:g}, {batches:,} batches"
        + (f" at {uses} places" if uses > 1 else ""),
    ]
    if said := record.said("train", "test"):
        evidence.append(said)
    smaller = [f"momentum: {USUAL:g} instead of {momentum[name]:g} in {name}"]
    return Finding(
        "running averages behind",
        evidence,
        "In training a batch is normalised by itself, in evaluation by averages that have not come "
        "to what they average: every figure is of a net that was never trained.",
        [*smaller, "more iterations"] if momentum[name] > USUAL else ["more iterations"],
        explains=(
            *("learning rate too high", "learning rate too low", "unequal classes", "over-fitting"),
            *("training too short", "wrong labels", "too little capacity", "nothing learned"),
        ),
    )


def averages_noisy(record, earlier) -> Finding | None:
    """A momentum by which running averages are those of a few samples, and a net whose loss jumps
    up and down from evaluation to evaluation. With momentum m an average varies as the mean of
    (1 + m) / (1 - m) batches does."""
    momentum = {n: m for n, m in record.facts.get("averages", {}).items() if 0.0 <= m < USUAL}
    losses = record.history.get("train_loss", np.empty(0))
    losses = losses[len(losses) // 2 :]
    if earlier or not momentum or len(losses) < 4:
        return None
    name = min(momentum, key=momentum.__getitem__)
    m = momentum[name]
    batch = number(record.facts.get("batch_size", math.nan))
    samples = batch * record.facts.get("uses", {}).get(name, 1) * (1.0 + m) / (1.0 - m)
    steps = np.diff(losses)
    turns = float(np.mean(steps[1:] * steps[:-1] < 0.0))
    jump = float(np.median(np.abs(steps)))
    matters = MATTER * abs(record.start_loss) / record.in_a_loss
    jumps = jump > max(JUMPS * float(np.median(losses)), matters)
    if not (samples < FEW and turns >= 0.5 and jumps):
        return None
    evidence = [
        f"the running averages of {name} are those of about {samples:.0f} samples: momentum {m:g}, "
        f"batches of {batch:g}",
        f"loss on the training set at the last {len(losses)} evaluations {losses.min():.3g} to "
        f"{losses.max():.3g}, {losses[-1]:.3g} at the last",
    ]
    if said := record.said("train", "test"):
        evidence.append(said)
    return Finding(
        "running averages noisy",
        evidence,
        "In evaluation the net normalises by averages that are mostly those of its last batches: "
        "every figure is a draw of luck, whatever the weights are.",
        [
            f"momentum: {USUAL:g} instead of {m:g} in {name}: here it is the share that an average "
            "keeps, in PyTorch the share that is new",
            "larger batches",
        ],
        explains=(
            *("learning rate too high", "learning rate too low", "unequal classes", "over-fitting"),
            *("training too short", "wrong labels", "too little capacity", "nothing learned"),
        ),
    )
