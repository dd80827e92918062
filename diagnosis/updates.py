"""How large updates are, as a share of the weights that they move, and the rate that suits them."""

import math

import numpy as np

from lamina.diagnosis.he_rule import SMALL, began_near_0, he_norm

START = 1e-2  # what the largest first update of healthy runs is, as a share of the weights
ADA_GRAD = 10.0  # times that: its first update is its largest, of step t it is 1/√t at most
THUMB = 1e-3  # CS231n, "Neural networks part 3": update / weight should be about this
TOO_HIGH, TOO_LOW = 0.2, 5e-4
UNMOVED = 3e-5  # of the weights, by which nothing else can have been tried yet
OF_THE_GRADIENT = ("SGD", "Momentum", "Nesterov")  # rules whose steps are as large as it


def ratios_of(record, name: str) -> np.ndarray:
    """Update / weight in each record, of tables that are still near 0 update / `norms_of`."""
    series = record.weights[name]
    return series["update_ratio"] * (series["weight_norm"] / norms_of(record, name))


def median_ratio(record, name: str) -> float:
    """The median of these."""
    return record.weights[name].median(ratios_of(record, name))


def first_ratios(record) -> list[float]:
    """Those of the first update of all weights that were recorded then."""
    first = [name for name, series in record.weights.items() if series.iterations[0] == 1]
    return [float(ratios_of(record, name)[0]) for name in first]


def norms_of(record, name: str) -> np.ndarray:
    """The norms of these weights. What may start at 0 or near it has at least another: a table of
    words, whose rows are looked up and multiplied with nothing, that of rows of length 1, others
    that of He's rule. Else any first update of theirs would seem a large one."""
    norms = record.weights[name]["weight_norm"]
    if record.kind_of(name) == "Embedding":
        norms = np.maximum(norms, math.sqrt(record.matrices[name]["shape"][0]))
    elif began_near_0(record, name, SMALL):
        norms = np.maximum(norms, he_norm(record, name))
    return np.where(norms > 0, norms, math.nan)


def better_rate(record, larger: bool) -> str:
    """The rate at which the first update would have been START of the weights; the updates of most
    rules are proportional to it. One at a part of the rate, as in a warm-up, is taken as at the
    full rate, which is the one that is said. Three times as large, or small, at least."""
    part = record.factor_at(1)
    first = [ratio / part for ratio in first_ratios(record) if 0 < ratio < math.inf and part > 0]
    start = START * (ADA_GRAD if record.optimizer.get("type") == "AdaGrad" else 1.0)
    factor = start / max(first) if first else (10.0 if larger else 0.1)
    factor = max(factor, 3.0) if larger else min(factor, 1.0 / 3.0)
    return f"lr: about {record.lr * factor:.1g} instead of {record.lr:g}"
