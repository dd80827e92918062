"""Stochastic gradient descent."""

from optimizers.base import Optimizer


class SGD(Optimizer):
    """W ← W - lr · ∂L/∂W. Source: note 000 (first formula); Robbins and Monro 1951."""

    def update(self, param):
        param.data -= self.lr * param.grad
