"""The IDX reader: what is whole is read, everything else is named."""

import gzip
import re
import struct
import tracemalloc

import numpy as np
import pytest

from datasets.idx import IdxError, read_idx


def idx(array, code=0x08, shape=None) -> bytes:
    shape = array.shape if shape is None else shape
    header = bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return header + array.tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_written_is_read(tmp_path, compressed):
    path = tmp_path / ("images.gz" if compressed else "images")
    path.write_bytes(gzip.compress(idx(IMAGES)) if compressed else idx(IMAGES))
    array = read_idx(path)
    np.testing.assert_array_equal(array, IMAGES)
    assert array.dtype == np.uint8


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x09, "i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
def test_every_type(tmp_path, code, dtype):
    values = np.array([1, -2, 3]).astype(dtype)
    (tmp_path / "a").write_bytes(idx(values, code))
    array = read_idx(tmp_path / "a")
    assert array.tolist() == [1, -2, 3]
    assert array.dtype.isnative


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off: the magic number"),
        (b"\0\0", "cut off: the magic number needs 4 bytes, 2 are there"),
        (b"PK\x03\x04rest", "not IDX: wrong magic number 0x504b0304"),
        (b"\0\0\x07\x01\0\0\0\x01\0", "wrong magic number"),
        (b"\0\0\x08\x03\0\0", "cut off: the axes"),
        (idx(IMAGES)[:-1], r"cut off: an array of shape \(2, 3, 4\) needs 24 bytes, 23 are there"),
        (idx(IMAGES) + b"\0", "holds more than the array"),
        (b"\0\0\x08\x03" + bytes(4) + b"\xff" * 8, "an impossible shape"),
    ],
)
def test_damage_is_named_with_the_file(tmp_path, content, words):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(IdxError, match=f"{re.escape(str(tmp_path / 'file'))}: .*{words}"):
        read_idx(tmp_path / "file")


def test_damaged_compression_is_named(tmp_path):
    path = tmp_path / "file.gz"
    whole = gzip.compress(idx(np.random.default_rng(0).integers(0, 256, 5000).astype(np.uint8)))
    for content in (
        b"not gzip at all",
        whole[: len(whole) // 2],
        whole[:40] + b"XXXX" + whole[44:],
        whole[:-6] + b"\0\0" + whole[-4:],
    ):
        path.write_bytes(content)
        with pytest.raises(IdxError, match=r"file\.gz: "):
            read_idx(path)


def test_a_lying_header_allocates_nothing(tmp_path):
    path = tmp_path / "huge"
    path.write_bytes(idx(IMAGES, shape=(60_000, 28_000, 28_000)))
    tracemalloc.start()
    with pytest.raises(IdxError, match="cut off"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_decompression_bomb_stops_at_the_declared_size(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx(IMAGES) + b"\0" * (64 << 20)))
    tracemalloc.start()
    with pytest.raises(IdxError, match="holds more"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
