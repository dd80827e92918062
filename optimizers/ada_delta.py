"""AdaDelta."""

import numpy as np

from lamina.optimizers.base import Optimizer
from lamina.optimizers.settings import positive, share


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

    def update(self, param, gradient, kept, lr):
        h, s = kept["squares"], kept["steps_squared"]
        a, step = np.empty_like(gradient), np.empty_like(gradient)  # all that is intermediate
        np.multiply(gradient, 1.0 - self.rho, out=a)
        a *= gradient
        h *= self.rho
        h += a
        np.add(h, self.eps, out=a)
        np.sqrt(a, out=a)
        np.add(s, self.eps, out=step)
        np.sqrt(step, out=step)
        step /= a
        step *= gradient
        np.multiply(step, 1.0 - self.rho, out=a)
        a *= step
        s *= self.rho
        s += a
        step *= lr
        param.data -= step
