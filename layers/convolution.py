"""Two-dimensional convolution."""

import itertools
import math

import numpy as np
from numpy.typing import DTypeLike

from lamina.autodiff import outermost
from lamina.layers.base import Layer, Param
from lamina.layers.biases import biases
from lamina.layers.errors import ShapeError
from lamina.layers.initializers import he_normal
from lamina.layers.kernels.frames import Frame
from lamina.layers.kernels.windows import output_length, pair, windows


class Convolution(Layer):
    """Y[n, o, i, j] = b[o] + Σ_{c, k, l} W[o, c, k, l] · X[n, c, i s + k d - p, j s + l d - p]

    with stride s, padding p (zeros) and dilation d: cross-correlation, as in all frameworks. The
    windows of X become the rows of a matrix, and the sum a matrix product ("im2col"), in chunks of
    images whose windows stay in cache. With `windows` this matrix, and `taps` the one that has, for
    each pixel of X, the entries of dout that it took part in,

        dW = windowsᵀ dout        dX = dout Wᵀ, the share of each window, added up
        or
        dW = Xᵀ taps              dX = taps W, for W flipped

    whichever is less work, and db = Σ dout.
    In groups, the channels are cut into equal parts that do not see each other. `bias=False` leaves
    out b: before a batch normalisation it would be subtracted again. It begins at `bias_value`.

    Shapes: X (N, c_in, H, W), W (c_out, c_in / groups, KH, KW), b (c_out,), Y (N, c_out, OH, OW),
    OH = (H + 2 p - d (KH - 1) - 1) // s + 1. kernel, stride, padding and dilation are one number
    or two, (height, width). Raises ShapeError for other inputs, or if no window fits.
    Source: Chellapilla et al. 2006 (im2col); Dumoulin and Visin 2016 (shapes and transposes).
    """

    # Windows of about this many bytes stay in the cache, and make a product worth its while.
    chunk_bytes = 1 << 21

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int | tuple,
        *,
        stride: int | tuple = 1,
        padding: int | tuple = 0,
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
                f"Convolution: groups must divide c_in and c_out, all at least 1; got c_in {c_in}, "
                f"c_out {c_out}, groups {groups}"
            )
        self.kernel = pair("Convolution: kernel", kernel, 1)
        self.stride = pair("Convolution: stride", stride, 1)
        self.padding = pair("Convolution: padding", padding, 0)
        self.dilation = pair("Convolution: dilation", dilation, 1)
        self.groups = groups
        # Drawn with the outputs last, the axis that initializers do not count as inputs.
        W = init((c_in // groups, *self.kernel, c_out), np.random.default_rng(rng), dtype)
        self.W = Param(np.ascontiguousarray(W.transpose(3, 0, 1, 2)))
        self.b = biases("Convolution", c_out, bias, bias_value, dtype)

    def forward(self, X):
        if X.ndim != 4:
            raise ShapeError("Convolution", "(N, C, H, W)", str(X.shape))
        c_out, height, width = self.output_shape(X.shape[1:])
        self.X = X.transpose(0, 2, 3, 1)  # channels last; where memory is so already, no work
        self.by_pixel = self._is_faster_by_pixel((height, width), X.shape)
        W, b = self.W.data, 0.0 if self.b is None else self.b.data
        # Not X.dtype: images of whole numbers would cut the results off.
        dtype = np.result_type(X.dtype, W.dtype)
        size = (self.groups, len(X), height, width, c_out // self.groups)
        Y = np.empty(size, dtype, like=outermost(X, W, b))
        for (ins, outs), part in zip(self._parts(), Y, strict=True):
            self._fill(part, self.X[..., ins], W[outs], None if self.b is None else b[outs])
        return _joined(Y)

    def _fill(self, Y, X, W, b):
        """Write the outputs into Y, (N, OH, OW, c_out)."""
        width, c_out = Y.shape[2:]
        matrix = W.transpose(2, 3, 1, 0).reshape(-1, c_out)
        # A row of pixels at a time: a loop over the few numbers of the bias would be slow.
        row = None if b is None else np.broadcast_to(b, (width, c_out)).reshape(-1)
        for images, gathered in self._windows(X):
            part = Y[images].reshape(-1, c_out)
            np.matmul(gathered, matrix, out=part)
            if row is not None:
                rows = part.reshape(-1, row.size)
                rows += row

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1)
        W = self.W.data
        dW = np.empty(W.shape, W.dtype, like=outermost(dout, self.X))
        db = np.empty(len(W), W.dtype, like=dout)
        size = (self.groups, *self.X.shape[:3], W.shape[1])
        dX = np.empty(size, dout.dtype, like=outermost(dout, W)) if self.needs_dX else None
        gradients = self._by_taps if self.needs_dX and self.by_pixel else self._by_windows
        for g, (ins, outs) in enumerate(self._parts()):
            part = None if dX is None else dX[g]
            dW[outs], db[outs] = gradients(self.X[..., ins], dout[..., outs], W[outs], part)
        self.W.accumulate(dW)
        if self.b is not None:
            self.b.accumulate(db)
        return None if dX is None else _joined(dX)

    def _by_windows(self, X, dout, W, dX):
        """(dW, db) from the windows of X, window by window; dX, if there is one, is filled."""
        c_out = dout.shape[3]

        def gradients(images, gathered):
            d = dout[images]
            if dX is not None:
                dX[images] = self._added_shares(d, W)
            # Not @, which holds Python's lock where the result has no more than 500 numbers.
            return np.dot(gathered.T, d.reshape(-1, c_out)), _sum_of_pixels(d)

        dW, db = _sums(itertools.starmap(gradients, self._windows(X)))
        return dW.reshape(*self.kernel, W.shape[1], c_out).transpose(3, 2, 0, 1), db

    def _by_taps(self, X, dout, W, dX):
        """(dW, db) from the entries of dout, pixel by pixel of X; dX is filled."""
        c_out, c_in = W.shape[:2]
        matrix = W[:, :, ::-1, ::-1].transpose(2, 3, 0, 1).reshape(-1, c_in)

        def gradients(images, taps):
            np.matmul(taps, matrix, out=dX[images].reshape(-1, c_in))
            return np.dot(X[images].reshape(-1, c_in).T, taps), _sum_of_pixels(dout[images])

        dW, db = _sums(itertools.starmap(gradients, self._taps(dout)))
        dW = dW.reshape(c_in, *self.kernel, c_out)[:, ::-1, ::-1]
        return dW.transpose(3, 0, 1, 2), db

    def _windows(self, X):
        frame = Frame.padded(X.shape[1:3], self.padding)
        return windows(X, frame, self.kernel, self.stride, self.dilation, self.chunk_bytes)

    def _taps(self, dout):
        """For each pixel of X, the entries of dout that it took part in, the last tap first: the
        windows, at stride 1, of dout with its entries `stride` apart."""
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        size = [x + r for x, r in zip(self.X.shape[1:3], reach, strict=True)]
        offset = [r - p for r, p in zip(reach, self.padding, strict=True)]
        frame = Frame(dout.shape[1:3], size, offset, self.stride)
        return windows(dout, frame, self.kernel, (1, 1), self.dilation, self.chunk_bytes)

    def _added_shares(self, dout, W):
        """The shares of all windows in dX, dout Wᵀ, added up: rows of windows that lie above each
        other first, then windows side by side, KW · C numbers at a time, so that runs are long."""
        n, height, width, c_out = dout.shape
        (kh, kw), (sh, sw), (ph, pw) = self.kernel, self.stride, self.padding
        c, (x_height, x_width) = W.shape[1], self.X.shape[1:3]
        high, wide, run = x_height + 2 * ph, x_width + 2 * pw, kw * c
        shares = np.zeros((n, high, width * run), dout.dtype, like=outermost(dout, W))
        for i, matrix in enumerate(W.transpose(2, 0, 3, 1).reshape(kh, c_out, run)):
            row = (dout.reshape(-1, c_out) @ matrix).reshape(n, height, width * run)
            shares[:, i : i + (height - 1) * sh + 1 : sh] += row
        total = np.zeros((n, high, wide * c), dout.dtype, like=shares)
        for x in range(width):
            place = slice(x * sw * c, x * sw * c + run)
            total[:, :, place] += shares[:, :, x * run : (x + 1) * run]
        total = total.reshape(n, high, wide, c)
        return total[:, ph : ph + x_height, pw : pw + x_width]

    def _is_faster_by_pixel(self, windows: tuple, images: tuple) -> bool:
        """Whether backward takes less time pixel by pixel than window by window.

        Besides the products, dout is gathered for the pixels, a number in the time of about 6
        multiplications; windows are gathered, and their shares written and added up. With a
        stride, or without padding, there are many more pixels than windows.
        """
        c_in, c_out = self.W.data.shape[1], self.W.data.shape[0] // self.groups
        by_pixel = math.prod(images[2:]) * c_out * (c_in + 6)
        by_window = math.prod(windows) * c_in * (c_out + 15)
        return self.dilation != (1, 1) or by_pixel < by_window

    def _parts(self):
        """(input channels, output channels) of each group, as slices."""
        c_out, c_in = self.W.data.shape[:2]
        step = c_out // self.groups
        for g in range(self.groups):
            yield slice(g * c_in, (g + 1) * c_in), slice(g * step, (g + 1) * step)

    def output_shape(self, input_shape):
        c_in, c_out = self.W.data.shape[1] * self.groups, self.W.data.shape[0]
        if len(input_shape) != 3 or input_shape[0] != c_in:
            raise ShapeError("Convolution", f"images ({c_in}, H, W)", str(input_shape))
        if min(input_shape) < 1:  # however wide the padding
            raise ShapeError("Convolution", "images of at least one pixel", str(input_shape))
        settings = zip(self.kernel, self.stride, self.padding, self.dilation, strict=True)
        size = [output_length(n, *s) for n, s in zip(input_shape[1:], settings, strict=True)]
        if min(size) < 1:
            raise ShapeError(
                "Convolution",
                f"images at least as large as the window (kernel {self.kernel}, dilation "
                f"{self.dilation}, padding {self.padding})",
                str(input_shape),
            )
        return (c_out, *size)

    def flops(self, input_shape):
        _, height, width = self.output_shape(input_shape)
        return 2 * height * width * self.W.data.size

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

        yield layer(2, 3, 3, padding=1), rng.standard_normal((2, 2, 5, 4))
        yield layer(4, 6, (2, 3), stride=(2, 1), groups=2), rng.standard_normal((3, 4, 5, 6))
        yield layer(1, 2, 2, stride=3, padding=2, dilation=2), rng.standard_normal((2, 1, 7, 6))
        yield layer(2, 2, 1, stride=2, padding=3, bias=False), rng.standard_normal((2, 2, 3, 4))
        one_by_one = layer(2, 3, 2)
        one_by_one.chunk_bytes = 1  # an image at a time: sums over the chunks must be right too
        yield one_by_one, rng.standard_normal((3, 2, 3, 3))


def _joined(groups):
    """(groups, N, H, W, C) as (N, groups · C, H, W); one group as a view, channels last."""
    g, n, height, width, c = groups.shape
    joined = groups.transpose(1, 2, 3, 0, 4).reshape(n, height, width, g * c)
    return joined.transpose(0, 3, 1, 2)


def _sum_of_pixels(dout):
    """(c_out,) from (N, H, W, c_out), a row of pixels at a time: short runs would be slow."""
    _, _, width, c_out = dout.shape
    return dout.reshape(-1, width * c_out).sum(axis=0).reshape(width, c_out).sum(axis=0)


def _sums(pairs):
    """The sum of what comes first in all pairs, and that of what comes second."""
    return (sum(parts) for parts in zip(*pairs, strict=True))
