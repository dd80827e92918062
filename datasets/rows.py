"""Rows of arrays that need not be in memory: read from .npy files when they are asked for.

Read, not mapped: a page of a mapping stays resident until somebody gives it back, and a file that
has been cut off meanwhile, or a disk that fails, is a signal that kills the process instead of an
error in words. A read costs what the page fault of a mapping costs.
"""

import itertools
import math
import os
import stat
import threading
import weakref
import zlib
from pathlib import Path

import numpy as np

from lamina.common.errors import RunError
from lamina.common.npz import MAX_HEADER, npy_header

_PIECE = 1 << 22  # numbers of an array that are looked at at a time, bytes read at once
_HELD = 1 << 20  # bytes of what is held that are read at a time
_GAP = 1 << 14  # bytes between two rows that are sooner read than a second read is begun


class DataError(RunError):
    """The files of a data set cannot be used any more; says which, where and why."""


class StoredRows:
    """What arrays (N, ...) that lie on disk have, whatever they lie in: a subclass calls `_is` when
    it knows what it has, and takes rows."""

    def _is(self, shape: tuple, dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype.newbyteorder("=")
        self.ndim, self.size = len(shape), math.prod(shape)
        self.nbytes = self.size * self.dtype.itemsize

    def take(self, rows, axis: int = 0) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} has no take")

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.take(np.arange(*rows.indices(len(self))))


class FileRows(StoredRows):
    """The rows of an .npy file, or of several one behind the other, as one array (N, ...).

    `rows[a:b]` and `rows.take(indices)` read what they give, in the order of the file, and give it
    in the order asked for, as new arrays in the machine's byte order; `hold(indices)` reads rows
    that are going to be asked for, so that they come from memory. Several threads may read.

    Raises ValueError, naming the file, for what is no whole .npy file of numbers in C order, and
    for files whose rows differ; DataError when a file has changed since it was opened, and for
    booleans that are none.
    """

    def __init__(self, paths):
        self._files = [_File(Path(path)) for path in paths]
        first = self._files[0]
        for other in self._files[1:]:
            if (other.dtype, other.shape[1:]) != (first.dtype, first.shape[1:]):
                raise ValueError(
                    f"{other.path}: has rows {other.dtype} {other.shape[1:]}, but {first.path} "
                    f"has {first.dtype} {first.shape[1:]}; pieces of one array are alike"
                )
        self._begin = np.cumsum([0, *(file.shape[0] for file in self._files)])
        self._is((int(self._begin[-1]), *first.shape[1:]), first.dtype)
        self._held: tuple[np.ndarray, np.ndarray] | None = None
        self._crc: int | None = None

    def take(self, rows, axis: int = 0) -> np.ndarray:
        """The rows of these numbers, 0 to N - 1, in their order."""
        rows = np.asarray(rows, np.intp)
        if rows.size and rows.view(np.uintp).max() >= len(self):  # what is below 0 is large there
            raise IndexError(f"rows: expects 0 to {len(self) - 1}, got {rows.min()}, {rows.max()}")
        held = self._held  # once: another thread may exchange it
        if held is None:
            return self._read(rows)
        places = np.minimum(held[0].searchsorted(rows), len(held[0]) - 1)
        there = held[0][places] == rows
        if there.all():
            return held[1].take(places, axis=0)
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        out[there] = held[1].take(places[there], axis=0)
        out[~there] = self._read(rows[~there])
        return out

    def hold(self, rows) -> None:
        """Read these rows now, and keep them until others are held instead."""
        rows = np.unique(np.asarray(rows, np.intp))
        self._held = None  # its memory goes before there is more
        if not len(rows):
            return
        held = np.empty((len(rows), *self.shape[1:]), self.dtype)
        some = max(_HELD // max(held[:1].nbytes, 1), 1)
        for i in range(0, len(rows), some):  # what is copied from one to the other stays in cache
            held[i : i + some] = self.take(rows[i : i + some])
        self._held = rows, held

    def checksum(self) -> int:
        """The CRC-32 of all numbers as the files have them, taken once, a piece at a time."""
        if self._crc is None:
            crc = 0
            for file in self._files:
                for piece in file.content():
                    crc = zlib.crc32(piece, crc)
            self._crc = crc
        for file in self._files:
            file.check_unchanged()  # else it would be the sum of what was there
        return self._crc

    def _read(self, rows: np.ndarray) -> np.ndarray:
        if not len(rows):
            return np.empty((0, *self.shape[1:]), self.dtype)
        steps, order = rows[1:] - rows[:-1], None
        if len(steps) and steps.min() < 0:
            order = rows.argsort(kind="stable")
            rows = rows[order]
            steps = rows[1:] - rows[:-1]
        # Of neighbours, or nearly, one read is made; of a file, and of not too many.
        width = max(self.nbytes // len(self), 1)
        part = rows // max(_PIECE // width, 1)
        ends = (steps > _GAP // width + 1) | (part[1:] != part[:-1])
        if len(self._files) > 1:
            number = self._begin.searchsorted(rows, "right") - 1
            ends |= number[1:] != number[:-1]
        first = np.append(0, np.flatnonzero(ends) + 1)
        n_rows = np.append(first[1:], len(rows)) - first
        low = rows[first]
        n = rows[first + n_rows - 1] - low + 1
        content = bytearray()
        for i, file in enumerate(self._files):
            of_file = number[first] == i if len(self._files) > 1 else slice(None)
            content += b"".join(file.read(low[of_file] - self._begin[i], n[of_file]))
        found = np.frombuffer(content, self._files[0].dtype).reshape(-1, *self.shape[1:])
        found = found.astype(self.dtype, copy=False)
        if order is None and len(found) == len(rows) and (steps > 0).all():
            return found
        places = rows + np.repeat(np.cumsum(n) - n - low, n_rows)
        if order is not None:
            back = np.empty_like(places)
            back[order] = places
            places = back
        return found.take(places, axis=0)


class _File:
    """An .npy file that is open: `shape` and `dtype`, rows, and whether it is still the same."""

    def __init__(self, path: Path):
        self.path = path
        try:
            # Not blocking: opening a pipe would wait for its other end.
            self._file = os.open(path, os.O_RDONLY | _BINARY | getattr(os, "O_NONBLOCK", 0))
            weakref.finalize(self, os.close, self._file)
            found = os.fstat(self._file)
            start = b"" if not stat.S_ISREG(found.st_mode) else _pread(self._file, MAX_HEADER, 0)
        except OSError as error:
            raise ValueError(f"{path}: cannot be read ({error.strerror})") from None
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{path}: is no regular file")
        self._state = found.st_size, found.st_mtime_ns
        self.shape, fortran, self.dtype, self._begin = npy_header(start, str(path))
        if self.dtype.kind not in "biuf":
            raise ValueError(f"{path}: expects numbers, got {self.dtype} {self.shape}")
        if not self.shape or 0 in self.shape:
            raise ValueError(f"{path}: expects rows of numbers (N, ...), got {self.shape}")
        if fortran and sum(n > 1 for n in self.shape) > 1:
            raise ValueError(
                f"{path}: is in Fortran order, in which a row lies scattered over the file; write "
                "it anew: np.save(path, np.ascontiguousarray(x))"
            )
        self.width = math.prod(self.shape[1:]) * self.dtype.itemsize
        expected = self._begin + self.shape[0] * self.width
        if found.st_size != expected:
            what = "is cut off" if found.st_size < expected else "is longer than it says"
            raise ValueError(
                f"{path}: {what}: {self.dtype} {self.shape} takes {expected} bytes, but the file "
                f"has {found.st_size}"
            )

    def check_unchanged(self) -> None:
        found = os.fstat(self._file)
        if (found.st_size, found.st_mtime_ns) != self._state:
            raise DataError(
                f"{self.path}: has been written to since it was opened; put back what it was, or "
                "begin anew"
            )

    def read(self, rows: np.ndarray, n: np.ndarray) -> list[bytes]:
        """The bytes of n[i] rows from rows[i] on, for every i."""
        self.check_unchanged()
        sizes = (n * self.width).tolist()
        begins = (self._begin + rows * self.width).tolist()
        parts = self._parts(sizes, begins)
        if self.dtype == bool and any(part.translate(None, b"\0\1") for part in parts):
            raise DataError(
                f"{self.path}: holds bytes that are neither False nor True; save it as uint8"
            )
        return parts

    def content(self):
        """All numbers as bytes, a piece at a time."""
        self.check_unchanged()
        end = self._begin + self.shape[0] * self.width
        for begin in range(self._begin, end, _PIECE):
            yield from self._parts([min(_PIECE, end - begin)], [begin])
        self.check_unchanged()

    def _parts(self, sizes: list[int], begins: list[int]) -> list[bytes]:
        try:
            parts = list(map(_pread, itertools.repeat(self._file), sizes, begins))
            if sum(map(len, parts)) < sum(sizes):  # one call gives 2 GiB at most
                parts = list(map(self._whole, parts, sizes, begins))
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read ({error.strerror})") from None
        return parts

    def _whole(self, part: bytes, size: int, begin: int) -> bytes:
        while len(part) < size:
            more = _pread(self._file, size - len(part), begin + len(part))
            if not more:
                raise DataError(f"{self.path}: has been cut off since it was opened")
            part += more
        return part


class Rows:
    """Rows as a data set gives them: of a source, those that are `chosen`, of a dtype and a shape.

    The source is an array, FileRows, or what reads as they do. `rows[a:b]`, `rows[indices]` and
    `rows.take(indices)` give arrays; `astype`, `only`, `column` and `channels_first` other Rows of
    the same source, nothing is read or copied for them. Numbers that are not finite are refused
    when they are met, with their row, unless `finite` is off. Raises DataError for these.
    """

    def __init__(
        self,
        source,
        where: str,
        *,
        dtype=None,
        chosen=None,
        column=False,
        turned=False,
        finite=True,
    ):
        self._source, self.where, self._chosen = source, where, chosen
        self._column, self._turned = column, turned
        self.dtype = np.dtype(source.dtype if dtype is None else dtype)
        self._finite = finite and source.dtype.kind == "f"
        self._narrows = source.dtype.kind == "f" and self.dtype != source.dtype
        n = len(source) if chosen is None else len(chosen)
        rest = source.shape[1:]
        rest = (rest[2], *rest[:2]) if turned else rest
        self.shape = (n, *rest, 1) if column else (n, *rest)
        self.ndim, self.size = len(self.shape), math.prod(self.shape)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        if isinstance(rows, slice) and self._chosen is None:
            return self._given(self._source[rows], rows)
        if isinstance(rows, slice):
            return self.take(np.arange(*rows.indices(len(self))))
        rows = np.asarray(rows)
        if rows.dtype.kind not in "iu":
            raise TypeError("rows on disk are taken by a slice or by whole numbers")
        return self.take(rows) if rows.ndim else self.take(rows[np.newaxis])[0]

    def __array__(self, dtype=None, copy=None):
        raise TypeError(f"{self.where}: is not in memory; take rows of it, as rows[:1000]")

    def __repr__(self):
        return f"Rows({self.where}: {self.dtype} {self.shape})"

    def take(self, rows, axis: int = 0) -> np.ndarray:
        return self._given(self._source.take(self._of_source(rows), axis=0), rows)

    @property
    def in_files(self) -> bool:
        """Whether they are read anew each time."""
        return not isinstance(self._source, np.ndarray)

    def hold(self, rows) -> None:
        """Have these rows read that are going to be asked for, if they are not in memory."""
        if self.in_files:
            self._source.hold(self._of_source(rows))

    def astype(self, dtype, copy: bool = True) -> "Rows":
        return self._other(dtype=np.dtype(dtype))

    def column(self) -> "Rows":
        """(N,) as (N, 1)."""
        return self._other(column=True)

    def channels_first(self) -> "Rows":
        """(N, H, W, C) as (N, C, H, W)."""
        return self._other(turned=True)

    def only(self, rows: np.ndarray) -> "Rows":
        """These rows of them, in this order."""
        rows = self._of_source(rows)
        return self._other(chosen=rows.astype(np.min_scalar_type(len(self._source) - 1)))

    def stored(self) -> np.ndarray:
        """All of them, as the source has them: for targets of one number."""
        return self._source[:] if self._chosen is None else self._source.take(self._chosen, axis=0)

    def checksum(self) -> int:
        """The CRC-32 of the source, and of which rows of it these are."""
        source = self._source
        ours = self.in_files
        crc = source.checksum() if ours else zlib.crc32(np.ascontiguousarray(source).data)
        return crc if self._chosen is None else zlib.crc32(self._chosen, crc)

    def _of_source(self, rows):
        return rows if self._chosen is None else self._chosen.take(rows)

    def _other(self, **changed) -> "Rows":
        now = {"dtype": self.dtype, "chosen": self._chosen, "finite": self._finite}
        now |= {"column": self._column, "turned": self._turned}
        return Rows(self._source, self.where, **(now | changed))

    def _given(self, found: np.ndarray, rows) -> np.ndarray:
        if self._narrows:
            with np.errstate(over="ignore"):  # said below, or by the check of targets
                made = found.astype(self.dtype)
        else:
            made = found.astype(self.dtype, copy=False)
        if self._finite and not np.isfinite(made).all():
            i = int(np.argwhere(~np.isfinite(made))[0][0])
            if isinstance(rows, slice):
                rows = np.arange(*rows.indices(len(self)))
            row = int(np.ravel(self._of_source(np.asarray(rows)))[i])
            what = "NaN or infinity" if not np.isfinite(found[i]).all() else "a number too large"
            raise DataError(f"{self.where}: row {row} holds {what} for {self.dtype}")
        if self._turned:
            made = np.ascontiguousarray(made.transpose(0, 3, 1, 2))
        return made[..., np.newaxis] if self._column else made


def some_rows(n: int, most: int) -> np.ndarray:
    """Up to `most` of n rows, in their order, drawn at random and always the same: where kinds come
    in turn, every second row would be of one."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(n).choice(n, most, replace=False))


def pieces(array, numbers: int = _PIECE):
    """(first row, rows) of an array or Rows, so few at a time that they may be widened."""
    rows = max(numbers // max(math.prod(array.shape[1:]), 1), 1)
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows]


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
_one_at_a_time = threading.Lock()


def _seek_and_read(file: int, size: int, begin: int) -> bytes:
    with _one_at_a_time:
        os.lseek(file, begin, os.SEEK_SET)
        return os.read(file, size)


_pread = getattr(os, "pread", _seek_and_read)  # Windows has none
