"""Rows of .npy files: the same numbers as in memory, in few reads, and what is wrong with files."""

import os
import re

import numpy as np
import pytest

from lamina.common.errors import RunError
from lamina.datasets import DataError, FileRows, Rows
from lamina.datasets import rows as module
from lamina.datasets.rows import pieces

RNG = np.random.default_rng(0)


def files(folder, array, cuts=()):
    """The array in as many files as the cuts make."""
    paths = []
    for i, part in enumerate(np.split(array, cuts)):
        paths.append(folder / f"x{i}.npy")
        np.save(paths[-1], part)
    return paths


ARRAYS = {
    "bytes": RNG.integers(0, 256, (500, 3, 5), dtype=np.uint8),
    "wide rows": RNG.integers(0, 256, (500, 9000), dtype=np.uint8),
    "floats": RNG.standard_normal((500, 7)),
    "big-endian": RNG.standard_normal((500, 7)).astype(">f4"),
    "labels": RNG.integers(-9, 9, 500).astype(">i2"),
}


@pytest.mark.parametrize("cuts", [(), (1, 300)], ids=["one file", "three"])
@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_rows_are_those_of_the_array(tmp_path, monkeypatch, array, cuts):
    monkeypatch.setattr(module, "_PIECE", 20_000)  # several reads for what is long
    rows = FileRows(files(tmp_path, array, cuts))
    assert (rows.shape, rows.ndim, rows.size) == (array.shape, array.ndim, array.size)
    assert rows.dtype == array.dtype.newbyteorder("=")
    asked = [RNG.integers(0, 500, n) for n in (1, 7, 100, 2000)]
    asked += [np.arange(500), np.arange(500)[::-1], np.array([3, 3, 3]), np.arange(10, 400, 30)]
    asked += [np.zeros(0, int), np.array([299, 300, 0, 1, 499])]
    for held in (None, np.arange(0, 500, 2), np.arange(500)):
        if held is not None:
            rows.hold(held)
        for wanted in asked:
            got = rows.take(wanted)
            assert got.dtype == rows.dtype
            assert got.flags.writeable
            np.testing.assert_array_equal(got, array[wanted])
        for part in (slice(None), slice(5, 17), slice(490, 600), slice(40, 3, -7), slice(9, 9)):
            np.testing.assert_array_equal(rows[part], array[part])


def test_a_batch_is_read_in_the_order_of_the_file_and_neighbours_at_once(tmp_path, monkeypatch):
    array = np.arange(500 * 5000, dtype=np.int32).reshape(500, 5000)
    rows = FileRows(files(tmp_path, array))
    seen = []
    monkeypatch.setattr(
        module, "_pread", lambda f, n, at: seen.append((at, n)) or os.pread(f, n, at)
    )
    rows.take(np.array([400, 12, 11, 200, 10, 13]))
    width, header = 20_000, 128
    assert seen == [(header + width * a, width * n) for a, n in ((10, 4), (200, 1), (400, 1))]
    seen.clear()
    rows.hold(np.array([10, 11, 12, 13, 200]))
    assert len(seen) == 2
    rows.take(np.array([200, 10, 10]))
    assert len(seen) == 2  # from memory
    rows.take(np.array([200, 10, 300]))
    assert seen[2:] == [(header + width * 300, width)]


def test_numbers_of_rows_that_are_not_there(tmp_path):
    rows = FileRows(files(tmp_path, ARRAYS["bytes"]))
    for wrong in ([500], [-1], [0, 10**12]):
        with pytest.raises(IndexError, match="expects 0 to 499"):
            rows.take(np.array(wrong))


def written(path, header: str, content: bytes = b""):
    text = header.encode()
    path.write_bytes(b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + content)


HEADERS = {
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 784), }": "is cut off",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (9999999999999999999,), }": "is cut off",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1), }": "is longer than it says",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }": "is cut off",
    "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }": "is in Fortran order",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (), }": "expects rows of numbers",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4), }": "expects rows of numbers",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 0), }": "expects rows of numbers",
    "{'descr': '|O', 'fortran_order': False, 'shape': (4,), }": "a pickle can run code",
    "{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }": "expects numbers, got <U1",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }": "expects numbers, got complex64",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }": "expects an array",
    "{'descr': '|u1', 'fortran_order': False, 'shape': (__import__('os'),), }": "expects an array",
    "": "expects an array of numbers",
}


@pytest.mark.parametrize("header", HEADERS)
def test_headers_that_lie(tmp_path, header):
    path = tmp_path / "x.npy"
    written(path, header, b"abcd")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{HEADERS[header]}"):
        FileRows([path])


def test_what_is_no_file_of_numbers(tmp_path):
    (tmp_path / "empty.npy").write_bytes(b"")
    (tmp_path / "text.npy").write_text("1,2\n3,4\n")
    cases = {"empty.npy": "is no .npy file", "text.npy": "is no .npy file"}
    cases |= {"none.npy": "cannot be read", ".": "is no regular file"}
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.npy")
        cases["pipe.npy"] = "is no regular file"
    for name, said in cases.items():
        with pytest.raises(ValueError, match=said):
            FileRows([tmp_path / name])


def test_a_byte_that_is_no_bool_is_seen(tmp_path):
    head = "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }"
    written(tmp_path / "t.npy", head, bytes([0, 1, 7]))
    rows = FileRows([tmp_path / "t.npy"])
    assert rows[:2].tolist() == [False, True]
    with pytest.raises(DataError, match=r"t\.npy: holds bytes that are neither False nor True"):
        rows.take(np.array([2]))


def test_pieces_that_are_not_alike(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 4), np.uint8))
    for other in (np.zeros((3, 5), np.uint8), np.zeros((3, 4), np.float32), np.zeros((3, 4), bool)):
        np.save(tmp_path / "b.npy", other)
        with pytest.raises(ValueError, match=r"b\.npy: has rows .*, but .*a\.npy has"):
            FileRows([tmp_path / "a.npy", tmp_path / "b.npy"])


def test_a_file_that_changes_in_use(tmp_path):
    (path,) = files(tmp_path, ARRAYS["bytes"])
    rows = FileRows([path])
    before = rows.checksum()
    with open(path, "r+b") as file:
        file.seek(200)
        file.write(b"x")
    os.utime(path, ns=(1, 1))  # whatever the clock of the file system can tell apart
    for reading in (lambda: rows[:3], lambda: rows.take(np.array([9])), rows.checksum):
        with pytest.raises(DataError, match=r"x0\.npy: has been written to since it was opened"):
            reading()
    assert FileRows([path]).checksum() != before
    assert issubclass(DataError, RunError)  # which commands say in a line


def test_a_file_that_is_cut_off_in_use(tmp_path, monkeypatch):
    (path,) = files(tmp_path, ARRAYS["bytes"])
    rows = FileRows([path])
    os.truncate(path, 1000)
    with pytest.raises(DataError, match="has been written to"):
        rows[:3]
    # Even between the look at it and the reading it is an error in words.
    monkeypatch.setattr(module._File, "check_unchanged", lambda self: None)
    with pytest.raises(DataError, match="has been cut off since it was opened"):
        rows[400:410]


def test_a_file_that_is_replaced_is_read_as_it_was(tmp_path):
    (path,) = files(tmp_path, ARRAYS["bytes"])
    rows = FileRows([path])
    np.save(tmp_path / "new.npy", 255 - ARRAYS["bytes"])
    if os.name != "nt":
        os.replace(tmp_path / "new.npy", path)
    np.testing.assert_array_equal(rows[:], ARRAYS["bytes"])


def test_reads_that_give_less_than_asked_for_go_on(tmp_path, monkeypatch):
    rows = FileRows(files(tmp_path, ARRAYS["bytes"]))
    monkeypatch.setattr(module, "_pread", lambda f, n, at: os.pread(f, min(n, 11), at))
    np.testing.assert_array_equal(rows[:], ARRAYS["bytes"])


def test_the_way_of_systems_without_pread(tmp_path, monkeypatch):
    rows = FileRows(files(tmp_path, ARRAYS["bytes"]))
    monkeypatch.setattr(module, "_pread", module._seek_and_read)
    np.testing.assert_array_equal(rows.take(np.array([7, 3])), ARRAYS["bytes"][[7, 3]])


@pytest.mark.parametrize("in_files", [True, False])
def test_numbers_that_are_not_finite_are_said_when_they_are_met(tmp_path, in_files):
    array = RNG.standard_normal((50, 4))
    array[30, 2], array[41, 0] = np.nan, 1e300
    source = FileRows(files(tmp_path, array)) if in_files else array
    rows = Rows(source, "x.npy", dtype=np.float32)
    assert rows[:30].dtype == np.float32
    for reading in (lambda: rows[25:35], lambda: rows.take(np.array([4, 30])), lambda: rows[30]):
        with pytest.raises(DataError, match=r"x\.npy: row 30 holds NaN or infinity"):
            reading()
    with pytest.raises(DataError, match=r"x\.npy: row 41 holds a number too large for float32"):
        rows[41:]
    # The row is that of the file.
    some = rows.only(np.array([1, 41, 30]))
    with pytest.raises(DataError, match="row 41 "):
        some[:2]


@pytest.mark.parametrize("in_files", [True, False])
def test_rows_of_rows(tmp_path, in_files):
    array = np.arange(40, dtype=np.int16).reshape(40)
    rows = Rows(FileRows(files(tmp_path, array)) if in_files else array, "t.npy")
    some = rows.only(np.arange(39, 9, -1)).only(np.array([0, 5, 29])).astype(np.float32).column()
    assert some.shape == (3, 1)
    assert some.dtype == np.float32
    assert some[:].tolist() == [[39.0], [34.0], [10.0]]
    assert some[1].tolist() == [34.0]
    assert some[np.array([2, 0])].tolist() == [[10.0], [39.0]]
    assert some.stored().tolist() == [39, 34, 10]
    assert [start for start, _ in pieces(some, 2)] == [0, 2]
    sums = {r.checksum() for r in (rows, rows.only(np.arange(40)), rows.only(np.arange(39)), some)}
    assert len(sums) == 4
    some.hold(np.array([1]))
    assert some[:].ravel().tolist() == [39.0, 34.0, 10.0]


def test_nobody_makes_an_array_of_them_unawares(tmp_path):
    rows = Rows(FileRows(files(tmp_path, ARRAYS["bytes"])), "x.npy")
    with pytest.raises(TypeError, match=r"x\.npy: is not in memory; take rows of it"):
        np.asarray(rows)
    with pytest.raises(TypeError, match="by a slice or by whole numbers"):
        rows[np.ones(500, bool)]
