"""Adam and AdamW."""

import math

import numpy as np

from lamina.optimizers.base import Optimizer
from lamina.optimizers.settings import positive, share


class Adam(Optimizer):
    """Running means of the gradient and its square, corrected for their start at zero:

        m ← β₁ m + (1 - β₁) g,   v ← β₂ v + (1 - β₂) g²
        w ← w - lr · m / (1 - β₁ᵗ) / (√(v / (1 - β₂ᵗ)) + ε)

    Source: Kingma and Ba 2015, algorithm 1.
    """

    keeps = ("mean", "squares")

    def __init__(
        self,
        parameters,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        **regularisation,
    ):
        super().__init__(parameters, lr, **regularisation)
        self.beta1, self.beta2 = share("beta1", beta1), share("beta2", beta2)
        self.eps = positive("eps", eps)

    def update(self, param, gradient, kept, lr):
        m, v = kept["mean"], kept["squares"]
        rate = lr / (1.0 - self.beta1**self.steps)
        root = math.sqrt(1.0 - self.beta2**self.steps)
        # One array for all that is intermediate: fresh ones made a step 2.5 times as long.
        a = np.empty_like(gradient)
        np.multiply(gradient, 1.0 - self.beta1, out=a)
        m *= self.beta1
        m += a
        np.multiply(gradient, gradient, out=a)
        a *= 1.0 - self.beta2
        v *= self.beta2
        v += a
        np.sqrt(v, out=a)
        a /= root
        a += self.eps
        np.divide(m, a, out=a)
        a *= rate
        param.data -= a


class AdamW(Adam):
    """Adam with decoupled weight decay: w ← w - lr λ w beside the step, not inside its means.

    Source: Loshchilov and Hutter 2019, algorithm 2.
    """

    def __init__(
        self,
        parameters,
        lr: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.01,
        clip_norm: float | None = None,
        schedule=None,
    ):
        settings = {"weight_decay": weight_decay, "clip_norm": clip_norm, "schedule": schedule}
        super().__init__(parameters, lr, beta1, beta2, eps, decay="decoupled", **settings)
