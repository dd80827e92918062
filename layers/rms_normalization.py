"""Root mean square normalisation."""

import numpy as np

from lamina.layers.feature_normalization import FeatureNormalization
from lamina.layers.floats import check_floats


class RMSNormalization(FeatureNormalization):
    """Y = γ x̂ with x̂ = r X and r = 1 / √(mean(X²) + ε), over the features of each sample.

    A layer normalisation that neither takes off the mean nor adds a β. The features are the last
    axis, or the last axes together: RMSNormalization((3, 8, 8)).

        dγ = Σₙ dout x̂        dX = r (g - x̂ mean(g x̂))        with g = γ dout

    Shapes: X (..., *features), γ (*features), Y as X. Raises ShapeError for other features,
    TypeError for whole numbers. `infer` takes the last axis alone.
    Source: Zhang and Sennrich 2019, equation 4.
    """

    def forward(self, X):
        check_floats(self, X)
        rows = self.rows(X)
        mean_square = np.einsum("nf,nf->n", rows, rows)[:, np.newaxis] / rows.shape[1]
        self.r = 1.0 / np.sqrt(mean_square + self.eps)
        self.x_hat = self.r * rows
        return (self.gamma.data.reshape(-1) * self.x_hat).reshape(X.shape)

    def backward(self, dout):
        gamma, d = self.gamma.data, self.rows(dout)
        self.gamma.accumulate(np.einsum("nf,nf->f", d, self.x_hat).reshape(gamma.shape))
        if not self.needs_dX:
            return None
        g = gamma.reshape(-1) * d
        stretch = np.einsum("nf,nf->n", g, self.x_hat)[:, np.newaxis] / g.shape[1]
        return (self.r * (g - self.x_hat * stretch)).reshape(dout.shape)
