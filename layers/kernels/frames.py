"""Images in a frame of zeros: padded, cut, or with their pixels apart."""

import numpy as np


class Frame:
    """A frame of `size` (height, width) around images of `lengths`: pixel i of an axis lies at
    offset + i · stride, and is left out where that is outside of the frame."""

    def __init__(self, lengths: tuple, size: tuple, offset: tuple, stride: tuple = (1, 1)):
        self.size = tuple(size)
        self.fits = tuple(lengths) == self.size and tuple(offset) == (0, 0) and stride == (1, 1)
        self.source, self.target = [slice(None)], [slice(None)]
        for n, length, o, s in zip(lengths, size, offset, stride, strict=True):
            first, last = max(0, -(o // s)), min(n, (length - 1 - o) // s + 1)
            self.source.append(slice(first, last))
            self.target.append(slice(o + first * s, o + (last - 1) * s + 1, s))

    @classmethod
    def padded(cls, lengths: tuple, padding: tuple) -> "Frame":
        size = tuple(n + 2 * p for n, p in zip(lengths, padding, strict=True))
        return cls(lengths, size, padding)

    def empty(self, n: int, X):
        """A frame for n images at a time, like X (N, H, W, C): zeros all around."""
        return np.zeros((n, *self.size, X.shape[3]), X.dtype, like=X)

    def put(self, X, frames) -> None:
        """Write images into as many frames."""
        frames[tuple(self.target)] = X[tuple(self.source)]
