"""Four optimizers in a narrow valley."""

import math

import numpy as np

from lamina.common.colours import looks
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.layers import Param
from lamina.optimizers import SGD, AdaGrad, Adam, Momentum

_STEPS, _START = 30, (-7.0, 2.0)
_RULES = {SGD: 0.95, Momentum: 0.1, AdaGrad: 1.5, Adam: 0.3}  # the book's rates
# SGD multiplies x by 1 - lr / 10 and y by 1 - 2 lr in each step.
_SGD = math.hypot(7 * (1 - 0.095) ** _STEPS, 2 * (1 - 1.9) ** _STEPS)


class Valley(Entry):
    """30 steps on f(x, y) = x² / 20 + y² from (-7, 2), with the rates of the book. SGD zigzags from
    one wall to the other, the others change the side less often; Momentum runs past the minimum at
    (0, 0), like a ball in a bowl, and AdaGrad goes straight to it. Both forms are the same.
    """

    name, title = "valley", "Optimizers in a valley"
    source, minutes = "book 1, Fig. 6-3 to 6-7", 0.02
    quick = full = (
        Band("SGD: steps that change the side", 30, 30, why="y is multiplied by -0.9"),
        Band("SGD: distance at the end", _SGD - 1e-9, _SGD + 1e-9, why="0.905³⁰ and 0.9³⁰ times"),
        Band("Momentum: steps that change the side", 1, 15, why="fewer than half as many"),
        Band("AdaGrad: steps that change the side", 0, 3, why="hardly any"),
        Band("Adam: steps that change the side", 1, 15, why="fewer than half as many"),
        Band("Momentum: distance at the end", 0, 3, why="past the minimum in the figure"),
        Band("AdaGrad: distance at the end", 0, 0.5, why="goes straight to it"),
        Band("Adam: distance at the end", 0, 1),
    )

    def run(self, full: bool) -> Found:
        figure, axes = panels(2, 2, (5.6, 4.0), sharex=True, sharey=True)
        values: dict[str, float] = {}
        x, y = np.linspace(-8, 4, 200), np.linspace(-3, 3, 200)
        look = zip(_RULES.items(), axes.flat, looks(4), strict=True)
        for (rule, lr), panel, (colour, _) in look:
            path = descended(rule, lr)
            name = rule.__name__
            turns = int(np.sum(np.diff(np.sign(path[:, 1])) != 0))
            values[f"{name}: steps that change the side"] = turns
            values[f"{name}: distance at the end"] = math.hypot(*path[-1])
            panel.contour(x, y, x**2 / 20 + y[:, None] ** 2, 4, colors="#D0D0D0", linewidths=0.6)
            panel.plot(*path.T, color=colour, marker="o", markersize=3, linewidth=1)
            panel.plot(0, 0, "k+", markersize=9)
            panel.set_title(f"{name}, rate {lr}", fontsize="medium")
        for panel in axes[-1]:
            panel.set_xlabel("x")
        for panel in axes[:, 0]:
            panel.set_ylabel("y")
        return Found(values, figure)


def descended(rule, lr: float) -> np.ndarray:
    """The points (steps + 1, 2) that an optimizer passes."""
    point = Param(np.array(_START))
    optimizer, path = rule({"point": point}, lr=lr), [_START]
    for _ in range(_STEPS):
        x, y = point.data
        point.grad = np.array([x / 10, 2 * y])
        optimizer.step()
        path.append(tuple(point.data))
    return np.array(path)
