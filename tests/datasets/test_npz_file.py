"""NPZ files: arrays of inputs and targets, which task they speak for, and what is wrong."""

import re
import tracemalloc
import zipfile

import numpy as np
import pytest

from lamina.datasets import (
    NPZ,
    Classification,
    LanguageModel,
    MultiLabel,
    Reconstruction,
    Regression,
)
from lamina.layers import Embedding


def arrays(**changed):
    """Four training and three test samples of two numbers; None leaves an array out."""
    whole = {
        "x_train": np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [0.0, 1.0]]),
        "t_train": np.array([0, 2, 1, 3]),
        "x_test": np.array([[5.0, 6.0], [7.0, 8.0], [9.0, 10.0]]),
        "t_test": np.array([1, 0, 3]),
        **changed,
    }
    return {name: array for name, array in whole.items() if array is not None}


@pytest.fixture
def npz(tmp_path):
    def write(**changed):
        path = tmp_path / "data.npz"
        np.savez(path, **arrays(**changed))
        return path

    return write


def test_arrays_from_npz(npz):
    data = NPZ(npz())
    assert data.task.class_names == ("0", "1", "2", "3")
    assert data.input_shape == (2,)
    X, t = data.train[np.array([1, 0])]
    assert X.tolist() == [[3, 4], [1, 2]]
    assert X.dtype == np.float32
    assert t.tolist() == [2, 0]
    assert t.dtype == np.intp
    assert data.test.t.tolist() == [1, 0, 3]


def test_images_of_bytes_stay_bytes_and_are_scaled(npz):
    images = np.zeros((4, 1, 2, 2), np.uint8)
    images[:2].flat = [0, 51, 255, 0, 0, 0, 0, 102]
    path = npz(x_train=images, x_test=np.zeros((3, 1, 2, 2), np.uint8))
    data = NPZ(path, scale=1 / 255)
    assert data.input_shape == (1, 2, 2)
    assert data.train.X.dtype == np.uint8
    X, _ = data.train[np.array([0, 1])]
    assert X.dtype == np.float32
    np.testing.assert_allclose(X.ravel(), [0, 0.2, 1, 0, 0, 0, 0, 0.4], rtol=1e-6)
    plain, _ = NPZ(path).train[np.array([0])]
    assert plain.dtype == np.float32
    assert plain.ravel().tolist() == [0, 51, 255, 0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.float16, np.float64])
def test_any_numbers_will_do(npz, dtype):
    x = np.array([[1, 2], [3, 4], [0, 0], [1, 0]], dtype)
    inputs = {"x_train": x, "x_test": x[:3]}
    data = NPZ(npz(**inputs), scale=0.5)
    assert data.train[np.array([1])][0].tolist() == [[1.5, 2.0]]
    small = NPZ(npz(**inputs, t_train=np.array([1, 0, 3, 2], np.uint8)))
    assert small.train.t.tolist() == [1, 0, 3, 2]


def test_compressed_files_and_further_arrays_are_fine(tmp_path):
    np.savez_compressed(tmp_path / "data.npz", **arrays(names=np.array(["a", "b"])))
    assert len(NPZ(tmp_path / "data.npz").test) == 3


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x93NUMPX" * 20])
def test_what_is_no_npz_file(tmp_path, content):
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: is no whole \.npz file \("):
        NPZ(path)


def test_an_npz_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match=r"none\.npz: cannot be read \(No such file"):
        NPZ(tmp_path / "none.npz")


def test_pickled_objects_are_refused_and_never_run(npz, tmp_path):
    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    for changed in ({"x_train": np.array([Harmful()])}, {"more": np.array([Harmful()])}):
        with pytest.raises(ValueError, match="got object; objects would be pickled"):
            NPZ(npz(**changed))
    assert not (tmp_path / "harm").exists()


def test_missing_arrays_are_listed_with_those_that_are_there(npz):
    words = "expects x_train, t_train, x_test, t_test; t_train, x_test missing, there are x_train, "
    with pytest.raises(ValueError, match=f": {words}t_test$"):
        NPZ(npz(t_train=None, x_test=None))
    nothing = dict.fromkeys(("x_train", "t_train", "x_test", "t_test"))
    with pytest.raises(ValueError, match="x_train, t_train, x_test, t_test missing, there are no"):
        NPZ(npz(**nothing))


NAN = np.array([[1.0, 2.0], [3.0, np.nan], [0.0, 0.0], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"x_train": np.array([["a"], ["b"]])}, "x_train: expects numbers (N, ...), got <U1 (2, 1"),
        ({"x_train": np.ones((2, 2), bool)}, "x_train: expects numbers (N, ...), got bool (2, 2)"),
        ({"x_test": np.ones((3, 2), complex)}, "x_test: expects numbers (N, ...), got complex128"),
        ({"x_train": np.ones(2)}, "x_train: expects numbers (N, ...), got float64 (2,)"),
        ({"x_test": np.ones((0, 2))}, "x_test: is empty, float64 (0, 2); expects samples"),
        ({"x_test": np.ones((3, 2), np.uint8)}, "x_train: expects uint8, as x_test has, got float"),
        ({"x_train": NAN}, "x_train: row 1 holds NaN or infinity"),
        (
            {"x_test": np.array([[1.0, 2.0], [np.inf, 0.0], [np.nan, 0.0]])},
            "x_test: row 1 holds NaN or infinity",
        ),
        ({"x_test": np.full((3, 2), 1e39)}, "x_test: row 0 holds a number beyond float32"),
        (
            {"t_train": np.array(["0", "1", "0", "1"])},
            "t_train: expects class indices, whole numbers (N,) or (N, T), or floats",
        ),
        ({"t_train": np.array([True, False] * 2)}, "t_train: expects class indices, whole"),
        (
            {"t_test": np.array([0, 1])},
            "t_test: expects a target for each of 3 samples, got int64 (2,)",
        ),
        (
            {"t_test": np.array([0, -1, 1])},
            "t_test: expects class indices, whole numbers from 0 to 3 (4 classes); got -1 in row 1",
        ),
        (
            {"t_test": np.array([0.5, 1.0, 2.0])},
            "t_test: expects class indices, whole numbers (3,), got float64 (3,)",
        ),
        (
            {"x_test": np.ones((3, 5))},
            "the test inputs have the shape (5,), those to train on (2,)",
        ),
        (
            {"x_test": np.ones((3, 2, 1))},
            "the test inputs have the shape (2, 1), those to train on (2,)",
        ),
        (
            {"t_train": np.zeros(4, int), "t_test": np.zeros(3, int)},
            "t_train: has only one class, 0: nothing to tell apart",
        ),
        (
            {"t_train": np.array([0, 1, 3, 1]), "t_test": np.array([0, 2, 0])},
            "t_test: the class 2 is in no training sample; no net can learn",
        ),
        (
            {"t_train": np.array([0, 1, 2, 4294967295])},
            "the target 4294967295 would make 4294967296 classes, for 7 targets in all",
        ),
        (
            {"t_train": np.array([1, 0, 1, 0])[:, None] * np.ones(2, int)},
            "t_train: int64 (4, 2) of 0 and 1 may be labels that hold or not: task: multilabel; or "
            "one of two classes for each position: task: classification; say which",
        ),
        (
            {"t_train": np.eye(4)},
            "t_train: float64 (4, 4) of 0 and 1 may be labels that hold or not: task: multilabel; "
            "or one-hot rows, which t.argmax(axis=-1) makes class indices; say which",
        ),
        (
            {"t_train": np.array([1.0, 2.0, 0.0, 3.0])},
            "t_train: float64 (4,) of few whole numbers may be numbers to learn: task: regression;",
        ),
    ],
)
def test_the_array_that_is_wrong_is_named(npz, changed, words):
    path = npz(**changed)
    with pytest.raises(ValueError, match=f"^{re.escape(f'{path}: {words}')}"):
        NPZ(path)


def test_damaged_npz_files_are_named(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros(3))
    arrays = {f"{n}_{p}": np.zeros((4, 2)[: 2 if n == "x" else 1]) for n in "xt" for p in "ab"}
    np.savez_compressed(tmp_path / "whole.npz", **arrays)
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-30])
    (tmp_path / "spoilt.npz").write_bytes(whole[:60] + b"XXXXXXXX" + whole[68:])
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as file:
        file.writestr("x_train", b"no array")
    for name in ("array.npy", "cut.npz", "spoilt.npz", "raw.npz"):
        with pytest.raises(ValueError, match=re.escape(str(tmp_path / name))):
            NPZ(tmp_path / name)


def test_arrays_that_nobody_asked_for_are_not_read(npz):
    path = npz(more=np.zeros(8 << 20, np.uint8))
    tracemalloc.start()
    NPZ(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


# What is learned.

FLOATS = {"t_train": np.array([0.5, 1.5, 2.0, -1.0]), "t_test": np.array([0.1, 0.2, 0.3])}


def test_floats_are_numbers_to_learn(npz):
    data = NPZ(npz(**FLOATS))
    assert data.task == Regression(["target"])
    assert data.train.t.dtype == np.float32
    assert data.train.t.tolist() == [[0.5], [1.5], [2.0], [-1.0]]  # as a net gives them
    assert data.target_shape == (1,)
    several = NPZ(npz(t_train=np.arange(8.0).reshape(4, 2) / 3, t_test=np.ones((3, 2))))
    assert several.task.target_names == ("target1", "target2")
    assert several.target_shape == (2,)
    named = NPZ(npz(**FLOATS), names=("price",))
    assert named.task.target_names == ("price",)


def test_numbers_to_learn_may_be_whole_if_that_is_said(npz):
    data = NPZ(npz(), task="regression")
    assert data.train.t.tolist() == [[0], [2], [1], [3]]
    assert data.train.t.dtype == np.float32


def test_a_class_for_each_position(npz):
    t = np.array([[0, 1, 2], [2, 1, 0], [0, 0, 1], [1, 2, 2]])
    data = NPZ(npz(t_train=t, t_test=t[:3]))
    assert data.task == Classification(range(3))
    assert data.target_shape == (3,)
    data.task.check_output((3, 3), data.target_shape)
    with pytest.raises(ValueError, match="a class for each of 3 positions, not one for a whole"):
        data.task.check_output((3,), data.target_shape)
    padded = np.where(t == 2, -1, t)
    data = NPZ(npz(t_train=padded, t_test=padded[:3]), ignore_index=-1)
    assert data.task.class_names == ("0", "1")
    assert data.task.ignore_index == -1
    two = NPZ(npz(t_train=t % 2, t_test=t[:3] % 2), task="classification")
    assert two.task.class_names == ("0", "1")


def test_labels_that_hold_or_not(npz):
    t = np.array([[0, 1], [1, 1], [0, 0], [1, 0]])
    for given in (t, t.astype(bool), t.astype(float)):
        data = NPZ(npz(t_train=given, t_test=given[:3]), task="multilabel", names=("cat", "dog"))
        assert data.task == MultiLabel(["cat", "dog"])
        assert data.train.t.tolist() == t.tolist()
        assert data.train.t.dtype == np.float32
    assert NPZ(npz(t_train=t, t_test=t[:3]), task="multilabel").task.label_names[0] == "label1"
    with pytest.raises(ValueError, match=r"t_train: expects 0 or 1 .* got 2 in row 1, label label"):
        NPZ(npz(t_train=t + t[:, ::-1] * [[0], [1], [0], [0]], t_test=t[:3]), task="multilabel")


WORDS = np.array([[0, 3, 9], [1, 1, 2], [5, 5, 5], [7, 0, 0]])


def test_a_word_for_each_position(npz, tmp_path):
    path = npz(x_train=WORDS, t_train=WORDS[:, ::-1], x_test=WORDS[:3], t_test=WORDS[:3])
    data = NPZ(path, task="language_model", n_words=10, indices=True, ignore_index=0)
    assert data.task == LanguageModel(range(10), ignore_index=0)
    assert data.target_shape == (3,)
    X, t = data.train[np.array([3, 0])]
    assert X.dtype.kind == "i"  # for an Embedding
    assert X.tolist() == [[7, 0, 0], [0, 3, 9]]
    assert t.tolist() == [[0, 0, 7], [9, 3, 0]]
    assert NPZ(path).train.X.dtype == np.float32
    file = tmp_path / "words.txt"
    file.write_text("".join(f"w{i}\n" for i in range(10)), encoding="utf-8")
    data = NPZ(path, task="language_model", vocabulary=file)
    assert data.task.vocabulary[9] == "w9"
    assert data.task.shown([0, 3]) == "w0 w3"


def test_words_reach_an_embedding_and_without_indices_it_says_how(npz):
    path = npz(x_train=WORDS, x_test=WORDS[:3])
    embedding = Embedding(10, 2, rng=np.random.default_rng(0))
    X, _ = NPZ(path, indices=True).train[:2]
    assert embedding.forward(X).shape == (2, 3, 2)
    with pytest.raises(TypeError, match=r"got float32; a data set of type NPZ .* indices: true"):
        embedding.forward(NPZ(path).train[:2][0])


def test_the_inputs_as_targets(npz):
    path = npz(t_train=None, t_test=None)
    data = NPZ(path, task="reconstruction", scale=0.5)
    assert data.task == Reconstruction()
    assert data.target_shape == (2,)
    assert data.train.t is data.train.X
    X, t = data.train[np.array([1])]
    assert X.tolist() == t.tolist() == [[1.5, 2.0]]
    assert len(NPZ(npz(t_test=None), task="reconstruction").test) == 3
    held = NPZ(path, task="reconstruction", n_validation=1)
    assert held.validation.t is held.validation.X
    assert (len(held.train), len(held.validation)) == (3, 1)


# Validation.


def test_arrays_of_their_own_for_validation(npz):
    path = npz(x_validation=np.ones((2, 2)), t_validation=np.array([3, 1]))
    data = NPZ(path)
    assert data.validation.t.tolist() == [3, 1]
    assert list(data.sets()) == ["train", "validation", "test"]
    assert data.train.t.tolist() == [0, 2, 1, 3]
    with pytest.raises(ValueError, match=r"has x_validation already; leave out validation_share"):
        NPZ(path, n_validation=1)
    path = npz(x_validation=np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"x_validation, t_validation; t_validation missing"):
        NPZ(path)
    path = npz(x_validation=np.ones((2, 2)), t_validation=np.array([4, 1]))
    with pytest.raises(ValueError, match="t_validation: the class 4 is in no training sample"):
        NPZ(path)


def test_a_share_for_validation_class_by_class(npz):
    t = np.repeat([0, 1, 2, 3], [40, 20, 10, 10])
    path = npz(x_train=np.arange(160.0).reshape(80, 2), t_train=t)
    data = NPZ(path, validation_share=0.1)
    assert np.bincount(data.validation.t).tolist() == [4, 2, 1, 1]
    assert np.bincount(data.train.t).tolist() == [36, 18, 9, 9]
    rows = [*data.train.X[:, 0] / 2, *data.validation.X[:, 0] / 2]
    assert sorted(rows) == list(range(80))
    np.testing.assert_array_equal(t[data.train.X[:, 0].astype(int) // 2], data.train.t)
    again, other = (NPZ(path, validation_share=0.1, split_seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.validation.X, data.validation.X)
    assert other.validation.X.tolist() != data.validation.X.tolist()
    assert NPZ(path).validation is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"task": "clasification"},
            "task: expects classification, .*; did you mean classification",
        ),
        ({"task": "language_model"}, "needs the number of its words, n_words: 10000, or"),
        (
            {"task": "language_model", "n_words": 9, "names": ("a",)},
            "needs the number of its words",
        ),
        ({"task": "language_model", "n_words": 9}, r"t_train: expects a word for each position"),
        ({"task": "language_model", "n_words": 1}, "n_words: expects 2 to 10000000, got 1"),
        ({"task": "language_model", "n_words": 10**10}, "n_words: expects 2 to 10000000, got 1000"),
        ({"n_words": 9}, "n_words and vocabulary are for task: language_model"),
        ({"indices": True, "scale": 0.5}, "indices: true keeps whole numbers .* leave out scale"),
        ({"indices": True}, "x_train: expects whole numbers .* got float64"),
        ({"indices": True, "task": "reconstruction"}, "compares numbers; leave out indices"),
        (
            {"task": "regression", "ignore_index": 1},
            "ignore_index is for classes and words, not fo",
        ),
        ({"task": "reconstruction", "names": ("a",)}, "task: reconstruction has no names"),
        ({"names": ("a", "b")}, r"t_train: .* from 0 to 1 \(2 classes\); got 2 in row 1"),
        ({"names": ("a", "b", "c", "a")}, "the name a stands twice"),
        ({"task": "multilabel"}, "t_train: expects 0 or 1 for each of 1 labels"),
        ({"validation_share": 0.1}, r"validation_share of 0.1 leaves 4 of 4 .* takes 0 for valid"),
        ({"n_validation": 4}, r"n_validation: 4 leaves 0 of 4 samples to train on and takes 4"),
        ({"n_validation": 2}, r"2 of 4 samples cannot be split off: .* 4 classes .* at most 0 can"),
        ({"n_validation": 2, "validation_share": 0.5}, "both say how many"),
        ({"split_seed": -1}, "split_seed: expects a whole number of at least 0, got -1"),
    ],
)
def test_what_cannot_be_asked_for(npz, settings, words):
    with pytest.raises(ValueError, match=words):
        NPZ(npz(), **settings)


def test_a_vocabulary_that_cannot_be_read(npz, tmp_path):
    (tmp_path / "v.txt").write_bytes(b"\xff\xfe")
    for name in ("none.txt", "v.txt"):
        with pytest.raises(ValueError, match=rf"vocabulary: .*{name} cannot be read"):
            NPZ(npz(), task="language_model", vocabulary=tmp_path / name)


def test_negative_indices_are_none(npz):
    with pytest.raises(ValueError, match="x_train: expects indices of at least 0, got -1"):
        NPZ(npz(x_train=WORDS - 1, x_test=WORDS[:3]), indices=True)


def test_a_class_that_would_take_memory_is_refused_before_its_name_is_made(npz):
    path = npz(t_train=np.array([0, 1, 2, 2**62]))
    tracemalloc.start()
    with pytest.raises(ValueError, match="would make 4611686018427387905 classes"):
        NPZ(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_set_without_samples_is_empty(tmp_path, part):
    X, t = np.ones((6, 4), np.float32), np.arange(6) % 2
    arrays = {
        f"{k}_{p}": a for k, a in (("x", X), ("t", t)) for p in ("train", "validation", "test")
    }
    arrays |= {f"x_{part}": X[:0], f"t_{part}": t[:0]}
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=rf"x_{part}: is empty, float32 \(0, 4\); expects samples"):
        NPZ(tmp_path / "a.npz").train  # noqa: B018


# As Keras has them.


def test_targets_may_be_called_y_and_stand_in_a_column(npz):
    y = {"y_train": np.array([[0], [2], [1], [3]], np.uint8), "y_test": np.array([[1], [0], [3]])}
    data = NPZ(npz(t_train=None, t_test=None, **y))
    assert data.task == Classification(range(4))
    assert data.train.t.tolist() == [0, 2, 1, 3]
    assert data.target_shape == ()
    numbers = {name: values.astype(float) + 0.5 for name, values in y.items()}
    assert NPZ(npz(t_train=None, t_test=None, **numbers)).task == Regression(["target"])
    with pytest.raises(ValueError, match="has t_train and y_train, which are one; expects one"):
        NPZ(npz(y_train=y["y_train"]))


def test_validation_samples_may_be_called_val(npz):
    data = NPZ(npz(x_val=np.ones((2, 2)), y_val=np.array([0, 1])))
    assert data.validation.t.tolist() == [0, 1]


def test_names_of_classes_in_the_file(npz):
    path = npz(class_names=np.array(["cat", "dog", "cow", "hen"]))
    assert NPZ(path).task.class_names == ("cat", "dog", "cow", "hen")
    assert NPZ(path, names=("a", "b", "c", "d")).task.class_names == ("a", "b", "c", "d")


def test_channels_that_are_last_are_said_or_turned(npz):
    images = np.arange(4 * 5 * 6 * 3, dtype=np.uint8).reshape(4, 5, 6, 3)
    path = npz(x_train=images, x_test=images[:3])
    words = (
        r"x_train: float32 \(4, 5, 6, 3\) looks like images with the channels last; channels: last"
    )
    with pytest.raises(ValueError, match=words):
        NPZ(path)
    data = NPZ(path, channels="last", scale=1 / 255)
    assert data.input_shape == (3, 5, 6)
    assert (images.transpose(0, 3, 1, 2) == data.train.X).all()
    assert NPZ(path, channels="first").input_shape == (5, 6, 3)
    grey = npz(x_train=images[..., 0], x_test=images[:3, ..., 0])
    assert NPZ(grey).input_shape == (5, 6)
    assert NPZ(grey, channels="none").input_shape == (1, 5, 6)
    with pytest.raises(
        ValueError, match=r"channels: last expects images \(N, H, W, C\), got float"
    ):
        NPZ(grey, channels="last")
    with pytest.raises(ValueError, match="channels: expects first, last or none, got middle"):
        NPZ(path, channels="middle")
    bands = np.zeros((4, 8, 8, 5), np.float32)
    with pytest.raises(ValueError, match="looks like images with the channels last"):
        NPZ(npz(x_train=bands, x_test=bands[:3]))
    first = npz(x_train=images.transpose(0, 3, 1, 2), x_test=images[:3].transpose(0, 3, 1, 2))
    assert NPZ(first).input_shape == (3, 5, 6)


def test_inputs_that_float32_cannot_tell_apart_are_refused(npz):
    X = 1.7e9 + np.arange(8.0).reshape(4, 2)
    with pytest.raises(
        ValueError, match=r"x_train: column 0: the numbers have deviation \S+, and float32"
    ):
        NPZ(npz(x_train=X, x_test=X[:3]))
