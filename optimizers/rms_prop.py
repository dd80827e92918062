"""RMSProp."""

import numpy as np

from lamina.optimizers.base import Optimizer
from lamina.optimizers.settings import positive, share


class RMSProp(Optimizer):
    """h ← ρ h + (1 - ρ) g²,  w ← w - lr · g / (√h + ε).

    Source: Tieleman and Hinton 2012, lecture 6e.
    """

    keeps = ("squares",)

    def __init__(
        self, parameters, lr: float = 0.001, rho: float = 0.9, eps: float = 1e-8, **regularisation
    ):
        super().__init__(parameters, lr, **regularisation)
        self.rho, self.eps = share("rho", rho), positive("eps", eps)

    def update(self, param, gradient, kept, lr):
        h = kept["squares"]
        a, b = np.empty_like(gradient), np.empty_like(gradient)  # all that is intermediate
        np.multiply(gradient, 1.0 - self.rho, out=a)
        a *= gradient
        h *= self.rho
        h += a
        np.sqrt(h, out=a)
        a += self.eps
        np.multiply(gradient, lr, out=b)
        b /= a
        param.data -= b
