"""Dropout."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.beside import beside
from lamina.layers.floats import check_floats


class Dropout(Layer):
    """In training each entry is set to zero with probability p and the rest divided by 1 - p.

        Y = X · mask        dX = dout · mask        mask = 0 or 1 / (1 - p)

    Dividing keeps the expected value, so evaluation lets X through unchanged ("inverted" dropout).
    Shapes: any; Y has the shape of X. Raises ValueError unless 0 <= p < 1.
    Source: Srivastava et al. 2014, "Dropout", section 10.
    """

    by_position = True

    def __init__(self, p: float = 0.5, *, rng):
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p is at least 0 and below 1, got {p}")
        self.p, self.rng = p, np.random.default_rng(rng)

    def forward(self, X):
        check_floats(self, X)
        if not self.training:
            self.mask = None
            return X
        kept = beside(X, self.rng.random(X.shape, dtype=np.float32) >= self.p)
        self.mask = np.multiply(kept, 1.0 / (1.0 - self.p), dtype=X.dtype)
        return X * self.mask

    def backward(self, dout):
        return dout if self.mask is None else dout * self.mask

    @classmethod
    def examples(cls, rng):
        yield cls(0.5, rng=rng), rng.standard_normal((4, 5))
        yield cls(0.2, rng=rng), rng.standard_normal((2, 3, 4))
