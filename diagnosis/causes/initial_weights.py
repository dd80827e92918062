"""How the weights started."""

import itertools
import math

import numpy as np

from lamina.diagnosis.finding import EVERYTHING, Finding, listed
from lamina.diagnosis.he_rule import SMALL, TOO_SMALL, times_he

TOO_LARGE = 8.0  # times the deviation of He's rule
UNLEARNING, SMOOTHED = 0.05, 10  # of the run; losses of batches whose mean is looked at


def equal_weights(record, earlier) -> Finding | None:
    """All weights of a hidden layer the same, such as zero, and those above it too, or they stay
    so: its units stay copies of each other.

    The last layer may start at zero: its units have different targets. So may another, as that of
    a residual branch, if what is above it tells its units apart. Goodfellow, Bengio and Courville
    2016, "Deep Learning", section 8.4, on breaking symmetry.
    """
    same = [name for name, p in record.matrices.items() if p["std"] == 0]
    above = dict(itertools.pairwise(record.matrices))
    if record.has_branches:
        above = {}  # what stands next in the list may be the last of another branch
    equal = {
        n: record.matrices[n]["mean"]
        for n in same
        if record.matrices[n]["learns"] and math.prod(record.matrices[n]["shape"]) > 1
        if not record.is_head(n) and (above.get(n) in same or _stays(record, n))
    }
    if not equal or record.train > 0.9:
        return None
    evidence = [
        f"all weights of {listed(n for n, mean in equal.items() if mean == value)} started at "
        f"{value:g}"
        for value in dict.fromkeys(equal.values())
    ]
    series = [record.parameters[name] for name in equal if name in record.parameters]
    if series and not any(s["weight_norm"][-1] for s in series):
        evidence.append(f"they are still 0 at iteration {series[0].iterations[-1]:.0f}")
    if not math.isnan(record.train):
        evidence.append(record.said("train"))
    return Finding(
        "equal weights",
        evidence,
        "Units that start the same get the same gradient and stay the same (at zero, often none "
        "at all): a layer of them is as good as one unit.",
        ["take the default he_normal, or xavier_normal before sigmoids; zeros are for biases"],
        explains=(
            *("dead ReLUs", "vanishing gradients", "learning rate too low", "wrong labels"),
            *("too little capacity", "learning rate too high", "weight decay too strong"),
            *("gradients are zero", "training too short", "nothing learned", "unequal classes"),
        ),
    )


def _stays(record, name: str) -> bool:
    """Are weights that began at zero still there?"""
    series = record.parameters.get(name)
    return series is not None and not series["weight_norm"][-1]


def weights_too_large(record, earlier) -> Finding | None:
    """Many times the deviation that keeps the size of signals, and first outputs that are far off
    or a net that has not learned well. He et al. 2015, equation 10."""
    times = times_he(record)
    guess = record.guessing_loss
    far_off = guess is not None and record.start_loss > 5 * guess
    large = {n: k for n, k in times.items() if k > (3.0 if far_off and not earlier else TOO_LARGE)}
    if not large or (record.well and not (far_off and _takes_long(record, guess))):
        return None
    squashing = {"Sigmoid", "Tanh"} & {*record.facts.get("layers", {}).values()}
    worst = max(large, key=large.__getitem__)
    std = record.facts["parameters"][worst]["std"]
    evidence = [
        f"{worst} started with deviation {std:.3g}, {large[worst]:.3g} times that of He's rule"
    ]
    if len(large) > 1:
        evidence.append(f"too large: {listed(large)}")
    if guess is not None:
        evidence.append(f"first loss {record.start_loss:.3g}; guessing costs {guess:.3g}")
    return Finding(
        "initial weights too large",
        evidence,
        "The first outputs are huge and surely wrong"
        + (", sigmoids sit at their ends" if squashing else "")
        + ", and training spends its steps on unlearning the start."
        if far_off or (guess is None and not _is_brought_to_size(record))
        else "Units sit where hardly a gradient passes, and in front of a normalization a step "
        "hardly turns weights that are so long.",
        [
            "leave out init: (he_normal is the default), or std: no larger than "
            f"{std / large[worst]:.2g} for {worst}"
        ],
        explains=(
            *("exploding depth", "learning rate too high", "dead ReLUs", "saturated units"),
            *("vanishing gradients", "overflow", "over-fitting", "too little capacity"),
            *("learning rate too low", "wrong labels"),
        ),
    )


def _takes_long(record, guess: float) -> bool:
    """Is more than a twentieth of the run over before the loss is that of guessing?"""
    losses = record.loss["loss"]
    if len(losses) < SMOOTHED:
        return True
    there = np.convolve(losses, np.full(SMOOTHED, 1.0 / SMOOTHED), "valid") <= guess
    return not there.any() or int(there.argmax()) > UNLEARNING * len(losses)


def weights_too_small(record, earlier) -> Finding | None:
    """Hidden weights of a small fraction of the deviation that keeps the size of signals, and a net
    that has not learned. The last layer may start small."""
    times = {n: k for n, k in times_he(record).items() if not record.is_head(n)}
    small = {n: k for n, k in times.items() if k < TOO_SMALL} or _small_together(times)
    small = {} if _is_brought_to_size(record) else small
    if earlier or not small or not record.train < record.halfway:
        return None
    worst = min(small, key=small.__getitem__)
    std = record.facts["parameters"][worst]["std"]
    evidence = [
        f"{worst} started with deviation {std:.3g}, {small[worst]:.2g} times that of He's rule"
    ]
    if len(small) > 1:
        evidence.append(f"too small: {listed(small)}")
    if said := record.said("train"):
        evidence.append(said)
    return Finding(
        "initial weights too small",
        evidence,
        "Signals shrink in such a layer to next to nothing, and so do the gradients of all layers: "
        "there is hardly anything to go by.",
        [f"leave out init: (he_normal is the default), or std: about {std / small[worst]:.2g}"],
        explains=(EVERYTHING,),
    )


def _is_brought_to_size(record) -> bool:
    """Is a signal normalised somewhere, or does it pass beside layers?"""
    kinds = record.facts.get("layers", {}).values()
    return any(kind.endswith("Normalization") or kind == "Addition" for kind in kinds)


def _small_together(times: dict[str, float]) -> dict[str, float]:
    """Layers that are small one behind the other shrink a signal by the product of all."""
    small = {name: k for name, k in times.items() if k < SMALL}
    return small if math.prod(small.values()) < TOO_SMALL else {}
