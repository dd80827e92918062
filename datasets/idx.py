"""The IDX format, in which MNIST is published: a small header, then the raw array.

Bytes 0 and 1 are zero, byte 2 is the type, byte 3 the number of axes; then each axis as a
big-endian 32-bit integer; then the entries. Source: the format note on the original MNIST page.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

_DTYPES: dict[int, np.dtype] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_CHUNK = 1 << 20


class IdxError(ValueError):
    """A file is not whole, valid IDX."""


def read_idx(path: str | Path, expected: tuple[int, ...] | None = None) -> np.ndarray:
    """The array in an IDX file, gzip-compressed if its name ends in .gz.

    Raises IdxError, naming the file, if it is damaged, cut off, or longer or shorter than its
    header says, or if that is not the `expected` shape of bytes (uint8); nothing larger than the
    header declares is ever read into memory.
    """
    opener = gzip.open if Path(path).suffix == ".gz" else open
    try:
        with opener(path, "rb") as stream:
            return _read(stream, expected)
    except IdxError as error:
        raise IdxError(f"{path}: {error}") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise IdxError(f"{path}: not a whole gzip file ({error})") from None
    except zlib.error as error:
        raise IdxError(f"{path}: damaged gzip data ({error})") from None


def write_idx(stream, array: np.ndarray) -> None:
    """Write an array of one of the format's types to a binary stream."""
    code = next((c for c, d in _DTYPES.items() if d == array.dtype.newbyteorder(">")), None)
    if code is None or not 1 <= array.ndim <= 8:
        raise IdxError(f"IDX cannot hold {array.dtype} of {array.ndim} axes")
    stream.write(bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape))
    stream.write(array.astype(_DTYPES[code]).tobytes())


def _read(stream, expected: tuple[int, ...] | None) -> np.ndarray:
    magic = _exactly(stream, 4, "the magic number")
    if magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not 1 <= magic[3] <= 8:
        raise IdxError(f"not IDX: wrong magic number 0x{magic.hex()}")
    n_axes = magic[3]
    shape = struct.unpack(f">{n_axes}I", _exactly(stream, 4 * n_axes, "the axes"))
    dtype = _DTYPES[magic[2]]
    if expected is not None and (shape != expected or dtype != np.uint8):
        raise IdxError(f"expects uint8 {expected}, got {dtype.name} {shape}")
    content = _exactly(stream, math.prod(shape) * dtype.itemsize, f"an array of shape {shape}")
    if stream.read(1):
        raise IdxError(f"holds more than the array of shape {shape} that its header declares")
    array = np.frombuffer(content, dtype)
    if not dtype.isnative:  # swapped in place: a copy would take as much memory again
        array = array.byteswap(inplace=True).view(dtype.newbyteorder("="))
    try:
        return array.reshape(shape)
    except ValueError as error:  # no entries, but axes beyond what NumPy can count
        raise IdxError(f"an impossible shape {shape} ({error})") from None


def _exactly(stream, size: int, what: str) -> bytearray:
    """size bytes, read piece by piece: a lying header cannot make us allocate what is not there."""
    content = bytearray()
    while len(content) < size:
        piece = stream.read(min(_CHUNK, size - len(content)))
        if not piece:
            raise IdxError(f"cut off: {what} needs {size} bytes, {len(content)} are there")
        content += piece
    return content
