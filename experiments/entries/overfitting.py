"""Over-fitting to 300 images, and two ways against it."""

from lamina.common.colours import COLOURS
from lamina.experiments.data import digits
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import panels
from lamina.experiments.nets import deep_net
from lamina.experiments.training import learn
from lamina.optimizers import SGD


class Overfitting(Entry):
    """784, six layers of 100 units with ReLU, 10, on 300 images, SGD with the rate 0.01, batches of
    100: once as it is, once with what should help. As it is the net has all training images right,
    and far fewer of the test images; with it the gap is smaller, and not even the training images
    are all right. The quick form is shorter and has drawn digits.
    """

    minutes = 0.7

    def __init__(
        self,
        name: str,
        title: str,
        source: str,
        epochs: tuple[int, int],
        *,
        weight_decay: float = 0.0,
        dropout: float = 0.0,
        smaller: tuple[float, float],
        remark: str = "",
    ):
        self.name, self.title, self.source, self.epochs = name, title, source, epochs
        self.weight_decay, self.dropout, self.remark = weight_decay, dropout, remark
        without, with_it = (f"{word} {title.lower()}" for word in ("without", "with"))
        self.kinds = {without: False, with_it: True}
        self.full = (
            Band(f"training accuracy {without}", 99, 100, "%", "all, in the figure"),
            Band(f"test accuracy {without}", 65, 85, "%", "about three quarters"),
            Band(f"training accuracy {with_it}", 50, 99.5, "%", "not all"),
            Band("how much smaller the gap is with it", *smaller, "points"),
        )
        self.quick = (
            Band(f"training accuracy {without}", 95, 100, "%"),
            Band(f"test accuracy {without}", 50, 95, "%"),
            Band(f"training accuracy {with_it}", 20, 100, "%"),
            Band("how much smaller the gap is with it", 0, 60, "points"),
        )

    def run(self, full: bool) -> Found:
        data, epochs = digits(full, 300), self.epochs[0 if full else 1]
        figure, axes = panels(1, 2, (6.4, 3.4), sharey=True)
        values, gaps = {}, []
        for (kind, helped), panel in zip(self.kinds.items(), axes.flat, strict=True):
            net = deep_net(6, dropout=self.dropout if helped else 0.0, rng=0)
            decay = self.weight_decay if helped else 0.0
            optimizer = SGD(net.parameters(), lr=0.01, weight_decay=decay)
            rows = learn(net, optimizer, data, epochs=epochs, evaluate_every=15).evaluations
            at_end = {}
            for part, line, colour in (("train", "-", COLOURS[0]), ("test", "--", COLOURS[1])):
                shares = [100 * row[f"{part}_accuracy"] for row in rows]
                at_end[part] = shares[-1]
                words = f"{'training' if part == 'train' else part}: {shares[-1]:.1f} %"
                panel.plot([row["epoch"] for row in rows], shares, line, color=colour, label=words)
            values[f"training accuracy {kind}"] = at_end["train"]
            values[f"test accuracy {kind}"] = at_end["test"]
            gaps.append(at_end["train"] - at_end["test"])
            panel.set_title(kind, fontsize="medium")
            panel.set_xlabel("epoch")
            panel.legend(fontsize="small", loc="lower right")
        axes[0, 0].set_ylabel("accuracy (%)")
        values["how much smaller the gap is with it"] = gaps[0] - gaps[1]
        return Found({band.what: values[band.what] for band in self.full}, figure)


OVERFITTING = (
    Overfitting(
        *("weight_decay", "Weight decay", "book 1, Fig. 6-20 and 6-21", (201, 150)),
        weight_decay=0.1,
        smaller=(2, 30),
    ),
    Overfitting(
        *("dropout", "Dropout", "book 1, Fig. 6-23", (301, 150)),
        dropout=0.2,
        smaller=(2, 30),
        remark=(
            "With dropout as book 1 writes it, multiplying in evaluation and not dividing in "
            "training, this net has 64.0 % and 51.4 % at the end, a gap that is 12 points smaller: "
            "behind six such layers its scores are smaller in training, so it learns more slowly, "
            "and has not come as far. Ours has learned nearly all images by then."
        ),
    ),
)
