"""What was learned beside what should have been: labels, capacity, over-fitting."""

import math

import numpy as np

from lamina.diagnosis.causes.learning_rate import SHORT, TOO_LOW
from lamina.diagnosis.finding import Finding, largest, median

GAP = 0.08  # between the scores of train and test, where they are shares of what is right
GAP_OF_ERRORS = 0.25  # where they are errors, which scatter more
STILL = 0.08  # of the loss in the third quarter, and of all it has fallen: still falling
LOW = 0.75  # a train score below which a net that has stopped getting better lacks something
LOW_OF_ERRORS = 0.1  # hardly better than the mean: with noisy targets more may be out of reach


def wrong_labels(record, earlier) -> Finding | None:
    """A test set no better than guessed, with training samples learned by heart or not learned at
    all, while the training itself is in order. Zhang et al. 2017, "Understanding deep learning
    requires rethinking generalization": a net that is large enough learns random labels by heart.
    """
    if earlier or math.isnan(record.test) or record.iterations <= SHORT:
        return None
    if record.figure.guess is None or record.task == "reconstruction":
        return None
    # Guessing scatters by √(p (1 - p) / n) around the share of the largest class.
    chance, n = record.chance, record.facts.get("test_samples", 1000)
    limit = chance + 0.04 + 3 * math.sqrt(chance * (1 - chance) / n)
    best = int(record.scores("test").argmax())
    if limit >= 1.0 or record.test > limit or record.scores("test")[best] > limit + 0.02:
        return None
    by_heart = record.train - record.test > 0.1
    if not by_heart and not record.figure.is_share:
        return None  # far from the targets on all samples: nothing is learned yet
    shown = record.figure.shown
    evidence = [
        f"{record.said('test')}, best {shown(float(record.values('test')[best]))}",
        f"guessing scores {shown(record.figure.guess)}",
        f"{record.said('train')}: "
        + ("learned by heart" if by_heart else "hardly anything is learned"),
    ]
    if record.everything is not None:
        ratio = float(np.nanmedian(record.everything["update_ratio"]))
        evidence.append(f"gradients and updates are in order: update / weight {ratio:.2g}")
    return Finding(
        "wrong labels",
        evidence,
        "What the labels say cannot be seen in the inputs: labels shuffled against the inputs, the "
        "wrong column, or a train and a test set that do not belong together.",
        [
            "look at a few samples with their labels",
            "shuffle inputs and labels with one and the same permutation",
            "check that train and test number the classes alike",
        ],
        explains=("over-fitting", "too little capacity"),
    )


def too_little_capacity(record, earlier) -> Finding | None:
    """Train and test scores low and equal, the loss no longer falling, the training in order."""
    if earlier or math.isnan(record.train) or record.iterations <= SHORT:
        return None
    quarter = record.iterations // 4
    before, last = (record.loss["loss"][i * quarter : (i + 1) * quarter].mean() for i in (2, 3))
    falling = before - last
    if falling > STILL * before or falling > STILL * (record.start_loss - last):
        return None
    low = LOW if record.figure.is_share else LOW_OF_ERRORS
    if record.train >= low or record.train - record.test > 2 * GAP or _hardly_moves(record):
        return None
    widths = {
        n: p["shape"][-1]
        for n, p in list(record.facts.get("parameters", {}).items())
        if len(p["shape"]) == 2
    }
    evidence = [
        f"{record.said('train', 'test')}: low, and nearly equal",
        f"mean loss of the third quarter {before:.3g}, of the last {last:.3g}",
    ]
    hidden = dict(list(widths.items())[:-1])
    if hidden and record.classes:
        narrow = min(hidden, key=hidden.get)
        evidence.append(
            f"narrowest layer: {narrow}, {hidden[narrow]} units; {record.classes} classes"
        )
    return Finding(
        "too little capacity",
        evidence,
        "The net has got as far as it can, on the samples that it trains on too: it is too small "
        "or of the wrong kind for this task, or the inputs do not tell more.",
        [
            "more units in the narrowest layer, or one layer more",
            "for images convolutions",
            "less dropout, weight decay and augmentation, if there is much",
        ],
    )


def _hardly_moves(record) -> bool:
    """Are the updates so small that the net cannot have got as far as it can?"""
    ratios = [median(series["update_ratio"]) for series in record.weights.values()]
    return bool(ratios) and largest(ratios) < TOO_LOW


def over_fitting(record, earlier) -> Finding | None:
    """Far better on the training samples than on the test samples."""
    gap = record.train - record.test
    errors = (1 - record.train, 1 - record.test)
    if math.isnan(gap) or gap < _least_gap(record) or errors[0] > 0.5 * errors[1]:
        return None
    evidence = [f"{record.said('train', 'test')}: {100 * gap:.3g} points apart"]
    tests = record.scores("test")
    if tests.max() > record.test + 0.01:
        best = int(tests.argmax())
        at, value = record.history["iteration"][best], float(record.values("test")[best])
        evidence.append(
            f"the {record.figure.name} of the test set was best, {record.figure.shown(value)}, at "
            f"iteration {at:.0f}"
        )
    weights = sum(math.prod(p["shape"]) for p in record.facts.get("parameters", {}).values())
    if weights and (samples := record.facts.get("samples")):
        evidence.append(f"{weights:,} parameters for {samples:,} samples")
    return Finding(
        "over-fitting",
        evidence,
        "The net has learned its samples by heart rather than what they have in common.",
        [
            "more samples, or augmentation under training for images",
            "Dropout, weight_decay: 0.0005",
            "a validation set (dataset: {..., validation_share: 0.1}) with patience and keep_best "
            "under training: stop where it was best",
            "fewer units",
        ],
    )


def _least_gap(record) -> float:
    """The gap that is no accident: of shares more than three times what the share of a test set of
    this size scatters by."""
    if not record.figure.is_share:
        return GAP_OF_ERRORS
    scatter = math.sqrt(record.test * (1 - record.test) / record.facts.get("test_samples", 1000))
    return max(GAP, 3.0 * scatter)
