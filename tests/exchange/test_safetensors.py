"""Safetensors files: as the library reads and writes them, and files that lie."""

import json
import struct
import tracemalloc

import numpy as np
import pytest

from lamina.exchange import (
    SafetensorsError,
    load_weights,
    open_safetensors,
    read_safetensors,
    save_weights,
    write_safetensors,
)
from lamina.layers import Affine, BatchNormalization
from lamina.nets import Sequential

RNG = np.random.default_rng(0)
ARRAYS = {
    "flags": np.array([[True, False, True]]),
    "a.W": RNG.standard_normal((3, 4)).astype(np.float32),
    "turned": RNG.standard_normal((3, 4)).T,
    "every second": np.arange(20, dtype=np.int64)[::2],
    "big-endian": np.arange(6, dtype=">i2").reshape(2, 3),
    "half": RNG.standard_normal(5).astype(np.float16),
    "one": np.array(2.5, np.float32),
    "none": np.zeros((2, 0, 3), np.float32),
    "bytes": np.arange(7, dtype=np.uint8),
    "이름 «x»": np.ones(2, np.uint32),
}


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype.newbyteorder("="), name
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def file_of(tmp_path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def described(dtype="F32", shape=(2,), start=0, stop=8):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def test_what_is_written_is_read(tmp_path):
    write_safetensors(tmp_path / "x.safetensors", ARRAYS, {"format": "lamina"})
    same(read_safetensors(tmp_path / "x.safetensors"), ARRAYS)
    with open_safetensors(tmp_path / "x.safetensors") as (tensors, metadata):
        assert metadata == {"format": "lamina"}
        assert tensors["turned"].shape == (4, 3)


@pytest.mark.needs_safetensors
def test_the_library_reads_what_we_write(tmp_path):
    from safetensors.numpy import load_file

    write_safetensors(tmp_path / "x.safetensors", ARRAYS, {"format": "lamina"})
    same(load_file(tmp_path / "x.safetensors"), ARRAYS)
    write_safetensors(tmp_path / "x.safetensors", {})
    assert load_file(tmp_path / "x.safetensors") == {}


@pytest.mark.needs_safetensors
def test_we_read_what_the_library_writes(tmp_path):
    from safetensors.numpy import save_file

    arrays = {
        name: np.ascontiguousarray(a, a.dtype.newbyteorder("=")) for name, a in ARRAYS.items()
    }
    arrays["one"] = arrays["one"].reshape(())  # ascontiguousarray adds an axis
    save_file(arrays, tmp_path / "x.safetensors", {"by": "the library"})
    same(read_safetensors(tmp_path / "x.safetensors"), arrays)
    save_file({}, tmp_path / "x.safetensors")
    assert read_safetensors(tmp_path / "x.safetensors") == {}


@pytest.mark.needs_torch
@pytest.mark.needs_safetensors
def test_bfloat16_is_read_as_float32(tmp_path):
    import torch
    from safetensors.torch import save_file

    values = torch.tensor([[1.0, -2.5e-30], [float("inf"), 3e38]]).to(torch.bfloat16)
    save_file({"w": values}, tmp_path / "x.safetensors")
    found = read_safetensors(tmp_path / "x.safetensors")["w"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, values.float().numpy())


HEADERS = {
    "more than the file": ({"a": described(stop=16, shape=(4,))}, "16 bytes of numbers are decl"),
    "less than the file": ({"a": described(stop=4, shape=(1,))}, "4 bytes of numbers are declared"),
    "a gap": ({"a": described(stop=4, shape=(1,)), "b": described(shape=(0,), start=8)}, "gap"),
    "a gap before all": ({"a": described(shape=(1,), start=4)}, "a leaves a gap"),
    "overlapping": (
        {"a": described(), "b": described(shape=(1,), start=4)},
        "b overlaps the array before it",
    ),
    "twice the same numbers": ({"a": described(), "b": described()}, "b overlaps"),
    "another size": ({"a": described(shape=(3,))}, "takes 12 bytes, but 8 are declared"),
    "1 GB": ({"a": described(shape=(1 << 28,), stop=1 << 30)}, "1073741824 bytes of numbers"),
    "2 ** 63 rows": ({"a": described(shape=(1 << 63,))}, "an impossible shape"),
    "backwards": ({"a": described(shape=(0,), start=8, stop=0)}, "0 bytes, but -8 are declared"),
    "negative": ({"a": described(shape=(-2,))}, "an impossible shape"),
    "half a row": ({"a": described(shape=(2.0,))}, "an impossible shape"),
    "true": ({"a": described(shape=(True, 2))}, "an impossible shape"),
    "65 axes": ({"a": described(shape=(1,) * 64 + (2,))}, "an impossible shape"),
    "unknown numbers": ({"a": described("F8_E4M3")}, "unknown type of numbers, F8_E4M3; convert"),
    "no numbers": ({"a": described(["F32"])}, "unknown type of numbers"),
    "one offset": ({"a": {**described(), "data_offsets": [8]}}, "impossible data_offsets"),
    "no offsets": ({"a": {"dtype": "F32", "shape": [2]}}, "expects dtype, shape and data_offsets"),
    "a number": ({"a": 1}, "expects dtype, shape and data_offsets"),
    "a name with a line end": ({"a\nb": described()}, "a.b is no name"),
    "metadata": ({"__metadata__": {"x": 1}, "a": described()}, "expects texts by name"),
    "a list": ([1], "no JSON of arrays by name"),
    "no JSON": (b"{", "is no valid JSON"),
    "no text": (b"\xff\xfe", "is no valid JSON"),
    "deep": (b"[" * 100_000, "is no valid JSON"),
    "a long number": (b'{"a": ' + b"1" * 5000 + b"}", "is no valid JSON"),
    "a name twice": (
        b'{"a": %s, "a": %s}' % ((json.dumps(described()).encode(),) * 2),
        "a stands twice",
    ),
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_lie_are_one_error(tmp_path, case):
    header, words = HEADERS[case]
    path = file_of(tmp_path, header, bytes(8))
    tracemalloc.start()
    with pytest.raises(SafetensorsError, match=words) as caught:
        read_safetensors(path)
    assert tracemalloc.get_traced_memory()[1] < 2 << 20
    tracemalloc.stop()
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cut off"),
        (b"\x05\0\0\0", "cut off"),
        (struct.pack("<Q", 1 << 62) + b"{}", "4611686018427387904 bytes of header"),
        (struct.pack("<Q", 5 << 20) + bytes(5 << 20), "longer than"),
        (b"PK\3\4" + bytes(30), "no safetensors file"),
    ],
    ids=["empty", "short", "a long header", "5 MiB of header", "a zip"],
)
def test_no_safetensors_at_all(tmp_path, content, words):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(SafetensorsError, match=words):
        read_safetensors(tmp_path / "x.safetensors")


def test_cut_anywhere_it_is_one_error(tmp_path):
    path = tmp_path / "x.safetensors"
    write_safetensors(path, ARRAYS)
    whole = path.read_bytes()
    for n in range(0, len(whole), 3):
        path.write_bytes(whole[:n])
        with pytest.raises(SafetensorsError):
            read_safetensors(path)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros(2, complex)}, "a: safetensors has no place for complex128"),
        ({"a": np.array(["x"])}, "has no place for <U1"),
        ({"a": np.array([None])}, "has no place for object"),
        ({"__metadata__": np.zeros(1)}, "__metadata__: safetensors is no name"),
        ({"a\n": np.zeros(1)}, "is no name for an array"),
        ({f"{i:900}": np.zeros(1) for i in range(5000)}, "header would be longer"),
    ],
)
def test_what_has_no_place_in_one_is_not_written(tmp_path, arrays, words):
    with pytest.raises(SafetensorsError, match=words):
        write_safetensors(tmp_path / "x.safetensors", arrays)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def net():
    return Sequential({"a": Affine(3, 2, rng=0), "norm": BatchNormalization(2)})


def test_weights_are_saved_and_loaded(tmp_path, net):
    save_weights(tmp_path / "w.safetensors", net)
    other = Sequential({"a": Affine(3, 2, rng=1), "norm": BatchNormalization(2)})
    line = load_weights(tmp_path / "w.safetensors", other)
    assert line == f"6 of 6 arrays from {tmp_path / 'w.safetensors'}"
    same(other.state(), net.state())


def test_weights_that_do_not_fit_change_nothing(tmp_path, net):
    before, path = net.state(), tmp_path / "w.safetensors"
    write_safetensors(path, {**before, "a.W": np.zeros((2, 3), np.float32), "more": np.zeros(1)})
    with pytest.raises(ValueError, match=r"a\.W: expects shape \(3, 2\).*unknown: more"):
        load_weights(path, net)
    same(net.state(), before)
    assert "5 of 6" in load_weights(path, net, strict=False)


def test_weights_that_are_not_finite_are_not_saved(tmp_path, net):
    net.layers["a"].W.data[0, 0] = np.nan
    with pytest.raises(FloatingPointError, match=r"a\.W is not finite"):
        save_weights(tmp_path / "w.safetensors", net)
    assert list(tmp_path.iterdir()) == []


def test_a_pickle_is_refused_with_what_to_do(tmp_path, net):
    (tmp_path / "w.pt").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"a pickle, which can run code.*save_file"):
        load_weights(tmp_path / "w.pt", net)


def test_a_configuration_begins_with_them(tmp_path, build, tiny, net, capsys):
    text = """
        dataset: {type: Tiny}
        net:
          type: Sequential
          weights: w.safetensors
          layers: {out: {type: Affine, n_out: 3}}
          loss: {type: SoftmaxWithLoss}
        optimizer: {type: SGD, lr: 0.1}
        training: {iterations: 1, batch_size: 5}
        """
    wanted = Sequential({"out": Affine(4, 3, rng=8)})
    save_weights(tmp_path / "w.safetensors", wanted)
    same(build(text).net.state(), wanted.state())
    assert "weights: 2 of 2 arrays from" in capsys.readouterr().err
    (tmp_path / "w.safetensors").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"c\.yaml.*cut off"):
        build(text)
