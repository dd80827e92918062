"""The batches of a run: the rows that they say, and their inputs changed."""

import numpy as np
import pytest

from lamina.datasets import Samples, Streams
from lamina.datasets.minibatches import Minibatches
from lamina.training.batches import Batches

SAMPLES = Samples(np.arange(24, dtype=np.float32).reshape(12, 2), np.arange(12))


def batches(augmentation=None):
    return Batches(SAMPLES, Minibatches(12, 5, 0), augmentation)


def test_inputs_and_targets_are_those_of_the_rows():
    made = batches()
    for _ in range(5):
        rows, X, t = next(made)
        np.testing.assert_array_equal(X, SAMPLES.X[rows])
        np.testing.assert_array_equal(t, rows)


def test_an_augmentation_changes_the_inputs_alone():
    plain, made = batches(), batches(lambda X: -X)
    for _ in range(5):
        (rows, X, t), (same_rows, changed, same_t) = next(plain), next(made)
        np.testing.assert_array_equal(same_rows, rows)
        np.testing.assert_array_equal(changed, -X)
        np.testing.assert_array_equal(same_t, t)
    assert SAMPLES.X[1].tolist() == [2, 3]


def test_the_place_is_part_of_the_state():
    made, other = batches(), Batches(SAMPLES, Minibatches(12, 5, 7))
    next(made)
    other.load_state(made.state())
    for _ in range(4):
        np.testing.assert_array_equal(next(other).rows, next(made).rows)
    with pytest.raises(ValueError, match="batch_size: expects 1 to 12"):
        Minibatches(12, 13, 0)


def test_what_is_carried_along_streams_is_of_the_rows_before():
    """The sum of all that a stream has given so far, put back where it begins."""
    made, carried = Batches(SAMPLES, Streams(12, 3)), None
    for _ in range(9):  # more than two epochs
        rows, X, _ = next(made)
        carried = X if made.begins else carried + X
        whole = [SAMPLES.X[row // 4 * 4 : row + 1].sum(axis=0) for row in rows]
        np.testing.assert_array_equal(carried, whole)


def test_in_shuffled_order_nothing_is_carried():
    made = batches()
    assert all(next(made) and made.begins for _ in range(9))


def test_samples_are_told_which_rows_are_coming():
    class Told(Samples):
        def hold(self, rows):
            held.append(rows)

    held = []
    samples = Told(np.zeros((6000, 1), np.float32), np.arange(6000))
    made = Batches(samples, Minibatches(6000, 100, 0, 10))
    known = [next(made).rows for _ in range(60)]
    assert len(held) == 3
    for i, rows in enumerate(held):
        assert sorted(np.concatenate(known[20 * i : 20 * i + 20])) == rows.tolist()
    made.load_state(made.state())
    next(made)
    assert len(held) == 4  # what a run that goes on has not read yet
    assert len([next(batches()) for _ in range(9)]) == 9  # nothing is told of a uniform shuffle
