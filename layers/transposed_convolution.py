"""Transposed convolution: each pixel gives a window, where a convolution gathers one."""

import numpy as np
from numpy.typing import DTypeLike

from lamina.autodiff import outermost
from lamina.layers.base import Layer, Param
from lamina.layers.biases import biases
from lamina.layers.errors import ShapeError
from lamina.layers.initializers import he_normal
from lamina.layers.kernels.frames import Frame
from lamina.layers.kernels.windows import chunks, pair, windows


class TransposedConvolution(Layer):
    """Y[n, o, i s + k d - p, j s + l d - p] = b[o] + Σ_{c, k, l} X[n, c, i, j] · W[c, o, k, l]

    with stride s, dilation d and padding p, which here is cut off the border: what comes out is as
    large as what a Convolution with these settings takes in to give X. It makes images larger, in
    decoders and generators. `output_padding` adds rows and columns at the end, which a stride
    leaves open: two sizes of images give one under a Convolution.

    Forward it is the dX of that Convolution, and backward its forward: with `windows` the windows
    of dout as rows of a matrix,

        dX = windows Wᵀ        dW = Xᵀ windows        db = Σ dout

    In groups, the channels are cut into equal parts that do not see each other. `bias=False` leaves
    out b, which begins at `bias_value`.
    Shapes: X (N, c_in, H, W), W (c_in, c_out / groups, KH, KW), b (c_out,), Y (N, c_out, OH, OW),
    OH = (H - 1) s - 2 p + d (KH - 1) + 1 + output_padding. kernel, stride, padding, dilation and
    output_padding are one number or two, (height, width). Raises ShapeError for other inputs, and
    if nothing is left; ValueError unless output_padding is below the stride or the dilation.
    Source: Dumoulin and Visin 2016, chapter 4; Zeiler et al. 2010.
    """

    chunk_bytes = 1 << 21  # of windows, as in Convolution

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int | tuple,
        *,
        stride: int | tuple = 1,
        padding: int | tuple = 0,
        output_padding: int | tuple = 0,
        dilation: int | tuple = 1,
        groups: int = 1,
        bias: bool = True,
        bias_value: float = 0.0,
        init=he_normal,
        rng,
        dtype: DTypeLike = np.float32,
    ):
        if min(c_in, c_out, groups) < 1 or c_in % groups or c_out % groups:
            raise ValueError(
                "TransposedConvolution: groups must divide c_in and c_out, all at least 1; got "
                f"c_in {c_in}, c_out {c_out}, groups {groups}"
            )
        self.kernel = pair("TransposedConvolution: kernel", kernel, 1)
        self.stride = pair("TransposedConvolution: stride", stride, 1)
        self.padding = pair("TransposedConvolution: padding", padding, 0)
        self.dilation = pair("TransposedConvolution: dilation", dilation, 1)
        self.output_padding = pair("TransposedConvolution: output_padding", output_padding, 0)
        settings = zip(self.output_padding, self.stride, self.dilation, strict=True)
        if any(extra >= max(s, d) for extra, s, d in settings):
            raise ValueError(
                "TransposedConvolution: output_padding is below the stride or the dilation, got "
                f"{self.output_padding} with {self.stride} and {self.dilation}"
            )
        self.groups = groups
        # Drawn with the outputs last, the axis that initializers do not count as inputs.
        W = init((c_in // groups, *self.kernel, c_out), np.random.default_rng(rng), dtype)
        W = W.reshape(*W.shape[:3], groups, -1).transpose(3, 0, 4, 1, 2)
        self.W = Param(np.ascontiguousarray(W).reshape(c_in, -1, *self.kernel))
        self.b = biases("TransposedConvolution", c_out, bias, bias_value, dtype)

    def forward(self, X):
        if X.ndim != 4:
            raise ShapeError("TransposedConvolution", "(N, C, H, W)", str(X.shape))
        c_out, *size = self.output_shape(X.shape[1:])
        self.X = X.transpose(0, 2, 3, 1)  # channels last; where memory is so already, no work
        matrix = self._matrix()
        Y = np.empty(
            (len(X), *size, c_out),
            np.result_type(X.dtype, matrix.dtype),
            like=outermost(X, matrix),
        )
        for images in self._chunks():
            for ins, outs in self._parts():
                Y[images][..., outs] = self._added(self.X[images][..., ins], matrix[ins], size)
        Y = Y.transpose(0, 3, 1, 2)
        return Y if self.b is None else Y + self.b.data[:, np.newaxis, np.newaxis]

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1)
        matrix, dmatrix = self._matrix(), []
        dX = np.empty(self.X.shape, dout.dtype, like=outermost(dout, matrix))
        for ins, outs in self._parts():
            X, total = self.X[..., ins], 0.0
            for images, rows in self._windows(dout[..., outs]):
                total = total + X[images].reshape(-1, X.shape[-1]).T @ rows
                if self.needs_dX:
                    dX[images][..., ins] = (rows @ matrix[ins].T).reshape(X[images].shape)
            dmatrix.append(total)
        c_in, c_out = self.W.data.shape[:2]
        dW = np.concatenate(dmatrix).reshape(c_in, *self.kernel, c_out)
        self.W.accumulate(dW.transpose(0, 3, 1, 2))
        if self.b is not None:
            self.b.accumulate(dout.sum(axis=(0, 1, 2)))
        return dX.transpose(0, 3, 1, 2) if self.needs_dX else None

    def _parts(self):
        """(input channels, output channels) of each group, as slices."""
        ins, outs = len(self.W.data) // self.groups, self.W.data.shape[1]
        for g in range(self.groups):
            yield slice(g * ins, (g + 1) * ins), slice(g * outs, (g + 1) * outs)

    def _matrix(self):
        """W as (c_in, KH · KW · c_out / groups)."""
        return self.W.data.transpose(0, 2, 3, 1).reshape(len(self.W.data), -1)

    def _added(self, X, matrix, size):
        """The windows that the pixels of X give, added up: (N, OH, OW, c_out), of one group."""
        n, height, width, c_in = X.shape
        c_out = self.W.data.shape[1]
        shares = (X.reshape(-1, c_in) @ matrix).reshape(n, height, width, *self.kernel, c_out)
        (sh, sw), (dh, dw), (ph, pw) = self.stride, self.dilation, self.padding
        whole = (n, size[0] + 2 * ph, size[1] + 2 * pw, c_out)
        Y = np.zeros(whole, shares.dtype, like=shares)
        for k, m in np.ndindex(self.kernel):
            rows = slice(k * dh, k * dh + (height - 1) * sh + 1, sh)
            places = slice(m * dw, m * dw + (width - 1) * sw + 1, sw)
            Y[:, rows, places] += shares[:, :, :, k, m]
        return Y[:, ph : ph + size[0], pw : pw + size[1]]

    def _windows(self, dout):
        """The windows of dout (N, OH, OW, c_out) with its border back, as far as they reach."""
        size = [self._reach(n, axis) for axis, n in enumerate(self.X.shape[1:3])]
        frame = Frame(dout.shape[1:3], size, self.padding)
        return windows(dout, frame, self.kernel, self.stride, self.dilation, self.chunk_bytes)

    def _reach(self, length: int, axis: int) -> int:
        """How many rows the windows of so many pixels cover."""
        return (length - 1) * self.stride[axis] + self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def _chunks(self):
        """Slices of images whose windows stay in the cache."""
        n, height, width, _ = self.X.shape
        window = self.W.data[0].size * self.X.dtype.itemsize
        return chunks(n, self.chunk_bytes // max(height * width * window, 1))

    def output_shape(self, input_shape):
        c_in, c_out = len(self.W.data), self.W.data.shape[1] * self.groups
        if len(input_shape) != 3 or input_shape[0] != c_in or min(input_shape) < 1:
            wanted = f"images ({c_in}, H, W)"
            raise ShapeError("TransposedConvolution", wanted, str(tuple(input_shape)))
        size = [
            self._reach(n, axis) - 2 * self.padding[axis] + self.output_padding[axis]
            for axis, n in enumerate(input_shape[1:])
        ]
        if min(size) < 1:
            raise ShapeError(
                "TransposedConvolution",
                f"images of which something is left when {self.padding} is cut off each side",
                str(tuple(input_shape)),
            )
        return (c_out, *size)

    def flops(self, input_shape):
        return 2 * input_shape[1] * input_shape[2] * self.W.data.size

    @classmethod
    def infer(cls, input_shape):
        return {"c_in": input_shape[0]}

    @classmethod
    def examples(cls, rng):
        def layer(*sizes, **settings):
            convolution = cls(*sizes, rng=rng, dtype=np.float64, **settings)
            if convolution.b is not None:
                convolution.b.data = rng.standard_normal(convolution.b.data.shape)
            return convolution

        yield layer(4, 6, 2, stride=2, groups=2), rng.standard_normal((2, 4, 2, 3))
        yield layer(2, 3, 3, stride=2, padding=1), rng.standard_normal((2, 2, 3, 2))
        settings = {"stride": (2, 1), "padding": (0, 1), "output_padding": (1, 0)}
        yield layer(3, 1, (2, 3), **settings), rng.standard_normal((3, 3, 2, 4))
        dilated = layer(1, 2, 2, dilation=(3, 2), output_padding=(2, 1), bias=False)
        dilated.chunk_bytes = 1  # an image at a time: sums over the chunks must be right too
        yield dilated, rng.standard_normal((2, 1, 2, 3))
