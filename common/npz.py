"""NPZ files, a zip archive with an .npy file for each array: written whole, read without trust.

np.load makes room for what a header promises before it looks whether that is there. Here the
directory of the archive, the header of the array and what can be in the file must agree first.
"""

import contextlib
import io
import math
import re
import struct
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lamina.common.files import opened, whole_file
from lamina.common.folder import File, placed

MAX_ARRAYS = 10_000
MAX_NAME = 1000  # characters
MAX_RATIO = 1032  # of deflate: 258 bytes from 2 bits
# What all arrays of a packed file may take: zeros pack to a thousandth, data hardly ever so well.
GENEROUS, TIMES = 64 << 20, 100  # bytes, or so many times the size of the file if that is more
MAX_HEADER = 1024  # bytes; what NumPy writes for 64 axes fits
_PIECE = 1 << 20  # bytes read at once
_MAX_DIRECTORY = 16 << 20  # bytes; that of MAX_ARRAYS arrays with such names is shorter
_KINDS = "biufcUS"  # of dtypes: numbers and text; no objects, no records
# What stands in an .npy file before its numbers, as every program writes it. It is a Python
# literal, which NumPy evaluates; but that takes long, and of hostile ones may raise anything.
_HEADER = re.compile(
    rb"""\{\s*'descr':\s*'([<>|=]?[a-zA-Z?]\d{0,9}(?:\[\w{1,9}\])?)',\s*"""
    rb"""'fortran_order':\s*(True|False),\s*'shape':\s*\(((?:\s*\d{1,19},)*\s*(?:\d{1,19})?)\s*\)"""
    rb""",?\s*\}\s*"""
)
_ENCRYPTED = 0x1
_END = struct.Struct("<4s6xH10x")  # signature and number of entries; before the comment
# What zipfile raises for archives that are damaged or of a kind that it does not know.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(ValueError, OverflowError, NotImplementedError, RuntimeError),
)


class NpzError(ValueError):
    """A file is not whole, valid NPZ; says which file, which array and what is wrong."""


class Entry:
    """An array in the file: `shape` and `dtype` are known, and in keeping with the size of the
    file; the numbers are not read yet. `where` names file and array, for errors."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, room: "_Room"):
        self._archive, self._info, self.where, self._room = archive, info, where, room
        with _named(where), archive.open(info) as stream:
            start = stream.read(min(info.file_size, MAX_HEADER))
        self.shape, self._fortran, self.dtype, self._header_size = npy_header(start, where)
        size = math.prod(self.shape) * self.dtype.itemsize
        if size != info.file_size - self._header_size:
            raise NpzError(
                f"{where}: {self.dtype} {self.shape} takes {size} bytes, but the file declares "
                f"{info.file_size - self._header_size}"
            )

    def read(self) -> np.ndarray:
        """The array. Raises NpzError if it is damaged or shorter than declared, or if what has been
        read of this file would take more room than there is for it."""
        size = self._info.file_size - self._header_size
        self._room.take(size)
        try:
            content = np.empty(size, np.uint8)
        except MemoryError:
            raise NpzError(f"{self.where}: {size} bytes are more than there is memory") from None
        with _named(self.where), self._archive.open(self._info) as stream:
            stream.read(self._header_size)
            filled = 0
            while piece := stream.read(_PIECE):
                content[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
                filled += len(piece)
        if filled < size:
            raise NpzError(f"{self.where}: cut off after {filled} of {size} bytes")
        flat = content.view(self.dtype)
        if self.dtype.kind == "U":  # NumPy would make texts of them that break Python's promises
            numbers = content.view(np.dtype("u4").newbyteorder(self.dtype.byteorder))
            if numbers.max(initial=0) > sys.maxunicode:
                raise NpzError(f"{self.where}: holds numbers that are no characters")
        try:
            return flat.reshape(self.shape, order="F" if self._fortran else "C")
        except ValueError as error:  # no entries, but axes beyond what NumPy can count
            raise NpzError(f"{self.where}: an impossible shape {self.shape} ({error})") from None


@contextlib.contextmanager
def open_npz(file, *, packed: bool = True) -> Iterator[dict[str, Entry]]:
    """The arrays of an .npz file, a path or a binary file that can seek, by name.

    Within the block they can be compared with what is expected, and read or left alone. Nothing
    larger than what the file holds is ever made room for; if it may be `packed`, what is read takes
    GENEROUS bytes at most, or TIMES its size. Raises NpzError for damaged files, OSError for those
    that cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        is_path = isinstance(file, (str, Path, File))
        where = file if is_path else getattr(file, "name", "the file")
        if is_path:
            if placed(file).exists() and not placed(file).is_file():
                raise NpzError(f"{file}: is no regular file")
            file = stack.enter_context(opened(file))
        with _named(where):
            archive = stack.enter_context(zipfile.ZipFile(_Bounded(file)))
        infos = archive.infolist()
        _check_end(file, len(infos), len(archive.comment), where)
        size = file.seek(0, io.SEEK_END)
        _check_directory(infos, size, where)
        if not packed:  # all of it counts, also what is only compared
            _Room(size, where).take(sum(info.file_size for info in infos))
        room = _Room(max(GENEROUS, TIMES * size), where)
        entries = {}
        for info in infos:
            name = info.filename.removesuffix(".npy")
            if name == info.filename:
                raise NpzError(f"{where}: holds {_short(name)}, which is no array (.npy)")
            _check_name(name, where)
            entries[name] = Entry(archive, info, f"{where}: {_short(name)}", room)
        yield entries


def read_npz(file, *, packed: bool = True) -> dict[str, np.ndarray]:
    """All arrays of an .npz file by name; see `open_npz`."""
    with open_npz(file, packed=packed) as entries:
        return {name: entry.read() for name, entry in entries.items()}


def write_npz(path: str | Path | File, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays by name; the file gets its name only when it is whole.

    It is put together in memory: zipfile, on a full disk, would raise a second time while it is
    cleaned up. Raises OSError naming the file if it cannot be written, and NpzError for what
    `open_npz` would refuse.
    """
    if len(arrays) > MAX_ARRAYS:
        raise NpzError(f"{path}: expects at most {MAX_ARRAYS} arrays, got {len(arrays)}")
    for name, array in arrays.items():
        _check_name(name, path)
        _check_dtype(np.asarray(array).dtype, f"{path}: {_short(name)}")
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    with whole_file(path) as file:
        file.write(content.getbuffer())


def _check_end(file, n: int, comment: int, where) -> None:
    """Refuse an archive whose last record does not declare `n` entries: a damaged length in the
    directory can swallow those behind it, and zipfile would not miss them."""
    file.seek(-_END.size - comment, io.SEEK_END)
    signature, declared = _END.unpack(file.read(_END.size))
    if signature != b"PK\5\6" or declared not in (n, 0xFFFF):  # 0xFFFF: counted elsewhere
        raise NpzError(f"{where}: is no whole .npz file (its directory is damaged)")


def _check_directory(infos: list[zipfile.ZipInfo], size: int, where) -> None:
    """Refuse a directory that promises what a file of `size` bytes cannot hold."""
    if len(infos) > MAX_ARRAYS:
        raise NpzError(f"{where}: expects at most {MAX_ARRAYS} arrays, got {len(infos)}")
    seen = set()
    for info in infos:
        name = _short(info.filename)
        if info.filename in seen:
            raise NpzError(f"{where}: holds {name} twice")
        seen.add(info.filename)
        if info.flag_bits & _ENCRYPTED:
            raise NpzError(f"{where}: {name} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NpzError(f"{where}: {name} is packed in an unknown way ({info.compress_type})")
        stored = info.compress_type == zipfile.ZIP_STORED
        largest = info.compress_size * (1 if stored else MAX_RATIO)
        if info.file_size > largest:
            raise NpzError(
                f"{where}: {name} promises {info.file_size} bytes; {info.compress_size} packed "
                f"bytes cannot hold more than {largest}"
            )
    # Parts that overlap could unpack to many times what the file could hold.
    if (packed := sum(info.compress_size for info in infos)) > size:
        raise NpzError(f"{where}: promises {packed} packed bytes in a file of {size}")


class _Room:
    """How many bytes the arrays of a file may take together."""

    def __init__(self, size: int, where):
        self.size, self.where, self.taken = size, where, 0

    def take(self, size: int) -> None:
        self.taken += size
        if self.taken > self.size:
            raise NpzError(
                f"{self.where}: would unpack to {self.taken} bytes, and {self.size} are taken at "
                "most; if that is what it is to hold, write it unpacked, as np.savez does"
            )


def _check_name(name: str, where) -> None:
    if len(name) > MAX_NAME or any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise NpzError(f"{where}: {_short(name)} is no name for an array")


def _check_dtype(dtype: np.dtype, where: str) -> None:
    if dtype.kind not in _KINDS or not dtype.itemsize:
        pickled = "; objects would be pickled, and a pickle can run code" if dtype.hasobject else ""
        raise NpzError(f"{where}: expects an array of numbers or text, got {dtype}{pickled}")


def npy_header(start: bytes, where: str):
    """(shape, whether the first axis runs fastest, dtype, size of the header) of an .npy file."""
    width = {b"\1\0": 2, b"\2\0": 4}.get(start[6:8])
    if start[:6] != b"\x93NUMPY" or width is None:
        raise NpzError(f"{where}: is no .npy file of version 1 or 2")
    text = 8 + width
    end = text + int.from_bytes(start[8:text], "little")
    found = _HEADER.fullmatch(start[text:end]) if end <= len(start) else None
    if found is None:
        raise NpzError(
            f"{where}: expects an array of numbers or text, got the header {start[:80]!r}"
        )
    name, order, axes = (part.decode() for part in found.groups())
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError):
        raise NpzError(f"{where}: has an unknown type of numbers, {name}") from None
    _check_dtype(dtype, where)
    shape = tuple(int(n) for n in axes.split(",") if n.strip())
    if len(shape) > 64:
        raise NpzError(f"{where}: an impossible shape {_short(shape)}")
    return shape, order == "True", dtype, end


class _Bounded:
    """A file that gives at most _MAX_DIRECTORY bytes at once, and makes room only for what it has
    left: zipfile reads the directory of an archive in one go."""

    def __init__(self, file):
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable
        self._read, self._size = file.read, file.seek(0, io.SEEK_END)

    def read(self, size: int = -1) -> bytes:
        left = max(self._size - self.tell(), 0)
        size = left if size < 0 else min(size, left)
        if size > _MAX_DIRECTORY:
            raise NpzError(f"its directory is longer than {_MAX_DIRECTORY} bytes")
        return self._read(size)


@contextlib.contextmanager
def _named(where):
    """Errors of reading as an NpzError that names the file, and the array if there is one."""
    try:
        yield
    except _DAMAGED as error:
        raise NpzError(f"{where}: is no whole .npz file ({_short(error)})") from None


def _short(what) -> str:
    """On one line, and no longer than that: a damaged file may hold anything as a name."""
    text = "".join(c if c.isprintable() else "?" for c in str(what).split("\n")[0][:200])
    return text if len(text) <= 100 else f"{text[:97]}..."
