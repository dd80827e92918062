"""A rare class, or label, that the net never says."""

import math

from lamina.common.natural import natural
from lamina.common.percent import percent
from lamina.diagnosis.causes.far_off import far_too_low
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.finding import Finding, listed
from lamina.diagnosis.learnable import MOST
from lamina.diagnosis.progress import SHORT, still_falling

MOSTLY = 0.8  # the share of the largest class, above which accuracy hardly tells anything
RARE = 1.0 / 3.0  # of the share that all classes would have if they were equal
MISSED = 0.1  # recall of the training samples up to which a class is not found
WEIGHED = {"SoftmaxWithLoss", "CrossEntropyError", "SVMLoss"}  # losses that take class_weights
SEEING = ("recall", "f1")  # metrics that a class which is never said lowers as any other does
ENOUGH = 10  # samples of it, of which chance alone would not miss nearly all


def unequal_classes(record, earlier) -> Finding | None:
    """A class with far less than its share of the training samples is not found among them, while
    the others are. Japkowicz and Stephen 2002, "The class imbalance problem". A rare class that
    is found is no finding, and words of a text are never equally frequent."""
    if earlier or not record.outputs or "(all)" in record.outputs:
        return None
    if record.iterations <= SHORT:  # all classes, also those that are found late, take their time
        return None
    if record.task == "language_model":
        return None
    row = record.row_of_kept(next(iter(record.outputs.values())))  # of the weights of the run
    if row is None:
        return None
    last = {
        name: {c: float(v[row]) for c, v in s.columns.items()} for name, s in record.outputs.items()
    }
    samples, right = ({n: row[c] for n, row in last.items()} for c in ("samples", "right"))
    total = max(row["counted"] for row in last.values())
    even = 0.5 if record.task == "multilabel" else 1.0 / len(samples)
    recall = {name: right[name] / n for name, n in samples.items() if n >= ENOUGH}
    missed = {
        name: samples[name]
        for name, share in recall.items()
        if share <= MISSED and samples[name] < RARE * even * total
    }
    if not missed or max(recall.values()) <= 0.5 or math.isnan(total):
        return None
    if _inputs_tell_nothing(record) or far_too_low(record) or _is_worse_than_that(record):
        return None
    what = called(record)
    rarest, often = min(missed, key=missed.__getitem__), max(samples, key=samples.__getitem__)
    evidence = [
        f"{what} {record.name_of(rarest)}: {percent(samples[rarest] / total, 1)} of the training "
        f"targets ({samples[rarest]:.0f}), of which {percent(recall[rarest], 1)} are found; {what} "
        f"{record.name_of(often)}: {percent(samples[often] / total, 1)}, "
        f"{percent(recall.get(often, 0.0), 1)} found",
    ]
    if len(missed) > 1:
        others = sorted(missed.keys() - {rarest}, key=natural)
        evidence.append(f"not found either: {listed(record.name_of(name) for name in others)}")
    if (guess := record.figure and record.figure.guess_of("train")) is not None:
        said = record.said("train", row=record.row_kept)
        evidence.append(f"{said}; guessing scores {record.figure.shown(guess)}")
    return Finding(
        "unequal classes",
        evidence,
        f"Never saying a rare {what} costs hardly any accuracy, and little of the loss: the net "
        "has settled for the others, or the inputs do not tell it apart.",
        [
            _weights(record, samples, total, samples[rarest]),
            "more samples of it, or its samples repeated",
            *_metrics(record),
            *(["more iterations: the loss is still falling"] if still_falling(record) else []),
        ],
        explains=("training too short", "wrong labels", "too little capacity", "nothing learned"),
    )


def _is_worse_than_that(record) -> bool:
    """Is it right less often than who never says a rare class? Then it has not settled for that,
    unless its loss weighs the classes."""
    by_accuracy = record.figure is not None and record.figure.name == "accuracy"
    if not by_accuracy or "class_weights" in str(record.config.get("net")):
        return False
    n = record.facts.get("samples", ENOUGH)
    kept = record.scores("train")[record.row_kept]
    return bool(kept < record.chance - 3.0 * scatter(record.chance, n))


def _inputs_tell_nothing(record) -> bool:
    """Do nearest neighbours and ridge regression only guess too? Then no weights help. Where one
    class has nearly all samples their accuracy does not show it."""
    best = record.simple[0]
    return record.chance < MOSTLY and best < record.chance + 2.0 * scatter(record.chance, MOST)


def _metrics(record) -> list[str]:
    """What shows the rare class, if the run is not judged by it already."""
    if record.figure and record.figure.name in SEEING:
        return []
    there = [name for name in SEEING if f"train_{name}" in record.history]
    if there:
        return [f"{there[0]} first among the metrics: a run is judged by the first"]
    return ["metrics: [recall, f1] under training, which see it; accuracy does not"]


def called(record) -> str:
    return "label" if record.task == "multilabel" else "class"


def setting_of_weights(record) -> str:
    """What makes the losses of this run count a class more than another, in words."""
    losses = set(record.facts.get("losses", {}).values())
    if losses == {"SigmoidWithLoss"}:
        return "positive_weights in the loss"
    if losses <= WEIGHED:
        return "class_weights in the loss"
    return "a loss with class_weights, such as SoftmaxWithLoss"


def _weights(record, samples: dict, total: float, rarest: float) -> str:
    """Weights that make classes count alike, rounded: n / (C n_c)."""
    setting = setting_of_weights(record)
    if "positive_weights" in setting:
        if record.task == "multilabel":
            return f"{setting}: {(total - rarest) / rarest:.2g} for it"
        yes = samples["1"]  # one score speaks for the second class, be it the rare one or not
        return f"{setting}: {(total - yes) / yes:.2g}"
    if not set(record.facts.get("losses", {}).values()) <= WEIGHED:
        return setting
    weights = [total / len(samples) / n if n else 0.0 for n in samples.values()]
    if len(weights) > 12:
        return f"{setting}: {max(weights):.2g} for the rarest, 1 for an even share"
    return f"{setting}: [{', '.join(f'{w:.2g}' for w in weights)}]"
