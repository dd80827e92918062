"""The progress bar of a run, on stderr."""

from lamina.common.counts import check_count
from lamina.common.notice import Bar
from lamina.training.callbacks.base import Callback


class ProgressBar(Callback):
    """Iterations done, and the figures of the last evaluation, updated every `every` iterations.

    Where nothing can be shown (stderr closed, full, its reader gone) there is no bar, and the run
    goes on: it is worth more than its bar.
    """

    def __init__(self, every: int = 50):
        check_count("every", every)
        self.every = every

    def started(self, trainer) -> None:
        self.bar = Bar(
            total=trainer.plan.iterations,
            initial=trainer.iteration,
            desc="training",
            unit="it",
            dynamic_ncols=True,
        )

    def stepped(self, trainer, loss: float) -> None:
        if trainer.iteration % self.every == 0:
            self.bar.to(trainer.iteration)

    def evaluated(self, trainer, row: dict) -> None:
        self.bar.to(trainer.iteration)
        self.bar.say(trainer.figures(row))

    def finished(self, trainer) -> None:
        self.bar.to(trainer.iteration)
        self.bar.close()
