"""Layer normalisation."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError


class LayerNormalization(Layer):
    """Y = γ x̂ + β with x̂ = (X - μ) / √(σ² + ε), μ and σ² over the features of each sample.

    The features are the last axis, or the last axes together: LayerNormalization((3, 8, 8)). There
    are no running statistics: evaluation is the same as training.

        dγ = Σₙ dout x̂        dβ = Σₙ dout
        dX = (g - mean(g) - x̂ mean(g x̂)) / √(σ² + ε)        with g = γ dout

    Shapes: X (..., *features), γ and β (*features), Y as X. Raises ShapeError for other features.
    `infer` takes the last axis alone. Source: Ba et al. 2016, equations 3 and 4.
    """

    def __init__(
        self, n_features: int | tuple, *, eps: float = 1e-5, dtype: DTypeLike = np.float32
    ):
        shape = tuple(n_features) if isinstance(n_features, (tuple, list)) else (n_features,)
        if not shape or min(shape) < 1 or eps <= 0:
            raise ValueError(
                "LayerNormalization: expects n_features >= 1, or a shape of such numbers, and "
                f"eps > 0; got {n_features}, {eps}"
            )
        self.gamma = Param(np.ones(shape, dtype))
        self.beta = Param(np.zeros(shape, dtype))
        self.eps = eps

    def forward(self, X):
        self.output_shape(X.shape)
        before = X.ndim - self.gamma.data.ndim
        self.samples, self.features = tuple(range(before)), tuple(range(before, X.ndim))
        deviation = X - X.mean(axis=self.features, keepdims=True)
        var = np.square(deviation).mean(axis=self.features, keepdims=True)
        self.inv_std = 1.0 / np.sqrt(var + self.eps)
        self.x_hat = deviation * self.inv_std
        return self.gamma.data * self.x_hat + self.beta.data

    def backward(self, dout):
        self.gamma.accumulate((dout * self.x_hat).sum(axis=self.samples))
        self.beta.accumulate(dout.sum(axis=self.samples))
        if not self.needs_dX:
            return None
        g = self.gamma.data * dout
        shift = g.mean(axis=self.features, keepdims=True)
        stretch = (g * self.x_hat).mean(axis=self.features, keepdims=True)
        return self.inv_std * (g - shift - self.x_hat * stretch)

    @property
    def by_position(self):
        """Over the features of a position, if they are the last axis alone."""
        return self.gamma.data.ndim == 1

    def output_shape(self, input_shape):
        shape = self.gamma.data.shape
        if input_shape[-len(shape) :] != shape:
            wanted = f"(..., {', '.join(map(str, shape))})"
            raise ShapeError("LayerNormalization", wanted, str(input_shape))
        return input_shape

    @classmethod
    def infer(cls, input_shape):
        return {"n_features": input_shape[-1]}

    @classmethod
    def examples(cls, rng):
        yield cls(5, dtype=np.float64), rng.standard_normal((4, 5))
        yield cls((2, 4), dtype=np.float64), rng.standard_normal((3, 2, 4))
        yield cls(4, dtype=np.float64), rng.standard_normal((2, 3, 4))
        yield cls(5, dtype=np.float64), rng.standard_normal(5)
