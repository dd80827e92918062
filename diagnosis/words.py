"""What a culprit means in plain words: what it is, what usually causes it, and what to try."""

import textwrap

from lamina.diagnosis.culprit import MOST_SAMPLES, Culprit

# (usual causes, what to try), by the pass in which the culprit stands.
ADVICE = {
    "input": (
        "a missing value, a division by zero or a damaged file on the way into the data set",
        "look at these samples in the data; leave them out, or fill the gaps before training",
    ),
    "augmented": (
        "the augmentation: the samples themselves are finite",
        "call the augmentation on these samples alone; train without it to see the difference",
    ),
    "start": (
        "the weights that the run started or went on from: a file of weights, an initializer",
        "look at that file, or at the init: of the layer; a fresh start may do",
    ),
    "forward": (
        "numbers that overflow: a learning rate too high, weights that start too large, inputs "
        "that are not normalised; in a layer of your own a division by 0, log(0) or sqrt(<0)",
        "a smaller learning rate; smaller initial weights; inputs of deviation 1; in your own "
        "layer an eps where it divides",
    ),
    "backward": (
        "gradients that explode on their way down, or a derivative that is infinite, such as that "
        "of sqrt or log at 0",
        "a smaller learning rate; clip_norm: 1.0 under optimizer; for a layer of your own "
        "lamina check",
    ),
    "update": (
        "an update too large for the type of the weights: a learning rate or weight decay far too "
        "high",
        "a smaller learning rate (a tenth, a hundredth), or clip_norm: 1.0 under optimizer",
    ),
    "outside": (
        "something beside the training: a callback, code that writes into the weights, a layer "
        "or data set that is not the same each time, failing memory",
        "train again with the same seed: if it passes this iteration, look for that something",
    ),
}
RISE = 10.0  # a loss, or a weight, that has grown by this factor before the failure is a sign


def explain(culprit: Culprit, noticed: str, losses: list[float], lr: float) -> str:
    """Lines that say what a run noticed, where it began, usual causes, and what to try."""
    known = culprit.search == "replayed" or culprit.when in ("input", "start")
    began = "it began at" if known else "where it began is not known; left of"
    lines = [noticed, f"  {began} iteration {culprit.iteration}: {_what(culprit)}"]
    if culprit.samples:
        lines.append(f"  samples (rows of the training set): {_samples(culprit)}")
    if culprit.largest:
        sizes = ", ".join(f"{name} {size:.3g}" for name, size in culprit.largest.items())
        lines.append(f"  largest numbers that went into it: {sizes}")
    lines.append(f"  found by {_how(culprit)}")
    kind = _kind(culprit)
    causes, remedies = ADVICE[kind]
    if kind in ("forward", "backward", "update"):
        lines += _signs_of_the_rate(culprit, losses, lr)
    return "\n".join([*lines, f"  usual causes: {causes}", f"  try: {remedies}"])


def wrapped(said: str, width: int = 80) -> str:
    """The lines of `explain` for a terminal, what is too long continued further in."""
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False
    )
    lines = map(wrapper.wrap, said.splitlines())
    return "\n".join(part for line in lines for part in line)


def _signs_of_the_rate(culprit: Culprit, losses: list[float], lr: float) -> list[str]:
    grown = []
    by = losses[-1] - losses[0] if len(losses) > 1 else 0.0
    if len(losses) > 1 and not by < (RISE - 1.0) * abs(losses[0]):
        grown.append(f"the loss had risen from {losses[0]:.3g} to {losses[-1]:.3g}")
    if len(culprit.weights) == 2 and culprit.weights[1] > RISE * culprit.weights[0]:
        before, after = culprit.weights
        grown.append(f"the largest weight had grown from {before:.3g} to {after:.3g}")
    suspect = f"the learning rate ({lr:g}) is the first suspect"
    return [f"  {' and '.join(grown)}: {suspect}"] if grown else []


def _what(culprit: Culprit) -> str:
    where = f"{culprit.layer} ({culprit.type})" if culprit.layer else "the batch"
    entries = f"{culprit.bad} of {culprit.size} entries"
    if not culprit.shape:
        what = f"{culprit.array} is {culprit.value}"
    else:
        index = ", ".join(map(str, culprit.index))
        what = f"{culprit.array}[{index}] is {culprit.value}, {entries} are not finite"
    if culprit.when == "input" and len(culprit.index) > 1:
        place = ", ".join(map(str, culprit.index[1:]))
        what += f"; entry ({place}) of its sample"
    when = {"start": "before the first step, ", "input": "", "update": "after the update, "}
    return f"{when.get(culprit.when, f'{culprit.when}, ')}{where}: {what}"


def _samples(culprit: Culprit) -> str:
    if culprit.bad_samples > 1 and culprit.bad_samples == culprit.shape[0]:
        return "all of the batch"
    if culprit.bad_samples > MOST_SAMPLES:
        return f"{culprit.bad_samples} of the {culprit.shape[0]} of the batch"
    return ", ".join(map(str, culprit.samples or ()))


def _how(culprit: Culprit) -> str:
    return {
        "replayed": f"a replay from iteration {culprit.since}",
        "clean": "what the failed step left; a replay from iteration "
        f"{culprit.since} was clean, so the training does not lead there by itself",
        "stopped": "what the failed step left; the replay was stopped",
        "none": "what the failed step left; there was no state to replay from",
    }[culprit.search]


def _kind(culprit: Culprit) -> str:
    if culprit.when == "input":
        return "augmented" if culprit.augmented else "input"
    return "outside" if culprit.search == "clean" else culprit.when
