"""AdaGrad."""

import numpy as np

from lamina.optimizers.base import Optimizer
from lamina.optimizers.settings import positive


class AdaGrad(Optimizer):
    """h ← h + g²,  w ← w - lr · g / (√h + ε): rates that fall faster where gradients are large.

    Source: Duchi et al. 2011, with ε against a division by zero.
    """

    keeps = ("squares",)
    by_row = True

    def __init__(self, parameters, lr: float = 0.01, eps: float = 1e-10, **regularisation):
        super().__init__(parameters, lr, **regularisation)
        self.eps = positive("eps", eps)

    def update(self, param, gradient, kept, lr):
        h = kept["squares"]
        a, b = np.empty_like(gradient), np.empty_like(gradient)  # all that is intermediate
        np.multiply(gradient, gradient, out=a)
        h += a
        np.sqrt(h, out=a)
        a += self.eps
        np.multiply(gradient, lr, out=b)
        b /= a
        param.data -= b
