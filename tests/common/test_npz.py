"""The NPZ reader: what NumPy writes is read, and a file that lies gets nothing from us."""

import contextlib
import io
import re
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lamina.common import npz
from lamina.common.npz import NpzError, open_npz, read_npz, write_npz

ARRAYS = {
    "affine1.W": np.arange(12, dtype=np.float32).reshape(3, 4),
    "affine1.b": np.zeros(4, np.float32),
    "rng": np.array('{"state": 1}'),
    "count": np.array(3),
}


def saved(arrays, compressed=False) -> bytes:
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


def packed(entries: dict, compression=zipfile.ZIP_STORED) -> bytes:
    """A zip archive of these files, with the right checksums."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npy(array, **changed) -> bytes:
    """An .npy file whose header may lie."""
    stream = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array) | changed
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + array.tobytes("A")


def with_header(text: str) -> bytes:
    text = text.encode("latin1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def read(content: bytes):
    return read_npz(io.BytesIO(content))


def same(a, b) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_written_is_read(tmp_path, compressed):
    (tmp_path / "a.npz").write_bytes(saved(ARRAYS, compressed))
    found = read_npz(tmp_path / "a.npz")
    assert list(found) == list(ARRAYS)
    assert all(same(found[name], ARRAYS[name]) for name in ARRAYS)
    found["affine1.b"] += 1  # arrays of one's own, that may be written to


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["<f4", ">f8", "<f2", "u1", ">i4", "<i8", "?", "<c8", "<U3", "S2"]),
        hnp.array_shapes(min_dims=0, min_side=0, max_side=5),
    ),
    st.sampled_from("CF"),
    st.booleans(),
)
def test_every_array_comes_back(array, order, compressed):
    array = np.asarray(array, order=order)
    assert same(read(saved({"a": array}, compressed))["a"], array)


def test_an_empty_file_of_arrays():
    assert read(saved({})) == {}


def test_shapes_are_known_before_anything_is_read():
    with open_npz(io.BytesIO(saved(ARRAYS))) as entries:
        assert entries["affine1.W"].shape == (3, 4)
        assert entries["affine1.W"].dtype == np.float32
        assert same(entries["affine1.b"].read(), ARRAYS["affine1.b"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no whole .npz file (File is not a zip file)"),
        (b"\x93NUMPY", "is no whole .npz file"),
        (packed({"a": b"text"}), "holds a, which is no array (.npy)"),
        (packed({"a/": b""}), "holds a/, which is no array"),
        (packed({"a\x1b.npy": npy(np.zeros(2))}), "a? is no name for an array"),
        (packed({"a" * 1001 + ".npy": b""}), "aaa... is no name for an array"),
        (packed({"a.npy": b"text"}), "a: is no .npy file of version 1 or 2"),
        (packed({"a.npy": b""}), "a: is no .npy file"),
        (packed({"a.npy": npy(np.zeros(2))[:-1]}), "a: float64 (2,) takes 16 bytes, but the file"),
        (packed({"a.npy": npy(np.zeros(2)) + b"!"}), "takes 16 bytes, but the file declares 17"),
        (packed({"a.npy": npy(np.zeros(1), shape=(10**15,))}), "takes 8000000000000000 bytes, but"),
        (packed({"a.npy": npy(np.zeros(1), shape=(-1, -1))}), "got the header"),
        (packed({"a.npy": npy(np.zeros(1), shape=(True,))}), "got the header"),
        (packed({"a.npy": npy(np.zeros(0), shape=(0, 2**62, 2**62))}), "an impossible shape (0, 4"),
        (packed({"a.npy": npy(np.zeros(0), shape=(1,) * 65)}), "an impossible shape (1, 1"),
        (packed({"a.npy": npy(np.zeros(1), descr="O")}), "got object; objects would be pickled"),
        (packed({"a.npy": npy(np.zeros(1), descr=[("x", "<f8")])}), "expects an array of numbers"),
        (packed({"a.npy": npy(np.zeros(1), descr="<M8[s]")}), "numbers or text, got datetime64[s]"),
        (
            packed({"a.npy": npy(np.zeros(0), descr="<U0", shape=(9**9,))}),
            "numbers or text, got <U",
        ),
        (packed({"a.npy": npy(np.zeros(1), descr="V8")}), "expects an array of numbers or text"),
        (packed({"a.npy": npy(np.zeros(1), descr="(2,)f4")}), "expects an array of numbers or te"),
        (packed({"a.npy": with_header("{" * 900)}), "got the header"),
        (packed({"a.npy": npy(np.zeros(1), descr="<f3")}), "has an unknown type of numbers, <f3"),
        (packed({"a.npy": with_header(" " * 5000)}), "got the header"),
        (
            packed({"a.npy": b"\x93NUMPY\x03\x00" + bytes(99)}),
            "a: is no .npy file of version 1 or 2",
        ),
        (
            packed({"a.npy": npy(np.zeros(1))}, zipfile.ZIP_BZIP2),
            "is packed in an unknown way (12)",
        ),
    ],
)
def test_what_is_no_array_is_one_error_that_names_it(tmp_path, content, words):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(NpzError, match=f"^{re.escape(str(path))}: .*{re.escape(words)}") as raised:
        read_npz(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("dtype", ["<U2", ">U2"])
def test_numbers_that_are_no_characters(dtype):
    """NumPy makes strings of them, on which Python raises SystemError."""
    array = np.array(["a\U0010ffff"]).astype(dtype)
    assert read(saved({"a": array}))["a"] == "a\U0010ffff"
    beyond = np.array([97, 0x110000]).astype(f"{dtype[0]}u4").view(dtype)
    with pytest.raises(NpzError, match="a: holds numbers that are no characters"):
        read(saved({"a": beyond}))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a\nb": np.zeros(1)}, "is no name for an array"),
        ({"a" * 1001: np.zeros(1)}, "is no name for an array"),
        ({"a": np.array([None])}, "a: expects an array of numbers or text, got object"),
        ({"a": np.array(["2026-01-01"], "M8[D]")}, "a: expects an array of numbers or text"),
        ({f"a{i}": np.zeros(0) for i in range(10_001)}, "expects at most 10000 arrays, got 10001"),
    ],
)
def test_what_could_not_be_read_is_not_written(tmp_path, arrays, words):
    with pytest.raises(NpzError, match=words):
        write_npz(tmp_path / "a.npz", arrays)
    assert list(tmp_path.iterdir()) == []


def test_odd_names_come_back(tmp_path):
    """A full-width space, and letters joined by a character of no width."""
    arrays = {"층\u3000하나": np.zeros(2), "क्\u200dष.W": np.ones(3), "b" * 1000: np.zeros(1)}
    write_npz(tmp_path / "a.npz", arrays)
    assert list(read_npz(tmp_path / "a.npz")) == list(arrays)


def test_as_many_arrays_as_are_allowed(tmp_path):
    arrays = {f"{'layer.' * 15}{i}": np.zeros(0) for i in range(10_000)}
    write_npz(tmp_path / "a.npz", arrays)
    assert len(read_npz(tmp_path / "a.npz")) == 10_000


def changed_directory(content: bytes, offset: int, value: bytes) -> bytes:
    """One field of the first entry in the directory of an archive written anew."""
    at = content.index(b"PK\x01\x02") + offset
    return content[:at] + value + content[at + len(value) :]


def test_a_directory_that_lies():
    whole = saved({"a": np.zeros(1000)}, compressed=True)
    four_gigabytes = changed_directory(whole, 24, struct.pack("<I", 0xFFFFFFF0))
    with pytest.raises(
        NpzError, match=r"a\.npy promises 4294967280 bytes; .* cannot hold more than"
    ):
        read(four_gigabytes)
    with pytest.raises(NpzError, match="promises 4294967280 packed bytes in a file of"):
        read(changed_directory(four_gigabytes, 20, struct.pack("<I", 0xFFFFFFF0)))
    with pytest.raises(
        NpzError, match=r"the file: a: float64 \(1000,\) takes 8000 bytes, but the fi"
    ):
        read(changed_directory(whole, 24, struct.pack("<I", 9000)))
    with pytest.raises(NpzError, match="encrypted"):
        read(changed_directory(whole, 8, b"\x01"))
    with pytest.raises(NpzError, match="is no whole"):
        read(changed_directory(whole, 16, b"\0\0\0\0"))  # the checksum


def test_names_that_stand_twice():
    content = saved({"a": np.zeros(2), "b": np.ones(2)}).replace(b"b.npy", b"a.npy")
    with pytest.raises(NpzError, match=r"holds a\.npy twice"):
        read(content)


def test_parts_that_overlap_cannot_multiply_what_a_file_holds():
    """As in the better zip bomb: all entries of the directory point at the same packed bytes."""
    bomb = np.zeros(1_000_000)
    content = saved({"a": bomb}, compressed=True)
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry, n = content[start:end], 50
    entries = b"".join(entry.replace(b"a.npy", b"%c.npy" % (97 + i)) for i in range(n))
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, n, n, len(entries), start, 0)
    with pytest.raises(NpzError, match="packed bytes in a file of"):
        read(content[:start] + entries + tail)


def test_too_many_arrays_and_too_long_a_directory(monkeypatch):
    content = saved({f"a{i}": np.zeros(0) for i in range(20)})
    monkeypatch.setattr(npz, "MAX_ARRAYS", 19)
    with pytest.raises(NpzError, match="expects at most 19 arrays, got 20"):
        read(content)
    monkeypatch.setattr(npz, "MAX_ARRAYS", 20)
    monkeypatch.setattr(npz, "_MAX_DIRECTORY", 500)
    with pytest.raises(NpzError, match="its directory is longer than 500 bytes"):
        read(content)


def peak(content: bytes) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(NpzError):
            read(content)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_bombs_make_room_for_nothing():
    """A header of 64 MB, and an array of 64 MB that declares to have 8."""
    zeros = bytes(64 << 20)
    header = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(zeros)) + zeros
    assert peak(packed({"a.npy": header}, zipfile.ZIP_DEFLATED)) < 4 << 20
    longer = npy(np.zeros(1)) + zeros
    assert peak(packed({"a.npy": longer}, zipfile.ZIP_DEFLATED)) < 4 << 20
    lying = npy(np.zeros(1), shape=(10**12,))
    assert peak(packed({"a.npy": lying}, zipfile.ZIP_DEFLATED)) < 4 << 20
    whole = packed({"a.npy": npy(np.zeros(8 << 20, np.uint8))}, zipfile.ZIP_DEFLATED)
    declared = struct.pack("<I", len(npy(np.zeros(1 << 20, np.uint8))))
    assert peak(changed_directory(whole, 24, declared)) < 4 << 20


def test_what_is_no_regular_file(tmp_path):
    with pytest.raises(NpzError, match="is no regular file"):
        read_npz(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none.npz")


@pytest.mark.parametrize("compressed", [False, True])
def test_every_truncation_is_one_error(compressed):
    whole = saved(ARRAYS, compressed)
    for n in range(len(whole)):
        with pytest.raises(NpzError):
            read(whole[:n])


@pytest.mark.parametrize("compressed", [False, True])
def test_a_flipped_byte_is_one_error_or_changes_no_number(compressed):
    """Names, sizes and contents are covered; dates and the like may be anything."""
    whole = saved(ARRAYS, compressed)
    for i in range(len(whole)):
        for change in (0x01, 0x80, 0xFF):
            flipped = whole[:i] + bytes([whole[i] ^ change]) + whole[i + 1 :]
            try:
                found = read(flipped)
            except NpzError:
                continue
            assert list(found) == list(ARRAYS), i
            assert all(same(found[name], ARRAYS[name]) for name in ARRAYS), i


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["raw", "entry", "header"]))
@example(b"{'descr': '<f8', 'fortran_order': False, 'shape': (3L,)}", "header")
@example(b"{'descr': '<f8', 'fortran_order': 0, 'shape': ()}", "header")
@example(b"{'descr': 'f8,', 'fortran_order': False, 'shape': ()}", "header")
@example(b"{1: 2}", "header")
@example(b"1if 2else 3", "header")
def test_anything_at_all_is_arrays_or_one_error(content, kind):
    if kind == "header":
        content = with_header(content.decode("latin1")) + bytes(24)
    if kind != "raw":
        content = packed({"a.npy": content})
    with contextlib.suppress(NpzError):
        read(content)


@pytest.mark.parametrize("order", ["<", ">"])
def test_text_with_characters_that_do_not_exist_is_refused(tmp_path, order):
    text = np.zeros(2, f"{order}U3")
    np.savez(tmp_path / "a.npz", text=text)
    assert read_npz(tmp_path / "a.npz")["text"].tolist() == ["", ""]
    codes = np.full(6, 0x110000, f"{order}u4")
    np.savez(tmp_path / "a.npz", text=codes.view(f"{order}U3"))
    with pytest.raises(NpzError, match=r"a\.npz: text: holds numbers that are no characters"):
        read_npz(tmp_path / "a.npz")
