"""AdaGrad."""

import numpy as np

from lamina.optimizers.base import Optimizer, positive


class AdaGrad(Optimizer):
    """h ← h + g²,  w ← w - lr · g / (√h + ε): rates that fall faster where gradients are large.

    Source: Duchi et al. 2011, with ε against a division by zero.
    """

    keeps = ("squares",)

    def __init__(self, parameters, lr: float = 0.01, eps: float = 1e-10, **regularisation):
        super().__init__(parameters, lr, **regularisation)
        self.eps = positive("eps", eps)

    def update(self, param, gradient, kept):
        h = kept["squares"]
        h += gradient * gradient
        param.data -= self.lr * gradient / (np.sqrt(h) + self.eps)
