"""Safetensors files, arrays by name without code: written whole, read without trust.

    8 bytes       how long the header is, little-endian
    header        JSON: {"affine1.W": {"dtype": "F32", "shape": [3, 2], "data_offsets": [0, 24]}},
                  and under "__metadata__" texts by name
    the rest      the numbers, one array after the other, without a gap

Source: https://github.com/huggingface/safetensors (format).
"""

import contextlib
import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lamina.common.files import opened, whole_file
from lamina.common.folder import File
from lamina.common.printable import printable

METADATA = "__metadata__"
MAX_HEADER = 4 << 20  # bytes: of more than 40,000 arrays
_MAX_NAME = 1000  # characters
_CODES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BOOL": "?"},
    **{"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1"},
}
_DTYPES = {name: np.dtype(code) for name, code in _CODES.items()}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_BFLOAT16 = "BF16"  # the upper half of a float32, which it is read as


class SafetensorsError(ValueError):
    """A file is not whole, valid safetensors; says which file, which array and what is wrong."""


class Tensor:
    """An array in the file: `shape` and `dtype` are known, and in keeping with the size of the
    file; the numbers are not read yet. `where` names file and array, for errors."""

    def __init__(self, file, where: str, dtype: str, shape: tuple, start: int, size: int):
        self.where, self.shape, self._file, self._start, self._size = (
            where,
            shape,
            file,
            start,
            size,
        )
        self._half = dtype == _BFLOAT16
        self.dtype = np.dtype(np.float32) if self._half else _DTYPES[dtype].newbyteorder("=")
        self._stored = np.dtype("<u2") if self._half else _DTYPES[dtype]

    def read(self) -> np.ndarray:
        """The array. Raises SafetensorsError if the file has become shorter meanwhile."""
        content = np.empty(self._size, np.uint8)
        self._file.seek(self._start)
        if self._file.readinto(content) < self._size:
            raise SafetensorsError(f"{self.where}: is cut off")
        flat = content != 0 if self._stored.kind == "b" else content.view(self._stored)
        if self._half:
            flat = (flat.astype(np.uint32) << 16).view(np.float32)
        try:
            return flat.astype(self.dtype, copy=False).reshape(self.shape)
        except ValueError as error:  # no entries, but axes beyond what NumPy can count
            raise SafetensorsError(
                f"{self.where}: an impossible shape {self.shape} ({error})"
            ) from None


@contextlib.contextmanager
def open_safetensors(path: str | Path | File) -> Iterator[tuple[dict[str, Tensor], dict[str, str]]]:
    """(arrays by name, metadata) of a file, within the block; the arrays can be compared with what
    is expected, and read or left alone.

    The header is looked at as a whole first: nothing that it claims is larger than the file, the
    arrays lie side by side without gaps, and no name stands twice. Raises SafetensorsError for
    files that are not so, OSError for those that cannot be opened.
    """
    with opened(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise SafetensorsError(
                f"{path}: is no safetensors file, or cut off: {length} bytes of header are claimed "
                f"in a file of {size}"
            )
        if length > MAX_HEADER:
            raise SafetensorsError(f"{path}: its header is longer than {MAX_HEADER} bytes")
        header = _header(file.read(length), path)
        metadata = header.pop(METADATA, {})
        if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
            raise SafetensorsError(f"{path}: expects texts by name under {METADATA}")
        described = {name: _described(name, about, path) for name, about in header.items()}
        end = 0
        for name, (_, _, start, stop) in sorted(described.items(), key=lambda d: d[1][2:]):
            if start != end:
                kind = "overlaps" if start < end else "leaves a gap after"
                raise SafetensorsError(f"{path}: {_short(name)} {kind} the array before it")
            end = stop
        if end != size - 8 - length:
            raise SafetensorsError(
                f"{path}: {end} bytes of numbers are declared, and {size - 8 - length} are there"
            )
        yield (
            {
                name: Tensor(
                    *(
                        file,
                        f"{path}: {_short(name)}",
                        dtype,
                        shape,
                        8 + length + start,
                        stop - start,
                    )
                )
                for name, (dtype, shape, start, stop) in described.items()
            },
            metadata,
        )


def read_safetensors(path: str | Path | File) -> dict[str, np.ndarray]:
    """All arrays of a file by name, bfloat16 as float32; see `open_safetensors`."""
    with open_safetensors(path) as (tensors, _):
        return {name: tensor.read() for name, tensor in tensors.items()}


def write_safetensors(
    path: str | Path | File, arrays: dict[str, np.ndarray], metadata: dict[str, str] | None = None
) -> None:
    """Write arrays by name, in any order in memory; the file gets its name only when it is whole.

    Large numbers come first, so that each array lies at a multiple of its size. Raises OSError
    naming the file if it cannot be written, SafetensorsError for what has no place in one: numbers
    of another kind, a header that is too long.
    """
    header: dict[str, dict] = {METADATA: metadata} if metadata else {}
    end = 0
    ordered = sorted(arrays.items(), key=lambda item: -item[1].dtype.itemsize)
    for name, array in ordered:
        dtype = _NAMES.get(array.dtype.newbyteorder("<"))
        if dtype is None or name == METADATA or not _is_name(name):
            what = "is no name for an array" if dtype else f"has no place for {array.dtype}"
            raise SafetensorsError(f"{path}: {_short(name)}: safetensors {what}")
        offsets = [end, end := end + array.nbytes]
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": offsets}
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise SafetensorsError(f"{path}: its header would be longer than {MAX_HEADER} bytes")
    with whole_file(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in ordered:
            file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())


def _header(text: bytes, path) -> dict:
    try:
        header = json.loads(text.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        said = printable(str(error).split("\n")[0])[:200]
        raise SafetensorsError(f"{path}: its header is no valid JSON ({said})") from None
    if not isinstance(header, dict):
        raise SafetensorsError(f"{path}: its header is no JSON of arrays by name")
    return header


def _once(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{_short(twice)} stands twice")
    return found


def _described(name: str, about, path) -> tuple:
    """(dtype, shape, start, stop) of an array, which fit each other."""
    where = f"{path}: {_short(name)}"
    if not _is_name(name):
        raise SafetensorsError(f"{where} is no name for an array")
    if not isinstance(about, dict) or about.keys() != {"dtype", "shape", "data_offsets"}:
        raise SafetensorsError(f"{where}: expects dtype, shape and data_offsets")
    dtype, shape, offsets = about["dtype"], about["shape"], about["data_offsets"]
    if not isinstance(dtype, str) or dtype not in (*_DTYPES, _BFLOAT16):
        raise SafetensorsError(
            f"{where}: has an unknown type of numbers, {_short(dtype)}; convert it to F32"
        )
    if not _are_counts(shape) or len(shape) > 64:
        raise SafetensorsError(f"{where}: an impossible shape {_short(shape)}")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise SafetensorsError(f"{where}: impossible data_offsets {_short(offsets)}")
    itemsize = 2 if dtype == _BFLOAT16 else _DTYPES[dtype].itemsize
    size, (start, stop) = math.prod(shape) * itemsize, offsets
    if stop - start != size:
        raise SafetensorsError(
            f"{where}: {dtype} {_short(shape)} takes {_short(size)} bytes, but {stop - start} are "
            "declared"
        )
    return dtype, tuple(shape), start, stop


def _are_counts(values) -> bool:
    whole = isinstance(values, list) and all(type(n) is int for n in values)
    return whole and all(0 <= n < 1 << 63 for n in values)


def _is_name(name: str) -> bool:
    return len(name) <= _MAX_NAME and name.isprintable()


def _short(what) -> str:
    """On one line, and no longer than that: a damaged file may hold anything as a name."""
    text = "".join(c if c.isprintable() else "?" for c in str(what)[:200])
    return text if len(text) <= 100 else f"{text[:97]}..."
