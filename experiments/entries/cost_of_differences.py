"""What a gradient by differences costs, beside one by backpropagation."""

import time

import numpy as np

from lamina.common.colours import COLOURS
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import note_net

_SIZES = (1, 2, 5, 10, 20, 50)  # hidden units
_TRIED = 200  # numbers that are moved


class CostOfDifferences(Entry):
    """How many times as long one gradient of a batch of 100 takes by central differences as by
    backpropagation, for nets 784-n-10 with 1 to 50 hidden units. Differences are two passes forward
    for each number, backpropagation is about three passes for all of them; so the ratio grows as
    the number of parameters does, and should be two thirds of it. Differences are timed on 200
    numbers, and multiplied. Both forms are the same, but for the digits.
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
            back = seconds(lambda net=net: net.gradient(X, t))
            ratios.append(counts[-1] * seconds_of_differences(net, X, t) / back)
        exponent, _ = np.polyfit(np.log(counts), np.log(ratios), 1)
        figure, ((axes,),) = panels(size=(5.6, 3.6))
        axes.loglog(counts, ratios, "o-", label="measured")
        counted = [2 * n / 3 for n in counts]
        axes.loglog(counts, counted, "--", color=COLOURS[1], label="2/3 of the parameters")
        axes.set(xlabel="parameters", ylabel="time by differences / by backpropagation")
        axes.legend()
        return Found(
            {"ratio with 50 hidden units": ratios[-1], "exponent of its growth": exponent}, figure
        )


def seconds_of_differences(net, X, t, h: float = 1e-4) -> float:
    """Seconds for each number of the first weights, of which the first ones are moved."""
    numbers = net.parameters()["affine1.W"].data.reshape(-1)

    def differences():
        for i in range(_TRIED // 10):
            kept = numbers[i]
            for moved in (kept + h, kept - h):
                numbers[i] = moved
                net.loss(X, t)
            numbers[i] = kept

    return seconds(differences) / (_TRIED // 10)


def seconds(function, times: int = 10) -> float:
    """The least of several times: what disturbs a measurement only adds to it."""
    found = []
    for _ in range(times + 1):  # the first warms up
        start = time.perf_counter()
        function()
        found.append(time.perf_counter() - start)
    return min(found[1:])
