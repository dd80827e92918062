"""Signals that grow or shrink from layer to layer."""

import math

import numpy as np

from lamina.diagnosis.finding import Finding, median
from lamina.diagnosis.he_rule import began_near_0

EXPLODING = 1000.0  # times, from the first layer to the largest
VANISHING = 1e-3  # relative gradient of the lowest weights, as a share of that of the highest
SET_THE_SIZE = ("Normalization", "Scale", "Bias", "Power")  # how their types end
DEPTH = 4  # layers with weights, from which on it is a matter of depth


def exploding(record, earlier) -> Finding | None:
    """The spread of the outputs, or the gradients, grow with every layer at the first iteration.

    With weights of deviation s and n inputs, a ReLU layer multiplies the spread by s √(n / 2).
    He et al. 2015, section 2.2.
    """
    stds = {n: s.at_start("std") for n, s in record.layers.items() if n != "(input)"}
    depth = len(record.weights)
    if depth < DEPTH or not stds or record.well:
        return None
    names, sizes = list(stds), np.array(list(stds.values()))
    # These set the size, to whatever it should be: growth counts from the last of them on.
    sets = [record.kind_of(f"{name}.").endswith(SET_THE_SIZE) for name in names]
    base = np.maximum.accumulate(np.where(sets, np.arange(len(names)), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        growths = np.where(sizes[base] > 0, sizes / sizes[base], np.nan)
    if not np.nanmax(growths, initial=0.0) > EXPLODING:
        return None
    top = int(np.nanargmax(growths))
    growth, low = growths[top], int(base[top])
    with np.errstate(divide="ignore", invalid="ignore"):
        each = sizes[low + 1 : top + 1] / sizes[low:top]
    if np.nanmax(each, initial=0.0) > growth / 10.0:
        return None  # one layer does nearly all of it
    weighted = {name.rpartition(".")[0] for name in record.weights}
    steps = sum(name in weighted for name in names[low + 1 : top + 1])
    evidence = [
        f"deviation of outputs at iteration 1: {sizes[low]:.3g} in "
        f"{names[low]}, {sizes[top]:.3g} in {names[top]}",
    ]
    if steps and not record.has_branches:
        factor = growth ** (1.0 / steps)
        evidence.append(
            f"layers with weights behind {names[low]} up to {names[top]}: {steps}, each about "
            f"{factor:.3g} times as large as the one before, in the geometric mean"
        )
    if record.guessing_loss:
        evidence.append(f"first loss {record.start_loss:.3g}; guessing: {record.guessing_loss:.3g}")
    return Finding(
        "exploding depth",
        evidence,
        "Each layer makes signals larger, and gradients on their way back likewise: with depth "
        "this grows beyond all bounds.",
        [
            "leave out init: (he_normal keeps the size through ReLUs)",
            "BatchNormalization or LayerNormalization between the layers",
            "clip_norm: 1.0 under optimizer, for gradients alone",
        ],
        explains=(
            *("learning rate too high", "dead ReLUs", "saturated units", "overflow"),
            *("vanishing gradients", "wrong labels", "too little capacity", "over-fitting"),
            *("learning rate too low", "initial weights too large"),
        ),
    )


def vanishing(record, earlier) -> Finding | None:
    """Gradients, relative to the weights, fall from layer to layer on their way down.

    Hochreiter 1991; Glorot and Bengio 2010, section 4.2. A sigmoid passes at most a quarter. A last
    layer that begins near 0 lets little through until it has grown, in any net.
    """
    grown = any(record.is_head(name) and began_near_0(record, name) for name in record.weights)
    relative = {}
    for name, series in record.weights.items():
        if record.kind_of(name) == "Embedding":  # a batch looks up a few of its rows
            continue
        half = max(len(series.iterations) // 2, 1)
        seen = slice(half, None) if grown else slice(half)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = (series["gradient_norm"] / series["weight_norm"])[seen]
        relative[name] = median(values)
    relative = {name: value for name, value in relative.items() if not math.isnan(value)}
    if len(relative) < 3 or record.train > 0.9 or record.well:
        return None
    if len(record.facts.get("losses", {})) > 1 or record.has_branches:
        return None  # what stands first need not be the lowest
    names, values = list(relative), np.array(list(relative.values()))
    kinds = [s.type for n, s in record.layers.items() if n != "(input)"]
    squashing = [k for k in kinds if k in ("Sigmoid", "Tanh")]
    # In a deep net of these that has hardly learned, a larger part is little as well.
    hardly = len(squashing) > 3 and record.train < record.halfway
    limit = 20.0 * VANISHING if hardly else VANISHING
    if not values[0] < limit * values[-1]:
        return None
    updates = {name: record.weights[name].median("update_ratio") for name in names}
    if updates[names[0]] >= updates[names[-1]]:
        return None  # a rule that scales each weight by itself, as Adam, has made up for it
    which = "second" if grown else "first"
    evidence = [
        f"gradient / weight, median of the {which} half of the records: "
        f"{names[-1]} {values[-1]:.2g}, {names[len(names) // 2]} {values[len(names) // 2]:.2g}, "
        f"{names[0]} {values[0]:.2g}"
    ]
    if squashing:
        evidence.append(f"{len(squashing)} layers of {' and '.join(sorted(set(squashing)))}")
    if not math.isnan(record.train):
        evidence.append(f"{record.said('train')} after {record.last_evaluated:,} iterations")
    return Finding(
        "vanishing gradients",
        evidence,
        f"What comes back to {names[0]} is {values[0] / values[-1]:.1g} of what its share should "
        "be: the lower layers do not learn, and the upper ones see only noise.",
        [
            *(["Relu instead of Sigmoid, with he_normal"] if squashing else []),
            "BatchNormalization between the layers, or a ResidualNet",
            "fewer layers",
        ],
        explains=("learning rate too low", "wrong labels", "too little capacity", "over-fitting"),
    )
