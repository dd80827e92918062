"""Global average pooling: images to one number per channel."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError
from lamina.layers.floats import check_floats


class GlobalAveragePooling(Layer):
    """Y[n, c] = the mean of X[n, c] over all places; dX = dout / (H W) at each of them.

    Shapes: X (N, C, H, W), Y (N, C). Raises ShapeError for other inputs.
    Source: Lin et al. 2014, "Network in network", section 3.2.
    """

    def forward(self, X):
        check_floats(self, X)
        self.output_shape(X.shape[1:])
        self.shape = X.shape
        return X.mean(axis=(2, 3))

    def backward(self, dout):
        share = dout / (self.shape[2] * self.shape[3])
        return np.broadcast_to(share[:, :, np.newaxis, np.newaxis], self.shape)

    def output_shape(self, input_shape):
        if len(input_shape) != 3 or min(input_shape) < 1:
            raise ShapeError("GlobalAveragePooling", "images (C, H, W)", str(input_shape))
        return input_shape[:1]

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((3, 2, 4, 5))
        yield cls(), rng.standard_normal((2, 3, 1, 1))
