"""Sliding windows over images that lie channels-last in memory."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lamina.autodiff import primal
from lamina.common.counts import is_count
from lamina.layers.kernels.frames import Frame


def pair(name: str, value, lowest: int) -> tuple[int, int]:
    """(height, width) from one number or two. Raises ValueError below `lowest`."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(is_count(v, lowest) for v in both):
        raise ValueError(f"{name}: expects one or two whole numbers >= {lowest}, got {value!r}")
    return int(both[0]), int(both[1])


def output_length(length: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows fit along one axis; less than 1 if the window is larger than the image."""
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def windows(X, frame: Frame, kernel: tuple, stride: tuple, dilation: tuple, chunk_bytes: int):
    """The windows of X (N, H, W, C) in a frame as rows of matrices, some images at a time.

    Yields (images, rows): a slice of the images whose windows fill about chunk_bytes, or of one,
    and (n · OH · OW, KH · KW · C). All chunks share one buffer, which so stays in cache: the rows
    are good until the next.
    """
    settings = zip(frame.size, kernel, stride, dilation, strict=True)
    height, width = (output_length(n, k, s, 0, d) for n, k, s, d in settings)
    image_bytes = height * width * math.prod(kernel) * X.shape[3] * X.dtype.itemsize
    parts = chunks(len(X), chunk_bytes // image_bytes)
    if frame.fits and kernel == stride == (1, 1):
        yield from ((images, X[images].reshape(-1, X.shape[3])) for images in parts)
        return
    most = max(images.stop - images.start for images in parts)
    framed = X if frame.fits else frame.empty(most, X)
    kind = _Taps if X.shape[3] == 1 else _Runs
    gathered = kind(framed, most, (height, width), kernel, stride, dilation)
    for images in parts:
        place = images
        if not frame.fits:
            place = slice(0, images.stop - images.start)
            frame.put(X[images], framed[place])
        yield images, gathered.rows(place)


class _Runs:
    """A buffer of windows, each of which is KH runs of KW · C numbers in memory."""

    def __init__(self, X, most, size, kernel, stride, dilation):
        (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
        extent = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
        view = sliding_window_view(X, extent, axis=(1, 2))[:, ::sh, ::sw, :, ::dh, ::dw]
        view = view.transpose(0, 1, 2, 4, 5, 3)  # N, OH, OW, KH, KW, C
        self.buffer = np.empty((most, *size, kh, kw, X.shape[3]), X.dtype, like=X)
        self.source, self.target = view, self.buffer
        if primal(X) is X and X.flags.c_contiguous and dw == 1:
            # Each run as one item: a loop around a few numbers takes longer than to move them.
            run = kw * X.shape[3]
            self.source, self.target = (
                a.reshape(*a.shape[:4], run).view(f"V{run * X.dtype.itemsize}")
                for a in (view, self.buffer)
            )

    def rows(self, images: slice):
        """The windows of these images as rows."""
        n = images.stop - images.start
        self.target[:n] = self.source[images]
        return self.buffer[:n].reshape(-1, math.prod(self.buffer.shape[3:]))


class _Taps:
    """A buffer of windows over one channel, whose runs would be KW numbers only. Entry by entry of
    a window they are longer, and faster to copy in two steps: sideways, then downwards."""

    def __init__(self, X, most, size, kernel, stride, dilation):
        self.X = X[..., 0]
        self.down, self.aside = map(_taps, kernel, stride, dilation, size)
        kh, kw = kernel
        self.strips = np.empty((kw, most, X.shape[1], size[1]), X.dtype, like=X)
        self.buffer = np.empty((kh, kw, most, *size), X.dtype, like=X)

    def rows(self, images: slice):
        """The windows of these images as rows, which are columns in memory."""
        n, X = images.stop - images.start, self.X[images]
        for strip, tap in zip(self.strips, self.aside, strict=True):
            strip[:n] = X[:, :, tap]
        for part, tap in zip(self.buffer, self.down, strict=True):
            part[:, :n] = self.strips[:, :n, tap]
        taps, pixels = math.prod(self.buffer.shape[:2]), math.prod(self.buffer.shape[3:5])
        return self.buffer.reshape(taps, -1)[:, : n * pixels].T


def _taps(kernel: int, stride: int, dilation: int, windows: int) -> list[slice]:
    """Along one axis: for each entry of a window, that entry of all windows."""
    starts = range(0, kernel * dilation, dilation)
    return [slice(start, start + (windows - 1) * stride + 1, stride) for start in starts]


def chunks(n: int, step: int) -> list[slice]:
    """n images in slices of equal size, up to `step` images or one."""
    count = max(min(math.ceil(n / max(step, 1)), n), 1)
    return [slice(i * n // count, (i + 1) * n // count) for i in range(count)]
