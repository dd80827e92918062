"""Files of weights that are damaged, or made by somebody who means ill."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from lamina.common.npz import NpzError
from lamina.layers import Affine, BatchNormalization
from lamina.nets import Sequential
from lamina.nets.weights import load_weights, save_weights


@pytest.fixture
def net():
    rng = np.random.default_rng(0)
    return Sequential({"affine1": Affine(3, 2, rng=rng), "norm": BatchNormalization(2)})


@pytest.fixture
def weights(net):
    return net.state()


def unchanged(net, weights):
    for name, array in net.state().items():
        np.testing.assert_array_equal(array, weights[name])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((3, 2), "x"), "affine1.W: expects float32, got <U1"),
        (np.zeros((3, 2), complex), "affine1.W: expects float32, got complex128"),
        (np.full((3, 2), 1e300), "affine1.W: holds numbers too large for float32"),
        (np.zeros((2, 3)), r"affine1.W: expects shape \(3, 2\), got \(2, 3\)"),
        (np.array([None]), "affine1.W: expects an array of numbers or text, got object"),
    ],
)
def test_arrays_that_do_not_fit_change_nothing(tmp_path, net, weights, array, words):
    np.savez(tmp_path / "w.npz", **weights | {"affine1.W": array})
    with pytest.raises(ValueError, match=words):
        load_weights(tmp_path / "w.npz", net)
    unchanged(net, weights)


def test_what_does_not_fit_is_not_read(tmp_path, net, weights):
    """64 MB that nobody asked for are refused by their name and shape alone."""
    large = np.zeros(16 << 20, np.float32)
    np.savez_compressed(tmp_path / "w.npz", **weights | {"more": large, "affine1.W": large})
    del large
    tracemalloc.start()
    with pytest.raises(ValueError, match="unknown: more"):
        load_weights(tmp_path / "w.npz", net)
    assert "unknown: more" in load_weights(tmp_path / "w.npz", net, strict=False)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_long_list_of_differences_is_cut(tmp_path, net, weights):
    np.savez(tmp_path / "w.npz", **weights | {f"a{i}": np.zeros(0) for i in range(150)})
    with pytest.raises(ValueError, match=r"; and 50 more$"):
        load_weights(tmp_path / "w.npz", net)


def test_flipped_and_cut_files_change_nothing(tmp_path, net, weights):
    path = tmp_path / "w.npz"
    save_weights(path, net)
    whole = path.read_bytes()
    damaged = [whole[:n] for n in range(0, len(whole), 20)]
    damaged += [
        whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :] for i in range(0, len(whole), 3)
    ]
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            load_weights(path, net)
        except NpzError as error:
            assert str(path) in str(error)  # noqa: PT017  not all flips can be noticed
            refused += 1
        unchanged(net, weights)
    assert refused > 0.7 * len(damaged)


def test_a_pickle_is_never_opened(tmp_path, net):
    (tmp_path / "w.npz").write_bytes(b"\x80\x04.")
    with pytest.raises(NpzError, match="is no whole"):
        load_weights(tmp_path / "w.npz", net)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("affine1.W.npy", b"\x80\x04.")
    (tmp_path / "w.npz").write_bytes(stream.getvalue())
    with pytest.raises(NpzError, match=r"is no \.npy file"):
        load_weights(tmp_path / "w.npz", net)
