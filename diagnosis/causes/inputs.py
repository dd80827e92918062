"""The size of the inputs, and whether they differ."""

import math

from lamina.diagnosis.causes.far_off import far_too_high, far_too_low
from lamina.diagnosis.finding import EVERYTHING, Finding, median
from lamina.diagnosis.he_rule import inputs_of_a_unit
from lamina.diagnosis.updates import UNMOVED

GAIN = 0.15  # of the way from guessing to perfection, by which columns of one size tell more
LARGEST, SMALLEST = 5.0, 0.02  # pixels in 0-1 have deviation 0.3, standardised columns 1
SHORTEST = 0.1  # the root mean square length of a sample; of one yes among many noes it is 1


def all_the_same(record, earlier) -> Finding | None:
    """Not a number of an input differs from sample to sample."""
    if record.facts.get("inputs_vary") != 0 or record.facts.get("samples", 2) < 2:
        return None
    return Finding(
        "inputs all the same",
        [
            "the inputs of all samples that were looked at are equal",
            f"{record.said('train')}" if record.said("train") else f"loss {record.end_loss:.3g}",
        ],
        "From inputs that do not differ no net can tell the samples apart.",
        ["look at what the data set gives: a file not read, a column filled, a scale of 0"],
        explains=(EVERYTHING,),
    )


def not_normalised(record, earlier) -> Finding | None:
    """Inputs far from mean 0 and deviation 1, or columns of unlike size, of which the small ones
    would tell something; and a net that has not learned well. LeCun et al. 1998, "Efficient
    BackProp", section 4.3."""
    inputs = record.layers.get("(input)")
    learned = record.well or record.has_what_is_told
    if inputs is None or earlier or (learned and not record.outdone):
        return None
    if _small_ones_tell(record) and _before_weights(record) is inputs:
        return _unlike(record)
    if not _is_far(record, _before_weights(record)):
        return None
    mean, std = median(inputs["mean"]), median(inputs["std"])
    small = _is_small(record, inputs)
    too_low = not small and far_too_low(record)  # of tiny inputs gradients are tiny too
    if too_low or far_too_high(record, math.hypot(mean, std)):
        return None
    if not _is_far(record, inputs) or (std > LARGEST and record.never_moved(UNMOVED)):
        return None
    evidence = [
        f"inputs of a batch have mean {mean:.3g} and deviation {std:.3g} (medians of all "
        "that were recorded); 0 and 1 would be best"
    ]
    evidence.append(f"loss {record.start_loss:.3g} at the start, {record.end_loss:.3g} at the end")
    size = "as small" if small else "as large"
    return Finding(
        "inputs not normalised",
        evidence,
        f"What an update of the first weights does to their outputs is {size}: the rates that fit "
        "this layer and the others are far apart.",
        [
            "images: scale pixels to 0-1 (the built-in data sets do), or normalise: true",
            "columns: standardise each (CSV does, unless standardise: false)",
        ],
        explains=(EVERYTHING,),
    )


def _small_ones_tell(record) -> bool:
    """Would more be known of the targets if all columns had one size, and the net knows as little
    as is known without that?"""
    given = record.facts.get("ridge_as_given")
    if given is None or math.isnan(record.ridge):
        return False
    gain = (record.ridge - given) / (1.0 - record.chance)
    return gain > GAIN and record.train < (record.ridge + given) / 2.0


def _unlike(record) -> Finding:
    least, most = record.facts.get("sizes", (math.nan, math.nan))
    shown = record.figure.shown if record.figure.is_share else "{:.2f}".format
    given = record.facts["ridge_as_given"]
    return Finding(
        "inputs not normalised",
        [
            f"the deviations of the columns go from {least:.3g} to {most:.3g}",
            f"kernel ridge regression on {record.compared}: with the columns as "
            f"they are {shown(given)}, with columns of deviation 1 {shown(record.ridge)}",
            record.said("train"),
        ],
        "What stands in small columns moves the first sums next to nothing beside large ones, and "
        "their weights get next to no gradient.",
        ["standardise each column (CSV does, unless standardise: false)"],
        explains=(EVERYTHING,),
    )


def _is_far(record, series) -> bool:
    mean, std = median(series["mean"]), median(series["std"])
    return abs(mean) > LARGEST or std > LARGEST or _is_small(record, series)


def _is_small(record, series) -> bool:
    """What a step of the first weights changes goes by the squared length of a sample."""
    mean, std = median(series["mean"]), median(series["std"])
    first = next(iter(record.matrices), None)
    length = math.sqrt(inputs_of_a_unit(record, first)) * math.hypot(mean, std) if first else 0.0
    return std < SMALLEST and length < SHORTEST


def _before_weights(record):
    """What the first weights get: the inputs, or what a normalisation in front makes of them."""
    weighted = {name.rpartition(".")[0] for name in record.matrices}
    last = record.layers["(input)"]
    for name in record.facts.get("layers", {}):
        if name in weighted:
            break
        last = record.layers.get(name, last)
    return last
