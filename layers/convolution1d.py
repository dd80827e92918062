"""One-dimensional convolution: over the positions of sequences."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.common.counts import is_count
from lamina.layers.base import Layer
from lamina.layers.convolution import Convolution
from lamina.layers.errors import ShapeError, batch_of
from lamina.layers.initializers import he_normal
from lamina.layers.kernels.windows import output_length


class Convolution1d(Layer):
    """Y[n, t, o] = b[o] + Σ_{c, k} W[o, c, 0, k] · X[n, t s + k d - p, c]

    with stride s, padding p (zeros) and dilation d: a Convolution over images of one row, which
    does the work, gradients too. Features come last, as in all layers for sequences; PyTorch's
    Conv1d has (N, c, T).

    Shapes: X (N, T, c_in), W (c_out, c_in / groups, 1, K), b (c_out,), Y (N, T', c_out),
    T' = (T + 2 p - d (K - 1) - 1) // s + 1. Raises ShapeError for other inputs, or if no window
    fits. Source: Waibel et al. 1989 (time-delay networks); Convolution.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        init=he_normal,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        settings = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        for name, value in settings.items():
            lowest = 0 if name == "padding" else 1
            if not is_count(value, lowest):
                raise ValueError(
                    f"Convolution1d: {name}: expects a whole number >= {lowest}, got {value!r}"
                )
        self.kernel, self.stride, self.padding, self.dilation = kernel, stride, padding, dilation
        images = Convolution(
            *(c_in, c_out, (1, kernel)),
            stride=(1, stride),
            padding=(0, padding),
            dilation=(1, dilation),
            groups=groups,
            bias=bias,
            init=init,
            rng=rng,
            dtype=dtype,
        )
        self.W, self.b = images.W, images.b  # its parameters, under names without a path
        self.images = images

    def forward(self, X):
        self.output_shape(X.shape[1:])
        return _sequences(self.images.forward(_images(X)))

    def backward(self, dout):
        self.images.needs_dX = self.needs_dX
        dX = self.images.backward(_images(dout))
        return _sequences(dX) if self.needs_dX else None

    def output_shape(self, input_shape):
        c_out, c_in = self.W.data.shape[0], self.W.data.shape[1] * self.images.groups
        if len(input_shape) != 2 or input_shape[1] != c_in:
            got = batch_of(input_shape)
            raise ShapeError("Convolution1d", f"sequences (N, T, {c_in})", got)
        settings = self.kernel, self.stride, self.padding, self.dilation
        length = output_length(input_shape[0], *settings)
        if length < 1:
            shortest = self.dilation * (self.kernel - 1) + 1 - 2 * self.padding
            wanted = f"sequences of at least {shortest} positions, one window"
            raise ShapeError("Convolution1d", wanted, batch_of(input_shape))
        return (length, c_out)

    def flops(self, input_shape):
        return 2 * self.output_shape(input_shape)[0] * self.W.data.size

    @classmethod
    def infer(cls, input_shape):
        return {"c_in": input_shape[-1]}

    @classmethod
    def examples(cls, rng):
        yield cls(2, 3, 3, padding=1, rng=rng, dtype=np.float64), rng.standard_normal((2, 5, 2))
        settings = {"stride": 2, "dilation": 2, "groups": 2, "bias": False}
        layer = cls(4, 2, 2, rng=rng, dtype=np.float64, **settings)
        yield layer, rng.standard_normal((3, 6, 4))


def _images(X):
    """(N, T, c) as images of one row, (N, c, 1, T): a view, channels-last in memory as X is."""
    return X.transpose(0, 2, 1)[:, :, np.newaxis]


def _sequences(X):
    return X[:, :, 0].transpose(0, 2, 1)
