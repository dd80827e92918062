"""Gradient descent with momentum."""

from lamina.optimizers.base import Optimizer
from lamina.optimizers.settings import share


class Momentum(Optimizer):
    """v ← momentum · v - lr · g,  w ← w + v.

    The form of Caffe and of the book, in which the rate is inside the velocity.
    Source: Polyak 1964; Sutskever et al. 2013, equations 1 and 2.
    """

    keeps = ("velocity",)

    def __init__(self, parameters, lr: float, momentum: float = 0.9, **regularisation):
        super().__init__(parameters, lr, **regularisation)
        self.momentum = share("momentum", momentum)

    def update(self, param, gradient, kept, lr):
        v = kept["velocity"]
        v *= self.momentum
        v -= lr * gradient
        param.data += v
