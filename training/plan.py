"""How long a run is, and when it evaluates."""

import math

from lamina.common.counts import check_count

DEFAULT_ITERATIONS = 10_000


class ScheduleMisfit(ValueError):
    """A schedule whose rate is 0 before the run ends."""


class Plan:
    """`iterations` updates (default 10,000), or as many as make `epochs` passes over n samples, of
    `per_step` samples each; an evaluation every `evaluate_every` iterations (default: an epoch);
    the end, before that, after `patience` evaluations without a better one.

    Raises ValueError for a number that is too small, and for iterations beside epochs.
    """

    def __init__(
        self,
        n: int,
        per_step: int,
        iterations: int | None = None,
        epochs: float | None = None,
        evaluate_every: int | None = None,
        patience: int | None = None,
    ):
        given = {"iterations": iterations, "evaluate_every": evaluate_every, "patience": patience}
        for name, value in given.items():
            if value is not None:
                check_count(name, value)
        if epochs is not None and iterations is not None:
            raise ValueError(
                f"epochs: {epochs:g} epochs and {iterations} iterations are two lengths of one "
                "run; leave one of them out"
            )
        if epochs is not None and not (epochs > 0 and math.isfinite(epochs)):
            raise ValueError(f"epochs: expects more than 0, got {epochs}")
        self.n, self.per_step = n, per_step
        if epochs is not None:
            iterations = math.ceil(round(epochs * n / per_step, 6))
        self.iterations = DEFAULT_ITERATIONS if iterations is None else iterations
        self.evaluate_every = evaluate_every or max(n // per_step, 1)
        self.patience = patience

    def evaluates(self, iteration: int) -> bool:
        """Is an evaluation due after this iteration?"""
        return iteration % self.evaluate_every == 0

    def is_over(self, iteration: int, since_best: int) -> bool:
        """Are all iterations done, or has patience ended?"""
        patient = self.patience is None or since_best < self.patience
        return iteration >= self.iterations or not patient

    def epoch(self, iteration: int) -> float:
        """How many passes over the training samples this iteration has behind it."""
        return iteration * self.per_step / self.n
