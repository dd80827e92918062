"""The progress bar of a run, on stderr."""

import contextlib
import sys

from lamina.training.callbacks.base import Callback


class ProgressBar(Callback):
    """Iterations done, and the figures of the last evaluation, updated every `every` iterations.

    Where nothing can be shown (stderr closed, full, its reader gone) there is no bar, and the run
    goes on: it is worth more than its bar.
    """

    def __init__(self, every: int = 50):
        if every < 1:
            raise ValueError(f"ProgressBar: every is at least 1, got {every}")
        self.every, self.bar = every, None

    def started(self, trainer) -> None:
        from tqdm import tqdm  # late: nobody but a running trainer needs it

        if sys.stderr is None:  # closed before Python began
            return
        with self._showing():
            self.bar = tqdm(
                total=trainer.plan.iterations,
                initial=trainer.iteration,
                desc="training",
                unit="it",
                file=sys.stderr,
                dynamic_ncols=True,
            )

    def stepped(self, trainer, loss: float) -> None:
        if trainer.iteration % self.every == 0:
            self._advance(trainer)

    def evaluated(self, trainer, row: dict) -> None:
        self._advance(trainer)
        with self._showing():
            if self.bar is not None:
                self.bar.set_postfix_str(trainer.figures(row))

    def finished(self, trainer) -> None:
        self._advance(trainer)
        with self._showing():
            if self.bar is not None:
                self.bar.close()

    def _advance(self, trainer) -> None:
        with self._showing():
            if self.bar is not None:
                self.bar.update(trainer.iteration - self.bar.n)

    @contextlib.contextmanager
    def _showing(self):
        """What cannot be shown is not shown any more."""
        try:
            yield
        except (OSError, ValueError):  # ValueError: of a file that is closed
            bar, self.bar = self.bar, None
            if bar is not None:
                bar.disable = True  # or it tries once more when it is deleted
