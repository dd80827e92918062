"""Sliding windows over images that lie channels-last in memory."""

import math
from numbers import Integral

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def pair(name: str, value, lowest: int) -> tuple[int, int]:
    """(height, width) from one number or two. Raises ValueError below `lowest`."""
    both = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2 or not all(isinstance(v, Integral) and v >= lowest for v in both):
        raise ValueError(f"{name}: expects one or two whole numbers >= {lowest}, got {value!r}")
    return int(both[0]), int(both[1])


def output_length(length: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows fit along one axis; less than 1 if the window is larger than the image."""
    return (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def columns(X, kernel: tuple, stride: tuple, dilation: tuple):
    """The windows of X (N, H, W, C) as rows: (N · OH · OW, KH · KW · C), a copy."""
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    extent = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
    view = sliding_window_view(X, extent, axis=(1, 2))[:, ::sh, ::sw, :, ::dh, ::dw]
    if X.shape[3] == 1:  # runs of KW numbers only: tap by tap they are longer, 4 times as fast
        _, height, width = view.shape[:3]
        rows = np.stack([X[:, :, tap, 0] for tap in _taps(kw, sw, dw, width)])  # KW, N, H, OW
        taps = np.stack([rows[:, :, tap] for tap in _taps(kh, sh, dh, height)])
        return taps.reshape(kh * kw, -1).T
    # Axes N, OH, OW, KH, KW, C: one window row is one run of KW · C numbers in memory.
    return view.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kh * kw * X.shape[3])


def _taps(kernel: int, stride: int, dilation: int, windows: int) -> list[slice]:
    """Along one axis: for each entry of a window, that entry of all windows."""
    starts = range(0, kernel * dilation, dilation)
    return [slice(start, start + (windows - 1) * stride + 1, stride) for start in starts]


def chunks(n: int, step: int) -> list[slice]:
    """n images in slices of equal size, up to `step` images or one."""
    count = max(min(math.ceil(n / max(step, 1)), n), 1)
    return [slice(i * n // count, (i + 1) * n // count) for i in range(count)]


def pad(X, padding: tuple):
    """X (N, H, W, C) with a border of zeros."""
    (ph, pw), (n, h, w, c) = padding, X.shape
    if not (ph or pw):
        return X
    padded = np.zeros((n, h + 2 * ph, w + 2 * pw, c), X.dtype, like=X)
    padded[:, ph : ph + h, pw : pw + w] = X
    return padded
