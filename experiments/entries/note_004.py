"""The run at the end of note 004, in its own loop."""

import numpy as np

from lamina.common.colours import COLOURS
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.nets import TwoLayerNet

_LR, _BATCH = 0.1, 100


class Note004(Entry):
    """`TwoLayerNet(784, 50, 10)`, 10,000 batches of 100 that are drawn anew each time, rate 0.1,
    updated through `params`; evaluated once an epoch, as the note does, the last time after 9,600
    batches. The quick form has 2,000 drawn digits and 1,000 batches.
    """

    name, title = "note_004", "The run of note 004"
    source, minutes = "note 004; book 1, Fig. 4-11 and 4-12, section 5.7.4", 0.2
    full = (
        Band("training accuracy", 97.3, 98.3, "%", "the note: 97.83"),
        Band("test accuracy", 96.3, 97.4, "%", "the note: 96.84"),
        Band("training less test accuracy", 0, 2, "points", "the note: 0.99"),
    )
    quick = (
        Band("training accuracy", 90, 100, "%"),
        Band("test accuracy", 80, 100, "%"),
        Band("training less test accuracy", -2, 12, "points"),
    )

    def run(self, full: bool) -> Found:
        data, rng = digits(full), np.random.default_rng(0)
        (X, t), (X_test, t_test) = data.train[:], data.test[:]
        net = TwoLayerNet(784, 50, 10, rng=rng)
        losses, epochs, shares = [], [], []
        for i in range(10_000 if full else 1001):
            rows = rng.choice(len(X), _BATCH)
            for key, gradient in net.gradient(X[rows], t[rows]).items():
                net.params[key] -= _LR * gradient
            losses.append(float(net.loss(X[rows], t[rows])))
            if i % (len(X) // _BATCH) == 0:
                epochs.append(i * _BATCH / len(X))
                shares.append((100 * net.accuracy(X, t), 100 * net.accuracy(X_test, t_test)))
        train, test = shares[-1]
        figure, ((left, right),) = panels(1, 2, (6.4, 3.2))
        left.plot(losses, linewidth=0.4, alpha=0.5)
        means = np.convolve(losses, np.full(100, 0.01), mode="valid")
        left.plot(
            np.arange(99, len(losses)), means, color=COLOURS[1], label="mean of 100 iterations"
        )
        left.set(xlabel="iteration", ylabel="loss of the batch")
        left.legend(fontsize="small")
        for curve, name in zip(zip(*shares, strict=True), ("training", "test"), strict=True):
            right.plot(epochs, curve, "o-", markersize=3, label=f"{name}: {curve[-1]:.2f} %")
        right.set(xlabel="epoch", ylabel="accuracy (%)")
        right.legend(fontsize="small")
        values = {"training accuracy": train, "test accuracy": test}
        return Found(values | {"training less test accuracy": train - test}, figure)
