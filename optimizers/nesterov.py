"""Nesterov's accelerated gradient."""

from lamina.optimizers.momentum import Momentum


class Nesterov(Momentum):
    """v ← momentum · v - lr · g,  w ← w + momentum · v - lr · g.

    The gradient belongs to the point that the velocity leads to; in these variables, w is that
    point, so that no gradient is needed anywhere else. Source: Nesterov 1983; Sutskever et al.
    2013, equations 3 and 4; Bengio et al. 2013, equation 7 (the change of variables).
    """

    def update(self, param, gradient, kept, lr):
        v = kept["velocity"]
        step = lr * gradient
        v *= self.momentum
        v -= step
        param.data += self.momentum * v
        param.data -= step
