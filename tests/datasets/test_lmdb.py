"""Caffe's LMDB databases: what the lmdb package wrote comes back, and what is refused by name."""

import struct
import subprocess
import sys

import numpy as np
import pytest

from lamina.datasets import LMDB, Reconstruction
from lamina.datasets import lmdb_database as module
from lamina.datasets.datum import DatumError, read_datum
from lamina.datasets.rows import DataError

pytestmark = pytest.mark.needs_lmdb
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 3, 5, 4), dtype=np.uint8)
CLASSES = np.arange(30) % 3


def varint(n: int) -> bytes:
    n &= 2**64 - 1
    found = bytearray()
    while n > 127:
        found.append(n & 127 | 128)
        n >>= 7
    return bytes([*found, n])


def datum(image, label: int = 0, packed: bool = True, more: bytes = b"") -> bytes:
    """As protobuf writes it."""
    sizes = b"".join(varint(i << 3) + varint(n) for i, n in enumerate(image.shape, 1))
    content = image.tobytes()
    if image.dtype == np.uint8:
        held = b"\x22" + varint(len(content)) + content
    elif packed:
        held = b"\x32" + varint(len(content)) + content
    else:
        held = b"".join(b"\x35" + struct.pack("<f", x) for x in image.ravel())
    return sizes + held + b"\x28" + varint(label) + more


def write(folder, values, first: int = 0):
    """Under keys as those of convert_imageset, put in backwards: their order is LMDB's."""
    import lmdb

    with lmdb.open(str(folder), map_size=1 << 24) as env, env.begin(write=True) as writing:
        for i in reversed(range(len(values))):
            writing.put(f"{i + first:08d}_name".encode(), values[i])
    return folder


@pytest.fixture(params=["in memory", "in the database"])
def in_database(request, monkeypatch):
    if request.param == "in the database":
        monkeypatch.setattr(module, "IN_MEMORY", 0)


@pytest.fixture
def folders(tmp_path):
    train = [datum(x, int(c)) for x, c in zip(IMAGES, CLASSES, strict=True)]
    return write(tmp_path / "train_lmdb", train), write(tmp_path / "test_lmdb", train[:6])


@pytest.mark.usefixtures("in_database")
def test_what_was_written_comes_back_in_the_order_of_its_keys(folders):
    data = LMDB(*folders)
    assert (data.input_shape, len(data.task.class_names)) == ((3, 5, 4), 3)
    rows = np.array([7, 2, 29, 2])
    X, t = data.train[rows]
    np.testing.assert_array_equal(X, np.multiply(IMAGES[rows], 1 / 255, dtype=np.float32))
    np.testing.assert_array_equal(t, CLASSES[rows])
    np.testing.assert_array_equal(data.test[2:5][1], CLASSES[2:5])
    again = LMDB(folders[0] / "data.mdb", folders[1], scale=1.0, validation_share=0.2)
    held = np.concatenate([again.train[:][0], again.validation[:][0]])
    assert len(again.validation) == 6
    assert sorted(map(bytes, held.astype(np.uint8))) == sorted(map(bytes, IMAGES))
    assert LMDB(*folders).train.fingerprint() == data.train.fingerprint()
    normal = LMDB(*folders, normalise=True).train[:][0]
    assert abs(normal.mean()) < 1e-6
    assert normal.std() == pytest.approx(1, abs=1e-5)


@pytest.mark.usefixtures("in_database")
@pytest.mark.parametrize("packed", [True, False])
def test_floats_and_images_as_their_own_targets(tmp_path, packed):
    X = RNG.standard_normal((6, 1, 2, 3)).astype("<f4")
    folder = write(tmp_path / "a", [datum(x, packed=packed) for x in X])
    data = LMDB(folder, folder, task="reconstruction", n_validation=2)
    assert isinstance(data.task, Reconstruction)
    np.testing.assert_array_equal(data.test[:][0], X)
    np.testing.assert_array_equal(*data.train[np.arange(4)])


def test_a_datum_as_googles_protobuf_writes_it():
    pool_of = pytest.importorskip("google.protobuf.descriptor_pool", reason="no protobuf")
    from google.protobuf import descriptor_pb2, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="d.proto", package="d")
    message = file.message_type.add(name="Datum")
    names = ("channels", "height", "width", "data", "label", "float_data", "encoded")
    for i, name in enumerate(names, 1):
        kind = {"data": 12, "float_data": 2, "encoded": 8}.get(name, 5)
        message.field.add(name=name, number=i, type=kind, label=3 if name == "float_data" else 1)
    pool = pool_of.DescriptorPool()
    pool.Add(file)
    Datum = message_factory.GetMessageClass(pool.FindMessageTypeByName("d.Datum"))
    made = Datum(channels=3, height=5, width=4, data=IMAGES[0].tobytes(), label=300)
    got = read_datum(made.SerializeToString())
    np.testing.assert_array_equal(got.array(), IMAGES[0])
    assert got.label == 300
    made = Datum(channels=1, height=1, width=2, float_data=[1.5, -2], label=-1)
    got = read_datum(made.SerializeToString())
    assert got.array().tolist() == [[[1.5, -2]]]
    assert got.label == -1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (b"\x08", "no Datum of Caffe, or cut off"),
        (datum(IMAGES[0])[:40], "no Datum of Caffe, or cut off"),
        (b"\xff" * 30, "no Datum of Caffe, or cut off"),
        (datum(IMAGES[0], more=b"\x38\x01"), "encoded image .* convert_imageset, without"),
        (b"\x08\x01\x10\x02\x18\x03\x22\x01a", r"has 1 bytes, which is no image \(1, 2, 3\)"),
        (b"\x08\x01\x10\x02", r"its image is \(1, 2, 0\)"),
        (b"\x08" + varint(1 << 40) + b"\x10\x01\x18\x01", "its image is"),
    ],
)
def test_what_is_no_datum(value, words):
    with pytest.raises(DatumError, match=words):
        read_datum(value)


def test_what_is_refused_names_database_and_entry(folders, tmp_path, monkeypatch):
    good = datum(IMAGES[0])

    def said(values, words):
        folder = write(tmp_path / str(len(list(tmp_path.iterdir()))), values)
        with pytest.raises(ValueError, match=f"{folder.name}: .*{words}"):
            LMDB(folder, folders[1])

    said([good, datum(IMAGES[0, :1])], r"'00000001_name' is an image \(1, 5, 4\) of uint8, those")
    said([good, datum(IMAGES[0].astype("f4"))], "of float32, those before it are")
    said([good, datum(IMAGES[0], more=b"\x38\x01")], "'00000001_name' holds an encoded image")
    said([good, datum(IMAGES[0], -1)], "row 1 has the label -1; expects 0 or more")
    said([], "is empty")
    said([good, good], "has only one class")
    with pytest.raises(ValueError, match=r"away: is no LMDB database: no folder with a file data"):
        LMDB(tmp_path / "away", folders[1])
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "data.mdb").write_text("no database " * 1000)
    with pytest.raises(ValueError, match="text: is no LMDB database that can be read"):
        LMDB(tmp_path / "text", folders[1])
    with pytest.raises(ValueError, match="normalise: finds the scale itself"):
        LMDB(*folders, normalise=True, scale=1.0)
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(ValueError, match=r"needs the library lmdb: pip install 'lamina\[lmdb\]'"):
        LMDB(*folders)


def test_a_database_that_is_cut_off_is_said_and_ends_no_process(folders):
    file = folders[0] / "data.mdb"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) - 4096])
    code = "import sys; from lamina.datasets import LMDB; LMDB(*sys.argv[1:])"
    command = [sys.executable, "-c", code, *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "train_lmdb: is cut off" in done.stderr


def test_images_that_change_meanwhile(folders, monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY", 0)
    data = LMDB(*folders)
    monkeypatch.setattr(data.train.X._source, "_keys", [b"away"] * 30)
    with pytest.raises(DataError, match="the entry 'away' is not what it was"):
        data.train[:2]
