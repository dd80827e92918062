"""Trials whose values Optuna chooses, by the validation set: a study in a sweep's folder."""

import contextlib
import math
import warnings
from pathlib import Path

from lamina.common.errors import RunError
from lamina.experiment.outcome import read_outcome
from lamina.experiment.ranges import rounded
from lamina.experiment.sweep_endings import Endings
from lamina.experiment.sweep_file import MOST, SweepFile, Trial
from lamina.experiment.trial import FINISHED, PRUNED

FILE = "study.db"
_UNPRUNED = 5  # trials that come to their end before any is pruned, none in its first third


class Search:
    """The trials of a sweep file with ranges, in the order in which they are asked for.

    `column` is the figure of history.csv that counts, on the validation set. A trial is drawn from
    the results of those before it, by a generator that the seed and its number have seeded: a study
    that was killed goes on as if nothing had been. trials.csv says how they have ended, and the
    study follows it. Raises RunError for a study that cannot be used.
    """

    def __init__(
        self, file: SweepFile, folder: Path, ends: Endings, length: int, column: str, higher: bool
    ):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna, self._file, self._folder, self._ends = optuna, file, folder, ends
        self.length, self.column, self.total = length, column, file.n_trials
        path = (folder / FILE).resolve()
        with self._said(path):
            self._study = optuna.create_study(
                storage=f"sqlite:///{path}",
                study_name="sweep",
                direction="maximize" if higher else "minimize",
                pruner=optuna.pruners.MedianPruner(_UNPRUNED, n_warmup_steps=length // 3),
                load_if_exists=True,
            )
            begun = self._study.get_trials(deepcopy=False)
            for frozen in begun:
                self._take_up(frozen)
        self._again = [t.number for t in begun if _name(t.number) not in ends.ended]

    @property
    def lengths(self) -> dict[str, int]:
        """{trial: its iterations}, of those that there are to be."""
        return {_name(number): self.length for number in range(self.total)}

    def next(self) -> Trial | None:
        """One that was begun and has not ended, or a new one; None if there are enough."""
        with self._said():
            if not self._again:
                if len(self._study.get_trials(deepcopy=False)) >= self.total:
                    return None
                self._again.append(self._study.ask().number)
            number = self._again.pop(0)
            if self._frozen(_name(number)).params.keys() != self._file.ranges.keys():
                self._draw(number)
            return self._trial(number)

    def evaluated(self, name: str, iteration: int, value: float) -> bool:
        """A trial has this figure; is it to be pruned?"""
        if math.isnan(value):
            return False
        with self._said():
            trial = self._handle(name)
            if iteration not in self._frozen(name).intermediate_values:
                trial.report(value, iteration)
            if not (self._file.prunes and trial.should_prune()):
                return False
            trial.set_user_attr("pruned", iteration)  # before anybody acts on it
            return True

    def ended(self, name: str) -> None:
        """A trial has ended as trials.csv says."""
        with self._said():
            if self._frozen(name).state.is_finished():
                return
            states, state = self._optuna.trial.TrialState, self._ends.ended[name][0]
            if state == FINISHED:
                value = read_outcome(self._folder / name).figures.get(self.column, math.nan)
                if not math.isnan(value):
                    self._study.tell(_number(name), value)
                    return
            # One that NaN has ended too: Optuna learns from what was pruned, not from failures.
            self._study.tell(_number(name), state=states.PRUNED)

    def _take_up(self, frozen) -> None:
        """What a kill has left between two files."""
        name = _name(frozen.number)
        pruned = frozen.user_attrs.get("pruned")
        if pruned is not None and name not in self._ends.ended:
            self._ends.note(name, PRUNED, f"at iteration {pruned}")
        if name in self._ends.ended:
            self.ended(name)

    def _draw(self, number: int) -> None:
        """Its values, or those that a kill has left out."""
        seed = (self._file.seed * MOST + number) % 2**32
        self._study.sampler = _sampler(self._optuna, seed)
        trial = self._handle(_name(number))
        for key, found in self._file.ranges.items():
            found.draw(key, trial)

    def _trial(self, number: int) -> Trial:
        params, ranges = self._frozen(_name(number)).params, self._file.ranges
        return self._file.drawn(_name(number), {k: ranges[k].value(params[k]) for k in ranges})

    def _frozen(self, name: str):
        return self._study.get_trials(deepcopy=False)[_number(name)]

    def _handle(self, name: str):
        return self._optuna.trial.Trial(self._study, self._frozen(name)._trial_id)

    @contextlib.contextmanager
    def _said(self, path: Path | None = None):
        """Optuna's errors, and its storage's, in a line; its warnings are for programmers."""
        import sqlalchemy

        wrong = (self._optuna.exceptions.OptunaError, sqlalchemy.exc.SQLAlchemyError)
        with warnings.catch_warnings(action="ignore"):
            try:
                yield
            except wrong as error:
                said = " ".join(str(error).split())[:300]
                raise RunError(f"{path or self._folder / FILE}: {said}") from None


def _sampler(optuna, seed: int):
    """Optuna's usual one, whose numbers have few digits."""

    class Rounded(optuna.samplers.TPESampler):
        def sample_relative(self, study, trial, search_space):
            drawn = super().sample_relative(study, trial, search_space)
            return {key: _short(value, search_space[key]) for key, value in drawn.items()}

        def sample_independent(self, study, trial, param_name, param_distribution):
            drawn = super().sample_independent(study, trial, param_name, param_distribution)
            return _short(drawn, param_distribution)

    return Rounded(seed=seed)


def _short(drawn, distribution):
    return rounded(drawn, distribution) if isinstance(drawn, float) else drawn


def _name(number: int) -> str:
    return f"trial-{number:03d}"


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
