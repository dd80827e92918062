"""The learning-rate range test: one short run in which the rate grows at every step.

Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3.
"""

import dataclasses
import math

import numpy as np

from lamina.training.watch import NonFiniteError

SMOOTHING = 0.9  # of the running mean of the losses, as Adam's β, corrected for its start
LOST = 4.0  # times the loss at the start: it will not come back
FIRST = 10  # steps, whose rates do nothing yet
HARDLY = 0.05  # of the loss at the start: what falls less than this has not fallen


@dataclasses.dataclass(frozen=True)
class RateRange:
    """`losses` of the batches and `means`, their running means, at each of the `rates`, ascending,
    as far as the run has come; `diverged` says that it was lost before the highest."""

    rates: np.ndarray
    losses: np.ndarray
    means: np.ndarray
    diverged: bool

    @property
    def lowest(self) -> float:
        """The rate at which the running mean was lowest."""
        return float(self.rates[self.means.argmin()])

    @property
    def start(self) -> float:
        """The running mean in the first steps, whose rates are to be too low to have an effect."""
        return float(np.median(self.means[:FIRST]))

    @property
    def began_too_high(self) -> bool:
        """Were they lost in these first steps; or did they fall there, from the very first batch to
        the lowest running mean, until they were lost?"""
        if not self.diverged or len(self.means) < FIRST:
            return self.diverged
        fell = self.losses[0] - self.means.min() > 2.0 * HARDLY * abs(self.losses[0])
        return bool(self.means.argmin() < FIRST and fell)

    @property
    def halfway(self) -> float:
        """The last rate, on the way to the lowest, at which half of the fall was still to come. The
        steepest point, which is often taken, is one of noise where batches differ much."""
        way = self.means[: int(self.means.argmin()) + 1]
        above = np.flatnonzero(way >= (self.start + way[-1]) / 2)
        return float(self.rates[above[-1]]) if len(above) else float(self.rates[0])

    @property
    def suggested(self) -> float | None:
        """Between the rates at which the loss was halfway down and lowest: their geometric mean, to
        two digits. None if the loss has not fallen."""
        fallen = self.start - self.means.min()
        if self.means.argmin() < FIRST or not fallen > HARDLY * abs(self.start):
            return None
        return float(f"{math.sqrt(self.halfway * self.lowest):.2g}")


def rate_range(trainer, low: float = 1e-6, high: float = 100.0, steps: int = 300) -> RateRange:
    """Train with rates from `low` to `high`, each a little higher than the one before, until the
    loss is lost or not finite. The trainer is of no use afterwards; its schedule plays no part.

    Raises ValueError unless 0 < low < high and there are 20 steps or more.
    """
    if not (0 < low < high and math.isfinite(high)):
        raise ValueError(f"rates: expects 0 < low < high, got {low:g} and {high:g}")
    if steps < 20:
        raise ValueError(f"steps: expects at least 20, got {steps}")
    optimizer, rates = trainer.optimizer, np.geomspace(low, high, steps)
    optimizer.schedule = None
    losses, means, running = [], [], 0.0
    with np.errstate(all="ignore"):
        for rate in rates:
            optimizer.base_lr = optimizer.lr = float(rate)
            try:
                loss = trainer.step()
            except NonFiniteError:
                break
            running = SMOOTHING * running + (1 - SMOOTHING) * loss
            losses.append(loss)
            means.append(running / (1 - SMOOTHING ** len(losses)))
            if means[-1] > means[0] + (LOST - 1) * abs(means[0]):
                break
    n = len(losses)
    lost = n < steps or means[-1] > means[0] + (LOST - 1) * abs(means[0])
    return RateRange(rates[:n], np.array(losses), np.array(means), lost)
