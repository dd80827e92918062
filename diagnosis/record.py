"""The files of a run as a `Record`: what the findings are made from."""

import dataclasses
import math
from functools import cached_property
from pathlib import Path

import numpy as np

from lamina.common.errors import no_run
from lamina.common.folder import Folder, placed
from lamina.datasets.tasks import LOSSES
from lamina.diagnosis.answers import OUTPUTS
from lamina.diagnosis.figure import Figure, figure_of, scatter
from lamina.diagnosis.kept import kept_row
from lamina.diagnosis.learnable import MOST
from lamina.diagnosis.notes import read_culprit, read_facts, read_sets
from lamina.diagnosis.rates import factors_of
from lamina.diagnosis.recorder import LAYERS, PARAMETERS, STEPS
from lamina.diagnosis.run_tables import Series, number_columns, read_config, series_by_name

NEARLY_ALL = 0.9  # a training score with which a net has learned well whatever the noise
SOMETHING = 0.3  # of the way from guessing to perfection, taken to be within reach of any net
LUCK = 0.03  # by which 500 samples may misjudge what is within reach
OF_NUMBERS = 0.15  # by which the score of 500 numbers by nearest neighbours may be above the truth
MISSED = 0.1  # of what is within reach: a score that is lower by more has missed it
TOLD = 4.0  # deviations of a correlation, 1/√n where there is none
BY_HEART = 0.1  # between train and test: more is no sign of having learned well


@dataclasses.dataclass
class Record:
    """A run as its files tell it.

    `loss` and `history` are columns by name; `layers`, `parameters`, `outputs` and `steps` map
    names to their series, in the order of the net, empty if nothing was recorded; `facts` and
    `culprit` are the JSON files, empty if there are none. Nothing of a user's code is imported,
    and no data are read.
    """

    path: Path
    config: dict
    loss: dict[str, np.ndarray]
    history: dict[str, np.ndarray]
    layers: dict[str, Series]
    parameters: dict[str, Series]
    facts: dict
    culprit: dict
    outputs: dict[str, Series] = dataclasses.field(default_factory=dict)
    steps: dict[str, Series] = dataclasses.field(default_factory=dict)
    has_weights: bool = True  # a run that is not over, or was killed, has none
    sets: dict[str, str] = dataclasses.field(default_factory=dict)  # digests of their contents

    @property
    def iterations(self) -> int:
        """How many were done."""
        return len(self.loss["loss"])

    @cached_property
    def task(self) -> str:
        """The name of what is learned, "" if that is not known."""
        return self.facts.get("task", {}).get("task", "")

    @cached_property
    def classes(self) -> int | None:
        return self.facts.get("task", {}).get("classes")

    @cached_property
    def figure(self) -> Figure | None:
        """What the run is judged by."""
        return figure_of(self.facts, self.history)

    @property
    def kept_said(self) -> str:
        """What the figures of the evaluation `kept` are of, in words."""
        at = self.history["iteration"][self.kept]
        what = "the weights kept" if self.has_weights else "the best so far, without weights"
        return f"{what}, of iteration {at:.0f}"

    @property
    def test_size(self) -> int:
        """How many right or wrong answers the figure of the test set is made of: of sequences one
        for each position, unless the figure wants all of a sample right. An older run may say the
        samples alone."""
        samples = self.facts.get("test_samples", 1000)
        if self.figure and self.figure.name == "exact_match":
            return samples
        return self.facts.get("test_targets", samples)

    @cached_property
    def chance(self) -> float:
        """The score of guessing on the training set, or 0 if that is not known."""
        return self.figure.chance("train") if self.figure else 0.0

    @cached_property
    def nearest(self) -> float:
        """The score of nearest neighbours on the training set; NaN if it is not known, or the run
        is judged by something else."""
        return self._without_net("nearest")

    @cached_property
    def ridge(self) -> float:
        """That of kernel ridge regression."""
        return self._without_net("ridge")

    def _without_net(self, name: str) -> float:
        judged = self.figure.name if self.figure else ""
        # These take all numbers together, and r2 is a mean over the outputs.
        known = judged in ("accuracy", "rmse") or (judged == "r2" and not self.are_unlike(1.5))
        score = self.facts.get(name) if known else None
        return math.nan if score is None else float(score)

    @property
    def r2(self) -> str:
        """What a score of numbers is called: of several to a sample all squares add up, unless
        the run is judged by r2 itself, the mean over them."""
        several = (self.facts.get("targets") or {}).get("width", 1) > 1
        pooled = several and (self.figure is None or self.figure.name != "r2")
        return "an r2 of all numbers together of" if pooled else "an r2 of"

    def are_unlike(self, times: float) -> bool:
        """Do numbers to learn vary so many times as much as others of a sample?"""
        targets = self.facts.get("targets") or {}
        least, most = (targets.get(name) or 0.0 for name in ("least_std", "most_std"))
        return most > times * least

    @cached_property
    def simple(self) -> tuple[float, str]:
        """The better score of those two, NaN if neither is known, and which it is; of numbers that
        of nearest neighbours only where it is better by more than it scatters. That of nearest
        neighbours on numbers has the noise of their own taken off, so it is no r2 of theirs."""
        luck = 0.0 if self.task == "classification" else OF_NUMBERS
        if self.ridge > self.nearest - luck or math.isnan(self.nearest):
            return self.ridge, "kernel ridge regression on the training set"
        own = "" if self.task == "classification" else ", less the noise of their own"
        return self.nearest, f"nearest neighbours in the training set{own}"

    @cached_property
    def reachable(self) -> float:
        """The score that noise leaves to the best of nets, as far as is known without one; 1 if
        it is not. Nearest neighbours err e = r (2 - n r / (n - 1)) at most, of n classes, where
        r is the least error that can be (Cover and Hart 1967): r is taken to be what makes that
        equal, with an e that is two standard deviations worse than the 500 samples say."""
        best = self.simple[0]
        if math.isnan(best):
            return 1.0
        if self.task == "classification" and not math.isnan(self.nearest):
            most = 1.0 - 1.0 / max(self.classes or 2, 2)  # the error of equal guesses
            errors = 1.0 - self.nearest
            errors += 2.0 * scatter(errors, MOST)
            root = math.sqrt(max(1.0 - errors / most, 0.0))
            best = max(best, 1.0 - most * (1.0 - root))
        return best

    @property
    def _aim(self) -> float:
        """What is within reach: something, also where all that is known is next to nothing."""
        return max(self.reachable, self.chance + SOMETHING * (1.0 - self.chance))

    @cached_property
    def well(self) -> bool:
        """Has it learned what there is to learn, as far as is known, and not by heart?"""
        if not self.train > self.chance or self.train - self.test > BY_HEART:
            return False
        nearly_all = max(NEARLY_ALL, self.chance + 0.8 * (1.0 - self.chance))
        return self.train >= min(nearly_all, self._aim - LUCK)

    @cached_property
    def has_what_is_told(self) -> bool:
        """Has it learned what is told of the training samples without a net, beyond chance, little
        as that may be where the noise is large?"""
        best = self.simple[0]
        most = self.train >= max(best, self.chance) - 0.2 * max(best - self.chance, 0.0)
        return self.is_told[0] and most and not self._says_one_answer

    @cached_property
    def is_told(self) -> tuple[bool, bool]:
        """Do the training samples tell, without a net, beyond chance what is right of each other,
        and of the test set?"""
        told = [*(self.facts.get("told") or ()), None, None]
        sizes = (min(self.facts.get(key, MOST), MOST) for key in ("samples", "test_samples"))
        first, second = (
            r is not None and r > TOLD / math.sqrt(n) for r, n in zip(told, sizes, strict=False)
        )
        return first, second

    @property
    def _says_one_answer(self) -> bool:
        """Is it no better than guessing, by its figure and by its loss?"""
        guess = self.guessing_loss
        return self.guesses and (guess is None or not self.end_loss < 0.99 * guess)

    @cached_property
    def outdone(self) -> bool:
        """Does it make far more errors than are made without a net: twice as many on its training
        samples, or half as many again on the test set? Of numbers by ridge regression on training
        samples alone: what nearest neighbours score on these is an estimate, and `alike` leaves out
        tails."""
        if self.figure is None:
            return False
        best = self.simple[0] if self.figure.is_share else self.ridge
        known = self.figure.name == "accuracy"  # which alike is; other shares are no errors of it
        of_test = (self.facts.get("alike") or [None])[-1] if known else None
        sizes = (self.facts.get(key, MOST) for key in ("samples", "test_samples"))
        compared = zip((self.train, self.test), (best, of_test), (2.0, 1.5), sizes, strict=True)
        return any(
            other is not None and _more_errors(own, other, times, min(n, MOST))
            for own, other, times, n in compared
        )

    def beyond_luck(self, deviations: float) -> bool:
        """Does it answer the test set better than chance would, by so many standard deviations, at
        its end or with the weights that were kept? The R² of guesses that vary by chance is at d
        deviations d² / (n + d²), whatever they vary by: the t of a slope is √(n R² / (1 - R²))."""
        if not self.figure or math.isnan(self.test):
            return False
        chance, n = self.figure.chance("test"), self.test_size
        share = self.figure.is_share
        return max(self.test, self.scores("test")[self.row_kept]) > chance + (
            deviations * scatter(chance, n) if share else deviations**2 / (n + deviations**2)
        )

    @cached_property
    def tells_apart(self) -> bool:
        """Are the classes of the training samples found more often, in the mean over the classes,
        than one answer for all would? A net whose loss weighs classes may be so and have a lower
        accuracy than guessing."""
        if self.task not in ("classification", "language_model") or "(all)" in self.outputs:
            return False
        found = [(s["right"][-1], s["samples"][-1]) for s in self.outputs.values()]
        shares = [right / samples for right, samples in found if samples > 0]
        return len(shares) > 1 and sum(shares) / len(shares) > 1.0 / len(shares) + 0.1

    @cached_property
    def guesses(self) -> bool:
        """Is it on its training samples no better than the best answer that is the same for all?"""
        return self.train < self.chance + 0.1 * (1.0 - self.chance) and not self.tells_apart

    @cached_property
    def own_loss(self) -> str:
        """The name of its loss, if it is the only one and none of this project; else ""."""
        losses = list(self.facts.get("losses", {}).values())
        return losses[0] if len(losses) == 1 and losses[0] not in LOSSES else ""

    @property
    def halfway(self) -> float:
        """The score between guessing and what can be reached: what is below has hardly learned."""
        return self.chance + 0.5 * (self._aim - self.chance)

    @cached_property
    def guessing_loss(self) -> float | None:
        """The loss of a net that only guesses, if that is known."""
        return self.facts.get("guessing_loss")

    @cached_property
    def start_loss(self) -> float:
        """The first loss, before any update."""
        return float(self.loss["loss"][0]) if self.iterations else math.nan

    @cached_property
    def end_loss(self) -> float:
        """The mean loss of the last tenth of the run."""
        if not self.iterations:
            return math.nan
        return float(np.mean(self.loss["loss"][-max(self.iterations // 10, 1) :]))

    @property
    def has_risen(self) -> bool:
        """See `risen`."""
        return risen(self.loss["loss"], self.guessing_loss)

    @cached_property
    def train(self) -> float:
        """The last score on the training samples; NaN before the first evaluation."""
        return self._last(self.scores("train"))

    @cached_property
    def test(self) -> float:
        return self._last(self.scores("test"))

    def scores(self, part: str) -> np.ndarray:
        """The scores of a set, one for each evaluation: 1 is perfection, `chance` guessing."""
        if not self.figure:
            return _NONE
        return np.array([self.figure.score(v, part) for v in self.values(part)])

    def values(self, part: str) -> np.ndarray:
        """The figure that counts, of a set, one for each evaluation."""
        return self.history.get(f"{part}_{self.figure.name}", _NONE) if self.figure else _NONE

    @cached_property
    def kept(self) -> int | None:
        """The evaluation whose weights keep_best has kept; None where those are the last."""
        return kept_row(self.config, self.facts, self.history)

    @property
    def row_kept(self) -> int:
        """The evaluation that the weights of the run are of: the last, unless others were kept."""
        return self.kept if self.kept is not None and self.has_weights else -1

    def row_of_kept(self, series) -> int | None:
        """The record of a series that is of the evaluation `row_kept`; None where there is none, as
        of a run that was not recorded from its beginning."""
        if self.row_kept < 0:
            return -1
        at = np.flatnonzero(series.iterations == self.history["iteration"][self.row_kept])
        return int(at[-1]) if len(at) else None

    def said(self, *parts: str, row: int = -1) -> str:
        """The last figures of these sets in words, or those of another evaluation: "train rmse
        0.812, test 0.903"."""
        words: list[str] = []
        for part in parts:
            if self.figure and len(values := self.values(part)):
                name = "" if words else f" {self.figure.name}"
                words.append(f"{part}{name} {self.figure.shown(float(values[row]))}")
        return ", ".join(words)

    @cached_property
    def lr(self) -> float:
        """That of the configuration, which a schedule multiplies; if it says none, the highest that
        history.csv has: that has rates at evaluations alone."""
        rates = self.history.get("lr", np.empty(0))
        configured = number(self.optimizer.get("lr"))
        return configured if configured > 0 or not len(rates) else float(rates.max())

    @property
    def optimizer(self) -> dict:
        """That section of the configuration."""
        section = self.config.get("optimizer")
        return section if isinstance(section, dict) else {}

    @property
    def training(self) -> dict:
        """That section of the configuration."""
        section = self.config.get("training")
        return section if isinstance(section, dict) else {}

    @cached_property
    def ended_by_patience(self) -> int | None:
        """The `patience` that ended the run: so many evaluations without a better one."""
        patience, values = number(self.training.get("patience")), self.values("validation")
        if not self.figure or not 0 < patience < len(values) or np.isnan(values).all():
            return None
        best = np.nanargmax(values) if self.figure.higher_is_better else np.nanargmin(values)
        return int(patience) if len(values) - 1 - best >= patience else None

    @property
    def warm_up(self) -> int:
        """How many iterations the rate rises for at first; 0 without that."""
        schedule = self.optimizer.get("schedule")
        steps = number(schedule.get("warm_up")) if isinstance(schedule, dict) else math.nan
        return int(steps) if steps > 0 else 0

    @cached_property
    def factors(self) -> np.ndarray:
        """(iterations,): what a schedule made of the rate at each iteration: see rates.py."""
        at, rates = (self.history.get(name, ()) for name in ("iteration", "lr"))
        schedule = self.optimizer.get("schedule")
        return factors_of(schedule, self.lr, self.iterations, at, rates)

    def factor_at(self, iteration: float) -> float:
        """That of one; of an iteration that was not counted, as in a run that failed at once, 1."""
        return float(self.factors[int(iteration) - 1]) if 1 <= iteration <= self.iterations else 1.0

    @property
    def mean_rate(self) -> float:
        """Over the iterations."""
        return self.lr * float(self.factors.mean()) if self.iterations else self.lr

    @cached_property
    def matrices(self) -> dict[str, dict]:
        """What facts.json says of the parameters that are matrices or more: no biases, no scales,
        those of the layers Bias and Scale included, whose shape is that of a sample."""
        starts = self.facts.get("parameters", {})
        return {
            name: start
            for name, start in starts.items()
            if len(start["shape"]) > 1 and self.kind_of(name) not in ("Scale", "Bias")
        }

    def start_norm(self, name: str) -> float:
        """The norm that these weights began with: as it was recorded, or from what facts.json says
        where the recorder was turned on later; NaN if neither does."""
        recorded, start = self.parameters[name].at_start("weight_norm"), self.matrices[name]
        if not math.isnan(recorded) or None in (start["mean"], start["std"]):
            return recorded
        return math.hypot(start["mean"], start["std"]) * math.sqrt(math.prod(start["shape"]))

    def is_head(self, parameter: str) -> bool:
        """Is it of a layer that gives what the net puts out, or what a loss reads? Of an older run,
        which does not say, the last matrix is."""
        if (ends := self.facts.get("ends")) is None:
            ends = [name.rpartition(".")[0] for name in list(self.matrices)[-1:]]
        return parameter.rpartition(".")[0] in ends

    @cached_property
    def weights(self) -> dict[str, Series]:
        """What was recorded of `matrices`."""
        return {name: s for name, s in self.parameters.items() if name in self.matrices}

    def kind_of(self, parameter: str) -> str:
        """The type of the layer that a parameter is of, "" if that is not known."""
        return self.facts.get("layers", {}).get(parameter.rpartition(".")[0], "")

    @property
    def last_layer(self) -> str:
        """The name of the last layer that was recorded, whose outputs are the net's."""
        return next(reversed(self.layers), "")

    @cached_property
    def everything(self) -> Series | None:
        """The parameters taken together."""
        return self.parameters.get("(all)")

    @property
    def failed(self) -> bool:
        """Did a number that is none end the run?"""
        return bool(self.culprit)

    @staticmethod
    def _last(values: np.ndarray) -> float:
        return float(values[-1]) if len(values) else math.nan


def _more_errors(score: float, other: float, times: float, n: int) -> bool:
    """So many times as many, and beyond luck with n samples."""
    errors, others = 1.0 - score, 1.0 - other
    luck = max(LUCK, 2.5 * math.hypot(scatter(errors, n), scatter(others, n)))
    return errors > times * others and errors - others > luck


_NONE = np.empty(0)


def risen(losses: np.ndarray, guessing: float | None) -> bool:
    """Is the mean loss of the last tenth of a run above the first one, by as much as that was or
    with nearly every batch, and above that of guessing, if it is known? Else the first batch may
    have been an easy one."""
    if not len(losses):
        return False
    first, last = losses[0], losses[-max(len(losses) // 10, 1) :]
    by = float(last.mean() - first)
    if not by > 0 or (guessing is not None and last.mean() < guessing):
        return False
    return by > abs(first) or bool(np.mean(last > first) >= 0.95)


def number(value) -> float:
    """A value of a configuration as a float; NaN if it is no number."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if usable else math.nan


def read_record(path: str | Path | Folder) -> Record:
    """Read the files of a run. Raises OSError, or ValueError if it is none or a file is damaged; a
    last line that was cut off, as in a run that was killed, is left out."""
    path = placed(path)
    for name in ("config.yaml", "loss.csv"):
        if not (path / name).is_file():
            raise ValueError(no_run(path, name))
    config = read_config(path / "config.yaml")
    loss = number_columns(path / "loss.csv", ("iteration", "loss"))
    history = number_columns(path / "history.csv", ("iteration", "lr"))
    facts, culprit = read_facts(path / "facts.json"), read_culprit(path / "culprit.json")
    if not len(loss["loss"]) and not culprit:
        raise ValueError(f"{path}: has no iteration yet")
    layers = series_by_name(path / "layers.csv", "layer", LAYERS[2:])
    parameters = series_by_name(path / "parameters.csv", "parameter", PARAMETERS[2:])
    outputs = series_by_name(path / "outputs.csv", "output", OUTPUTS[2:])
    steps = series_by_name(path / "steps.csv", "layer", STEPS[2:])
    tables = layers, parameters, facts, culprit, outputs, steps
    has_weights, sets = (path / "weights.npz").is_file(), read_sets(path / "provenance.json")
    return Record(Path(path), config, loss, history, *tables, has_weights, sets)
