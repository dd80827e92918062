"""What a gradient by differences costs, beside one by backpropagation."""

import time

import numpy as np

from lamina.common.colours import COLOURS
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import note_net

_SIZES = (1, 2, 5, 10, 20, 50)  # hidden units
_AT_ONCE, _ROUNDS = 20, 10  # numbers that are moved, and times that they are


class CostOfDifferences(Entry):
    """How many times as long one gradient of a batch of 100 takes by central differences as by
    backpropagation, for nets 784-n-10 with 1 to 50 hidden units. Differences are two passes forward
    for each number, backpropagation is about three passes for all of them; so the ratio grows as
    the number of parameters does, and should be two thirds of it. Differences are timed on 20
    numbers, and multiplied; times are those of the processor. Both forms are the same, but for the
    digits.
    """

    name, title = "cost_of_differences", "What differences cost"
    source, minutes = "note 004, introduction; book 1, sections 4.5 and 5.7", 0.1
    quick = full = (
        Band("ratio with 50 hidden units", 8_000, 80_000, why="26,507 by counting passes"),
        Band("exponent of its growth", 0.7, 1.3, why="1 by counting passes"),
    )

    def run(self, full: bool) -> Found:
        X, t = digits(full, 100).train[:]
        counts, ratios = [], []
        for n_hidden in _SIZES:
            net = note_net(n_hidden, rng=0)
            counts.append(sum(param.data.size for param in net.parameters().values()))
            ratios.append(counts[-1] * ratio_for_one_number(net, X, t))
        exponent, _ = np.polyfit(np.log(counts), np.log(ratios), 1)
        figure, ((axes,),) = panels(size=(5.6, 3.6))
        axes.loglog(counts, ratios, "o-", label="measured")
        counted = [2 * n / 3 for n in counts]
        axes.loglog(counts, counted, "--", color=COLOURS[1], label="2/3 of the parameters")
        axes.set(xlabel="parameters", ylabel="time by differences / by backpropagation")
        axes.legend()
        values = {"ratio with 50 hidden units": ratios[-1], "exponent of its growth": exponent}
        return Found(values, figure)


def ratio_for_one_number(net, X, t) -> float:
    """The time that the difference of one number takes, as a share of that of a gradient; both in
    turns, so that what slows one down slows down the other."""
    numbers = net.parameters()["affine1.W"].data.reshape(-1)[:_AT_ONCE]
    by_differences = by_backpropagation = 0.0
    for _ in range(_ROUNDS):
        by_differences += seconds(lambda: differences(net, X, t, numbers))
        by_backpropagation += seconds(lambda: [net.gradient(X, t) for _ in numbers])
    return by_differences / by_backpropagation


def differences(net, X, t, numbers: np.ndarray, h: float = 1e-4) -> list:
    """The central difference of the loss for each of the numbers, which are parts of the net."""
    found = []
    for i, kept in enumerate(numbers.tolist()):
        losses = []
        for moved in (kept + h, kept - h):
            numbers[i] = moved
            losses.append(net.loss(X, t))
        numbers[i] = kept
        found.append((losses[0] - losses[1]) / (2 * h))
    return found


def seconds(function) -> float:
    """Of the processor, so that other programs on the machine count for little."""
    start = time.process_time()
    function()
    return time.process_time() - start
