"""Sum of absolute errors."""

import numpy as np

from lamina.layers.regression_loss import RegressionLoss


class AbsoluteErrorLoss(RegressionLoss):
    """L = Σₙ ‖yₙ - tₙ‖₁, the absolute errors added up, times 1/N for the mean.

        dy = sign(y - t) · dout / N

    No derivative exists where y = t; dy is 0 there, as of np.abs in `autodiff` and in PyTorch.
    Shapes: y (..., C); targets (..., C), or (...) for C = 1; L (). PyTorch's L1Loss divides by C
    too. Errors: see RegressionLoss.
    """

    def forward(self, y, targets):
        self.difference = self.error(y, targets)
        return np.abs(self.difference).sum() * self.scale(self.weight)

    def backward(self, dout=1.0):
        return np.sign(self.difference) * (self.scale(self.weight) * dout)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 3)), rng.standard_normal((4, 3))
        yield cls("sum"), rng.standard_normal((4, 1)), rng.standard_normal(4)
        yield cls(), rng.standard_normal(5), rng.standard_normal(5)
