"""How a run stands: beside guessing, and beside what is known of its data without a net."""

import math
from functools import cached_property
from pathlib import Path

from lamina.common.errors import no_run
from lamina.common.folder import Folder, placed
from lamina.common.percent import percent
from lamina.diagnosis.answers import OUTPUTS
from lamina.diagnosis.figure import scatter
from lamina.diagnosis.learnable import MOST
from lamina.diagnosis.notes import read_culprit, read_facts, read_sets
from lamina.diagnosis.recorded import Recorded
from lamina.diagnosis.recorder import LAYERS, PARAMETERS, STEPS
from lamina.diagnosis.run_tables import number_columns, read_config, series_by_name

NEARLY_ALL = 0.9  # a training score with which a net has learned well whatever the noise
SOMETHING = 0.3  # of the way from guessing to perfection, taken to be within reach of any net
LUCK = 0.03  # by which 500 samples may misjudge what is within reach
OF_NUMBERS = 0.15  # by which the score of 500 numbers by nearest neighbours may be above the truth
MISSED = 0.1  # of what is within reach: a score that is lower by more has missed it
UNTOLD = 150  # samples: what fewer have in common may be missed though it is there
TOLD = 4.0  # deviations of a correlation, 1/√n where there is none
LITTLE_LEFT = 0.1  # of the loss of guessing, or of the first
BY_HEART = 0.1  # between train and test: more is no sign of having learned well


class Record(Recorded):
    """What the findings are made from. Scores are 1 for perfection and `chance` for guessing."""

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

    @cached_property
    def line(self) -> float:
        """That of straight lines."""
        return self._without_net("line")

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

    def said_as_r2(self, score: float) -> str:
        """A score of numbers: to two digits, or as many as tell it from 1."""
        digits = 2
        while score < 1.0 and float(f"{score:.{digits}g}") == 1.0:
            digits += 1
        return f"{self.r2} {score:.{digits}g}"

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
        luck = max(OF_NUMBERS, 3.0 * (self.facts.get("nearest_luck") or 0.0))
        luck = 0.0 if self.task == "classification" else luck
        if self.ridge > self.nearest - luck or math.isnan(self.nearest):
            return self.ridge, f"kernel ridge regression on {self.compared}"
        return self.nearest, f"nearest neighbours among {self.compared}{self.less_own_noise}"

    @property
    def simple_said(self) -> str:
        """That score in words, and what it is of."""
        score, by = self.simple
        share = self.figure is not None and self.figure.is_share
        return f"{by}: {percent(score, 1) if share else self.said_as_r2(score)}"

    @property
    def compared(self) -> str:
        """The training samples that those two had, in words; older runs do not say how many."""
        n = self.facts.get("compared")
        return "training samples" if n is None else f"{n:.0f} training samples"

    @property
    def less_own_noise(self) -> str:
        """What stands behind a score of nearest neighbours: see learnable.py."""
        return "" if self.task == "classification" else ", less the noise of their own"

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
        """Has it learned what there is to learn, as far as is known, and not by heart? Of a run
        without a score, is next to nothing left of its loss?"""
        if math.isnan(self.train):
            whole = self.guessing_loss or self.start_loss
            return 0.0 <= self.end_loss < LITTLE_LEFT * whole
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

    @cached_property
    def is_untold(self) -> bool:
        """Is it known that nothing is told, of samples that are not few, and does neither score?"""
        known = None not in (self.facts.get("told") or [None])
        n, n_test = (min(self.facts.get(key, 0), MOST) for key in ("samples", "test_samples"))
        if not known or min(n, n_test) < UNTOLD or any(self.is_told):
            return False
        luck = 3.0 * scatter(self.chance, n) if self.task == "classification" else TOLD**2 / n
        return self.simple[0] < self.chance + luck

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

    def knows_others(self, deviations: float) -> bool:
        """Is it `beyond_luck` on the test set, or at its end on the validation set?"""
        value = self._last(self.scores("validation"))
        n = self.facts.get("validation_samples", 0) * self.test_size
        n //= max(self.facts.get("test_samples", self.test_size), 1)  # or positions of so many
        more = not math.isnan(value) and n > 0
        return self.beyond_luck(deviations) or (
            more and value > self._by_luck("validation", n, deviations)
        )

    def beyond_luck(self, deviations: float) -> bool:
        """Does it answer the test set better than chance would, by so many standard deviations, at
        its end or with the weights that were kept?"""
        if not self.figure or math.isnan(self.test):
            return False
        if self.task == "multilabel" and (guess := self.test_guessing_loss):
            # The best guess of F1 says all labels, from which no scatter leads to what is known.
            losses = self.history.get("test_loss", ())
            if len(losses) and losses[self.row_kept] < 0.9 * guess and self.test_size >= 30:
                return True
        value = max(self.test, self.scores("test")[self.row_kept])
        return value > self._by_luck("test", self.test_size, deviations)

    def _by_luck(self, part: str, n: int, deviations: float) -> float:
        """The score that so many standard deviations of luck give to guesses on n samples. The R²
        of guesses that vary by chance is at d deviations d² / (n + d²), whatever they vary by: the
        t of a slope is √(n R² / (1 - R²))."""
        if not self.figure:
            return math.nan
        chance, share = self.figure.chance(part), self.figure.is_share
        return chance + (
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

    @property
    def halfway(self) -> float:
        """The score between guessing and what can be reached: what is below has hardly learned."""
        return self.chance + 0.5 * (self._aim - self.chance)


def _more_errors(score: float, other: float, times: float, n: int) -> bool:
    """So many times as many, and beyond luck with n samples."""
    errors, others = 1.0 - score, 1.0 - other
    luck = max(LUCK, 2.5 * math.hypot(scatter(errors, n), scatter(others, n)))
    return errors > times * others and errors - others > luck


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
