"""Layer normalisation."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.layers.base import Param
from lamina.layers.feature_normalization import FeatureNormalization


class LayerNormalization(FeatureNormalization):
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
        super().__init__(n_features, eps=eps, dtype=dtype)
        self.beta = Param(np.zeros(self.gamma.data.shape, dtype))

    def forward(self, X):
        self.samples, self.features = self.axes(X)
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
