"""Which classes, or labels, a net finds among its training samples."""

import math

RARE = 1.0 / 3.0  # of the share that all classes would have if they were equal
MISSED = 0.1  # recall up to which a class is not found
APART = 0.1  # above what guessing finds of each class, in the mean
ENOUGH = 10  # samples of it, of which chance alone would not miss nearly all


def misses_a_class(record) -> bool:
    """Is a rare class not found among the training samples, while others are?"""
    counted = counted_classes(record)
    return counted is not None and bool(rare_and_missed(record.task, *counted))


def counted_classes(record) -> tuple[dict, dict, float] | None:
    """({class: training samples}, {class of some samples: the share that the weights of the run
    find}, all samples); None if that is not known."""
    if not record.outputs or "(all)" in record.outputs or record.task == "language_model":
        return None
    row = record.row_of_kept(next(iter(record.outputs.values())))
    if row is None:
        return None
    last = {
        name: {c: float(v[row]) for c, v in s.columns.items()} for name, s in record.outputs.items()
    }
    samples, right = ({n: row[c] for n, row in last.items()} for c in ("samples", "right"))
    recall = {name: right[name] / n for name, n in samples.items() if n >= ENOUGH}
    total = max(row["counted"] for row in last.values())
    return None if math.isnan(total) else (samples, recall, total)


def rare_and_missed(task: str, samples: dict, recall: dict, total: float) -> dict:
    """{class: samples} of the rare ones that are not found, while all others are, one of them more
    often than not, and are told from each other."""
    even = 0.5 if task == "multilabel" else 1.0 / len(samples)
    rare = {name for name in recall if samples[name] < RARE * even * total}
    missed = {name: samples[name] for name in recall if recall[name] <= MISSED}
    others = [share for name, share in recall.items() if name not in missed]
    if not others or not missed.keys() <= rare or max(others) <= 0.5:
        return {}
    guessed = task != "multilabel" and sum(others) < 1.0 + APART * len(others)
    return {} if guessed and len(others) > 1 else missed
