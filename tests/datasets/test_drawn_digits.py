"""Drawn digits: what an image looks like, the cache, and that nets learn from them."""

import numpy as np
import pytest

from lamina.datasets import MNIST, DrawnDigits, Reconstruction, draw_digits, drawn_digits
from lamina.datasets.idx import read_idx
from lamina.layers import Affine, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD
from lamina.training.trainer import Trainer


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def drawn():
    return draw_digits(1000, np.random.default_rng(0))


def draw(n, seed):
    return draw_digits(n, np.random.default_rng(seed))


def test_shapes_and_balanced_classes(drawn):
    X, t = drawn
    assert X.shape == (1000, 28, 28)
    assert t.shape == (1000,)
    assert X.dtype == t.dtype == np.uint8
    assert np.bincount(t).tolist() == [100] * 10
    assert t[:10].tolist() != sorted(t[:10])


@pytest.mark.parametrize("n", [1, 7, 23])
def test_a_number_that_ten_does_not_divide(n):
    X, t = draw(n, 0)
    counts = np.bincount(t, minlength=10)
    assert len(X) == counts.sum() == n
    assert np.ptp(counts) == 1
    assert (X.max(axis=(1, 2)) > 0).all()


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    (X, t), (X_again, t_again), (X_other, t_other) = draw(60, 5), draw(60, 5), draw(60, 6)
    assert X.tobytes() == X_again.tobytes()
    assert t.tobytes() == t_again.tobytes()
    assert t.tobytes() != t_other.tobytes()
    same_digit = t == t_other
    assert same_digit.any()
    assert (X_other != X)[same_digit].any(axis=(1, 2)).all()


def test_no_two_images_are_the_same(drawn):
    X, _ = drawn
    assert len({image.tobytes() for image in X}) == 1000


def test_white_ink_on_black_paper(drawn):
    X, _ = drawn
    assert X.min() == 0
    assert X.max() == 255
    assert (X.min(axis=(1, 2)) == 0).all()
    assert (X.max(axis=(1, 2)) > 200).all()
    assert 0.05 < (X > 127).mean() < 0.25  # MNIST: 0.13
    assert ((X > 0) & (X < 255)).any(axis=(1, 2)).all()  # soft edges


def test_the_ink_fills_a_box_of_20_pixels_in_the_middle(drawn):
    X, _ = drawn
    for axis in (1, 2):
        other = 3 - axis
        ink = (X > 0).any(axis=other)
        extent = 28 - ink.argmax(axis=1) - ink[:, ::-1].argmax(axis=1)
        assert extent.max() <= 22
        mass = X.sum(axis=other, dtype=float)
        centre = (mass * np.arange(28)).sum(axis=1) / mass.sum(axis=1)
        assert np.abs(centre - 13.5).max() < 3.0
        assert abs(centre.mean() - 13.5) < 0.5
    rows, columns = (X > 0).any(axis=2).sum(axis=1), (X > 0).any(axis=1).sum(axis=1)
    assert np.maximum(rows, columns).min() >= 18


def test_the_digits_differ_more_from_one_another_than_within():
    """The nearest mean image says the digit, mostly: the labels belong to the images."""
    X, t = draw(1000, 0)
    means = np.stack([X[t == digit].mean(axis=0) for digit in range(10)])
    X, t = draw(500, 1)
    distance = np.square(X[:, None] - means).sum(axis=(2, 3))
    assert (distance.argmin(axis=1) == t).mean() > 0.6


def test_the_dataset_draws_when_it_is_used(home, monkeypatch):
    data = DrawnDigits(n_train=30, n_test=20)
    assert data.input_shape == (784,)
    assert data.task.class_names == tuple("0123456789")
    assert list(home.iterdir()) == []
    assert data.train.X.shape == (30, 784)
    assert data.test.X.shape == (20, 784)
    assert data.train.X.dtype == np.uint8
    X, t = data.train[np.array([0, 5])]
    assert X.dtype == np.float32
    np.testing.assert_allclose(X, data.train.X[[0, 5]] / 255.0, rtol=1e-6)
    assert t.dtype == np.intp
    assert data.train is data.train


def test_images_for_convolutions(home):
    data = DrawnDigits(n_train=30, n_test=20, flatten=False)
    assert data.input_shape == (1, 28, 28)
    assert data.train.X.shape == (30, 1, 28, 28)
    flat = DrawnDigits(n_train=30, n_test=20).train.X
    np.testing.assert_array_equal(data.train.X.reshape(30, 784), flat)


def test_normalised_by_the_training_images(home):
    data = DrawnDigits(n_train=30, n_test=20, normalise=True)
    X_test, _ = data.test[:]
    X, _ = data.train[:]
    assert X.dtype == X_test.dtype == np.float32
    assert X.mean() == pytest.approx(0.0, abs=1e-5)
    assert X.std() == pytest.approx(1.0, abs=1e-5)
    plain = DrawnDigits(n_train=30, n_test=20)
    mean, deviation = plain.train[:][0].mean(), plain.train[:][0].std()
    np.testing.assert_allclose(X_test, (plain.test[:][0] - mean) / deviation, atol=1e-5)


def test_training_and_test_part_differ_and_the_seed_decides_both(home):
    data = DrawnDigits(n_train=30, n_test=30)
    assert (data.train.X != data.test.X).any(axis=1).all()
    other = DrawnDigits(n_train=30, n_test=30, seed=1)
    assert (data.train.X != other.train.X).any(axis=1).all()
    assert (data.test.X != other.test.X).any(axis=1).all()


def test_the_first_use_leaves_idx_files_and_the_second_reads_them(home, monkeypatch):
    first = DrawnDigits(n_train=30, n_test=20, seed=3)
    parts = [(part.X.copy(), part.t.copy()) for part in (first.train, first.test)]
    files = sorted(path.name for path in (home / "drawn_digits").iterdir())
    assert len(files) == 4
    assert all("seed3" in name and name.endswith("-ubyte.gz") for name in files)
    shapes = {read_idx(home / "drawn_digits" / name).shape for name in files}
    assert shapes == {(30, 28, 28), (30,), (20, 28, 28), (20,)}

    def never(*arguments):
        raise AssertionError("drawn again")

    monkeypatch.setattr(drawn_digits, "draw_digits", never)
    second = DrawnDigits(n_train=30, n_test=20, seed=3)
    for part, (X, t) in zip((second.train, second.test), parts, strict=True):
        np.testing.assert_array_equal(part.X, X)
        np.testing.assert_array_equal(part.t, t)
    for other in (
        DrawnDigits(n_train=31, n_test=20, seed=3),
        DrawnDigits(n_train=30, n_test=20, seed=4),
    ):
        with pytest.raises(AssertionError, match="drawn again"):
            _ = other.train


@pytest.mark.parametrize("which", ["train30-images", "train30-labels"])
@pytest.mark.parametrize("damage", ["cut", "garbage", "empty"])
def test_a_damaged_cache_is_drawn_anew(home, which, damage):
    before = DrawnDigits(n_train=30, n_test=20).train
    (path,) = (home / "drawn_digits").glob(f"*{which}*")
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "garbage": b"?" * 90, "empty": b""}[damage])
    after = DrawnDigits(n_train=30, n_test=20).train
    np.testing.assert_array_equal(after.X, before.X)
    np.testing.assert_array_equal(after.t, before.t)
    expected = before.X.reshape(30, 28, 28) if "images" in which else before.t
    np.testing.assert_array_equal(read_idx(path), expected)


def test_a_folder_that_cannot_be_written_only_means_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "file" / "below"))
    data = DrawnDigits(n_train=30, n_test=20)
    assert data.train.X.shape == (30, 784)
    assert data.test.X.any()
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n_train": 0}, "n_train: expects at least 1, got 0"),
        ({"n_test": -1}, "n_test: expects at least 1, got -1"),
        ({"n_test": 2.0}, "n_test: expects a whole number of at least 1, got 2.0"),
        ({"seed": -1}, "seed: expects at least 0, got -1"),
    ],
)
def test_bad_sizes_are_refused(settings, words):
    with pytest.raises(ValueError, match=words):
        DrawnDigits(**settings)


def trained(data, iterations):
    """A small net after that many batches of 100."""
    rng = np.random.default_rng(0)
    net = Sequential(
        {"affine1": Affine(784, 50, rng=rng), "relu": Relu(), "affine2": Affine(50, 10, rng=rng)},
        loss=SoftmaxWithLoss(),
    )
    optimizer = SGD(net.parameters(), lr=0.1)
    settings = {"iterations": iterations, "evaluate_every": iterations, "quiet": True}
    Trainer(net, optimizer, data, rng=rng, batch_size=100, **settings).run()
    return net


def test_a_small_net_learns_to_read_them(home):
    data = DrawnDigits(n_train=6_000, n_test=1_000)
    net = trained(data, iterations=1_500)
    assert net.accuracy(*data.test[:]) >= 0.93


@pytest.mark.slow
@pytest.mark.needs_mnist
def test_who_learned_on_drawn_digits_reads_most_of_mnist(tmp_path, monkeypatch):
    mnist = MNIST().test  # before the cache goes elsewhere
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    net = trained(DrawnDigits(n_train=12_000, n_test=100), iterations=6_000)
    assert len(mnist) == 10_000
    assert net.accuracy(*mnist[:]) >= 0.72


def test_digits_for_validation_are_further_ones_of_the_same_pen(home):
    plain = DrawnDigits(n_train=90, n_test=20, normalise=True)
    data = DrawnDigits(n_train=90, n_test=20, normalise=True, validation_share=0.25)
    assert not plain.has_validation
    assert plain.validation is None
    assert list(plain.sets()) == ["train", "test"]
    assert data.has_validation
    assert list(data.sets()) == ["train", "validation", "test"]
    assert list(home.iterdir()) == [home / "drawn_digits"]
    for name, samples in plain.sets().items():
        assert samples.fingerprint() == data.sets()[name].fingerprint()
    assert len(data.validation) == 30  # a quarter of all 120
    assert np.bincount(data.validation.t).tolist() == [3] * 10
    assert data.validation.scale == data.train.scale
    images = [image.tobytes() for samples in data.sets().values() for image in samples.X]
    assert len(set(images)) == 140
    again = DrawnDigits(n_train=90, n_test=30, n_validation=30)  # as many, and yet others
    assert (again.validation.X != again.test.X).any(axis=1).all()
    np.testing.assert_array_equal(again.validation.X, data.validation.X)
    assert (DrawnDigits(seed=1, n_validation=30).validation.X != data.validation.X).any()


def test_whether_there_is_validation_is_known_before_anything_is_drawn(home):
    assert DrawnDigits(n_validation=3).has_validation
    assert not DrawnDigits().has_validation
    assert repr(DrawnDigits(n_validation=3)).startswith("DrawnDigits(n_validation=3): not read yet")
    assert list(home.iterdir()) == []


def test_digits_to_be_reconstructed(home):
    data = DrawnDigits(n_train=30, n_test=20, flatten=False, task="reconstruction", n_validation=9)
    assert data.task == Reconstruction()
    assert data.input_shape == data.target_shape == (1, 28, 28)
    for samples in data.sets().values():
        assert samples.t is samples.X
        assert samples.X.dtype == np.uint8
        X, t = samples[np.arange(5)]
        np.testing.assert_array_equal(X, t)
        assert t.max() == 1.0
    assert 0.1 < data.guess("test") < 0.5  # in the unit of the inputs


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"task": "regression"}, "task: expects classification, reconstruction; got regression"),
        ({"n_validation": 0}, "n_validation: expects a whole number of at least 1, got 0"),
        ({"n_validation": 3, "validation_share": 0.1}, "both say how many"),
        ({"validation_share": 1.5}, "validation_share: expects a share between 0 and 1, got 1.5"),
    ],
)
def test_what_cannot_be_asked_for(settings, words):
    with pytest.raises(ValueError, match=words):
        DrawnDigits(**settings)
