"""Mean and standard deviation over runs that differ by their seed."""

import functools

import numpy as np


def deviation(values: np.ndarray) -> np.ndarray:
    """The standard deviation along the first axis, as estimated from a sample (the sum of squares
    over n - 1); NaN of a single one."""
    if len(values) < 2:
        return np.full(np.shape(values)[1:], np.nan)
    return np.std(values, axis=0, ddof=1)


def together(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, ...]:
    """(x, mean, deviation) of curves (x, y), at the points that all of them have."""
    xs = functools.reduce(np.intersect1d, [x for x, _ in curves])
    found = [dict(zip(x.tolist(), y, strict=True)) for x, y in curves]
    values = np.array([[curve[x] for x in xs.tolist()] for curve in found]).reshape(len(curves), -1)
    return xs, values.mean(axis=0), deviation(values)
