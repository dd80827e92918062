"""Regression: numbers as targets."""

import math

import numpy as np

from lamina.common.printable import printable
from lamina.datasets.rows import pieces
from lamina.datasets.tasks.base import Task
from lamina.datasets.tasks.numbers import are_in_files, as_array, check_finite, mean, mean_square
from lamina.datasets.tasks.words import as_floats, checked_names, listed, odd_type


class Regression(Task):
    """Numbers: targets (N,) for one, (N, D) or (N, ..., D) for D of them, floats.

    Outputs have the targets' shape, a single number (1,).
    """

    name = "regression"
    metrics = ("rmse", "r2")
    fitting = ("mae",)
    losses = ("SquaredErrorLoss", "AbsoluteErrorLoss", "HuberLoss")

    def __init__(self, target_names):
        self.target_names = checked_names(self, target_names, "targets")

    def output_shape(self, target_shape=()):
        return tuple(target_shape) or (1,)

    def check_targets(self, t):
        t, n = as_array(t), len(self.target_names)
        if t.dtype.kind != "f":
            raise TypeError(f"expects numbers as floats; got {odd_type(t)}{as_floats(t)}")
        if not ((t.shape[-1:] == (n,) and t.ndim > 1) or (n == 1 and t.ndim == 1)):
            wanted = "(N,) or (N, 1)" if n == 1 else f"(N, {n})"
            raise ValueError(f"expects {n} numbers for a sample, {wanted}; got {t.shape}")
        check_finite(t)

    def n_targets(self, t):
        n, *places = np.shape(t)  # sequences (N, T, D) have a target for each position
        return n * places[0] if len(places) == 2 else n

    def guess(self, train_t, t):
        return math.sqrt(mean_square(t, mean(train_t)))

    def guessing_loss(self, loss_name, train_t, width=None):
        # Both add up the last axis, and take the mean over all others.
        if width is None:
            width = np.shape(train_t)[-1] if np.ndim(train_t) > 1 else 1
        if loss_name == "SquaredErrorLoss":
            return 0.5 * width * mean_square(train_t, mean(train_t))
        if loss_name == "AbsoluteErrorLoss":
            if are_in_files(train_t):  # a median wants all numbers at once
                return None
            train_t = train_t[:]
            median = np.median(train_t, axis=0)
            off = (float(np.abs(piece - median).sum()) for _, piece in pieces(train_t))
            return width * sum(off) / np.size(train_t)
        return None

    def shown(self, prediction):
        values = [f"{float(value):.4g}" for value in np.ravel(prediction)]
        if len(values) == len(self.target_names) > 1:
            pairs = zip(self.target_names, values, strict=True)
            values = [f"{printable(name)} {value}" for name, value in pairs]
        return listed(values)

    def facts(self):
        return {"task": self.name, "target_names": list(self.target_names)}

    def _content(self):
        n = len(self.target_names)
        return f"{n} number{'s' * (n > 1)} as target"
