"""R², the coefficient of determination: the share of the targets' variance that scores explain."""

import math

import numpy as np

from lamina.metrics.base import Metric
from lamina.metrics.checks import values


class R2(Metric):
    """1 - Σ (target - score)² / Σ (target - mean target)², for each output, then their plain mean.

    Always giving the mean of the targets scores 0, worse is negative. An output whose targets are
    all the same has no variance: it scores 1 where every score is exact, else 0, as in
    scikit-learn. Fewer than two samples give NaN, and so do scores that hold a NaN.

    The sum about the mean is kept batch by batch, about a first target and by the formula of Chan,
    Golub and LeVeque (1983), so targets of 1e8 ± 1 lose nothing.

    Shapes: scores and targets (N,) or (..., D), or scores (N, 1) with targets (N,). Errors:
    ValueError for other shapes and targets that are not finite, TypeError for what are no numbers.
    """

    name = "r2"
    limits = (-math.inf, 1.0)
    needs = "scores and targets (N,) or (N, D), or scores (N, 1) with targets (N,)"

    def reset(self):
        self.n, self.first = 0, None

    def update(self, scores, targets):
        s, t = values(self, scores, targets)
        n = len(t)
        if n == 0:
            return
        if self.first is None:
            self.first = t[0].copy()
            # Per output: mean and squares about it, of targets - first; squares of the errors.
            self.mean, self.squares, self.errors = np.zeros((3, t.shape[1]))
        if t.shape[1] != len(self.first):
            raise ValueError(
                f"R2: counts {len(self.first)} outputs, but these scores have {t.shape[1]}; "
                "reset() before another net"
            )
        t_shifted = t - self.first
        mean = t_shifted.mean(axis=0)
        step, total = mean - self.mean, self.n + n
        with np.errstate(over="ignore"):  # inf: R2 is then -inf
            self.errors += np.square(t - s).sum(axis=0)
            self.squares += np.square(t_shifted - mean).sum(axis=0)
            self.squares += step**2 * (self.n * n / total)
        self.mean += step * (n / total)
        self.n = total

    def per_output(self) -> np.ndarray:
        """R² of each output, (D,)."""
        if self.n < 2:
            return np.full(0 if self.first is None else len(self.first), math.nan)
        constant = self.squares == 0
        with np.errstate(invalid="ignore"):  # inf / inf, of squares beyond float64: NaN
            r2 = 1 - self.errors / np.where(constant, 1, self.squares)
        r2[constant & (self.errors > 0)] = 0.0
        return r2

    def value(self):
        return math.nan if self.n < 2 else float(self.per_output().mean())
