"""Caffe's Datum: one image with its label, as its databases hold it, in protobuf's wire format.

Its seven fields are read here, since databases have many and a data set needs no more of Caffe.
Source: https://protobuf.dev/programming-guides/encoding; Caffe, src/caffe/proto/caffe.proto.
"""

import dataclasses
import math

import numpy as np

_LARGEST = 1 << 28  # numbers of an image
_NUMBERS = {1: "channels", 2: "height", 3: "width", 5: "label", 7: "encoded"}
_BYTES, _FLOATS = 4, 6


class DatumError(ValueError):
    """Bytes are no Datum, or one that holds no array; says why."""


@dataclasses.dataclass(frozen=True)
class Datum:
    """`content` are the numbers of the image, (C, H, W) = `shape`, of `dtype`, not yet copied."""

    shape: tuple[int, int, int]
    dtype: np.dtype
    label: int
    content: memoryview | bytes

    def array(self) -> np.ndarray:
        return np.frombuffer(self.content, self.dtype).reshape(self.shape)


def read_datum(value) -> Datum:
    """A Datum from bytes; its numbers stay where they are. Raises DatumError."""
    data = memoryview(value)
    found = dict.fromkeys(_NUMBERS.values(), 0)
    content: memoryview | bytes = b""
    floats: list[memoryview] = []
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            n, place = _varint(data, place)
            if number in _NUMBERS:
                found[_NUMBERS[number]] = n - (1 << 64 if n >> 63 else 0)
            continue
        if wire == 2:
            size, place = _varint(data, place)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if not 0 <= size <= len(data) - place or not number:
            raise DatumError("is no Datum of Caffe, or cut off")
        if number == _BYTES and wire == 2:
            content = data[place : place + size]
        elif number == _FLOATS and wire in (2, 5):
            floats.append(data[place : place + size])
        place += size
    if found["encoded"]:
        raise DatumError(
            "holds an encoded image (JPEG, PNG), which is not read; make the database anew with "
            "convert_imageset, without --encoded"
        )
    shape = found["channels"], found["height"], found["width"]
    numbers = math.prod(shape)
    if min(shape) < 1 or numbers > _LARGEST:
        raise DatumError(f"says that its image is {shape}; expects sizes from 1 on")
    dtype: np.dtype = np.dtype(np.uint8)
    if floats and not len(content):
        dtype, content = np.dtype("<f4"), floats[0] if len(floats) == 1 else b"".join(floats)
    if len(content) != numbers * dtype.itemsize:
        raise DatumError(f"has {len(content)} bytes, which is no image {shape} of {dtype}")
    return Datum(shape, dtype, found["label"], content)


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 64:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), place
    raise DatumError("is no Datum of Caffe, or cut off")
