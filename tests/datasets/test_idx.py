"""The IDX reader: what is whole is read, everything else is named."""

import contextlib
import gzip
import itertools
import re
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.datasets.idx import IdxError, read_idx


def idx(array, code=0x08, shape=None) -> bytes:
    shape = array.shape if shape is None else shape
    header = bytes([0, 0, code, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    return header + array.tobytes()


IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("compressed", [True, False])
def test_as_many_axes_as_there_may_be(tmp_path, compressed):
    for n_axes in range(1, 9):
        array = np.arange(2**n_axes, dtype=np.uint8).reshape((2,) * n_axes)
        path = tmp_path / ("a.gz" if compressed else "a")
        path.write_bytes(gzip.compress(idx(array)) if compressed else idx(array))
        np.testing.assert_array_equal(read_idx(path), array)


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


def test_another_shape_than_expected_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx(np.zeros((64, 1024, 1024), np.uint8)), 1))
    tracemalloc.start()
    with pytest.raises(IdxError, match=r"expects uint8 \(2, 3, 4\), got uint8 \(64, 1024, 1024\)"):
        read_idx(path, (2, 3, 4))
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    path.write_bytes(gzip.compress(idx(IMAGES.astype(">f8"), 0x0E)))
    with pytest.raises(IdxError, match=r"expects uint8 \(2, 3, 4\), got float64 \(2, 3, 4\)"):
        read_idx(path, (2, 3, 4))


def test_no_more_than_twice_the_array_is_ever_held(tmp_path):
    """Turning the bytes of each number around in a copy took more."""
    values = np.zeros(4 << 20, ">f8")
    (tmp_path / "a").write_bytes(idx(values, 0x0E))
    tracemalloc.start()
    assert read_idx(tmp_path / "a").shape == values.shape
    assert tracemalloc.get_traced_memory()[1] < 1.5 * values.nbytes
    tracemalloc.stop()


WHOLE = idx(np.arange(24, dtype=">i2").reshape(2, 3, 4), 0x0B)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_every_truncation_is_one_error(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    whole = gzip.compress(WHOLE) if suffix else WHOLE
    for n in range(len(whole)):
        path.write_bytes(whole[:n])
        with pytest.raises(IdxError, match=re.escape(str(path))):
            read_idx(path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_flipped_byte_is_one_error_or_an_array_of_that_size(tmp_path, suffix):
    """Behind gzip, which has a checksum, it is the same array."""
    path = tmp_path / f"a{suffix}"
    whole = gzip.compress(WHOLE) if suffix else WHOLE
    for i, change in itertools.product(range(len(whole)), (0x01, 0x04, 0x80, 0xFF)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ change]) + whole[i + 1 :])
        try:
            array = read_idx(path)
        except IdxError as error:
            assert str(path) in str(error)  # noqa: PT017  not all flips can be noticed
            continue
        assert array.nbytes == 48
        if suffix:
            assert array.ravel().tolist() == list(range(24))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=40) | st.builds(bytes.__add__, st.just(WHOLE[:4]), st.binary(max_size=40)),
    st.sampled_from(["", ".gz"]),
    st.booleans(),
)
def test_anything_at_all_is_an_array_or_one_error(tmp_path_factory, content, suffix, packed):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(gzip.compress(content) if packed else content)
    with contextlib.suppress(IdxError):
        read_idx(path)
