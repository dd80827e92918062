"""What the first filters of a convolutional net look like, before and after."""

import functools
from collections import OrderedDict

import numpy as np

from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.training import learn
from lamina.layers import Affine, Convolution, Flatten, MaxPooling, Relu, SoftmaxWithLoss
from lamina.layers.initializers import normal
from lamina.nets import Sequential
from lamina.optimizers import Adam

_ROWS, _COLUMNS = 5, 6  # of filters in the picture


class Filters(Entry):
    """The book's SimpleConvNet, from weights of deviation 0.01 as there, by Adam. Its 30 filters
    are noise before, and have bright and dark sides after: weights beside and below each other,
    which do not go together before, do so after. It is trained for 5 epochs, the book's for 20; the
    quick form for 100 batches. White is the largest weight of a filter.
    """

    name, title = "filters", "The filters of SimpleConvNet"
    source, minutes = "book 1, Fig. 7-24", 3
    full = (
        Band("test accuracy", 98.3, 99.2, "%", "the book, after 20 epochs: 98.96"),
        Band("correlation of neighbours before", -0.1, 0.1, "", "-0.04: means are off"),
        Band("correlation of neighbours after", 0.2, 1),
    )
    quick = (
        Band("test accuracy", 70, 100, "%"),
        Band("correlation of neighbours before", -0.1, 0.1, "", "-0.04: means are off"),
        Band("correlation of neighbours after", 0.1, 1),
    )

    def run(self, full: bool) -> Found:
        data, net = digits(full, flatten=False), simple_conv_net()
        before = net.parameters()["conv1.W"].data.copy()
        iterations = 3000 if full else 100
        optimizer = Adam(net.parameters(), lr=0.001)
        options = {"iterations": iterations, "evaluate_every": iterations}
        row = learn(net, optimizer, data, **options).evaluations[-1]
        after = net.parameters()["conv1.W"].data
        figure, axes = panels(1, 2, (5.8, 2.8))
        for panel, filters, name in zip(
            axes.flat, (before, after), ("before", "after"), strict=True
        ):
            panel.imshow(mosaic(filters), cmap="gray")
            panel.set_title(name, fontsize="medium")
            panel.axis("off")
        values = {
            "test accuracy": 100 * row["test_accuracy"],
            "correlation of neighbours before": neighbours(before),
            "correlation of neighbours after": neighbours(after),
        }
        return Found(values, figure)


def simple_conv_net() -> Sequential:
    """30 filters 5 x 5, a pooling, 100 hidden units, weights of deviation 0.01."""
    rng, init = np.random.default_rng(0), functools.partial(normal, std=0.01)
    layers = OrderedDict(
        conv1=Convolution(1, 30, 5, init=init, rng=rng),
        relu1=Relu(),
        pool1=MaxPooling(2),
        flatten=Flatten(),
        affine1=Affine(30 * 12 * 12, 100, init=init, rng=rng),
        relu2=Relu(),
        affine2=Affine(100, 10, init=init, rng=rng),
    )
    return Sequential(layers, loss=SoftmaxWithLoss())


def neighbours(filters: np.ndarray) -> float:
    """The correlation of weights (n, 1, KH, KW) with those beside and below them, each filter's
    mean taken off."""
    filters = filters - filters.mean(axis=(2, 3), keepdims=True)
    beside = filters[..., :-1], filters[..., 1:]
    below = filters[:, :, :-1], filters[:, :, 1:]
    pairs = [np.concatenate([x.ravel() for x in side]) for side in zip(beside, below, strict=True)]
    return float(np.corrcoef(pairs[0], pairs[1])[0, 1])


def mosaic(filters: np.ndarray) -> np.ndarray:
    """Filters (30, 1, 5, 5) as one image, each from 0 to 1, with gaps (NaN) between them."""
    lows, highs = (f(filters, axis=(2, 3), keepdims=True) for f in (np.min, np.max))
    tiles = ((filters - lows) / (highs - lows))[:, 0]
    tiles = np.pad(tiles, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    side = tiles.shape[1]
    grid = tiles.reshape(_ROWS, _COLUMNS, side, side).swapaxes(1, 2)
    return grid.reshape(_ROWS * side, _COLUMNS * side)
