"""A search at random for a learning rate and a weight decay."""

import numpy as np

from lamina.common.colours import COLOURS
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import deep_net
from lamina.experiments.training import learn
from lamina.optimizers import SGD


class Hyperparameters(Entry):
    """100 nets as those for over-fitting, on 400 images for 50 epochs, with rates drawn from 1e-6
    to 1e-2 and decays from 1e-8 to 1e-4, on logarithmic scales; judged by 100 images held back. The
    book finds that rates from 0.001 to 0.01 learn well; that decays so small make a difference is
    not expected. The quick form has 30 nets.
    """

    name, title = "hyperparameters", "A search for hyper-parameters"
    source, minutes = "book 1, Fig. 6-24", 2
    full = (
        Band("best validation accuracy", 70, 92, "%", "the book: 83"),
        Band("least rate of the best five", 0.001, 0.01, "", "the book: 0.0052"),
        Band("rank correlation of accuracy and rate", 0.7, 1),
        Band("rank correlation of accuracy and decay", -0.3, 0.3, "", "0, give or take 0.1"),
    )
    quick = (
        Band("best validation accuracy", 50, 95, "%"),
        Band("least rate of the best five", 0.001, 0.01),
        Band("rank correlation of accuracy and rate", 0.5, 1),
        Band("rank correlation of accuracy and decay", -0.55, 0.55, "", "0, give or take 0.18"),
    )

    def run(self, full: bool) -> Found:
        data = digits(full, 400, 100, n_validation=100)
        rng, n = np.random.default_rng(0), 100 if full else 30
        rates, decays = 10 ** rng.uniform(-6, -2, n), 10 ** rng.uniform(-8, -4, n)
        shares = np.array([validated(data, *pair) for pair in zip(rates, decays, strict=True)])
        best = np.argsort(-shares, kind="stable")[:5]
        figure, axes = panels(1, 2, (6.4, 3.4), sharey=True)
        for values, panel, name in zip((rates, decays), axes.flat, ("rate", "decay"), strict=True):
            panel.plot(values, shares, "o", markersize=4)
            ring = {"markersize": 9, "fillstyle": "none", "color": COLOURS[1]}
            panel.plot(values[best], shares[best], "o", label="the best five", **ring)
            panel.set(xscale="log", xlabel=f"{'learning ' * (name == 'rate')}{name}")
        axes[0, 0].legend(fontsize="small")
        axes[0, 0].set_ylabel("validation accuracy (%)")
        figures = (
            shares.max(),
            rates[best].min(),
            rank_correlation(shares, rates),
            rank_correlation(shares, decays),
        )
        names = (band.what for band in self.full)
        return Found(dict(zip(names, figures, strict=True)), figure)


def validated(data, lr: float, weight_decay: float) -> float:
    """The validation accuracy of a net that is trained so, in per cent."""
    net = deep_net(6, rng=0)
    optimizer = SGD(net.parameters(), lr=lr, weight_decay=weight_decay)
    (*_, row) = learn(net, optimizer, data, epochs=50, evaluate_every=200).evaluations
    return 100 * row["validation_accuracy"]


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's: the correlation of their ranks; equal values share the mean of theirs."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def ranks(a: np.ndarray) -> np.ndarray:
    below = np.sum(a[:, None] > a, axis=1)
    return below + (np.sum(a[:, None] == a, axis=1) - 1) / 2
