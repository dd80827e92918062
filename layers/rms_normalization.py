"""Root mean square normalisation."""

import numpy as np

from lamina.layers.feature_normalization import FeatureNormalization


class RMSNormalization(FeatureNormalization):
    """Y = γ x̂ with x̂ = r X and r = 1 / √(mean(X²) + ε), over the features of each sample.

    A layer normalisation that neither takes off the mean nor adds a β. The features are the last
    axis, or the last axes together: RMSNormalization((3, 8, 8)).

        dγ = Σₙ dout x̂        dX = r (g - x̂ mean(g x̂))        with g = γ dout

    Shapes: X (..., *features), γ (*features), Y as X. Raises ShapeError for other features.
    `infer` takes the last axis alone. Source: Zhang and Sennrich 2019, equation 4.
    """

    def forward(self, X):
        self.samples, self.features = self.axes(X)
        mean_square = np.square(X).mean(axis=self.features, keepdims=True)
        self.r = 1.0 / np.sqrt(mean_square + self.eps)
        self.x_hat = self.r * X
        return self.gamma.data * self.x_hat

    def backward(self, dout):
        self.gamma.accumulate((dout * self.x_hat).sum(axis=self.samples))
        if not self.needs_dX:
            return None
        g = self.gamma.data * dout
        stretch = (g * self.x_hat).mean(axis=self.features, keepdims=True)
        return self.r * (g - self.x_hat * stretch)
