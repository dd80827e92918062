"""Files of another data set under published names are noticed, packed or not."""

import gzip
import shutil
from fractions import Fraction

import numpy as np
import pytest

from lamina.datasets import MNIST, FashionMNIST, load_mnist
from lamina.datasets.download import data_home
from lamina.datasets.idx import IdxError, read_idx, write_idx
from lamina.datasets.mnist import FILES
from lamina.datasets.published import FASHION_FILES, MNIST_FILES, mismatch

TRAIN, LABELS = "train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


@pytest.fixture
def copies(tmp_path, monkeypatch):
    """MNIST's real files under the names of both sets."""
    for folder in ("mnist", "fashion_mnist"):
        shutil.copytree(data_home() / "mnist", tmp_path / folder)
        for path in (tmp_path / folder).iterdir():
            path.chmod(0o644)
        (tmp_path / folder).chmod(0o755)
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    return tmp_path


def rewrite(path, array):
    path.unlink()
    with gzip.open(path, "wb", compresslevel=1) as stream:
        write_idx(stream, array)


@pytest.mark.needs_mnist
def test_digits_under_the_names_of_clothes_are_recognised(copies):
    with pytest.raises(IdxError) as raised:
        _ = FashionMNIST().train
    said = str(raised.value)
    assert said.startswith(str(copies / "fashion_mnist" / TRAIN))
    assert "expects numbers with sums 3431114169 and 631470052347, got sums" in said
    assert "(MNIST's train-images-idx3-ubyte)" in said
    assert "own_files: true" in said
    assert len(FashionMNIST(own_files=True).train) == 60_000


@pytest.mark.needs_mnist
@pytest.mark.parametrize("name", sorted(FILES))
def test_one_changed_number_of_any_file_is_noticed(copies, name):
    path = copies / "mnist" / name
    array = read_idx(path)
    array.flat[-1] ^= 1
    rewrite(path, array)
    with pytest.raises(
        IdxError, match=f"{name}: is not the file .* as MNIST: .* {MNIST_FILES[name]}"
    ):
        load_mnist()
    load_mnist(own_files=True)


@pytest.mark.needs_mnist
def test_files_in_another_order_are_noticed(copies):
    """A copy of the set that somebody has shuffled is another split."""
    path = copies / "mnist" / TRAIN
    rewrite(path, read_idx(path)[::-1])
    with pytest.raises(IdxError, match="is not the file that was published"):
        _ = MNIST().train


@pytest.mark.needs_mnist
def test_unpacked_files_are_taken_and_held_to_the_same(copies):
    for path in sorted((copies / "mnist").iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert MNIST().test.t[:3].tolist() == [7, 2, 1]
    raw = copies / "mnist" / LABELS.removesuffix(".gz")
    raw.write_bytes(raw.read_bytes()[:-1] + b"\1")
    with pytest.raises(IdxError, match=r"t10k-labels-idx1-ubyte: is not the file"):
        _ = MNIST().test


def test_own_files_are_not_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    monkeypatch.setattr("lamina.datasets.mnist.fetch", lambda *_: pytest.fail("asked a mirror"))
    with pytest.raises(IdxError, match="no such file, which own_files: true says is your own"):
        _ = MNIST(own_files=True).train


@pytest.mark.parametrize(
    ("name", "mean", "deviation"),
    [
        ("train-images-idx3-ubyte.gz", 0.28604059698879553, 0.35302424451492237),
        ("t10k-images-idx3-ubyte.gz", 0.28684928071228494, 0.35244415324743994),
    ],
)
def test_the_sums_of_clothes_are_those_of_the_published_mean_and_deviation(name, mean, deviation):
    n, mean, deviation = np.prod(FILES[name][0]), Fraction(mean), Fraction(deviation)
    total, squares = 255 * mean * int(n), 255**2 * (mean**2 + deviation**2) * int(n)
    assert float(total) == round(total)
    assert abs(float(squares) - round(squares)) < 1e-3  # the last digit of the deviation
    assert FASHION_FILES[name] == f"sums {round(total)} and {round(squares)}"


def test_sums_are_counted_whole():
    numbers = np.random.default_rng(0).integers(0, 256, (300, 28, 28), np.uint8)
    wide = numbers.astype(int)
    sign = f"sums {wide.sum()} and {(wide**2).sum()}"
    assert mismatch(numbers, sign) == ""
    assert mismatch(numbers[::-1], "sums 1 and 1") == sign
