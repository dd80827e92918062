"""Fashion-MNIST: MNIST's reader on another folder, other mirrors and other sums."""

import functools
import gzip
import hashlib
import http.server
import threading
import zlib

import numpy as np
import pytest

from lamina.datasets import MNIST, FashionMNIST, fashion_mnist
from lamina.datasets.download import DownloadError
from lamina.datasets.idx import IdxError, read_idx, write_idx
from lamina.datasets.mnist import FILES


def write(folder, name, array):
    with gzip.open(folder / name, "wb", compresslevel=1) as stream:
        write_idx(stream, array)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A data folder with fake files of the right shapes."""
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    folder = tmp_path / "data" / "fashion_mnist"
    folder.mkdir(parents=True)
    for name, (shape, _) in FILES.items():
        array = np.zeros(shape, np.uint8)
        array[0], array[-1] = 9, 3
        write(folder, name, array)
    return folder


def test_it_reads_its_own_folder_when_the_data_are_used(home):
    data = FashionMNIST(own_files=True)
    assert data.input_shape == (784,)
    assert data.train.X.shape == (60_000, 784)
    assert data.test.X.shape == (10_000, 784)
    assert data.train.X.dtype == np.uint8
    X, t = data.test[np.array([0, 5, 9_999])]
    np.testing.assert_allclose(X[:, 0], [9 / 255, 0, 3 / 255], rtol=1e-6)
    assert X.dtype == np.float32
    assert t.tolist() == [9, 0, 3]
    assert [data.task.class_names[i] for i in t] == ["ankle boot", "T-shirt", "dress"]
    images = FashionMNIST(flatten=False, own_files=True)
    assert images.input_shape == (1, 28, 28)
    assert images.test.X.shape == (10_000, 1, 28, 28)


def test_normalised_and_cut_as_mnist(home):
    data = FashionMNIST(normalise=True, n_train=4, own_files=True)
    assert len(data.train) == 4
    X, _ = data.train[:]
    # One of the four images is 9 everywhere, the others 0.
    np.testing.assert_allclose(X[:, 0], np.array([3.0, -1.0, -1.0, -1.0]) / 3.0**0.5, rtol=1e-6)


def test_ten_class_names():
    assert FashionMNIST.classes == (
        *("T-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )
    assert len(set(FashionMNIST.classes)) == 10


def test_folder_mirrors_and_sums_are_not_those_of_mnist():
    assert FashionMNIST.folder != MNIST.folder
    assert not set(FashionMNIST.mirrors) & set(MNIST.mirrors)
    assert all(mirror.endswith("/") for mirror in FashionMNIST.mirrors)
    assert set(fashion_mnist.FILE_MD5) == set(FILES)
    assert len(set(fashion_mnist.FILE_MD5.values())) == 4


def test_a_damaged_file_says_what_to_do(home):
    path = home / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(
        IdxError, match=r"fashion_mnist.*train-images.*delete the file, and the nex"
    ):
        _ = FashionMNIST().train


def test_a_file_of_another_shape_is_refused(home):
    write(home, "train-labels-idx1-ubyte.gz", np.zeros(10_000, np.uint8))
    with pytest.raises(IdxError, match=r"expects uint8 \(60000,\), got uint8 \(10000,\)"):
        _ = FashionMNIST(own_files=True).train


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch, home):
    """The fake files on a server, the data folder empty."""
    home.rename(tmp_path / "mirror")
    handler = functools.partial(Quiet, directory=tmp_path / "mirror")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setattr(FashionMNIST, "mirrors", (address,))
    yield tmp_path / "mirror"
    server.shutdown()
    thread.join()
    server.server_close()


def test_verification_refuses_a_wrong_file(home, mirror):
    with pytest.raises(DownloadError, match=r"train-images.*\n.*wrong MD5") as raised:
        _ = FashionMNIST().train
    assert f"put it at {home / 'train-images-idx3-ubyte.gz'}" in str(raised.value)
    assert list(home.iterdir()) == []


def test_verification_accepts_the_files_of_its_sums(home, mirror, monkeypatch):
    for path in mirror.iterdir():
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        monkeypatch.setitem(fashion_mnist.FILE_MD5, path.name, md5)
        sign = f"CRC-32 {zlib.crc32(read_idx(path)):08x}"
        monkeypatch.setitem(FashionMNIST.contents, path.name, sign)
    assert FashionMNIST().train.t[0] == 9
    assert sorted(path.name for path in home.iterdir()) == sorted(FILES)
