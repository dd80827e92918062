"""A test set that is not of the kind of the training set."""

import math

from lamina.diagnosis.causes.over_fitting import GAP
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.finding import Finding
from lamina.diagnosis.learnable import MOST
from lamina.diagnosis.record import MISSED

LEAST = 0.05  # by which the two may truly differ


def unlike_sets(record, earlier) -> Finding | None:
    """What training samples tell of each other they do not tell of test samples, or the validation
    set is answered as well as the training set and the test set far worse: then the net has
    learned what there was, and the sets were made differently. Quiñonero-Candela et al. 2009,
    "Dataset Shift in Machine Learning"."""
    if earlier or math.isnan(record.train) or math.isnan(record.test):
        return None
    if record.train - record.test <= GAP:
        return None
    evidence = _by_validation(record)
    if not evidence and record.train - record.test > MISSED:
        evidence = _by_others(record)
    if not evidence:
        return None
    return Finding(
        "test set of another kind",
        [record.said("train", "validation", "test"), *evidence],
        "The test samples are of another making than the training samples: inputs of another "
        "scale, another source or time, values that training never saw, other labels. Or training "
        "samples are copies of each other, of which validation has its share and the test none.",
        [
            "compare mean and deviation of each input in both sets, and a few samples with targets",
            "scale the inputs of both sets by the numbers of the training set",
            "draw both sets from one, if the test is meant to be alike",
            "look for copies: rows that were repeated, or several of one source",
        ],
        explains=("wrong labels", "over-fitting", "nothing learned"),
    )


def _by_validation(record) -> list[str]:
    """Nothing is learned by heart if samples that were never trained on are answered as well. Of
    numbers a few may make the figure, so there the test set must be worse than guessed."""
    values = record.scores("validation")
    if not len(values) or math.isnan(values[-1]):
        return []
    as_well = record.train - values[-1] <= 0.3 * (record.train - record.test)
    sizes = record.facts.get("validation_samples", MOST), record.test_size
    value = float(values[-1])
    if record.figure.is_share:  # as if both were right by one chance
        p = (sizes[0] * value + sizes[1] * record.test) / sum(sizes)
        far = value - record.test > 3.0 * math.hypot(*(scatter(p, n) for n in sizes))
    else:
        far = value - record.test > _luck(record, value, sizes) and record.test < 0.0
    return ["the validation set is answered nearly as the training set"] if as_well and far else []


def _by_others(record) -> list[str]:
    """The same of what needs no net. Not where the net is far better on the test set than that,
    unless the inputs are seen to lie elsewhere."""
    known = record.facts.get("alike") or [None]
    if None in known or len(known) != 2 or math.isnan(record.simple[0]):
        return []
    best, of_test = known
    sizes = [min(MOST, record.facts.get(key, MOST)) for key in ("samples", "test_samples")]
    luck = _luck(record, best, sizes)
    copes = record.test > 0.5 * (of_test + record.train)
    where = _where_inputs_lie(record)
    if best - of_test <= luck or (copes and not where):
        return []
    by = record.facts.get("alike_by", "")
    name = {"ridge": " by kernel ridge regression", "nearest": " by nearest neighbours"}.get(by, "")
    own = record.less_own_noise if by == "nearest" else ""
    values = [record.said_as_r2(value) for value in known]
    if record.figure.is_share:
        values = [record.figure.shown(value) for value in known]
    else:
        own = f", of targets cut off at their tails{own}"
    return [
        *where,
        f"without a net,{name} {record.compared} tell {values[0]} of each other, "
        f"{values[1]} of the test set{own}",
    ]


def _where_inputs_lie(record) -> list[str]:
    """In the column in which the two sets are furthest apart, if that is no chance."""
    found = record.facts.get("elsewhere")
    if found is None or None in (*found["train"], *found["test"]):
        return []
    train, test = ("{:.3g} to {:.3g}".format(*found[part]) for part in ("train", "test"))
    return [
        f"column {found['column'] + 1} of the {found['columns']} of the inputs: half of the "
        f"training samples have {train}, half of the test samples {test} (the middle ones)"
    ]


def _luck(record, score: float, sizes) -> float:
    """What scores of so many samples each may be apart by chance: four deviations, and a little.
    Errors of numbers have tails."""
    errors = 1.0 - score + LEAST
    if record.figure.is_share:
        return LEAST + 4.0 * math.hypot(*(scatter(min(errors, 1.0), n) for n in sizes))
    return LEAST + 4.0 * math.sqrt(sum(2.0 / n for n in sizes)) * errors
