"""The progress bar of a run, on stderr."""

import sys

from lamina.training.callbacks.base import Callback


class ProgressBar(Callback):
    """Iterations done, and the figures of the last evaluation, updated every `every` iterations."""

    def __init__(self, every: int = 50):
        if every < 1:
            raise ValueError(f"ProgressBar: every is at least 1, got {every}")
        self.every, self.bar = every, None

    def started(self, trainer) -> None:
        from tqdm import tqdm  # late: nobody but a running trainer needs it

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
        self.bar.set_postfix_str(trainer.figures(row))

    def finished(self, trainer) -> None:
        self._advance(trainer)
        self.bar.close()

    def _advance(self, trainer) -> None:
        self.bar.update(trainer.iteration - self.bar.n)
