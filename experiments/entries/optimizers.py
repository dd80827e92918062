"""Four optimizers beside each other on digits."""

import numpy as np

from lamina.common.colours import looks
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import deep_net
from lamina.experiments.training import learn
from lamina.optimizers import SGD, AdaGrad, Adam, Momentum

_RULES = {SGD: 0.01, Momentum: 0.01, AdaGrad: 0.01, Adam: 0.001}  # the book's rates


class Optimizers(Entry):
    """The same net, 784, four layers of 100 units with ReLU, 10, from the same weights, by four
    optimizers, on 2,000 batches of 128: SGD is the slowest, and in the book AdaGrad is a little
    faster than the others. Losses at the end are means of the last tenth. The quick form has 2,000
    drawn digits and 300 batches; there AdaGrad came out behind (1.57), which is not judged, since
    the book's word is of MNIST.
    """

    name, title = "optimizers", "Optimizers beside each other"
    source, minutes = "book 1, Fig. 6-9", 0.5
    remark = "AdaGrad leads for the first 500 batches, and stays level with Adam up to 1,250."
    full = (
        *(Band(f"loss of SGD / of {name}", 1.5) for name in ("Momentum", "AdaGrad", "Adam")),
        Band("loss of AdaGrad / of the best other", 0, 1, why="a little faster"),
    )
    quick = tuple(Band(f"loss of SGD / of {name}", 1.2) for name in ("Momentum", "AdaGrad", "Adam"))

    def run(self, full: bool) -> Found:
        data, iterations = digits(full), 2000 if full else 300
        figure, ((axes,),) = panels(size=(5.4, 3.5))
        at_end, window = {}, iterations // 50
        for (rule, lr), (colour, marker) in zip(_RULES.items(), looks(4), strict=True):
            net = deep_net(4, rng=0)
            options = {"iterations": iterations, "batch_size": 128, "evaluate_every": iterations}
            losses = learn(net, rule(net.parameters(), lr=lr), data, **options).losses
            at_end[rule.__name__] = float(np.mean(losses[-iterations // 10 :]))
            means = np.convolve(losses, np.full(window, 1 / window), mode="valid")
            axes.plot(
                *(np.arange(window, iterations + 1), means),
                **{"color": colour, "marker": marker, "markevery": iterations // 8},
                label=f"{rule.__name__}, rate {lr}",
            )
        axes.set(xlabel="iteration", ylabel=f"loss, mean of {window} batches", yscale="log")
        axes.legend()
        values = {f"loss of SGD / of {n}": at_end["SGD"] / at_end[n] for n in list(at_end)[1:]}
        if full:  # what the book says of AdaGrad is said of MNIST
            best = min(at_end["Momentum"], at_end["Adam"])
            values["loss of AdaGrad / of the best other"] = at_end["AdaGrad"] / best
        return Found(values, figure)
