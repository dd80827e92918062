"""Two-dimensional convolution."""

import functools
import math

import numpy as np

from lamina.autodiff import outermost
from lamina.layers.base import Layer, Param
from lamina.layers.errors import ShapeError
from lamina.layers.initializers import he_normal
from lamina.layers.kernels.windows import chunks, columns, output_length, pad, pair


class Convolution(Layer):
    """Y[n, o, i, j] = b[o] + Σ_{c, k, l} W[o, c, k, l] · X[n, c, i s + k d - p, j s + l d - p]

    with stride s, padding p (zeros) and dilation d: cross-correlation, as in all frameworks. The
    windows of X become the rows of a matrix, and the sum a matrix product ("im2col"), in chunks of
    images whose windows stay in cache. With `windows` this matrix,

        dW = windowsᵀ dout        db = Σ dout

    and dX is a correlation too: of dout, its entries s apart with zeros between, with W flipped. Or
    it is added up from dout Wᵀ, the share of each window, where that is less work.
    In groups, the channels are cut into equal parts that do not see each other. `bias=False` leaves
    out b: before a batch normalisation it would be subtracted again.

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
        init=he_normal,
        rng,
        dtype=np.float32,
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
        self.b = Param(np.zeros(c_out, dtype)) if bias else None

    def forward(self, X):
        if X.ndim != 4:
            raise ShapeError("Convolution", "(N, C, H, W)", str(X.shape))
        c_out, height, width = self.output_shape(X.shape[1:])
        self.X = X.transpose(0, 2, 3, 1)  # channels last; where memory is so already, no work
        self.adds_shares = self._is_thin((height, width), X.shape)
        W, b = self.W.data, 0.0 if self.b is None else self.b.data
        # Not X.dtype: images of whole numbers would cut the results off.
        dtype = np.result_type(X.dtype, W.dtype)
        size = (self.groups, len(X), height, width, c_out // self.groups)
        Y = np.empty(size, dtype, like=outermost(X, W, b))
        for (ins, outs), part in zip(self._parts(), Y, strict=True):
            matrix = W[outs].transpose(2, 3, 1, 0).reshape(-1, size[-1])
            windows = functools.partial(self._windows, self.X[..., ins])
            self._multiply(windows, matrix, part, None if self.b is None else b[outs])
        return _joined(Y)

    def backward(self, dout):
        dout = dout.transpose(0, 2, 3, 1)
        _, height, width, c_out = dout.shape
        W = self.W.data
        dW = np.empty(W.shape, W.dtype, like=outermost(dout, self.X))
        db = np.empty(c_out, W.dtype, like=dout)
        for ins, outs in self._parts():

            def products(images, ins=ins, outs=outs):
                d = dout[images, :, :, outs]
                rows = d.reshape(-1, width * d.shape[3])  # of pixels: long runs to add up
                windows = self._windows(self.X[..., ins], images)
                # Not @, which holds Python's lock where the result has no more than 500 numbers.
                return np.dot(windows.T, rows.reshape(-1, d.shape[3])), rows.sum(axis=0)

            parts = map(products, self._chunks(height * width, W[0].size))
            total, row = (sum(part) for part in zip(*parts, strict=True))
            dW[outs] = total.reshape(*self.kernel, W.shape[1], -1).transpose(3, 2, 0, 1)
            db[outs] = row.reshape(width, -1).sum(axis=0)
        self.W.accumulate(dW)
        if self.b is not None:
            self.b.accumulate(db)
        return self._input_gradient(dout) if self.needs_dX else None

    def _input_gradient(self, dout):
        W = self.W.data
        n, *places, _ = self.X.shape
        dX = np.empty((self.groups, n, *places, W.shape[1]), dout.dtype, like=outermost(dout, W))
        for (_, outs), part in zip(self._parts(), dX, strict=True):
            if self.adds_shares:
                self._add_shares(dout[..., outs], W[outs], part)
            else:
                matrix = W[outs, :, ::-1, ::-1].transpose(2, 3, 0, 1).reshape(-1, W.shape[1])
                self._multiply(functools.partial(self._taps, dout[..., outs]), matrix, part)
        return _joined(dX)

    def _multiply(self, unfold, matrix, out, bias=None):
        """Write unfold(images) · matrix + bias into out, (N, H, W, columns of the matrix)."""
        # A row of pixels at a time: a loop over the few numbers of the bias would be slow.
        row = None if bias is None else np.broadcast_to(bias, out.shape[2:]).reshape(-1)

        for images in self._chunks(math.prod(out.shape[1:3]), matrix.shape[0]):
            part = out[images].reshape(-1, matrix.shape[1])
            np.matmul(unfold(images), matrix, out=part)
            if row is not None:
                rows = part.reshape(-1, row.size)
                rows += row

    def _windows(self, X, images):
        return columns(pad(X[images], self.padding), self.kernel, self.stride, self.dilation)

    def _taps(self, dout, images):
        """For each pixel of X, the entries of dout that it took part in."""
        return columns(self._spread(dout[images]), self.kernel, (1, 1), self.dilation)

    def _add_shares(self, dout, W, out):
        for images in self._chunks(math.prod(dout.shape[1:3]), W[0].size):
            out[images] = self._added_shares(dout[images], W)

    def _added_shares(self, dout, W):
        n, rows, width, c_out = dout.shape
        (kh, kw), (sh, sw), (ph, pw) = self.kernel, self.stride, self.padding
        c, (x_height, x_width) = W.shape[1], self.X.shape[1:3]
        matrix = W.transpose(0, 2, 3, 1).reshape(c_out, -1)
        shares = (dout.reshape(-1, c_out) @ matrix).reshape(n, rows, width, kh, kw * c)
        height, row = x_height + 2 * ph, (x_width + 2 * pw) * c
        total = np.zeros((n, height, row), dout.dtype, like=shares)
        for i, x in np.ndindex(kh, width):  # one row of a window is one run of kw · C numbers
            place = slice(x * sw * c, (x * sw + kw) * c)
            total[:, i : i + (rows - 1) * sh + 1 : sh, place] += shares[:, :, x, i]
        total = total.reshape(n, height, x_width + 2 * pw, c)
        return total[:, ph : ph + x_height, pw : pw + x_width]

    def _spread(self, dout):
        """dout with its entries `stride` apart, so placed that windows at stride 1 over it are, for
        each pixel of X, the entries of dout that the pixel took part in (the last tap first)."""
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel, strict=True)]
        lengths = [x + r for x, r in zip(self.X.shape[1:3], reach, strict=True)]
        spread = np.zeros((len(dout), *lengths, dout.shape[3]), dout.dtype, like=dout)
        source, target = [], []
        for axis in (0, 1):
            s, offset = self.stride[axis], reach[axis] - self.padding[axis]
            first = max(0, -(offset // s))  # windows that lie in the padding alone reach no pixel
            last = min(dout.shape[1 + axis], (lengths[axis] - 1 - offset) // s + 1)
            source.append(slice(first, last))
            target.append(slice(offset + first * s, offset + (last - 1) * s + 1, s))
        spread[:, target[0], target[1]] = dout[:, source[0], source[1]]
        return spread

    def _is_thin(self, windows: tuple, images: tuple) -> bool:
        """Whether there are so few windows, for their stride or for lack of padding, that dX is
        better added up from their shares than correlated pixel by pixel."""
        c_out, c_in = self.W.data.shape[:2]
        shares, taps = math.prod(windows) * c_in, math.prod(images[2:]) * c_out // self.groups
        return self.dilation == (1, 1) and 2 * shares < taps

    def _parts(self):
        """(input channels, output channels) of each group, as slices."""
        c_out, c_in = self.W.data.shape[:2]
        step = c_out // self.groups
        for g in range(self.groups):
            yield slice(g * c_in, (g + 1) * c_in), slice(g * step, (g + 1) * step)

    def _chunks(self, windows: int, window: int):
        """Slices of images whose windows, so many an image of so many numbers, fill about
        chunk_bytes."""
        image_bytes = windows * window * self.X.dtype.itemsize
        return chunks(len(self.X), self.chunk_bytes // image_bytes)

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
