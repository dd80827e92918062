"""What becomes of a signal on its way through five layers, by their initial weights."""

import functools

import numpy as np

from lamina.common.colours import COLOURS
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.layers import Affine, Relu, Sigmoid, Tanh
from lamina.layers.initializers import he_normal, normal, xavier_normal

_LAYERS, _UNITS, _ROWS = 5, 100, 1000
_WEIGHTS = {
    "deviation 1": functools.partial(normal, std=1.0),
    "deviation 0.01": functools.partial(normal, std=0.01),
    "Xavier": xavier_normal,
    "He": he_normal,
}
_SHRUNK = (0.01 * 10 / 2**0.5) ** 5  # a deviation of 0.01, 100 inputs, half of them cut off


class InitialWeights(Entry):
    """1,000 rows of 100 normal numbers through five layers of 100 units, biases 0; the picture has
    how the outputs of each layer are spread. Good weights keep them apart: not all at the ends, not
    all in one place, not smaller from layer to layer. Both forms are the same."""

    minutes = 0.02

    def __init__(self, activation: type, source: str, bands: tuple[Band, ...], ends: tuple):
        self.activation, self.ends = activation, ends
        self.name = f"initial_weights_{activation.__name__.lower()}"
        self.title = f"Initial weights: {activation.__name__}"
        self.source, self.quick, self.full = source, bands, bands

    def run(self, full: bool) -> Found:
        figure, axes = panels(2, 2, (5.8, 5.0), sharex=True, sharey=True)
        values = {}
        for (name, init), panel in zip(_WEIGHTS.items(), axes.flat, strict=True):
            outputs = signals(self.activation(), init)
            for what, measure in _MEASURES.items():
                values[f"{name}: {what}"] = measure(outputs)
            for i, output in enumerate(outputs):
                draw(panel, output, self.ends, base=_LAYERS - i, colour=COLOURS[i])
            panel.set_title(name, fontsize="medium")
        axes[0, 0].set_yticks(range(1, _LAYERS + 1), range(_LAYERS, 0, -1))
        for panel in axes[:, 0]:
            panel.set_ylabel("layer")
        what = f"outputs of {self.activation.__name__}"
        what += " above 0; in the last bar 3 and more" * (self.activation is Relu)
        figure.supxlabel(what, fontsize="medium")
        return Found({band.what: values[band.what] for band in self.full}, figure)


def signals(activation, init) -> list[np.ndarray]:
    """The outputs (rows, units) of each layer."""
    rng, found = np.random.default_rng(0), []
    X = rng.standard_normal((_ROWS, _UNITS))
    for _ in range(_LAYERS):
        affine = Affine(_UNITS, _UNITS, init=init, rng=rng, dtype=np.float64)
        X = activation.forward(affine.forward(X))
        found.append(X)
    return found


def draw(panel, output: np.ndarray, ends: tuple, base: int, colour: str) -> None:
    """A histogram of the outputs that are not 0, which stands on the line of its layer; the highest
    bin is as high as a line is wide."""
    counts, edges = np.histogram(output[output != 0].clip(*ends), bins=40, range=ends)
    heights = base + 0.9 * counts / counts.max()
    panel.stairs(heights, edges, baseline=base, fill=True, color=colour)


def root_mean_square(output: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(output))))


_MEASURES = {
    "share of layer 5 in the outer tenths": lambda o: np.mean((o[-1] < 0.1) | (o[-1] > 0.9)),
    "share of layer 5 beyond ±0.9": lambda o: np.mean(np.abs(o[-1]) > 0.9),
    "deviation in layer 5": lambda o: np.std(o[-1]),
    "mean of layer 5": lambda o: np.mean(o[-1]),
    "size in layer 5": lambda o: root_mean_square(o[-1]),
    "size in layer 5 / in layer 1": lambda o: root_mean_square(o[-1]) / root_mean_square(o[0]),
}

INITIAL_WEIGHTS = (
    InitialWeights(
        Sigmoid,
        "book 1, Fig. 6-10, 6-11 and 6-13",
        (
            Band("deviation 1: share of layer 5 in the outer tenths", 0.65, 0.85, "", "at 0 and 1"),
            Band("deviation 0.01: mean of layer 5", 0.45, 0.55, "", "all at 0.5"),
            Band("deviation 0.01: deviation in layer 5", 0.005, 0.02, "", "0.0125 by formula"),
            Band("Xavier: deviation in layer 5", 0.08, 0.18, "", "0.12 by formula"),
        ),
        (0, 1),
    ),
    InitialWeights(
        Tanh,
        "book 1, section 6.2.2, the note on tanh",
        (
            Band("deviation 1: share of layer 5 beyond ±0.9", 0.8, 0.95, "", "0.88 by formula"),
            Band("deviation 0.01: size in layer 5", 0.5e-5, 2e-5, "", "0.1⁵ by formula"),
            Band("Xavier: size in layer 5", 0.25, 0.65, "", "neither 0 nor 1"),
        ),
        (-1, 1),
    ),
    InitialWeights(
        Relu,
        "book 1, Fig. 6-14",
        (
            Band(
                "deviation 0.01: size in layer 5",
                *(0.5 * _SHRUNK, 2 * _SHRUNK),
                why=f"{_SHRUNK:.2g} by formula",
            ),
            Band("Xavier: size in layer 5 / in layer 1", 0.15, 0.4, "", "0.25 by formula"),
            Band("He: size in layer 5 / in layer 1", 0.6, 1.6, "", "1 by formula"),
        ),
        (0, 3),
    ),
)
