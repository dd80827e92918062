"""DotProducts: how well a vector goes with each of several others."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of
from lamina.layers.floats import check_floats


class DotProducts(Layer):
    """Y[n, k] = x[n] · others[n, k].

        dx[n] = Σₖ dout[n, k] others[n, k]        dothers[n, k] = dout[n, k] x[n]

    Shapes: x (N, D), others (N, K, D), Y (N, K). Raises ShapeError for others. As scores of a few
    words they cost what those words cost, and not the whole vocabulary: a product with the rows of
    an Embedding that are asked for (EmbeddingDot in book 2, chapter 4).
    """

    def forward(self, x, others):
        check_floats(self, x, others)
        self.output_shape(x.shape[1:], others.shape[1:])
        if len(x) != len(others):
            raise ShapeError("DotProducts", f"others of {len(x)} samples", str(others.shape))
        self.x, self.others = x, others
        return np.einsum("nd,nkd->nk", x, others)

    def backward(self, dout):
        dx = np.einsum("nk,nkd->nd", dout, self.others)
        return dx, dout[:, :, np.newaxis] * self.x[:, np.newaxis]

    def output_shape(self, input_shape, others_shape=None):
        if len(input_shape) != 1:
            raise ShapeError("DotProducts", "vectors (N, D)", batch_of(input_shape))
        if others_shape is None:
            raise TypeError("DotProducts: takes two inputs: inputs: [VECTOR, OTHERS]")
        if len(others_shape) != 2 or others_shape[1] != input_shape[0]:
            wanted = f"others (N, K, {input_shape[0]}), beside vectors {batch_of(input_shape)}"
            raise ShapeError("DotProducts", wanted, batch_of(others_shape))
        return others_shape[:1]

    def flops(self, input_shape, others_shape):
        return 2 * others_shape[0] * others_shape[1]

    def backward_flops(self, input_shape, others_shape):
        return 2 * self.needs_dX * self.flops(input_shape, others_shape)

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((4, 3)), rng.standard_normal((4, 5, 3))
        yield cls(), rng.standard_normal((3, 2)), rng.standard_normal((3, 1, 2))
