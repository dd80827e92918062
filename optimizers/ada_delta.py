"""AdaDelta."""

import numpy as np

from lamina.optimizers.base import Optimizer, positive, share


class AdaDelta(Optimizer):
    """Steps in the units of w, from running means of squared gradients and squared steps:

        h ← ρ h + (1 - ρ) g²,  Δ = √(s + ε) / √(h + ε) · g,  s ← ρ s + (1 - ρ) Δ²,  w ← w - lr · Δ

    Source: Zeiler 2012, algorithm 1, which has lr = 1.
    """

    keeps = ("squares", "steps_squared")

    def __init__(
        self, parameters, lr: float = 1.0, rho: float = 0.95, eps: float = 1e-6, **regularisation
    ):
        super().__init__(parameters, lr, **regularisation)
        self.rho, self.eps = share("rho", rho), positive("eps", eps)

    def update(self, param, gradient, kept):
        h, s = kept["squares"], kept["steps_squared"]
        h *= self.rho
        h += (1.0 - self.rho) * gradient * gradient
        step = np.sqrt(s + self.eps) / np.sqrt(h + self.eps) * gradient
        s *= self.rho
        s += (1.0 - self.rho) * step * step
        param.data -= self.lr * step
