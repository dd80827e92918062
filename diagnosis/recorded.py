"""What the files of a run say, as they stand there or by a little arithmetic."""

import dataclasses
import inspect
import math
from functools import cached_property
from pathlib import Path

import numpy as np

from lamina import layers, optimizers
from lamina.common.percent import percent
from lamina.common.printable import printable
from lamina.datasets.tasks import LOSSES
from lamina.diagnosis.figure import Figure, figure_of
from lamina.diagnosis.kept import kept_row
from lamina.diagnosis.progress import risen
from lamina.diagnosis.rates import factors_of
from lamina.diagnosis.run_tables import Series
from lamina.training.squashed import HANDS_ON

LONGEST = 40  # characters of a name


@dataclasses.dataclass
class Recorded:
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

    def name_of(self, output: str) -> str:
        """What the data set calls the class or label of this number; the number where it has no
        name for it."""
        task = self.facts.get("task", {})
        names = task.get("class_names") or task.get("label_names") or []
        known = output.isdecimal() and int(output) < len(names)
        return printable(str(names[int(output)]))[:LONGEST] if known else output

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

    @property
    def where_seen(self) -> str:
        """Of how many test samples `seen` is the share, and where they stand: see overlap.py."""
        chosen = len(self.values("validation")) and self.facts.get("chooses", True)
        there = self.facts.get("test_samples", 0)
        n = self.facts.get("seen_of", min(there, 1000))  # of runs before that was kept
        which = f"{n:,} test samples that were drawn" if n < there else "the test samples"
        return (
            f"{which} stand among the {'training or validation' if chosen else 'training'} ones too"
        )

    @property
    def marked_said(self) -> str:
        """What may be a mark among the targets in words; "" where none was found."""
        targets = self.facts.get("targets") or {}
        if not {"mark", "marked", "next", "numbers"} <= targets.keys():
            return ""
        return (
            f"{targets['marked']:,} of {targets['numbers']:,} targets are {targets['mark']:.6g}; "
            f"the nearest of the others is {targets['next']:.6g}"
        )

    def said_near(self, share: float) -> str:
        """That share of the test samples in words: see overlap.py."""
        return (
            f"{percent(share, 1)} of the test samples that were looked at lie a hundred times "
            "nearer to a training sample than that lies to any other, as near copies do"
        )

    def hardly_moves(self, limit: float) -> bool:
        """Is the median update of all weights less than that share of them?"""
        ratios = [series.median("update_ratio") for series in self.weights.values()]
        ratios = [ratio for ratio in ratios if not math.isnan(ratio)]
        return bool(ratios) and max(ratios) < limit

    def never_moved(self, limit: float) -> bool:
        """Was no update that was recorded as large a share of any weights? Some that hardly move
        have been thrown to where they are at first."""
        largest = [np.nanmax(s["update_ratio"], initial=0.0) for s in self.weights.values()]
        return bool(largest) and max(largest) < limit

    @property
    def test_size_said(self) -> str:
        """`test_size` in words: "1,000 test samples", "720 positions of 60 test samples"."""
        n = self.test_size
        samples = min(self.facts.get("test_samples", n), n)  # some may have a target that is none
        words = f"{samples:,} test {'sample' if samples == 1 else 'samples'}"
        return words if samples == n else f"{n:,} positions of {words}"

    @cached_property
    def own_loss(self) -> str:
        """The name of its loss, if it is the only one and none of this project; else ""."""
        losses = list(self.facts.get("losses", {}).values())
        return losses[0] if len(losses) == 1 and losses[0] not in LOSSES else ""

    @property
    def own_kinds(self) -> list[str]:
        """The types of its layers that are none of this project."""
        kinds = self.facts.get("layers", {}).values()
        return [kind for kind in dict.fromkeys(kinds) if kind not in layers.__all__]

    @cached_property
    def guessing_loss(self) -> float | None:
        """The loss of a net that only guesses, if that is known, as of the batches of loss.csv."""
        return guessing_loss_of(self.facts)

    @cached_property
    def train_guessing_loss(self) -> float | None:
        """The same as the training set is evaluated: by sample, also where a loss is a sum."""
        return self.facts.get("guessing_loss")

    @cached_property
    def test_guessing_loss(self) -> float | None:
        """That on the test set, or that of the training set where it alone is known."""
        return self.facts.get("test_guessing_loss", self.train_guessing_loss)

    @cached_property
    def start_loss(self) -> float:
        """The first loss, before any update."""
        return float(self.loss["loss"][0]) if self.iterations else math.nan

    @cached_property
    def end_loss(self) -> float:
        """The mean loss of the last tenth of the run."""
        return self.loss_at(self.iterations)

    def loss_at(self, iteration: int) -> float:
        """The mean loss of the last tenth of the run up to there."""
        if not iteration:
            return math.nan
        return float(np.mean(self.loss["loss"][:iteration][-max(iteration // 10, 1) :]))

    @property
    def in_a_loss(self) -> float:
        """What a loss of loss.csv is to be divided by to be of the kind that history.csv has: what
        counts in an iteration, if the net sums over it."""
        return in_a_loss(self.facts)

    @property
    def has_risen(self) -> bool:
        """See `risen`."""
        whole = self.history.get("train_loss", ())
        return risen(self.loss["loss"], self.guessing_loss, whole)

    @cached_property
    def train(self) -> float:
        """The last score on the training samples; NaN before the first evaluation."""
        return self._last(self.scores("train"))

    @cached_property
    def test(self) -> float:
        return self._last(self.scores("test"))

    @property
    def errs_more_on_others(self) -> bool:
        """Is the last error larger on the test set than on the training set, if errors of both are
        known? By a score, or r2, it may look so and be smaller: sets may have other spreads."""
        train, test = self.values("train"), self.values("test")
        if self.figure is None or self.figure.higher_is_better:
            if self.figure is None or self.figure.name != "r2":
                return True
            train, test = (self.history.get(f"{part}_rmse", _NONE) for part in ("train", "test"))
        return not len(train) or not len(test) or bool(test[-1] > train[-1])

    @property
    def best_unseen(self) -> float:
        """The better last score of the sets that it has not trained on, test and validation."""
        last = [self.test, self._last(self.scores("validation"))]
        return max((score for score in last if not math.isnan(score)), default=math.nan)

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

    @property
    def last_evaluated(self) -> int:
        """The iteration of the last evaluation, of which `said` speaks; a run that was interrupted
        has gone on since."""
        return int(self.history["iteration"][-1])

    @cached_property
    def lr(self) -> float:
        """That of the configuration, or of the rule if that says none, which a schedule multiplies;
        of a rule of one's own the highest that history.csv has: that has rates at evaluations
        alone."""
        rates = self.history.get("lr", np.empty(0))
        configured = number(self.optimizer.get("lr", _usual_rate(self.optimizer.get("type"))))
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
        """The `patience` that ended the run: so many evaluations without a better one. One that
        was not due, at the end of a run, is none of them."""
        if not self.iterations or self.iterations % self.evaluate_every:
            return None
        patience, values = number(self.training.get("patience")), self.values("validation")
        if not self.figure or not 0 < patience < len(values) or np.isnan(values).all():
            return None
        best = np.nanargmax(values) if self.figure.higher_is_better else np.nanargmin(values)
        return int(patience) if len(values) - 1 - best >= patience else None

    @property
    def evaluate_every(self) -> int:
        """Iterations between evaluations: as configured, or an epoch; 1 if it is not known."""
        said, several = (number(self.training.get(k)) for k in ("evaluate_every", "accumulate"))
        if said >= 1:
            return int(said)
        per_step = self.facts.get("batch_size", 0) * (several if several >= 1 else 1)
        return max(int(self.facts.get("samples", 0) // per_step), 1) if per_step else 1

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

    @property
    def n_learned(self) -> int:
        """How many numbers the net learns, as far as facts.json knows them."""
        parameters = self.facts.get("parameters", {}).values()
        return sum(math.prod(p["shape"]) for p in parameters if p.get("learns", True))

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

    @property
    def hidden(self) -> list[str]:
        """Those of `matrices` that are of no head."""
        return [name for name in self.matrices if not self.is_head(name)]

    @cached_property
    def weights(self) -> dict[str, Series]:
        """What was recorded of `matrices`."""
        return {name: s for name, s in self.parameters.items() if name in self.matrices}

    def kind_of(self, parameter: str) -> str:
        """The type of the layer that a parameter is of, "" if that is not known."""
        return self.facts.get("layers", {}).get(parameter.rpartition(".")[0], "")

    @property
    def has_branches(self) -> bool:
        """Then what stands next in a list need not stand behind."""
        kinds = self.facts.get("layers", {}).values()
        return not {"Addition", "Concatenation", "Copy", "Multiplication", "Maximum"}.isdisjoint(
            kinds
        )

    @property
    def last_layer(self) -> str:
        """The name of the layer whose numbers the loss reads, not one that only gives them another
        shape; of an older run, or with several losses, the last that was recorded."""
        if (said := self.facts.get("last")) in self.layers:
            return said
        kinds = self.facts.get("layers", {})
        named = [name for name in self.layers if name != "(input)"]
        return next((name for name in reversed(named) if kinds.get(name) not in HANDS_ON), "")

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


_NONE = np.empty(0)


def in_a_loss(facts: dict) -> float:
    """See Recorded.in_a_loss."""
    return float(facts.get("summed") or 1.0)


def guessing_loss_of(facts: dict) -> float | None:
    """See Recorded.guessing_loss."""
    known = facts.get("guessing_loss")
    return None if known is None else known * in_a_loss(facts)


def _usual_rate(kind) -> float | None:
    """What a rule of this project takes where no rate is given."""
    if kind not in optimizers.__all__:
        return None
    rate = inspect.signature(getattr(optimizers, kind)).parameters.get("lr")
    return None if rate is None or rate.default is inspect.Parameter.empty else rate.default


def number(value) -> float:
    """A value of a configuration as a float; NaN if it is no number."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if usable else math.nan
