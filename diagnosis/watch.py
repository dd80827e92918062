"""What a run knows of its own health: the flight recorder, and where a NaN came from."""

import contextlib
import time
from collections.abc import Callable

import numpy as np

from lamina.common.files import remove
from lamina.common.notice import note
from lamina.diagnosis.culprit import find_culprit
from lamina.diagnosis.facts import write_facts
from lamina.diagnosis.recorder import DEFAULT_INTERVAL, Recorder
from lamina.diagnosis.words import explain, wrapped
from lamina.training.watch import NonFiniteError, Watch


class Diagnosis(Watch):
    """Stops a run at the first number that is not finite, replays it from its last checkpoint to
    find out where that number came from, and, where there is a run directory, writes facts.json and
    records the health of the layers every `record_every` iterations (0 or None: never).

    Without a run directory the replay begins at the start, of which a copy is kept. Raises
    ValueError for record_every < 0.
    """

    def __init__(self, record_every: int | None = DEFAULT_INTERVAL):
        super().__init__()
        if record_every is not None and record_every < 0:
            raise ValueError(f"record_every: expects at least 0 (never), got {record_every}")
        self.record_every = record_every
        self.recorder: Recorder | None = None
        self._good: Callable[[], dict] | None = None

    def started(self, trainer) -> None:
        folder = trainer.files.folder
        recorded = trainer.ranks.from_first(lambda: folder is not None)
        if folder is not None:
            started = time.perf_counter()
            remove(folder / "culprit.json")  # of a failure before
            write_facts(folder / "facts.json", trainer)  # by what its tables are read, of any run
            self.seconds += time.perf_counter() - started
        if recorded and self.record_every:
            self.recorder = Recorder(folder, trainer, self.record_every)
            self.seconds += self.recorder.taken()

    def around_step(self, trainer):
        if self.recorder is None or not self.recorder.is_due(trainer.iteration + 1):
            return super().around_step(trainer)
        return self._recorded(trainer)

    def evaluating(self, trainer):
        if self.recorder is None or not self.recorder.writes:
            return None
        self.recorder.answers.begin()
        return self.recorder.answers

    def evaluated(self, trainer) -> None:
        if self.recorder is not None:
            self.recorder.evaluated(trainer.iteration)
            self.seconds += self.recorder.taken()

    def saved(self, load: Callable[[], dict]) -> None:
        self._good = load

    def explained(self, trainer, error: NonFiniteError, check: Callable[[], None]):
        """The error with its culprit, found by a replay from the last checkpoint, and saved."""
        if not trainer.quiet:
            note(f"{error.noticed}; replaying to find out why")
        with np.errstate(all="ignore"), self._recorder_off():
            culprit = find_culprit(trainer, error, self._good, check)
        said = explain(culprit, error.noticed, trainer.history.losses, trainer.optimizer.lr)
        if (folder := trainer.files.folder) is not None:
            with contextlib.suppress(OSError):  # what it says is said all the same
                culprit.save(folder / "culprit.json", error.noticed, said)
            said += f"\n  lamina doctor {trainer.run_dir} says what led to it"
        return NonFiniteError(error.iteration, error.noticed, wrapped(said), culprit)

    def flush(self, sync: bool = False) -> None:
        if self.recorder is not None:
            self.recorder.flush(sync)
            self.seconds += self.recorder.taken()

    @contextlib.contextmanager
    def _recorded(self, trainer):
        with self.recorder.recording(trainer):
            yield
        self.seconds += self.recorder.taken()

    @contextlib.contextmanager
    def _recorder_off(self):
        recorder, self.recorder = self.recorder, None
        try:
            yield
        finally:
            self.recorder = recorder
