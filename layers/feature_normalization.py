"""What LayerNormalization and RMSNormalization share: which axes are features, and their shapes."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError


class FeatureNormalization(Layer):
    """Base of layers that normalise each sample over its features, the last axis or the last axes
    together, and scale them by γ (*features)."""

    def __init__(
        self, n_features: int | tuple, *, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ):
        shape = tuple(n_features) if isinstance(n_features, (tuple, list)) else (n_features,)
        if not shape or min(shape) < 1 or eps <= 0:
            raise ValueError(
                f"{type(self).__name__}: expects n_features >= 1, or a shape of such numbers, and "
                f"eps > 0; got {n_features}, {eps}"
            )
        self.gamma, self.eps = Param(np.ones(shape, dtype)), eps

    def rows(self, X):
        """A row of features for each sample: sums over rows by einsum take a third of the time.
        Raises ShapeError for other features."""
        self.output_shape(X.shape)
        return X.reshape(-1, self.gamma.data.size)

    @property
    def by_position(self):
        """Over the features of a position, if they are the last axis alone."""
        return self.gamma.data.ndim == 1

    def output_shape(self, input_shape):
        shape = self.gamma.data.shape
        if input_shape[-len(shape) :] != shape:
            wanted = f"(..., {', '.join(map(str, shape))})"
            raise ShapeError(type(self).__name__, wanted, str(input_shape))
        return input_shape

    @classmethod
    def infer(cls, input_shape):
        return {"n_features": input_shape[-1]}

    @classmethod
    def examples(cls, rng):
        yield cls(5, dtype=np.float64), rng.standard_normal((4, 5))
        yield cls((2, 4), eps=0.2, dtype=np.float64), rng.standard_normal((3, 2, 4))
        yield cls(4, dtype=np.float64), rng.standard_normal((2, 3, 4))
        yield cls(5, dtype=np.float64), rng.standard_normal(5)
