"""A rare class, or label, that the net never says."""

from lamina.common.natural import natural
from lamina.common.percent import percent
from lamina.diagnosis.causes.far_off import far_too_low
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.finding import Finding, listed
from lamina.diagnosis.learnable import MOST
from lamina.diagnosis.progress import SHORT, still_falling
from lamina.diagnosis.recall import counted_classes, rare_and_missed
from lamina.diagnosis.record import MISSED

MOSTLY = 0.8  # the share of the largest class, above which accuracy hardly tells anything
WEIGHED = {"SoftmaxWithLoss", "CrossEntropyError", "SVMLoss"}  # losses that take class_weights
SEEING = ("recall", "f1")  # metrics that a class which is never said lowers as any other does


def unequal_classes(record, earlier) -> Finding | None:
    """A class with far less than its share of the training samples is not found among them, while
    the others are. Japkowicz and Stephen 2002, "The class imbalance problem". A rare class that
    is found is no finding, and words of a text are never equally frequent."""
    if earlier or record.iterations <= SHORT:  # classes that are found late take their time
        return None
    counted = counted_classes(record)
    missed = counted and rare_and_missed(record.task, *counted)
    if not counted or not missed:
        return None
    samples, recall, total = counted
    falling = still_falling(record)
    scores = record.scores("train")
    if falling and len(scores) and scores[record.row_kept] < record.simple[0] - MISSED:
        return None  # neither are the others learned
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
        + ("has not come to it yet" if falling else "has settled for the others")
        + ", or the inputs do not tell it apart.",
        [
            *(["more iterations: the loss is still falling"] if falling else []),
            _weights(record, samples, total, samples[rarest]),
            "more samples of it, or its samples repeated",
            *_metrics(record),
        ],
        explains=("training too short", "wrong labels", "too little capacity", "nothing learned"),
    )


def _is_worse_than_that(record) -> bool:
    """Is it right less often than who never says a rare class? Then it has not settled for that,
    unless its loss weighs the classes."""
    by_accuracy = record.figure is not None and record.figure.name == "accuracy"
    if not by_accuracy or "class_weights" in str(record.config.get("net")):
        return False
    n = record.facts.get("samples", MOST)
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
