"""The learning rate that a run had at each of its iterations."""

import numpy as np

from lamina.optimizers.schedules import WarmUp, chooses, make_schedule


def factors_of(schedule, lr: float, iterations: int, at, rates) -> np.ndarray:
    """(iterations,): what the schedule of a configuration made of the rate `lr` at each iteration.

    Functions of the step are called. What `plateau`, or a schedule of the user's own, has made of
    it is known at the evaluations, `rates` at the iterations `at`: between these that of one's own
    is taken to go in a straight line, behind the warm-up, which is known. So it is where the
    schedule does not give the rates that the table has, as in a run that went on with another.
    """
    at, rates = np.asarray(at, float), np.asarray(rates, float)
    known = (at >= 1) & (at <= iterations) & np.isfinite(rates)
    at, shares = at[known], rates[known] / lr if lr > 0 else np.ones(known.sum())
    settings = schedule if isinstance(schedule, dict) else {}
    factors = _of_functions(settings, iterations) if settings else None
    if factors is not None and np.allclose(shares, factors[at.astype(int) - 1], rtol=1e-3):
        return factors
    steps = settings.get("warm_up")
    steps = steps if isinstance(steps, int) and steps > 0 else 0
    at, shares = at[at > steps], shares[at > steps]
    if not len(at) or at[0] > steps + 1:  # a schedule begins with the whole rate
        at, shares = np.r_[steps + 1, at], np.r_[1.0, shares]
    steps_done = np.arange(1, iterations + 1)
    if settings.get("type") == "plateau":  # it changes the rate at evaluations alone, behind them
        factors = shares[np.minimum(np.searchsorted(at, steps_done), len(at) - 1)]
    else:
        factors = np.interp(steps_done, at, shares)
    rise = WarmUp(steps, lambda step: 1.0)
    factors[:steps] = [rise(step) for step in range(min(steps, iterations))]
    return factors


def _of_functions(schedule: dict, iterations: int) -> np.ndarray | None:
    try:
        factor = make_schedule(**schedule)
        return None if chooses(factor) else np.array([factor(i) for i in range(iterations)], float)
    except (TypeError, ValueError, ArithmeticError):  # one of the user's own
        return None
