"""A part of each image: anywhere in training, the middle in evaluation."""

import numpy as np

from lamina.layers.base import Layer
from lamina.layers.errors import ShapeError, batch_of
from lamina.layers.kernels.windows import pair


class RandomCrop(Layer):
    """Y[n] = X[n] from row i and column j on, `size` rows and columns of it; dX is 0 elsewhere.

    In training i and j are drawn for each image, all places being alike, in evaluation they are
    those of the middle. As a layer it goes with the net: what is predicted is cropped as well.

    Shapes: X (N, C, H, W), Y (N, C, height, width); size is one number or two. Raises ShapeError
    for other inputs and for images that are smaller. Source: Krizhevsky et al. 2012, section 4.1;
    Caffe (crop_size).
    """

    def __init__(self, size: int | tuple, *, rng):
        self.size = pair("RandomCrop: size", size, 1)
        self.rng = np.random.default_rng(rng)

    def forward(self, X):
        self.output_shape(X.shape[1:])
        self.shape = X.shape
        spare = [n - size for n, size in zip(X.shape[2:], self.size, strict=True)]
        middle = tuple(n // 2 for n in spare)
        if not self.training or not len(X):
            self.parts = [(slice(None), *self._from(*middle))]
            return X[self.parts[0]]
        starts = self.rng.integers(0, np.add(spare, 1), (len(X), 2))
        self.parts = [(n, *self._from(i, j)) for n, (i, j) in enumerate(starts.tolist())]
        return np.stack([X[part] for part in self.parts])

    def _from(self, i: int, j: int) -> tuple:
        """All channels, and the rows and columns from there on."""
        height, width = self.size
        return slice(None), slice(i, i + height), slice(j, j + width)

    def backward(self, dout):
        dX = np.zeros(self.shape, dout.dtype, like=dout)
        for part in self.parts:
            dX[part] = dout[part[0]]
        return dX

    def output_shape(self, input_shape):
        too_small = len(input_shape) == 3 and any(np.less(input_shape[1:], self.size))
        if len(input_shape) != 3 or too_small:
            height, width = self.size
            wanted = f"images (N, C, H, W) of at least {height} x {width}"
            raise ShapeError("RandomCrop", wanted, batch_of(input_shape))
        return (input_shape[0], *self.size)

    @classmethod
    def examples(cls, rng):
        yield cls(2, rng=rng), rng.standard_normal((3, 2, 4, 5))
        yield cls((3, 1), rng=rng), rng.standard_normal((2, 1, 3, 4))
