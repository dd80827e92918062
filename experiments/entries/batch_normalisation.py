"""With and without batch normalisation, from sixteen scales of initial weights."""

import functools

import numpy as np

from lamina.common.colours import COLOURS
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import deep_net
from lamina.experiments.training import learn
from lamina.layers.initializers import normal
from lamina.optimizers import SGD

_SCALES = np.logspace(0, -4, 16)
_KINDS = {"without": False, "with": True}


class BatchNormalisation(Entry):
    """784, five layers of 100 units with ReLU, 10, on 1,000 images, SGD with the rate 0.01, batches
    of 100, from weights of sixteen deviations: in the book the net with batch normalisation learns
    faster nearly everywhere, and without it hardly at all unless the weights suit it. Where a curve
    ends early, or is not there, the loss was not finite any more. The quick form has 8 epochs in
    place of 20.
    """

    name, title = "batch_normalisation", "Batch normalisation"
    source, minutes = "book 1, Fig. 6-18", 0.7
    full = (
        Band("scales with more right with it", 13, 16, "of 16", "nearly all"),
        Band("scales where without it less than a fifth is right", 6, 14, "of 16"),
        Band("scales where with it half is right", 10, 16, "of 16"),
    )
    quick = (
        Band("scales with more right with it", 12, 16, "of 16"),
        Band("scales where without it less than a fifth is right", 6, 16, "of 16"),
        Band("scales where with it half is right", 6, 16, "of 16"),
    )

    def run(self, full: bool) -> Found:
        data, epochs = digits(full, 1000), 20 if full else 8
        figure, axes = panels(4, 4, (6.0, 5.4), sharex=True, sharey=True)
        at_end: dict[str, list] = {kind: [] for kind in _KINDS}
        for scale, panel in zip(_SCALES, axes.flat, strict=True):
            init = functools.partial(normal, std=scale)
            for (kind, normalised), colour in zip(_KINDS.items(), COLOURS, strict=False):
                net = deep_net(5, init=init, normalised=normalised, rng=0)
                rows = learn(net, SGD(net.parameters(), lr=0.01), data, epochs=epochs).evaluations
                shares = [row["train_accuracy"] for row in rows]
                # Nothing is right where nothing is a number any more.
                at_end[kind].append(shares[-1] if len(shares) == epochs else 0.0)
                panel.plot(
                    *(range(1, len(shares) + 1), [100 * share for share in shares]),
                    **{"color": colour, "linestyle": "-" if normalised else "--"},
                    label=kind,
                )
            panel.set_title(f"{scale:.2g}", fontsize="small", pad=2)
            panel.set_ylim(0, 103)
        figure.supxlabel("epoch", fontsize="medium")
        figure.supylabel("training accuracy (%)", fontsize="medium")
        lines, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(
            lines,
            labels,
            loc="outside upper center",
            ncols=2,
            title="deviation of the weights above each panel; batch normalisation:",
        )
        without, with_it = np.array(at_end["without"]), np.array(at_end["with"])
        names = (band.what for band in self.full)
        counts = (with_it > without, without < 0.2, with_it >= 0.5)
        return Found({n: int(np.sum(c)) for n, c in zip(names, counts, strict=True)}, figure)
