"""Minibatches and samples."""

import numpy as np
import pytest

from lamina.datasets import Samples
from lamina.datasets.dataset import standardising
from lamina.datasets.minibatches import Minibatches


def take(batches, n):
    return [next(batches).tolist() for _ in range(n)]


@pytest.mark.parametrize(("n", "size"), [(10, 5), (10, 3), (7, 7), (5, 1)])
def test_every_row_once_per_epoch_in_batches_of_one_size(n, size):
    rows = take(Minibatches(n, size, np.random.default_rng(0)), 4 * n)
    assert {len(r) for r in rows} == {size}
    flat = [row for batch in rows for row in batch]
    for epoch in range(4):
        assert sorted(flat[epoch * n : (epoch + 1) * n]) == list(range(n))
    assert flat[:n] != flat[n : 2 * n] or n == 1


def test_the_seed_decides_the_order():
    def first(seed):
        return take(Minibatches(100, 10, np.random.default_rng(seed)), 30)

    assert first(1) == first(1)
    assert first(1) != first(2)


@pytest.mark.parametrize("before", [0, 3, 10, 17])
def test_the_place_is_saved_exactly(before):
    batches = Minibatches(23, 4, np.random.default_rng(0))
    take(batches, before)
    saved = batches.state()
    rest = take(batches, 20)
    other = Minibatches(23, 4, np.random.default_rng(99))
    other.load_state(saved)
    assert take(other, 20) == rest


@pytest.mark.parametrize("before", [4, 8])
def test_the_place_between_two_epochs_is_one(before):
    batches = Minibatches(20, 5, np.random.default_rng(0))
    take(batches, before)
    other = Minibatches(20, 5, np.random.default_rng(99))
    other.load_state(batches.state())
    assert take(other, 9) == take(batches, 9)


def test_a_place_in_other_data_is_refused():
    saved = Minibatches(23, 4, np.random.default_rng(0)).state()
    with pytest.raises(ValueError, match="the saved order has 23 rows, the data 24"):
        Minibatches(24, 4, np.random.default_rng(0)).load_state(saved)


@pytest.mark.parametrize("size", [0, 11])
def test_a_batch_size_that_does_not_fit(size):
    with pytest.raises(ValueError, match="batch_size: expects 1 to 10"):
        Minibatches(10, size, np.random.default_rng(0))


def test_samples_with_and_without_a_scale():
    X, t = np.array([[0], [51], [255]], np.uint8), np.array([0, 1, 2])
    batch, targets = Samples(X, t, scale=1 / 255)[np.array([1, 2])]
    np.testing.assert_allclose(batch, [[0.2], [1.0]], rtol=1e-6)
    assert targets.tolist() == [1, 2]
    assert Samples(X, t)[1:][0].dtype == np.uint8
    with pytest.raises(ValueError, match="3 inputs and 2 targets"):
        Samples(X, t[:2])


def test_an_offset_is_added_after_the_scale():
    X, t = np.array([[0], [51], [255]], np.uint8), np.array([0, 1, 2])
    samples = Samples(X, t, scale=1 / 51, offset=-2.0)
    for rows in (np.array([2, 0]), slice(None)):
        batch, _ = samples[rows]
        assert batch.dtype == np.float32
        np.testing.assert_allclose(batch, X[rows] / 51.0 - 2.0, rtol=1e-6)
    assert X.tolist() == [[0], [51], [255]]
    with pytest.raises(ValueError, match=r"an offset \(-2\.0\) needs a scale"):
        Samples(X, t, offset=-2.0)


def test_standardising_is_by_all_pixels_together():
    X = np.random.default_rng(0).integers(0, 256, (700, 3, 5), np.uint8)
    scale, offset = standardising(X)
    np.testing.assert_allclose([scale, offset], [1 / X.std(), -X.mean() / X.std()], rtol=1e-12)
    assert type(scale) is type(offset) is float
    Y = X * scale + offset
    np.testing.assert_allclose([Y.mean(), Y.std()], [0.0, 1.0], atol=1e-12)


def test_pixels_that_are_all_the_same_become_zero():
    X = np.full((3, 4), 7, np.uint8)
    scale, offset = standardising(X)
    assert (X * scale + offset == 0).all()


@pytest.mark.parametrize(("shape", "rows"), [((2500, 3), 1000), ((450, 1, 2, 2), 200)])
def test_samples_come_in_batches_that_suit_them(shape, rows):
    samples = Samples(np.zeros(shape), np.arange(shape[0]))
    sizes = [len(t) for _, t in samples.batches()]
    assert max(sizes) == rows
    assert sum(sizes) == shape[0]
    assert next(len(t) for _, t in samples.batches(100)) == 100


def test_a_fingerprint_is_of_all_that_a_batch_is_made_of():
    X, t = np.arange(6, dtype=np.uint8).reshape(3, 2), np.array([0, 1, 2])
    different = [
        Samples(X, t, 0.5, 1.0),
        Samples(X, t, 0.5, 2.0),
        Samples(X, t, 0.25, 1.0),
        Samples(X[::-1], t, 0.5, 1.0),
        Samples(X, t[::-1], 0.5, 1.0),
        Samples(X.astype(np.int8), t, 0.5, 1.0),
        Samples(X.reshape(3, 1, 2), t, 0.5, 1.0),
    ]
    assert len({samples.fingerprint() for samples in different}) == len(different)
    assert different[0].fingerprint() == Samples(X.copy(), t.copy(), 0.5, 1.0).fingerprint()


SIZES = [(1000, 10, 1), (1000, 7, 3), (1003, 50, 1), (2600, 300, 2), (777, 777, 1), (10, 3, 100)]


@pytest.mark.parametrize(("n", "size", "block"), SIZES)
def test_in_blocks_too_every_row_comes_once_per_epoch(n, size, block):
    made = Minibatches(n, size, 0, block)
    rows = [next(made) for _ in range(3 * n // size + 1)]
    assert {len(r) for r in rows} == {size}
    flat = np.concatenate(rows)
    for epoch in range(3):
        assert sorted(flat[epoch * n : (epoch + 1) * n]) == list(range(n))
    assert flat[:n].tolist() != flat[n : 2 * n].tolist()


def test_blocks_are_of_neighbours_and_come_from_all_over():
    made = Minibatches(100_000, 100, 0, 10)
    assert made.n_pools == 40  # of 250 blocks
    first = [made.coming]
    take(made, 1000)
    first.append(made.coming)  # an epoch later other blocks are together
    assert len(np.intersect1d(*first)) < 500
    for _ in range(3):
        coming = made.coming
        assert len(coming) == 2500
        assert (np.diff(coming) > 0).all()
        assert (coming.reshape(-1, 10) == coming[::10, np.newaxis] + np.arange(10)).all()
        assert abs(coming.mean() - 50_000) < 5 * 100_000 / np.sqrt(12 * 250)
        rows = np.concatenate([next(made) for _ in range(25)])
        assert sorted(rows) == coming.tolist()
        assert np.count_nonzero(np.diff(rows) == 1) < 20  # shuffled among themselves


def test_a_shuffle_of_few_blocks_is_uniform():
    made = Minibatches(200, 200, 0, 1)
    places = np.zeros((200, 200), int)
    for _ in range(2000):
        places[np.arange(200), next(made)] += 1  # every row at every place about ten times
    squares = np.square(places - 10.0).sum(axis=1) / 10.0  # chi squared of 199 degrees each
    assert abs(squares.mean() - 199) < 5 * np.sqrt(2 * 199 / 200)


@pytest.mark.parametrize("before", [0, 1, 25, 26, 399, 400, 401])
def test_the_place_among_blocks_is_saved_exactly(before):
    made = Minibatches(40_003, 100, 0, 10)
    take(made, before)
    saved = made.state()
    rest = take(made, 500)
    other = Minibatches(40_003, 100, 99, 10)
    other.load_state(saved)
    assert take(other, 500) == rest
    assert sum(array.nbytes for array in saved.values()) < 20_000  # blocks and a pool, not all rows


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"blocks": np.zeros(4001, int)}, "does not have every block once"),
        ({"pool": np.array(16)}, "does not have every block once"),
        ({"pool": np.array(-1)}, "does not have every block once"),
        ({"pool": np.array(3)}, "does not have every row once"),
        ({"cursor": np.array(2501)}, "does not have every row once"),
        ({"order": np.zeros(3, int)}, "the saved order has 3 rows, the data 2500"),
    ],
)
def test_a_place_that_cannot_be(changed, said):
    saved = Minibatches(40_000, 100, 0, 10).state()
    with pytest.raises(ValueError, match=said):
        Minibatches(40_000, 100, 0, 10).load_state(saved | changed)


def test_a_place_of_another_block():
    for block, other in ((10, None), (None, 10)):
        saved = Minibatches(40_000, 100, 0, block).state()
        with pytest.raises(ValueError, match="of another shuffle_block"):
            Minibatches(40_000, 100, 0, other).load_state(saved)
    with pytest.raises(ValueError, match="shuffle_block: expects at least 1, got 0"):
        Minibatches(100, 10, 0, 0)
