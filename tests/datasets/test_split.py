"""What is held back to validate and to test: how many, of which classes, and always the same."""

import numpy as np
import pytest

from lamina.datasets.split import n_test_out_of, split_off, validation_beside, validation_out_of

UNEQUAL = np.repeat(np.arange(5), [300, 120, 41, 7, 2])


def shuffled(t, seed=0):
    return np.random.default_rng(seed).permutation(t)


@pytest.mark.parametrize("classes", [None, shuffled(UNEQUAL)])
@pytest.mark.parametrize("n_off", [1, 47, 200, 400])
def test_every_sample_is_on_one_side_in_its_order(classes, n_off):
    stay, off = split_off(len(UNEQUAL), n_off, 3, classes)
    assert len(off) == n_off
    assert sorted([*stay, *off]) == list(range(len(UNEQUAL)))
    assert (np.diff(stay) > 0).all()
    assert (np.diff(off) > 0).all()


@pytest.mark.parametrize("n_off", [1, 10, 47, 94, 235, 400, 465])
def test_every_class_gives_its_share_and_keeps_one(n_off):
    t = shuffled(UNEQUAL)
    stay, off = split_off(len(t), n_off, 0, t)
    counts, taken = np.bincount(t), np.bincount(t[off], minlength=5)
    left = np.bincount(t[stay], minlength=5)
    assert taken.sum() == n_off
    assert (left >= 1).all()
    exact = counts * n_off / len(t)
    small = exact > counts - 1  # what such a class may not give, the others do
    assert (taken[small] == counts[small] - 1).all()
    more = (exact - (counts - 1))[small].sum()
    assert (abs(taken - exact)[~small] < 1 + more).all()


def test_a_plain_split_would_not_do():
    """Over many seeds the plain split takes both samples of the smallest class, the other never."""
    t = shuffled(UNEQUAL)
    lost = {None: 0, "by class": 0}
    for seed in range(200):
        for classes in lost:
            stay, _ = split_off(len(t), 120, seed, t if classes else None)
            lost[classes] += 4 not in t[stay]
    assert lost[None] > 3
    assert lost["by class"] == 0


def test_the_seed_decides_and_nothing_else():
    t = shuffled(UNEQUAL)
    for classes in (None, t):
        first = split_off(len(t), 100, 0, classes)[1]
        np.random.seed(5)  # noqa: NPY002  the global generator has no part in it
        np.testing.assert_array_equal(split_off(len(t), 100, 0, classes)[1], first)
        assert split_off(len(t), 100, 1, classes)[1].tolist() != first.tolist()
    assert first.tolist() == split_off(len(t), 100, 0, t + 7)[1].tolist()  # names mean nothing


def test_each_sample_has_the_same_chance():
    t = np.repeat([0, 1], [60, 20])
    times = np.zeros(80)
    for seed in range(400):
        times[split_off(80, 20, seed, t)[1]] += 1
    # A quarter of 400: 100, with a deviation of 8.7.
    assert abs(times - 100).max() < 5 * 8.7
    assert np.ptp(times) > 10


def test_ties_are_broken_at_random():
    t = np.repeat(np.arange(4), 10)
    taken = {tuple(np.bincount(t[split_off(40, 2, seed, t)[1]], minlength=4)) for seed in range(60)}
    assert len(taken) == 6  # each pair of classes


@pytest.mark.needs_sklearn
@pytest.mark.parametrize("n_off", [5, 47, 94, 200, 235])
def test_as_many_of_each_class_as_scikit_learn_takes(n_off):
    from sklearn.model_selection import train_test_split

    t = shuffled(np.repeat(np.arange(4), [307, 121, 41, 13]))
    _, off = split_off(len(t), n_off, 0, t)
    _, theirs = train_test_split(t, test_size=n_off, stratify=t, random_state=0)
    assert np.bincount(t[off], minlength=4).tolist() == np.bincount(theirs, minlength=4).tolist()


def test_classes_of_one_sample_stay():
    t = np.array([0, 0, 0, 1, 2])
    stay, off = split_off(5, 2, 0, t)
    assert sorted(t[stay]) == [0, 1, 2]
    assert t[off].tolist() == [0, 0]
    with pytest.raises(
        ValueError, match=r"3 of 5 samples cannot .* each of the 3 .* at most 2 can"
    ):
        split_off(5, 3, 0, t)


def test_how_many_beside_the_training_samples():
    assert validation_beside(100, None, None) == 0
    assert validation_beside(100, None, 7) == 7
    assert validation_beside(90, 0.1, None) == 10
    assert validation_beside(3, 0.01, None) == 1


def test_how_many_of_all():
    assert validation_out_of(100, None, None) == 0
    assert validation_out_of(100, None, 7) == 7
    assert validation_out_of(100, 0.25, None) == 25


@pytest.mark.parametrize("how_many", [validation_beside, validation_out_of])
@pytest.mark.parametrize(
    ("share", "n", "words"),
    [
        (0.1, 5, r"validation_share \(0.1\) and n_validation \(5\) both say how many"),
        (0.0, None, "expects a share between 0 and 1, got 0.0"),
        (1.0, None, "expects a share between 0 and 1, got 1.0"),
        (-0.5, None, "expects a share between 0 and 1, got -0.5"),
        (float("nan"), None, "expects a share between 0 and 1, got nan"),
        (None, 0, "n_validation: expects a whole number of at least 1, got 0; leave it out"),
        (None, -3, "n_validation: expects a whole number of at least 1, got -3"),
        (None, 2.5, "n_validation: expects a whole number of at least 1, got 2.5"),
    ],
)
def test_shares_and_numbers_that_cannot_be(how_many, share, n, words):
    with pytest.raises(ValueError, match=words):
        how_many(100, share, n)


@pytest.mark.parametrize(
    ("share", "n", "words"),
    [
        (0.001, None, "validation_share of 0.001 leaves 10 of 10 .* and takes 0 for validation"),
        (0.99, None, "validation_share of 0.99 leaves 0 of 10"),
        (None, 10, "n_validation: 10 leaves 0 of 10"),
        (None, 11, "n_validation: 11 leaves 0 of 10 samples to train on and takes 11"),
    ],
)
def test_none_or_all_of_the_samples(share, n, words):
    with pytest.raises(ValueError, match=words):
        validation_out_of(10, share, n)


def test_how_many_to_test_on():
    assert n_test_out_of(100, 0.25, "rows", "a file") == 25
    assert n_test_out_of(2, 0.3, "rows", "a file") == 1


@pytest.mark.parametrize(("share", "left"), [(0.04, 10), (0.96, 0)])
def test_none_or_all_to_test_on(share, left):
    words = (
        f"a test_share of {share} leaves {left} of 10 rows to train on and {10 - left} to test on; "
        "give a share between 0 and 1, or a file"
    )
    with pytest.raises(ValueError, match=f"^{words}$"):
        n_test_out_of(10, share, "rows", "a file")


@pytest.mark.parametrize("share", [0.0, 1.0, 1.5, -0.5, float("nan")])
def test_a_test_share_that_is_none(share):
    words = f"test_share: expects a share between 0 and 1, got {share}; give one, or a file"
    with pytest.raises(ValueError, match=f"^{words}$"):
        n_test_out_of(10, share, "rows", "a file")


@pytest.mark.parametrize("seed", [-1, 0.5, "x", None])
def test_a_seed_that_is_none(seed):
    with pytest.raises(ValueError, match="split_seed: expects a whole number of at least 0, got"):
        split_off(10, 2, seed)
