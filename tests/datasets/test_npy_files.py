"""Data sets in .npy files: as in memory, whether they are read at once or a batch at a time."""

import re

import numpy as np
import pytest

from lamina.datasets import NPY, NPZ, LanguageModel, MultiLabel, Reconstruction, Regression
from lamina.datasets import npy_files as module
from lamina.datasets.dataset import standardising
from lamina.datasets.digit_files import write_digits
from lamina.datasets.rows import pieces

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (300, 1, 4, 4), dtype=np.uint8)
CLASSES = (np.arange(300) // 100).astype(np.uint8)  # sorted by class


@pytest.fixture(params=["in memory", "in files"], autouse=True)
def in_files(request, monkeypatch):
    if request.param == "in files":
        monkeypatch.setattr(module, "IN_MEMORY", 0)
    return request.param == "in files"


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        for name, array in arrays.items():
            np.save(tmp_path / f"{name}.npy", array)
        return [tmp_path / f"{name}.npy" for name in arrays]

    return save


def everything(samples):
    X, t = zip(*samples.batches(7), strict=True)
    return np.concatenate(X), np.concatenate(t)


def test_files_for_each_set_are_an_npz_of_the_same_arrays(saved, tmp_path, in_files):
    arrays = {"x_train": IMAGES, "t_train": CLASSES, "x_test": IMAGES[::7], "t_test": CLASSES[::7]}
    np.savez(tmp_path / "data.npz", **arrays)
    x, t, x_test, t_test = saved(**arrays)
    npz = NPZ(tmp_path / "data.npz", scale=1 / 255, validation_share=0.1)
    npy = NPY(x, t, test_inputs=x_test, test_targets=t_test, validation_share=0.1)
    assert npy.train.X.in_files == in_files
    assert npy.task == npz.task
    assert (npy.input_shape, npy.target_shape) == ((1, 4, 4), ())
    for name, samples in npz.sets().items():
        for ours, theirs in zip(everything(npy.sets()[name]), everything(samples), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
        assert npy.guess(name) == npz.guess(name)
    assert npy.guessing_loss("SoftmaxWithLoss") == npz.guessing_loss("SoftmaxWithLoss")
    assert npy.guessing_loss("SVMLoss") == npz.guessing_loss("SVMLoss")


def test_sets_out_of_one_file_are_taken_class_by_class_and_have_every_row_once(saved):
    x, t = saved(x=np.arange(600).reshape(300, 2), t=CLASSES)
    data = NPY([x], [t], test_share=0.2, n_validation=24)
    parts = {name: everything(samples) for name, samples in data.sets().items()}
    assert {name: np.bincount(t).tolist() for name, (_, t) in parts.items()} == {
        "train": [72, 72, 72],
        "validation": [8, 8, 8],
        "test": [20, 20, 20],
    }
    rows = np.concatenate([X[:, 0] // 2 for X, _ in parts.values()]).astype(int)
    assert sorted(rows) == list(range(300))
    for X, t in parts.values():
        np.testing.assert_array_equal(t, CLASSES[X[:, 0].astype(int) // 2])
    assert data.train.X.dtype == np.float32


def test_pieces_are_one_array(saved):
    whole = saved(x=IMAGES, t=CLASSES)
    cut = saved(a=IMAGES[:120], b=IMAGES[120:]), saved(c=CLASSES[:10], d=CLASSES[10:])
    one, several = NPY(*whole), NPY(*cut)
    for name, samples in one.sets().items():
        for ours, theirs in zip(everything(several.sets()[name]), everything(samples), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert several.sets()[name].fingerprint() == samples.fingerprint()


def test_bytes_are_scaled_as_images_are(saved):
    x, t = saved(x=IMAGES, t=CLASSES)
    data = NPY(x, t)
    assert (data.train.scale, data.train.offset) == (1 / 255, 0)
    assert data.train.X.dtype == np.uint8
    assert data.train[:3][0].dtype == np.float32
    assert NPY(x, t, scale=1.0).train[:200][0].max() == 255
    normal = NPY(x, t, normalise=True)
    assert (normal.test.scale, normal.test.offset) == standardising(normal.train.X[:])
    X, _ = everything(normal.train)
    assert abs(X.mean()) < 1e-5
    assert abs(X.std() - 1) < 1e-5


def test_other_numbers_become_float32(saved):
    x, t = saved(x=IMAGES.astype(">f8")[:, 0], t=CLASSES)
    X, _ = NPY(x, t, scale=0.5).train[:2]
    assert X.dtype == np.float32
    x, t = saved(x=IMAGES.astype(np.int32)[:, 0], t=CLASSES)
    for options in ({}, {"scale": 2.0}):
        assert NPY(x, t, **options).train[np.arange(2)][0].dtype == np.float32
    assert NPY(x, t, indices=True).train[:2][0].dtype == np.int32


def test_booleans_are_no_bytes(saved):
    """True is 1.0, not a 255th of it; as a target it is the class, or label, 1."""
    mask = RNG.random((300, 4)) > 0.5
    x, t = saved(x=mask, t=mask[:, 0])
    for options, true in (({}, 1.0), ({"scale": 0.5}, 0.5)):
        X, classes = everything(NPY(x, t, **options).train)
        assert X.dtype == np.float32
        assert np.unique(X).tolist() == [0, true]
        np.testing.assert_array_equal(X[:, 0] == true, classes)
    for part in everything(NPY(x, task="reconstruction").train):
        assert np.unique(part).tolist() == [0, 1]
    data = NPY(x, t, task="regression")
    assert np.unique(everything(data.train)[1]).tolist() == [0, 1]
    for options, words in (({"indices": True}, "whole numbers"), ({"normalise": True}, "of bytes")):
        with pytest.raises(ValueError, match=f"{words}.*bool"):
            NPY(x, t, **options)
    bytes_, _ = saved(other=IMAGES[:, 0, 0, :4], t=mask[:, 0])
    with pytest.raises(ValueError, match="has rows uint8"):
        NPY([x, bytes_], t, task="classification")


def test_every_task(saved):
    numbers = RNG.standard_normal(300)
    x, t = saved(x=IMAGES, t=numbers)
    data = NPY(x, t)
    assert isinstance(data.task, Regression)
    assert data.target_shape == (1,)
    assert data.train[:2][1].dtype == np.float32
    _, targets = everything(data.test)
    _, train = everything(data.train)
    rmse = float(np.sqrt(np.square(targets - train.mean(dtype=float)).mean(dtype=float)))
    assert data.guess("test") == pytest.approx(rmse)
    labels = RNG.integers(0, 2, (300, 3)).astype(bool)
    data = NPY(*saved(x=IMAGES, t=labels), task="multilabel")
    assert isinstance(data.task, MultiLabel)
    assert data.guess("test") > 0.4
    words = RNG.integers(0, 9, (300, 5))
    data = NPY(*saved(x=words, t=words), task="language_model", n_words=9, indices=True)
    assert isinstance(data.task, LanguageModel)
    assert 8 < data.guess("test") < 10
    data = NPY(saved(x=IMAGES)[0], task="reconstruction", validation_share=0.1)
    assert isinstance(data.task, Reconstruction)
    for samples in data.sets().values():
        X, t = samples[np.arange(5)]
        np.testing.assert_array_equal(X, t)


LIES = {
    "lengths": ({"t": CLASSES[:-1]}, {}, "t.npy: expects a target for each of the 300 rows of"),
    "one dimension": ({"x": CLASSES}, {}, r"x.npy: expects inputs \(N, ...\), got uint8 \(300,\)"),
    "label too large": (
        {"t": np.where(np.arange(300) == 250, 17, CLASSES)},
        {"names": ("a", "b", "c")},
        "t.npy: expects class indices, whole numbers from 0 to 2 .* got 17 in row 250",
    ),
    "label below 0": ({"t": np.where(np.arange(300) == 9, -3, 1)}, {}, "got -3 in row 9"),
    "NaN target": ({"t": np.where(np.arange(300) == 299, np.nan, 0.5)}, {}, "got nan in row 299"),
    "no label": (
        {"t": np.where(np.arange(900) == 899, 2, 0).reshape(300, 3)},
        {"task": "multilabel"},
        "expects 0 or 1 for each label; got 2 in row 299, label label3",
    ),
    "one class": ({"t": np.zeros(300, int)}, {}, "has only one class, 0: nothing to tell apart"),
    "counted from 1": ({"t": CLASSES + 1}, {}, "do the labels start at 1"),
    "a class for two": (
        {"t": np.stack([CLASSES % 2, CLASSES // 2], 1)},
        {},
        "of 0 and 1 may be labels that hold or not",
    ),
    "whole floats": ({"t": CLASSES.astype(float)}, {}, "of few whole numbers may be numbers"),
    "no whole inputs": ({"x": IMAGES / 2}, {"indices": True}, "x.npy: expects whole numbers"),
    "index below 0": ({"x": IMAGES.astype(int) - 1}, {"indices": True}, "at least 0, got -1"),
    "normalise": ({"x": IMAGES / 2}, {"normalise": True}, "normalise: is for images of bytes"),
    "two scales": ({}, {"normalise": True, "scale": 2.0}, "normalise: finds the scale itself"),
    "share": ({}, {"test_share": 1.5}, "test_share: expects a share between 0 and 1, got 1.5"),
    "both ways": ({}, {"n_validation": 9, "validation_share": 0.1}, "both say"),
    "task": ({}, {"task": "clasification"}, "did you mean classification"),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_wrong_is_said(saved, lie):
    changed, options, said = LIES[lie]
    paths = saved(**({"x": IMAGES, "t": CLASSES} | changed))
    with pytest.raises((ValueError, TypeError), match=said):
        NPY(*paths, **options)


def test_wrong_labels_are_found_in_whichever_piece_they_are(saved, monkeypatch):
    monkeypatch.setattr(pieces, "__defaults__", (64,))
    for lie in ("label too large", "label below 0", "NaN target", "no label", "counted from 1"):
        test_what_is_wrong_is_said(saved, lie)


def test_sets_that_lack_a_half(saved):
    x, t = saved(x=IMAGES, t=CLASSES)
    for arguments, said in (
        ({"inputs": x}, "inputs: needs targets too"),
        ({"inputs": x, "targets": t, "test_inputs": x}, "test_inputs: needs test_targets too"),
        ({"inputs": x, "targets": t, "validation_targets": t}, "needs validation_inputs too"),
        ({"inputs": x, "targets": t, "task": "reconstruction"}, "leave out"),
        ({"inputs": [], "targets": t}, "inputs: expects the path of an .npy file, or a list"),
    ):
        with pytest.raises(ValueError, match=said):
            NPY(**arguments)


@pytest.mark.parametrize("other", ["test", "validation"])
@pytest.mark.parametrize("bytes_to_train_on", [True, False])
def test_sets_of_which_one_is_of_bytes(saved, other, bytes_to_train_on):
    """The others would be 255 times as large, or as small, as what the net has learned on."""
    pair = [IMAGES.astype(np.uint8), IMAGES.astype(np.float32) / 255]
    one, two = pair if bytes_to_train_on else pair[::-1]
    x, t, z = saved(x=one, t=CLASSES, z=two)
    sets = {f"{other}_inputs": z, f"{other}_targets": t}
    with pytest.raises(ValueError, match=rf"z.npy: holds {two.dtype}, and .*x.npy {one.dtype}; by"):
        NPY(x, t, **sets)


def test_sets_that_differ_in_shape(saved):
    x, t, z = saved(x=IMAGES, t=CLASSES, z=IMAGES[:, :, 1:])
    with pytest.raises(ValueError, match=re.escape("the test inputs have the shape (1, 3, 4)")):
        NPY(x, t, test_inputs=z, test_targets=t)


def test_a_fingerprint_is_of_the_contents_and_the_rows(saved):
    x, t = saved(x=IMAGES, t=CLASSES)
    before = NPY(x, t).train.fingerprint()
    assert NPY(x, t).train.fingerprint() == before
    assert NPY(x, t, split_seed=1).train.fingerprint() != before
    changed = IMAGES.copy()
    changed[137, 0, 2, 2] ^= 1
    saved(x=changed)
    assert NPY(x, t).train.fingerprint() != before


def test_digits_are_written_in_pieces_and_are_the_same_for_the_same_seed(tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.datasets.digit_files._CHUNK", 50)
    told = []
    x, t = tmp_path / "x.npy", tmp_path / "t.npy"
    write_digits(x, t, 120, 3, told.append)
    assert told == [50, 100, 120]
    X, digits = np.load(x), np.load(t)
    assert (X.shape, X.dtype, digits.shape) == ((120, 1, 28, 28), np.uint8, (120,))
    assert len(np.unique(X, axis=0)) == 120
    assert NPY(x, t).task.class_names == tuple("0123456789")
    write_digits(tmp_path / "y.npy", tmp_path / "u.npy", 120, 3)
    assert (tmp_path / "y.npy").read_bytes() == x.read_bytes()
    with pytest.raises(FileExistsError, match="is there already; move it away"):
        write_digits(x, tmp_path / "v.npy", 120)


def test_digits_that_could_not_be_written_leave_nothing(tmp_path, monkeypatch):
    def stop(drawn):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_digits(tmp_path / "x.npy", tmp_path / "t.npy", 20, told=stop)
    assert list(tmp_path.iterdir()) == []
    for n, seed, said in ((0, 0, "^n: expects at least 1"), (1, -1, "^seed: expects at least 0")):
        with pytest.raises(ValueError, match=said):
            write_digits(tmp_path / "x.npy", tmp_path / "t.npy", n, seed)


def test_channels_that_are_last_are_said_or_turned(saved):
    images = np.random.default_rng(0).integers(0, 255, (20, 5, 5, 3), np.uint8)
    x, t = saved(x=images, t=np.arange(20) % 2)
    words = r"x.npy: uint8 \(20, 5, 5, 3\) looks like images with the channels last; channels: last"
    with pytest.raises(ValueError, match=words):
        NPY(x, t)
    data = NPY(x, t, channels="last")
    assert data.input_shape == (3, 5, 5)
    turned = NPY(*saved(y=images.transpose(0, 3, 1, 2), t2=np.arange(20) % 2))
    np.testing.assert_array_equal(everything(data.train)[0], everything(turned.train)[0])
    assert data.train.X[[3, 1]].flags.c_contiguous
    assert NPY(x, t, channels="first").input_shape == (5, 5, 3)
    with pytest.raises(ValueError, match="channels: expects first or last, got middle"):
        NPY(x, t, channels="middle")
    grey = saved(grey=images[..., 0], t3=np.arange(20) % 2)
    with pytest.raises(ValueError, match=r"channels: last expects images \(N, H, W, C\)"):
        NPY(*grey, channels="last")


@pytest.mark.parametrize(("shape", "last"), [((6, 6, 10), True), ((6, 6, 2), True)])
def test_squares_with_fewer_numbers_for_a_pixel_are_channels_last(saved, shape, last):
    shape = (shape[0] + 10, shape[1] + 10, shape[2])
    paths = saved(x=np.ones((9, *shape), np.float32), t=np.arange(9) % 2)
    with pytest.raises(ValueError, match="looks like images with the channels last"):
        NPY(*paths)
    assert NPY(*saved(x=np.ones((9, 2, 6, 6), np.float32), t=np.arange(9) % 2)).input_shape[0] == 2


def test_inputs_that_float32_cannot_tell_apart_are_refused(saved):
    seconds = 1.7e9 + np.arange(40.0)
    X = np.stack([np.arange(40.0), seconds], axis=1)
    words = r"x.npy: column 1: the numbers have deviation \S+, and float32 rounds .*; take 17\d+"
    for array in (X, X.astype(np.int64)):
        with pytest.raises(ValueError, match=words):
            NPY(*saved(x=array, t=np.arange(40) % 2))
    NPY(*saved(x=X - [0.0, 1.7e9], t=np.arange(40) % 2))


@pytest.mark.parametrize("shape", [(16, 4, 4), (8, 3, 3), (512, 1, 1), (64, 7, 7)])
def test_squares_behind_many_channels_are_channels_first(saved, shape):
    x, t = saved(x=np.ones((9, *shape), np.float32), t=np.arange(9) % 2)
    assert NPY(x, t).input_shape == shape
