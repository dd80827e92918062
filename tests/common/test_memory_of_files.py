"""The memory that a file takes is bounded by what it holds, whatever it promises."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from lamina.common.npz import GENEROUS, TIMES, NpzError, read_npz
from lamina.datasets import NPZ
from lamina.layers import Affine, SoftmaxWithLoss
from lamina.nets import Sequential, load_net
from lamina.nets.weights import load_weights
from lamina.training.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

ZEROS = 300 << 20  # bytes, 1.3 MB packed


@pytest.fixture
def taking():
    """The most memory that a call takes, in bytes; it may raise."""

    def measured(call, error):
        tracemalloc.start()
        try:
            with pytest.raises(error) as raised:
                call()
            return tracemalloc.get_traced_memory()[1], str(raised.value)
        finally:
            tracemalloc.stop()

    return measured


def add_zeros(path, name, shape, dtype="<f4"):
    """Put an array of zeros into an archive, packed, without ever having it."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    header = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(header, described)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as file,
    ):
        file.write(header.getvalue())
        for _ in range(size >> 20):
            file.write(bytes(1 << 20))


def net():
    rng = np.random.default_rng(0)
    return Sequential({"a": Affine(4, 3, rng=rng)}, loss=SoftmaxWithLoss())


def test_a_checkpoint_of_zeros(tmp_path, taking):
    path = tmp_path / "checkpoint-00000010.npz"
    save_checkpoint(path, {"net": net().state()})
    add_zeros(path, "net/b", (ZEROS // 4,))
    assert path.stat().st_size < 2 << 20
    most, said = taking(lambda: load_checkpoint(path), CheckpointError)
    assert most < 4 << 20
    assert said.startswith(f"{path}: would unpack to 3145")


def test_a_checkpoint_that_was_packed_again(tmp_path):
    """Its checksum is right, so only the room can speak against it."""
    path = tmp_path / "checkpoint-00000010.npz"
    save_checkpoint(path, {"net": {"W": np.zeros((1000, 1000))}})
    arrays = dict(np.load(path))
    np.savez_compressed(path, **arrays)
    with pytest.raises(CheckpointError, match="write it unpacked, as np"):
        load_checkpoint(path)
    np.savez(path, **arrays)
    assert load_checkpoint(path)["net"]["W"].shape == (1000, 1000)


def test_a_whole_net_of_zeros(tmp_path, taking):
    path = tmp_path / "net.npz"
    net().save(path)
    add_zeros(path, "b.W", (ZEROS // 4096, 1024))
    most, said = taking(lambda: load_net(path), NpzError)
    assert most < 4 << 20
    assert "would unpack to" in said


def test_weights_are_compared_before_they_are_unpacked(tmp_path, taking):
    path = tmp_path / "weights.npz"
    add_zeros(path, "a.W", (14_336, 1024))  # 56 MB: less than is taken of any file
    add_zeros(path, "a.b", (1 << 18,))
    most, said = taking(lambda: load_weights(path, net()), ValueError)
    assert most < 4 << 20
    assert "a.W: expects shape (4, 3), got (14336, 1024)" in said


def test_a_data_set_of_zeros(tmp_path, taking):
    path = tmp_path / "d.npz"
    np.savez(path, t_train=[0, 1], x_test=np.ones((2, 3)), t_test=[0, 1])
    add_zeros(path, "x_train", (2, ZEROS // 8))
    most, said = taking(lambda: NPZ(path), ValueError)
    assert most < 4 << 20
    assert "would unpack to" in said


def test_what_packs_well_and_is_small_or_packs_as_data_do_is_taken(tmp_path):
    np.savez_compressed(tmp_path / "small.npz", x=np.zeros(20 << 20, np.uint8))
    assert read_npz(tmp_path / "small.npz")["x"].size == 20 << 20
    assert TIMES * (4 << 20) > GENEROUS  # 4 MB of images may pack a hundredfold
