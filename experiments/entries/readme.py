"""The table of docs/configs.md: each configuration gives what is claimed of it."""

import math
import tempfile
from pathlib import Path

from lamina.common.colours import COLOURS
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import Config, load_config
from lamina.experiment.find_config import find_config
from lamina.experiments.entry import Band, Entry, Found
from lamina.experiments.figures import GREY, panels
from lamina.experiments.training import trained
from lamina.training.trainer import Trainer


def share(claimed: float, n: int, metric: str = "accuracy") -> Band:
    """A claimed percentage of n test samples: three standard deviations of a share of so many, and
    half of the last digit that the table gives."""
    p = claimed / 100
    room = 300 * math.sqrt(p * (1 - p) / n) + half_digit(claimed)
    return Band(
        f"test {metric}", claimed - room, min(claimed + room, 100.0), "%", f"claimed: {claimed}"
    )


def figure(claimed: float, metric: str) -> Band:
    """A claimed figure that is no share: a twentieth of it, and half of its last digit."""
    room = 0.05 * claimed + half_digit(claimed)
    return Band(f"test {metric}", claimed - room, claimed + room, "", f"claimed: {claimed}")


def half_digit(claimed: float) -> float:
    """Half of the last digit that the table gives: 97 has others than 5.0."""
    return 0.5 * 10 ** -len(str(claimed).partition(".")[2])


class Claim(Entry):
    """As `lamina train` trains it, with its seed. The band is three standard deviations of a share
    of so many test samples, or a twentieth of a figure that is no share, and half of the last digit
    that is claimed. The grey line is what is claimed, the grey area the band, and the points are
    evaluations."""

    def __init__(
        self,
        config: str,
        claimed: float,
        metric: str = "accuracy",
        *,
        of: int | None = None,
        minutes: float,
        quick: bool = False,
    ):
        """`of` is how many test samples a share is of, in per cent; None for what is no share."""
        self.name, self.config, self.claimed = f"readme_{config}", config, claimed
        self.title, self.source = f"Configuration {config}", "docs/configs.md"
        self.full = (figure(claimed, metric) if of is None else share(claimed, of, metric),)
        self.quick, self.minutes = self.full if quick else (), minutes

    def run(self, full: bool) -> Found:
        trainer = self.trainer()
        evaluations = trained(trainer).evaluations
        (band,) = self.full
        column = band.what.replace(" ", "_")
        factor = 100 if band.unit == "%" else 1
        kept = kept_row(trainer)
        value = factor * kept[column]
        picture, ((axes,),) = panels(size=(5.6, 3.4))
        axes.axhspan(band.low, band.high, color=GREY, alpha=0.4, linewidth=0)
        axes.axhline(self.claimed, color=GREY, label=f"claimed: {band.shown(self.claimed)}")
        epochs = [row["epoch"] for row in evaluations]
        values = [factor * row[column] for row in evaluations]
        axes.plot(epochs, values, "o-", markersize=3, label=f"got: {band.shown(value)}")
        if kept is not evaluations[-1]:
            ring = {"markersize": 9, "fillstyle": "none", "color": COLOURS[1]}
            axes.plot(kept["epoch"], value, "o", label="kept, by the validation set", **ring)
        axes.set(xlabel="epoch", ylabel=f"{band.what} {band.unit and '(%)'}".rstrip())
        axes.legend(fontsize="small")
        return Found({band.what: value}, picture)

    def trainer(self) -> Trainer:
        return build_trainer(configuration(self.config), quiet=True)


class FineTuned(Claim):
    """First LeNet is trained on drawn digits, as `digits_lenet` has it; then its convolutions are
    frozen, and the rest learns 2,000 images of MNIST. The grey line, and the area around it, are
    what is claimed, three standard deviations of a share of 10,000; the points are evaluations."""

    def trainer(self) -> Trainer:
        with tempfile.TemporaryDirectory() as folder:
            run_dir = Path(folder) / "digits_lenet"
            trained(build_trainer(configuration("digits_lenet"), quiet=True, run_dir=run_dir))
            weights: dict[tuple, object] = {("net", "weights"): str(run_dir / "weights.npz")}
            return build_trainer(configuration(self.config).replaced(weights), quiet=True)


def configuration(name: str) -> Config:
    return load_config(find_config(name))


def kept_row(trainer: Trainer) -> dict:
    """The evaluation of the weights that a run has left."""
    rows = trainer.history.evaluations
    if trainer.best.net_state is None:
        return rows[-1]
    return next(row for row in rows if row["iteration"] == trainer.best.iteration)


CLAIMS = (
    Claim("digits_relu", 97, of=2000, minutes=0.1, quick=True),
    Claim("mnist_relu", 97.1, of=10_000, minutes=0.1),
    Claim("mnist_sigmoid", 94.8, of=10_000, minutes=0.1),
    Claim("mnist_svm", 97.1, of=10_000, minutes=0.1),
    Claim("mnist_gradient_penalty", 97.2, of=10_000, minutes=0.2),
    Claim("mnist_mlp", 98.6, of=10_000, minutes=0.8),
    Claim("mnist_simple_convnet", 98.9, of=10_000, minutes=8),
    Claim("mnist_lenet", 99.1, of=10_000, minutes=6),
    Claim("mnist_resnet", 99.5, of=10_000, minutes=20),
    Claim("digits_lenet", 98.7, of=2000, minutes=1),
    FineTuned("mnist_finetune", 95.9, of=10_000, minutes=2),
    Claim("own_csv", 99, of=112, minutes=0.02, quick=True),
    Claim("digits_autoencoder", 0.11, "rmse", minutes=0.2),
    Claim("text_mlp", 5.8, "perplexity", minutes=1),
    Claim("text_rnn", 6.7, "perplexity", minutes=0.7),
    Claim("text_lstm", 5.0, "perplexity", minutes=3),
    Claim("text_gpt", 4.8, "perplexity", minutes=3),
    Claim("words_skipgram", 27, of=11_210, minutes=0.5),
    Claim("words_cbow", 36, of=1106, minutes=0.5),
    Claim("addition_seq2seq", 99.7, "exact match", of=5000, minutes=2),
    Claim("addition_attention", 99.7, "exact match", of=5000, minutes=7),
    Claim("dates_attention", 100.0, "exact match", of=5000, minutes=1),
    Claim("rows_lstm", 98.9, of=10_000, minutes=2),
)
