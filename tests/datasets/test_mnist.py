"""MNIST: the real files where they are there, and the errors for damaged ones."""

import gzip
import http.server
import re
import threading
import zlib

import numpy as np
import pytest

from lamina.datasets import MNIST, Reconstruction, load_mnist
from lamina.datasets.download import DownloadError, data_home
from lamina.datasets.idx import IdxError, write_idx
from lamina.datasets.mnist import FILES


@pytest.mark.needs_mnist
def test_the_real_files_as_arrays():
    (x_train, t_train), (x_test, t_test) = load_mnist(normalize=True, flatten=True)
    assert x_train.shape == (60_000, 784)
    assert x_test.shape == (10_000, 784)
    assert x_train.dtype == np.float32
    assert x_train.min() == 0.0
    assert x_train.max() == 1.0
    assert t_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(t_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.needs_mnist
def test_the_arguments_of_note_004():
    (x, t), _ = load_mnist(normalize=False, flatten=False, one_hot_label=True)
    assert x.shape == (60_000, 1, 28, 28)
    assert x.dtype == np.uint8
    assert t.shape == (60_000, 10)
    assert t[0].argmax() == 5
    assert t.sum() == 60_000


@pytest.mark.needs_mnist
def test_the_dataset_stays_small_and_scales_its_batches():
    data = MNIST()
    assert data.train.X.dtype == np.uint8
    assert data.input_shape == (784,)
    X, t = data.train[np.array([0, 3, 3])]
    assert X.dtype == np.float32
    assert X.max() == 1.0
    assert t.tolist() == [5, 1, 1]
    assert MNIST(flatten=False).input_shape == (1, 28, 28)


def write(folder, name, array):
    with gzip.open(folder / name, "wb", compresslevel=1) as stream:
        write_idx(stream, array)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    folder = tmp_path / "mnist"
    folder.mkdir()
    for name, (shape, _) in FILES.items():
        write(folder, name, np.zeros(shape, np.uint8))
    return folder


@pytest.mark.needs_mnist
def test_normalised_by_the_training_images():
    plain, data = MNIST(), MNIST(normalise=True)
    scale, offset = data.train.scale, data.train.offset
    assert -offset / scale / 255 == pytest.approx(0.1307, abs=5e-5)  # the mean in 0-1
    assert 1 / scale / 255 == pytest.approx(0.3081, abs=5e-5)
    assert (data.test.scale, data.test.offset) == (scale, offset)
    rows = np.arange(0, 10_000, 7)
    X, t = data.test[rows]
    assert X.dtype == np.float32
    np.testing.assert_allclose(X, (plain.test[rows][0] - 0.1306605) / 0.3081078, atol=1e-5)
    np.testing.assert_array_equal(t, plain.test.t[rows])
    assert data.test.X.dtype == np.uint8  # what the pictures of mistakes are drawn from
    np.testing.assert_array_equal(data.test.X, plain.test.X)


@pytest.mark.needs_mnist
def test_the_first_training_images_alone():
    whole, data = MNIST(flatten=False), MNIST(flatten=False, normalise=True, n_train=2_000)
    np.testing.assert_array_equal(data.train.X, whole.train.X[:2_000])
    np.testing.assert_array_equal(data.train.t, whole.train.t[:2_000])
    assert len(data.test) == 10_000
    X, _ = data.train[:]
    assert X.mean(dtype=float) == pytest.approx(0.0, abs=1e-5)
    assert X.std(dtype=float) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("n_train", [0, -1, 60_001])
def test_a_number_of_training_images_that_is_not_there(n_train):
    with pytest.raises(ValueError, match=f"n_train: expects 1 to 60000, got {n_train}"):
        MNIST(n_train=n_train)


def test_made_files_normalised(home):
    X = np.zeros((60_000, 28, 28), np.uint8)
    X[:10, :14] = 200
    write(home, "train-images-idx3-ubyte.gz", X)
    data = MNIST(own_files=True, normalise=True, n_train=10)
    assert len(data.train) == 10
    np.testing.assert_allclose(data.train[:][0][:, ::391], [[1.0, 1.0, -1.0]] * 10, rtol=1e-6)
    np.testing.assert_allclose(data.test[:2][0], -1.0, rtol=1e-6)
    np.testing.assert_array_equal(MNIST(own_files=True, normalise=True).train.X, X.reshape(-1, 784))
    (x_train, _), _ = load_mnist(own_files=True)  # keeps its own meaning
    assert x_train.shape == (60_000, 784)
    np.testing.assert_allclose(x_train.max(), 200 / 255, rtol=1e-6)


def test_a_damaged_file_says_what_to_do(home):
    path = home / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(IdxError, match=r"train-images.*delete the file, and the next run"):
        _ = MNIST().train
    with pytest.raises(IdxError) as raised:  # nothing is downloaded in place of one's own
        _ = MNIST(own_files=True).train
    assert "delete" not in str(raised.value)


def test_a_file_of_another_shape_is_refused(home):
    write(home, "t10k-images-idx3-ubyte.gz", np.zeros((10_000, 14, 14), np.uint8))
    with pytest.raises(IdxError, match=r"expects uint8 \(10000, 28, 28\), got uint8 \(10000, 14"):
        _ = MNIST(own_files=True).train


def test_a_label_out_of_range_is_refused(home):
    write(home, "t10k-labels-idx1-ubyte.gz", np.full(10_000, 10, np.uint8))
    with pytest.raises(IdxError, match="labels are 0 to 9, got 10"):
        load_mnist(own_files=True)


@pytest.mark.needs_mnist
def test_the_real_files_are_downloaded_once_with_bars(tmp_path, monkeypatch, capsys):
    """From a server on 127.0.0.1: the first mirror has nothing, the second the real files."""
    source = data_home() / "mnist"
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(source))

        def do_GET(self):
            requests.append(self.path)
            if self.path.startswith("/bad/"):
                self.send_error(404)
            else:
                super().do_GET()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setattr(MNIST, "mirrors", (f"{url}/bad/", f"{url}/"))
        monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
        try:
            first = MNIST().test.X
            bars = capsys.readouterr().err
            for name in FILES:
                assert f"{name}: 100%" in bars
            assert len(requests) == 8
            np.testing.assert_array_equal(MNIST().test.X, first)
            assert len(requests) == 8
        finally:
            server.shutdown()
            thread.join()
    assert sorted(p.name for p in (tmp_path / "mnist").iterdir()) == sorted(FILES)


def test_files_put_one_level_too_high_are_found_out(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(b"")
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "mnist"))
    words = re.escape(f"set LAMINA_DATA to the folder above, {tmp_path}")
    with pytest.raises(DownloadError, match=words):
        _ = MNIST().train
    assert [p.name for p in (tmp_path / "mnist").iterdir()] == ["train-images-idx3-ubyte.gz"]


@pytest.fixture
def numbered(home):
    """Made files in which every training image says its number and every label is drawn."""
    X = np.zeros((60_000, 28, 28), np.uint8)
    X[:, 0, 0], X[:, 0, 1] = np.arange(60_000) // 256, np.arange(60_000) % 256
    t = np.random.default_rng(0).choice(10, 60_000, p=[0.3, *[0.1] * 6, 0.05, 0.03, 0.02])
    write(home, "train-images-idx3-ubyte.gz", X)
    write(home, "train-labels-idx1-ubyte.gz", t.astype(np.uint8))
    return t


def numbers(samples):
    return samples.X[:, 0].astype(int) * 256 + samples.X[:, 1]


def test_training_images_held_back_class_by_class(numbered):
    data = MNIST(own_files=True, validation_share=0.1)
    assert data.has_validation
    assert list(data.sets()) == ["train", "validation", "test"]
    train, held_back = numbers(data.train), numbers(data.validation)
    assert (len(train), len(held_back), len(data.test)) == (54_000, 6_000, 10_000)
    assert sorted([*train, *held_back]) == list(range(60_000))
    assert (np.diff(train) > 0).all()  # in their order
    for samples, rows in ((data.train, train), (data.validation, held_back)):
        np.testing.assert_array_equal(samples.t, numbered[rows])
    assert abs(np.bincount(data.validation.t) - np.bincount(numbered) / 10).max() < 1
    again, other = (MNIST(own_files=True, n_validation=6_000, split_seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(numbers(again.validation), held_back)
    assert numbers(other.validation).tolist() != held_back.tolist()


def test_without_validation_all_is_as_it_was(numbered):
    data = MNIST(own_files=True)
    assert not data.has_validation
    assert data.validation is None
    assert numbers(data.train).tolist() == list(range(60_000))


def test_so_many_training_images_besides_those_for_validation(numbered):
    data = MNIST(own_files=True, n_train=800, validation_share=0.2, normalise=True)
    assert (len(data.train), len(data.validation)) == (800, 200)
    assert sorted([*numbers(data.train), *numbers(data.validation)]) == list(range(1000))
    assert data.train[:][0].std() == pytest.approx(1.0, abs=1e-4)  # by the training images alone
    assert data.validation.scale == data.test.scale == data.train.scale


def test_images_to_be_reconstructed(numbered):
    data = MNIST(own_files=True, n_train=50, n_validation=20, task="reconstruction")
    assert data.task == Reconstruction()
    assert data.target_shape == (784,)
    assert all(samples.t is samples.X for samples in data.sets().values())
    plain = MNIST(own_files=True, n_train=50, n_validation=20)  # the same images are held back
    np.testing.assert_array_equal(plain.validation.X, data.validation.X)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"task": "multilabel"}, "task: expects classification, reconstruction; got multilabel"),
        (
            {"n_train": 59_999, "n_validation": 2},
            "59999 training images and 2 for validation are m",
        ),
        ({"n_train": 5, "n_validation": 2}, "expects at least 10, one of each class"),
        ({"n_validation": 59_995}, "5 training images beside 59995 .* expects at least 10"),
        ({"n_validation": 60_000}, "n_validation: 60000 leaves 0 of 60000"),
        ({"n_validation": 3, "validation_share": 0.1}, "both say how many"),
        ({"split_seed": -1}, "split_seed: expects a whole number of at least 0"),
    ],
)
def test_what_cannot_be_asked_for(settings, words):
    with pytest.raises(ValueError, match=words):
        MNIST(**settings)


def test_files_that_cannot_be_compressed_are_no_longer_than_what_is_taken(tmp_path, monkeypatch):
    """Of noise, gzip makes a file that is longer than the noise."""
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    shape, _ = FILES["t10k-labels-idx1-ubyte.gz"]
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    taken = []

    def fetched(path, urls, verify, at_most):
        taken.append(at_most)
        path.parent.mkdir(exist_ok=True)
        write(path.parent, path.name, noise)
        assert path.stat().st_size > noise.nbytes
        assert path.stat().st_size <= at_most < 1.2 * noise.nbytes
        return path

    monkeypatch.setattr("lamina.datasets.mnist.fetch", fetched)
    sign = f"CRC-32 {zlib.crc32(noise):08x}"
    monkeypatch.setitem(MNIST.contents, "t10k-labels-idx1-ubyte.gz", sign)
    np.testing.assert_array_equal(MNIST()._read("t10k-labels-idx1-ubyte.gz"), noise)
    assert len(taken) == 1
