"""Average pooling."""

from lamina.layers.base import Layer
from lamina.layers.beside import beside
from lamina.layers.kernels.pooling import PoolingWindows


class AveragePooling(Layer):
    """Y[n, c, i, j] = the mean of X[n, c, i s + k - p, j s + l - p] over the window k < KH, l < KW

    with stride s (that of the kernel unless given) and padding p: zeros that count in the mean.

        dX = Σ over the windows of dout / m, at each entry of the window

    where m = KH · KW, or less for a partial window: its part beyond the padding does not count.

    Shapes: X (N, C, H, W), Y (N, C, OH, OW), OH = (H + 2 p - KH) // s + 1; with `partial`, the
    division rounds up, for windows that reach over the right and bottom edge, if they start in the
    image. kernel, stride and padding are one number or two, (height, width). Y and dX have the
    order of X in memory. Raises ShapeError for other inputs or if no window fits, TypeError for
    images of whole numbers, ValueError for padding of more than half the kernel.
    Source: LeCun et al. 1998 (subsampling); Caffe (partial windows, padding that counts).
    """

    def __init__(
        self,
        kernel: int | tuple,
        *,
        stride: int | tuple | None = None,
        padding: int | tuple = 0,
        partial: bool = False,
    ):
        self.windows = PoolingWindows("AveragePooling", kernel, stride, padding, partial)

    def forward(self, X):
        self.placed = self.windows.over(X)
        X = self.placed.bordered(X, 0.0)
        first, *others = (X[entry] for entry in self.placed.entries)
        return self.placed.restored(sum(others, first) / self._counts(X))

    def backward(self, dout):
        share = self.placed.arranged(dout) / self._counts(dout)
        dX = self.placed.blank(dout)
        for entry in self.placed.entries:
            self.placed.add(dX, entry, share)
        return self.placed.inside(dX)

    def _counts(self, X):
        return beside(X, self.placed.counts(X.dtype))

    def output_shape(self, input_shape):
        return self.windows.output_shape(input_shape)

    @classmethod
    def examples(cls, rng):
        yield cls(2), rng.standard_normal((2, 3, 4, 6))
        yield cls(3, stride=2, padding=1), rng.standard_normal((2, 2, 5, 6))
        yield cls((2, 3), stride=(3, 2), partial=True), rng.standard_normal((2, 1, 6, 6))
        channels_last = rng.standard_normal((2, 5, 5, 3)).transpose(0, 3, 1, 2)
        yield cls(3, stride=1), channels_last
