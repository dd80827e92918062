"""What is scored without a net, on data of which it is known."""

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, MultiLabel, Regression, Samples
from lamina.diagnosis import learnable as module
from lamina.diagnosis.learnable import learnable


def scores(X, t, task):
    samples = Samples(np.asarray(X, np.float32), t)
    return learnable(Dataset(samples, samples, task))


def score(X, t, task):
    return scores(X, t, task).get("nearest")


def test_classes_that_lie_apart_that_overlap_and_that_are_drawn():
    rng = np.random.default_rng(0)
    t = rng.integers(0, 4, 2000)
    X = rng.standard_normal((2000, 3))
    classes = Classification(range(4))
    assert score(X + 20 * np.eye(4, 3)[t], t, classes) == 1.0
    assert score(X, t, classes) == pytest.approx(0.25, abs=3 * np.sqrt(0.1875 / 500))
    assert score(np.sort(t)[:, None] + 0.01 * X, np.sort(t), classes) == 1.0  # sorted by class


@pytest.mark.parametrize("large", [1e6, 1e8, 1e10, 1e12])
def test_a_column_of_large_numbers_hides_no_other(large):
    """Squares of it would swallow the distances in the other, whose sign is the class."""
    rng = np.random.default_rng(0)
    X = np.stack([large * rng.integers(0, 2, 400), rng.standard_normal(400)], axis=1)
    X[:, 1] += np.sign(X[:, 1])  # the classes lie apart
    found = scores(X, (X[:, 1] > 0).astype(int), Classification("ab"))
    assert found["nearest"] == 1.0
    assert found["ridge"] > 0.97
    of_numbers = scores(X, X[:, 1].astype(np.float32), Regression(["y"]))
    assert of_numbers["nearest"] > 0.99


def test_columns_of_rounding_are_no_columns():
    """Beside four that have all there is, as principal components of a low rank."""
    rng = np.random.default_rng(0)
    X = np.hstack([rng.standard_normal((400, 4)), 1e-16 * rng.standard_normal((400, 50))])
    t = (X[:, 0] * X[:, 1] > 0).astype(int)
    both = [
        learnable(Dataset(Samples(x, t), Samples(x, t), Classification("ab")))
        for x in (X[:, :4], X)
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_one_hot_rows_are_the_classes_that_they_stand_for(n_classes):
    rng = np.random.default_rng(0)
    t = rng.integers(0, n_classes, 300)
    X, rows = rng.standard_normal((300, 4)) + t[:, np.newaxis], np.eye(n_classes)[t]
    task = Classification(range(n_classes))
    assert scores(X, rows, task) == scores(X, rows.astype(int), task) == scores(X, t, task)


def test_samples_that_do_not_count_are_no_neighbours():
    rng = np.random.default_rng(3)
    t = rng.integers(0, 3, 400)
    X = 20 * np.eye(3)[t] + rng.standard_normal((400, 3))
    t[::5] = -1
    assert score(X, t, Classification(range(3), ignore_index=-1)) == 1.0
    t[: 400 - 29] = -1
    assert score(X, t, Classification(range(3), ignore_index=-1)) is None


def test_numbers_give_the_share_that_noise_leaves():
    """y = x + noise of the same variance: half of it can be known."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(20):
        x = rng.standard_normal((500, 1))
        y = (x[:, 0] + rng.standard_normal(500)).astype(np.float32)
        found.append(score(x, y, Regression(["y"])))
    assert np.mean(found) == pytest.approx(0.5, abs=0.04)
    assert score(x, 3 + 0 * y, Regression(["y"])) is None


def test_where_it_says_nothing():
    rng = np.random.default_rng(2)
    classes = Classification(range(2))
    X = rng.standard_normal((100, 3))
    assert score(X, rng.integers(0, 2, (100, 3)), classes) is None  # a class per position
    assert score(X[:20], rng.integers(0, 2, 20), classes) is None  # too few
    X[3, 1] = np.nan
    assert score(X, rng.integers(0, 2, 100), classes) is None


@pytest.mark.parametrize("times", [2, 5])
def test_a_sample_that_stands_again_is_no_neighbour(times):
    rng = np.random.default_rng(4)
    X, t = rng.standard_normal((200, 4)), rng.integers(0, 2, 200)
    once = scores(X, t, Classification(range(2)))
    X, t = X[:100], t[:100]
    again = scores(np.repeat(X, times, 0), np.repeat(t, times), Classification(range(2)))
    assert once["nearest"] == pytest.approx(0.5, abs=0.11)
    assert again["nearest"] == pytest.approx(0.5, abs=0.15)
    for name, score in scores(X, t, Classification(range(2))).items():
        assert again[name] == pytest.approx(score)


def test_many_answers_at_few_places_say_nothing():
    rng = np.random.default_rng(5)
    X, t = rng.integers(0, 3, (300, 2)), rng.integers(0, 2, 300)
    assert scores(X, t, Classification(range(2))) == {}


@pytest.mark.parametrize("ridge", module.RIDGES)
def test_each_sample_is_left_out_as_if_it_had_never_been_there(monkeypatch, ridge):
    """By scikit-learn, fitted anew for each; what stays of the whole is the mean of the targets."""
    kernel_ridge = pytest.importorskip("sklearn.kernel_ridge", reason="pip install -e '.[peers]'")
    monkeypatch.setattr(module, "RIDGES", (ridge,))
    rng = np.random.default_rng(6)
    X = rng.standard_normal((40, 3)) * (1.0, 5.0, 0.2)
    y = (np.sin(X[:, 0]) + 0.1 * X[:, 1] + 0.2 * rng.standard_normal(40)).astype(np.float32)
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    apart = np.square(Z[:, None] - Z).sum(axis=2)
    kernel, mean = np.exp(-apart / 6.0) + Z @ Z.T / 3.0, y.mean(dtype=np.float64)
    said = []
    for i in range(40):
        others = np.arange(40) != i
        model = kernel_ridge.KernelRidge(alpha=ridge, kernel="precomputed")
        model.fit(kernel[np.ix_(others, others)], y[others] - mean)
        said.append(mean + model.predict(kernel[i : i + 1, others])[0])
    right = 1.0 - np.square(y - said).sum() / np.square(y - mean).sum()
    assert scores(X, y, Regression(["y"]))["ridge"] == pytest.approx(right, abs=1e-5)


def test_ridge_sees_in_many_dimensions_what_neighbours_do_not():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((500, 100))
    t = (X @ rng.standard_normal(100) > 0).astype(int)
    found = scores(X, t, Classification(range(2)))
    assert found["nearest"] < 0.65 < 0.8 < found["ridge"]
    drawn = scores(X, rng.integers(0, 2, 500), Classification(range(2)))
    assert drawn["ridge"] == pytest.approx(0.5, abs=0.07)
    assert "ridge_as_given" not in found


def test_columns_of_unlike_size_are_scored_as_given_too():
    rng = np.random.default_rng(8)
    X = rng.standard_normal((500, 4))
    t = (X[:, 1] + X[:, 2] > 0).astype(int)
    found = scores(X * (1.0, 1e-5, 1e-5, 1e-5), t, Classification(range(2)))
    assert found["ridge"] > 0.9
    assert found["ridge_as_given"] < 0.6
    assert found["sizes"] == pytest.approx([1e-5, 1.0], rel=0.1)
    images = X.repeat(4, axis=1).reshape(500, 1, 4, 4) * 10.0 ** -np.arange(4)
    assert "ridge_as_given" not in scores(images, t, Classification(range(2)))


def test_of_labels_it_is_said_how_much_of_them_is_known():
    rng = np.random.default_rng(9)
    X = rng.standard_normal((400, 5))
    seen = (X[:, :3] + rng.standard_normal((400, 3)) > -0.5).astype(np.float32)
    labels = MultiLabel(["a", "b", "c"])
    found = scores(X, seen, labels)
    assert found.keys() == {"ridge", "compared"}
    assert found["compared"] == 400
    assert found["ridge"] == pytest.approx(0.27, abs=0.08)
    assert scores(X, rng.permutation(seen), labels)["ridge"] < 0.02


@pytest.mark.parametrize("kind", ["classes", "numbers", "long tails"])
def test_sets_of_one_making_are_alike_and_others_are_not(kind):
    rng = np.random.default_rng(12)
    X = rng.standard_normal((1400, 4)).astype(np.float32)
    y = X @ [1.0, -1.0, 0.5, 0.0] + 0.2 * rng.standard_normal(1400)
    if kind == "classes":
        task, t = Classification(range(2)), (y > 0).astype(int)
    else:
        task, t = Regression(["y"]), (np.exp(1.5 * y) if kind == "long tails" else y)[:, None]
        t = t.astype(np.float32)

    def alike(moved):
        test = Samples(X[900:] + np.float32(moved), t[900:])
        found = learnable(Dataset(Samples(X[:900], t[:900]), test, task))
        if kind == "classes":  # of numbers the tails are cut off for this
            assert found["alike"][0] == found[found["alike_by"]]
        return found["alike"]

    (each_other, of_test), (same, of_others) = alike(0.0), alike(2.0)
    assert each_other == same
    assert of_test == pytest.approx(each_other, abs=0.08)
    assert of_others < each_other - 0.15


@pytest.mark.parametrize("kind", ["classes", "numbers"])
@pytest.mark.parametrize("shuffled", [None, "train", "test"])
def test_what_the_inputs_tell_of_a_rare_class_is_told_by_no_score(kind, shuffled):
    """One answer is right for 78 % whatever the inputs, and still they tell."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((1200, 12))
    chance = 1.0 / (1.0 + np.exp(1.6 - X[:, 0] - 0.6 * X[:, 1]))
    t = (rng.random(1200) < chance).astype(int)
    if kind == "numbers":
        t = 0.5 * X[:, 0] + rng.standard_normal(1200)
    train, test = slice(700), slice(700, None)
    if shuffled:
        part = train if shuffled == "train" else test
        t[part] = rng.permutation(t[part])
    task = Classification(["no", "yes"]) if kind == "classes" else Regression(["y"])
    sets = (Samples(X[part].astype(np.float32), t[part]) for part in (train, test))
    told = learnable(Dataset(*sets, task))["told"]
    sure = 4.0 / np.sqrt(500)
    assert (told[0] > sure) == (shuffled != "train")
    assert (told[1] > sure) == (shuffled is None)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda column: column, False),
        (lambda column: 3.0 * column, True),
        (lambda column: column / 3.0, True),
        (lambda column: column + 1.5, True),
        (lambda column: column + 0.2, False),
    ],
)
def test_a_column_in_which_test_samples_lie_elsewhere_is_found(change, found):
    rng = np.random.default_rng(4)
    X = rng.standard_normal((1000, 5)).astype(np.float32)
    X[:, 1] = np.exp(2.0 * X[:, 1])  # a long tail
    X[:, 2] = X[:, 2] > 1.5  # most are 0
    t = (X[:, 0] > 0).astype(int)
    others, t_others = X[500:].copy(), t[500:]
    others[:, 3] = change(others[:, 3])
    data = Dataset(Samples(X[:500], t[:500]), Samples(others, t_others), Classification("ab"))
    known = learnable(data).get("elsewhere")
    assert (known is not None) == found
    if found:
        assert (known["column"], known["columns"]) == (3, 5)
        assert known["train"] == pytest.approx(np.quantile(X[:500, 3], (0.25, 0.75)), abs=1e-5)
        assert known["test"] == pytest.approx(np.quantile(others[:, 3], (0.25, 0.75)), abs=1e-5)


@pytest.mark.parametrize("kind", ["normal", "cauchy", "uniform", "long tails"])
def test_samples_of_one_making_lie_nowhere_else(kind):
    rng = np.random.default_rng(5)
    draw = {
        "normal": rng.standard_normal,
        "cauchy": rng.standard_cauchy,
        "uniform": rng.random,
        "long tails": lambda shape: np.exp(2.0 * rng.standard_normal(shape)),
    }[kind]
    pairs = [(draw((200, 20)), draw((150, 20))) for _ in range(50)]
    assert not any(module._elsewhere(mine, others) for mine, others in pairs)
    assert module._elsewhere(draw((99, 3)), 100.0 + draw((500, 3))) is None  # too few


def test_rows_that_stand_again_and_again_lie_nowhere_else():
    """More than half are one row, in both sets: they are looked at as often as they stand there."""
    rng = np.random.default_rng(6)
    X = rng.standard_normal((1000, 3)).astype(np.float32)
    X[rng.random(1000) < 0.6] = 2.0
    t = (X[:, 0] > 0).astype(int)
    data = Dataset(Samples(X[:500], t[:500]), Samples(X[500:], t[500:]), Classification("ab"))
    assert "alike" in learnable(data)
    assert "elsewhere" not in learnable(data)


@pytest.mark.parametrize(("kind", "least", "most"), [("normal", 0.02, 0.1), ("skewed", 0.15, 1.0)])
def test_a_few_far_numbers_make_the_score_of_nearest_neighbours_uncertain(kind, least, most):
    """How far it lies from the truth, 0, on thirty seeds, beside what it says of itself."""
    found, said = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X, noise = rng.standard_normal((500, 3)), rng.standard_normal((500, 1))
        y = np.exp(1.3 * noise) if kind == "skewed" else noise
        known = scores(X, y.astype(np.float32), Regression(["y"]))
        found.append(known["nearest"])
        said.append(known["nearest_luck"])
    assert least < np.mean(said) < most
    assert 0.4 * np.std(found) < np.mean(said) < 2.5 * np.std(found)
