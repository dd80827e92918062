"""Test samples that stand in another set too are found, number for number."""

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, LanguageModel, Regression, Samples
from lamina.datasets.rows import FileRows, Rows
from lamina.diagnosis.overlap import MOST, share_near, share_seen

RNG = np.random.default_rng(0)


def dataset(X, t, test_X, test_t, validation=None, task=None, **settings):
    sets = (Samples(X, t, **settings), Samples(test_X, test_t, **settings))
    task = task or Classification([str(i) for i in range(3)])
    data = Dataset(*sets, task)
    data.validation = validation
    return data


def images(n, dtype=np.uint8):
    X = RNG.integers(0, 256, (n, 12, 12)).astype(dtype)
    return X, RNG.integers(0, 3, n)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize("scale", [None, 1 / 255])
def test_copies_are_found_in_any_order(dtype, scale):
    X, t = images(300, dtype)
    rows = RNG.permutation(300)[:40]
    others, of_others = images(60, dtype)
    test_X, test_t = np.concatenate([X[rows], others]), np.concatenate([t[rows], of_others])
    assert share_seen(dataset(X, t, test_X, test_t, scale=scale)) == 0.4


def test_another_target_or_one_other_number_makes_another_sample():
    X, t = images(50)
    assert share_seen(dataset(X, t, X, (t + 1) % 3)) == 0.0
    other = X.copy()
    other[:, 5, 6] ^= 1
    assert share_seen(dataset(X, t, other, t)) == 0.0


def test_the_validation_set_counts_as_well():
    X, t = images(50)
    assert share_seen(dataset(X[:30], t[:30], X, t)) == 0.6
    assert share_seen(dataset(X[:30], t[:30], X, t, Samples(X[30:], t[30:]))) == 1.0


def test_a_validation_set_that_nothing_is_chosen_by_does_not_count():
    X, t = images(50)
    data = dataset(X[:30], t[:30], X, t, Samples(X[30:], t[30:]))
    assert share_seen(data, chooses=False) == 0.6


def test_a_few_answers_of_yes_and_no_are_alike_by_nature():
    """Of 6 columns there are 64 rows at most; of 20 columns a copy is one."""
    for columns, known in ((6, None), (20, 0.0)):
        X = RNG.integers(0, 2, (2500, columns)).astype(np.float32)
        t = RNG.integers(0, 3, 2500)
        seen = share_seen(dataset(X[:2000], t[:2000], X[2000:], t[2000:]))
        assert seen == pytest.approx(known, abs=0.02) if known is not None else seen is None


def test_zero_has_one_sign_and_kept_forms_may_differ():
    X, t = np.zeros((5, 3), np.float32), np.arange(5.0)
    assert share_seen(dataset(X, t, -X, t, task=Regression(["y"]))) == 1.0
    train, test = Samples(X, t), Samples(np.zeros((5, 3), np.uint8), t, scale=1.0)
    assert share_seen(Dataset(train, test, Regression(["y"]))) == 1.0


def test_of_many_a_thousand_are_looked_for():
    X, t = images(2 * MOST)
    assert share_seen(dataset(X[:MOST], t[:MOST], X, t)) == pytest.approx(0.5, abs=0.05)
    test_X, test_t = X.copy(), t.copy()
    test_X[::2] ^= 1  # every other one is another
    assert share_seen(dataset(X, t, test_X, test_t)) == pytest.approx(0.5, abs=0.05)


def test_windows_of_a_text_and_parts_of_inputs_are_left_alone():
    X, t = RNG.integers(0, 3, (20, 4)), RNG.integers(0, 3, 20)
    assert share_seen(dataset(X, t, X, t, task=LanguageModel(["a", "b", "c"]))) is None
    parts = Samples(RNG.random((9, 4)), np.zeros(9, int), widths=(2, 2))
    assert share_seen(Dataset(parts, parts, Classification(["a", "b"]))) is None


def test_rows_of_files_are_not_gone_through(tmp_path):
    X, t = images(30, np.float32)
    np.save(tmp_path / "x.npy", X)
    rows = Samples(Rows(FileRows([tmp_path / "x.npy"]), "x.npy"), t)
    assert share_seen(Dataset(rows, Samples(X, t), Classification(["a", "b", "c"]))) is None
    assert share_seen(Dataset(Samples(X, t), rows, Classification(["a", "b", "c"]))) is None


@pytest.mark.parametrize("of_inputs", ["float64", "uint8", "float32"])
@pytest.mark.parametrize("of_targets", ["int64", "uint8"])
def test_types_make_no_other_samples(of_inputs, of_targets):
    X, t = RNG.integers(0, 5, (40, 8)).astype(np.float32), RNG.integers(0, 3, 40)
    test = Samples(X.astype(of_inputs), t.astype(of_targets))
    assert share_seen(Dataset(Samples(X, t), test, Classification(["a", "b", "c"]))) == 1.0


@pytest.mark.parametrize(("noise", "share"), [(1e-4, 0.6), (0.1, 0.0)])
def test_near_copies_are_found_and_neighbours_are_not(noise, share):
    """Of 100 test samples 60 are training samples with so much noise, in columns of any size."""
    X = RNG.standard_normal((2000, 6))
    others = np.concatenate([X[:60], RNG.standard_normal((40, 6))])
    others += noise * RNG.standard_normal(others.shape)
    sizes = np.array([1e-3, 1.0, 1.0, 100.0, 1.0, 1.0])
    t = RNG.integers(0, 3, 2000)
    data = dataset(*(a.astype(np.float32) for a in (X * sizes,)), t,
                   (others * sizes).astype(np.float32), t[:100])  # fmt: skip
    assert share_near(data) == pytest.approx(share)
    assert share_seen(data) == 0.0


def test_samples_that_are_alike_by_nature_are_no_near_copies():
    """Repeated measurements, of which training samples have as near ones among themselves; and test
    samples between those of a coarse line."""
    places = np.repeat(RNG.standard_normal((300, 5)), 4, axis=0)
    X = (places + 1e-5 * RNG.standard_normal(places.shape)).astype(np.float32)
    rows, t = RNG.permutation(1200), RNG.integers(0, 3, 1200)
    mine, others = rows[:900], rows[900:]
    assert share_near(dataset(X[mine], t[mine], X[others], t[others])) == 0.0
    line = np.linspace(0.0, 1.0, 50)[:, None].astype(np.float32)
    between = RNG.random((500, 1)).astype(np.float32)
    assert share_near(dataset(line, t[:50], between, t[:500])) == 0.0
    assert share_near(dataset(line[:20], t[:20], between, t[:500])) is None  # too few


def test_near_copies_are_looked_for_in_pieces_and_as_they_are_kept():
    """Bytes with a scale; more rows than a piece has."""
    X, t = images(10_500)
    copies = X[RNG.permutation(10_500)[:200]].copy()
    copies[:, 0, 0] ^= 1
    data = dataset(X, t, copies, t[:200], scale=1 / 255)
    assert share_near(data) == 1.0
    assert share_near(dataset(X, t, images(200)[0], t[:200], scale=1 / 255)) == 0.0


@pytest.mark.parametrize("kind", ["blank", "dense"])
def test_another_mix_is_no_near_copy(kind):
    """Blank images, or a dense cluster, of which the test set has more than the training set."""
    X = RNG.standard_normal((2000, 8)).astype(np.float32)
    others = RNG.standard_normal((400, 8)).astype(np.float32)
    for some, share in ((X, 0.05), (others, 0.5)):
        n = int(share * len(some))
        some[:n] = 0.0 if kind == "blank" else 3.0 + 1e-3 * RNG.standard_normal((n, 8))
    t = RNG.integers(0, 3, 2000)
    assert share_near(dataset(X, t, others, t[:400])) == 0.0


def test_numbers_that_are_none_hide_no_near_copies():
    X = RNG.standard_normal((500, 6)).astype(np.float32)
    others, t = X[:200] + np.float32(1e-4), RNG.integers(0, 3, 500)
    X[400, 2], X[401, 3], others[7, 1] = np.nan, np.inf, np.nan
    assert share_near(dataset(X, t, others, t[:200])) == 1.0
