"""Data sets in memory: their sets, the one check of targets, inputs that are the targets."""

import tracemalloc

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, MultiLabel, Reconstruction, Regression, Samples
from lamina.datasets.augmentation import Augmentation


def samples(n=6, classes=3, shape=(4,)):
    return Samples(np.ones((n, *shape), np.float32), np.arange(n) % classes)


THREE = Classification(range(3))


def test_two_sets_or_three():
    train, test, validation = samples(6), samples(3), samples(4)
    data = Dataset(train, test, THREE)
    assert data.sets() == {"train": train, "test": test}
    assert data.validation is None
    assert not data.has_validation
    data = Dataset(train, test, THREE, validation)
    assert list(data.sets().items()) == [
        ("train", train),
        ("validation", validation),
        ("test", test),
    ]
    assert data.has_validation
    assert data.task is THREE
    assert data.input_shape == (4,)
    assert data.target_shape == ()
    assert not hasattr(data, "class_names")


def test_what_is_no_task_is_refused():
    with pytest.raises(TypeError, match=r"expects a task, as Classification\(range\(3\)\), got ra"):
        Dataset(samples(), samples(), range(3))


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_targets_are_checked_in_every_set(name):
    sets = {"train": samples(), "validation": samples(), "test": samples()}
    Dataset(task=THREE, **sets)
    sets[name] = samples(classes=4)
    with pytest.raises(
        ValueError, match=f"^the {name} targets: expects class indices.* got 3 in r"
    ):
        Dataset(task=THREE, **sets)
    sets[name] = Samples(np.ones((2, 4)), np.array(["a", "b"]))
    with pytest.raises(TypeError, match=f"^the {name} targets: .* got text"):
        Dataset(task=THREE, **sets)


@pytest.mark.parametrize("name", ["validation", "test"])
def test_all_sets_have_samples_of_one_shape(name):
    sets = {"train": samples(), "validation": samples(), "test": samples()}
    words = rf"the {name} inputs have the shape \(5,\), those to train on \(4,\)"
    with pytest.raises(ValueError, match=words):
        Dataset(task=THREE, **sets | {name: samples(shape=(5,))})
    strange = Samples(np.ones((2, 4), np.float32), np.zeros((2, 7), int))
    words = rf"the {name} targets have the shape \(7,\), those to train on \(\)"
    with pytest.raises(ValueError, match=words):
        Dataset(task=THREE, **sets | {name: strange})


def test_the_check_of_targets_costs_next_to_nothing():
    t = np.zeros(1_000_000, np.intp)
    tracemalloc.start()
    THREE.check_targets(t)
    Regression(["x"]).check_targets(t.astype(np.float32))
    assert tracemalloc.get_traced_memory()[1] < 6 << 20
    tracemalloc.stop()


def test_inputs_that_are_the_targets_are_kept_once():
    X = np.arange(40, dtype=np.uint8).reshape(10, 4)
    rebuilt = Samples(X, X, scale=0.5, offset=-1.0)
    assert rebuilt.t is rebuilt.X
    for rows in (np.array([3, 1]), slice(2, 5)):
        inputs, targets = rebuilt[rows]
        np.testing.assert_array_equal(inputs, X[rows] * 0.5 - 1.0)
        np.testing.assert_array_equal(targets, inputs)
        assert inputs.dtype == targets.dtype == np.float32
    assert rebuilt.fingerprint().count("(10, 4)") == 1
    assert Samples(X, X.copy()).fingerprint().count("(10, 4)") == 2
    data = Dataset(rebuilt, rebuilt, Reconstruction())
    assert data.input_shape == data.target_shape == (4,)


def test_targets_that_are_not_scaled_with_the_inputs_are_refused():
    X = np.arange(40, dtype=np.uint8).reshape(10, 4)
    whole, halves = Samples(X, X, 1 / 255), Samples(X, X.copy(), 1 / 255)
    with pytest.raises(ValueError, match=r"the test targets: .* as inputs and as targets"):
        Dataset(whole, halves, Reconstruction())
    clean = np.ones((10, 4), np.float32)
    Dataset(Samples(clean, clean * 2), Samples(clean, clean), Reconstruction())  # to be cleaned


def test_an_augmentation_leaves_the_target_as_it_was():
    X = np.random.default_rng(0).random((6, 1, 8, 8), np.float32)
    inputs, targets = Samples(X, X)[np.arange(6)]
    changed = Augmentation(shift=3.0, rng=np.random.default_rng(0))(inputs)
    assert (changed != targets).any()
    inputs[:] = -7.0  # what a function of the user's own may do
    np.testing.assert_array_equal(targets, X)


@pytest.mark.parametrize("labels", [(0, 1), (1, 0)])
def test_guessing_among_equal_classes_does_not_depend_on_their_numbers(labels):
    few, many = labels
    train, test = (
        Samples(np.zeros((len(t), 2), np.float32), np.array(t))
        for t in ([few, many] * 10, [few] + [many] * 9)
    )
    assert Dataset(train, test, Classification(range(2))).guess("test") == 0.5


def test_what_guessing_scores():
    train, test = samples(7), Samples(np.ones((4, 4)), np.array([0, 0, 0, 1]))
    assert Dataset(train, test, THREE).guess("test") == 0.75
    X = np.random.default_rng(0).integers(0, 256, (50, 4), np.uint8)
    Y = X[:20]
    data = Dataset(Samples(X, X, 1 / 255), Samples(Y, Y, 1 / 255), Reconstruction())
    scaled = X / 255
    expected = np.sqrt(np.square(scaled[:20] - scaled.mean(axis=0)).mean())
    assert data.guess("test") == pytest.approx(expected)


def test_data_sets_say_what_they_are():
    data = Dataset(samples(), samples(), THREE, samples(2))
    assert repr(data) == (
        "Dataset(): 6 train, 2 validation, 6 test samples; "
        "Classification(3 classes), inputs (4,), targets ()"
    )
    X = np.zeros((3, 4), np.uint8)
    assert repr(Samples(X, X, 0.5, -1.0)) == (
        "Samples(3: inputs uint8 (3, 4), scaled by 0.5 -1, targets the inputs)"
    )
    t = np.zeros((3, 2), np.float32)
    assert repr(Samples(X, t)) == "Samples(3: inputs uint8 (3, 4), targets float32 (3, 2))"
    assert "labels" in repr(Dataset(Samples(X, t), Samples(X, t), MultiLabel("ab")))
