"""The size of the targets, where they are numbers."""

import math

from lamina.common.percent import percent
from lamina.diagnosis.causes.capacity import too_little_capacity
from lamina.diagnosis.causes.dropout import dropout_too_strong
from lamina.diagnosis.causes.far_off import far_too_high, far_too_low
from lamina.diagnosis.finding import EVERYTHING, Finding, largest
from lamina.diagnosis.linear import is_linear
from lamina.diagnosis.record import MISSED
from lamina.diagnosis.updates import first_ratios

FAR, FEW_OF_THEM = 10.0, 5.0  # deviations from the mean; how many may lie out there
_ROBUST = {"AbsoluteErrorLoss", "HuberLoss"}
FORETOLD = 0.9  # the score of a net that knows where the marks of other samples stand
BORNE = 0.3  # of the weights: a first update that nets have recovered from
LARGEST, SMALLEST = 10.0, 0.01  # deviation, or mean: outputs start at about 1


def a_mark_among_targets(record, earlier) -> Finding | None:
    """Targets that are all one number far from all others, and a net that does not know where these
    stand. One that does may have learned what is right: health.py says it then."""
    if earlier or not record.marked_said or record.best_unseen > FORETOLD:
        return None
    evidence = [record.marked_said]
    if said := record.said("train", "test"):
        evidence.append(said)
    return Finding(
        "a mark among targets",
        evidence,
        "One number that comes again and again, far from all others, mostly stands for what is "
        "missing: the net learns it as a number, and every figure is made of it.",
        [
            "if it stands for what is missing: take these samples out; of a CSV missing_marks "
            "says where the first is",
            *(
                []
                if _is_robust(record) and record.figure is not None and record.figure.name == "mae"
                else ["if it is a number: HuberLoss and metrics: [mae]"]
            ),
        ],
        explains=(EVERYTHING,),
    )


def targets_far_out(record, earlier) -> Finding | None:
    """One target, or a few, so far from all others that mean and deviation are their work. Of n
    numbers k that lie equally far out are √(n / k) deviations away."""
    if earlier or (found := _furthest(record)) is None:
        return None
    end, far, n = found
    targets = record.facts["targets"]
    if record.train >= record.reachable - MISSED and record.train > 0.5:
        return None
    losses, robust = set(record.facts.get("losses", {}).values()), _is_robust(record)
    if robust and (record.figure is None or record.figure.name == "mae"):
        return None  # neither gradients nor a figure are made of squares
    evidence = [
        f"a target is {targets[end]:.4g}, {abs(far):.0f} deviations from the mean of {n:,}: "
        f"it alone has {percent(min(far * far / n, 1.0), 1)} of the sum of all squares"
    ]
    if said := record.said("train", "test"):
        evidence.append(said)
    return Finding(
        "targets far out",
        evidence,
        f"{' and '.join(sorted(losses))} hardly follows a few samples, but {record.figure.name} "
        "does: it shows how these are missed, and not how the others are answered."
        if robust
        else f"Squared errors are those of a few samples: {_made_of_them(record)}whatever is "
        "scaled by mean or deviation comes from them.",
        [
            "look at these samples: a slip of the pen, another unit, a mark for what is missing",
            "if they are right: metrics: [mae] under training, which the many decide"
            if robust
            else "if they are right: the logarithm of the targets, or HuberLoss",
        ],
        explains=(EVERYTHING,),
    )


def _is_robust(record) -> bool:
    """Do its gradients not grow with the errors?"""
    losses = set(record.facts.get("losses", {}).values())
    return bool(losses) and losses <= _ROBUST


def _made_of_them(record) -> str:
    """What else is made of squared errors in this run."""
    made = []
    if "SquaredErrorLoss" in record.facts.get("losses", {}).values():
        made.append("gradients")
    if record.figure is not None and record.figure.name != "mae":
        made.append(record.figure.name)
    return "".join(f"{one} and " for one in made)


def _furthest(record) -> tuple[str, float, int] | None:
    """(which end, how many deviations from the mean, of how many numbers) of a target that lies too
    far out for its deviation to be that of the others."""
    targets = record.facts.get("targets")
    if not targets or None in targets.values() or not targets["std"] > 0:
        return None
    far = {end: (targets[end] - targets["mean"]) / targets["std"] for end in ("low", "high")}
    end = max(far, key=lambda end: abs(far[end]))
    n = targets.get("numbers") or record.facts.get("samples", 0) * targets.get("width", 1)
    if abs(far[end]) < FAR or abs(far[end]) < math.sqrt(n / FEW_OF_THEM):
        return None
    return end, far[end], n


def targets_not_scaled(record, earlier) -> Finding | None:
    """Targets far from mean 0 and deviation 1, and a net that has not come near them. The first
    outputs are of deviation 1, and gradients grow as the errors do. Bishop 1995, "Neural Networks
    for Pattern Recognition", section 8.2."""
    targets = record.facts.get("targets")
    if not targets or None in (targets.get("mean"), targets.get("std")) or earlier:
        return None
    mean, std = targets["mean"], targets["std"]
    if _furthest(record) is not None:
        return None  # by which neither says anything of the others
    large, size = abs(mean) > LARGEST or std > LARGEST, math.hypot(mean, std)
    if not large and not std < SMALLEST:
        return None
    if _outputs_fit(record, mean, std) or _has_arrived(record):
        return None
    if not record.failed and dropout_too_strong(record, ()) is not None:
        return None
    if far_too_low(record) or far_too_high(record, 1.0 if _is_robust(record) else size):
        return None
    huge = std > LARGEST or abs(mean) > 10.0 * LARGEST
    if record.failed and not huge and not _would_have_fitted(record, size):
        return None  # the rate would be too high for others too
    if not std > 0 and record.facts.get("samples", 2) < 2:
        return None
    learned = record.train > 0.5 or record.well or record.has_what_is_told
    learned = learned and std > 0
    far = not learned or record.train < record.simple[0] - MISSED
    if not (record.failed or far):
        return None
    together = ", all of a sample together, have" if targets.get("width", 1) > 1 else " have"
    evidence = [
        f"targets{together} mean {mean:.3g} and deviation {std:.3g}; outputs start near 0 and 1",
        f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end",
    ]
    if said := record.said("train"):
        evidence.append(said)
    return Finding(
        "targets not scaled",
        evidence,
        "All targets are one number."
        if not std > 0
        else "The outputs have a long way to go, by steps that do not grow with the errors."
        if large and _is_robust(record)
        else "Errors, and with them gradients, are as large as the targets: a rate that suits the "
        "weights is too high for them, or the outputs have a long way to go."
        if large
        else "The targets are far smaller than what a net works with, numbers of about 1: outputs "
        "that begin there hide them, and of others next to nothing comes back to earlier layers.",
        [
            _advice(mean, std, targets.get("width", 1))
            if std > 0
            else "the targets are all the same: there is nothing to learn",
        ],
        explains=(EVERYTHING,),
    )


def _outputs_fit(record, mean: float, std: float) -> bool:
    """Do the first outputs lie where the targets do, as behind a Scale and a Bias?"""
    last = record.layers.get(record.last_layer)
    if last is None or record.last_layer == "(input)" or not std > 0:
        return False
    return 0.1 < last["std"][0] / std < 10 and abs(last["mean"][0] - mean) < 3 * std


def _would_have_fitted(record, size: float) -> bool:
    """Would the first updates have been no too large part of the weights with targets of size 1?
    They grow as the first errors do, in rules whose steps are as large as the gradient."""
    return largest(first_ratios(record) or [math.nan]) <= BORNE * size


def _has_arrived(record) -> bool:
    """Has it got as far as so small a net can, on whatever scale? One with activations that has
    learned nothing may have been thrown to where they are dead."""
    sure = is_linear(record) or not record.guesses
    return sure and too_little_capacity(record, ()) is not None


def _advice(mean: float, std: float, width: int) -> str:
    if width > 1:
        return (
            f"train on {width} targets each of which has its own mean taken off and is divided by "
            "its own deviation, and put both back after prediction"
        )
    # As many digits as a hundredth of the deviation has.
    digits = max(2 - math.floor(math.log10(std)), 0)
    taken = f"{'-' if mean >= 0 else '+'} {abs(mean):.{digits}f}"
    return f"train on (target {taken}) / {std:.3g}, and put it back after prediction"
