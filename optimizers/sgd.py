"""Stochastic gradient descent."""

from lamina.optimizers.base import Optimizer


class SGD(Optimizer):
    """w ← w - lr · g. Source: note 000 (first formula); Robbins and Monro 1951."""

    by_row = True

    def update(self, param, gradient, kept, lr):
        param.data -= lr * gradient
