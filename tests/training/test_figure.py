"""What guessing scores by other metrics than the usual one, by hand and by scikit-learn."""

import json

import numpy as np
import pytest

from lamina.datasets import NPY, Classification, Dataset, Regression, Samples
from lamina.layers import Affine, SigmoidWithLoss, SoftmaxWithLoss, SquaredErrorLoss
from lamina.metrics import Accuracy, Perplexity, make_metric
from lamina.nets import Graph, Head, Node, Sequential
from lamina.optimizers import SGD
from lamina.training.figure import figure_facts
from lamina.training.trainer import Trainer

SHARES = (0.6, 0.3, 0.1)


def facts(dataset, net, metric):
    trainer = Trainer(
        net,
        SGD(net.parameters(), lr=0.1),
        dataset,
        rng=0,
        batch_size=10,
        metrics=[metric],
        quiet=True,
    )
    return figure_facts(trainer)


def classes(n_out, shares=SHARES, loss=None):
    rng = np.random.default_rng(0)
    drawn = [rng.choice(len(shares), n, p=shares) for n in (3000, 1000)]
    train, test = (Samples(np.zeros((len(t), 4), np.float32), t) for t in drawn)
    dataset = Dataset(train, test, Classification(range(len(shares))))
    return dataset, Sequential({"a": Affine(4, n_out, rng=0)}, loss or SoftmaxWithLoss())


def test_classes_by_what_each_metric_gives_the_best_answer_for_all():
    dataset, net = classes(3)
    t, test = dataset.train.t, dataset.test.t
    shares = np.bincount(t) / len(t)
    there = np.bincount(test) / len(test)
    right = {
        "top2": there[:2].sum(),
        "perplexity": np.exp(-(there * np.log(shares)).sum()),
    }
    for name, value in right.items():
        assert facts(dataset, net, make_metric(name))["guess"] == pytest.approx(value, 1e-5)


@pytest.mark.needs_sklearn
def test_by_figures_of_each_class_drawn_answers_are_better_than_any_for_all():
    from sklearn.dummy import DummyClassifier
    from sklearn.metrics import f1_score, precision_score

    dataset, net = classes(3)
    test = dataset.test.t
    drawn = DummyClassifier(strategy="stratified", random_state=0).fit(*dataset.train[:])
    rng = np.random.RandomState(0)
    said = [drawn.set_params(random_state=rng).predict(np.zeros((20_000, 4))) for _ in range(10)]
    many = np.tile(test, 20)
    for name, of in (("f1", f1_score), ("precision", precision_score)):
        value = np.mean([of(many, one, average="macro") for one in said])
        assert value > of(test, np.zeros_like(test), average="macro", zero_division=0) + 0.05
        assert facts(dataset, net, make_metric(name))["guess"] == pytest.approx(value, abs=0.005)


@pytest.mark.parametrize("n_out", [1, 2])
def test_of_two_classes_that_are_equal_a_coin_is_right_half_the_time(n_out):
    loss = SigmoidWithLoss() if n_out == 1 else SoftmaxWithLoss()
    dataset, net = classes(n_out, (0.5, 0.5), loss)
    for name in ("f1", "precision", "recall"):
        found = facts(dataset, net, make_metric(name))
        assert found["guess"] == pytest.approx(0.5, abs=0.02)
        assert found["train_guess"] == pytest.approx(0.5, abs=0.02)


def test_what_a_metric_leaves_out_is_left_out_of_guessing_too():
    """Of a background that does not count the most frequent of the others is the best guess."""
    dataset, net = classes(3)
    t, test = dataset.train.t, dataset.test.t
    usual = facts(dataset, net, make_metric("accuracy"))
    assert usual["guess"] == pytest.approx((test == 0).mean(), 1e-5)
    counted = test[test != 0]
    without = facts(dataset, net, Accuracy(ignore_index=0))
    assert without["guess"] == pytest.approx((counted == 1).mean(), 1e-5)
    perplexity = facts(dataset, net, Perplexity(ignore_index=0))["guess"]
    shares = np.bincount(t[t != 0]) / (t != 0).sum()
    expected = np.exp(-np.log(shares[counted]).mean())
    assert perplexity == pytest.approx(expected, 1e-5)


@pytest.mark.parametrize("n_out", [1, 2])
@pytest.mark.needs_sklearn
def test_two_classes_may_all_be_said_to_be_the_second(n_out):
    from sklearn.metrics import f1_score

    loss = SigmoidWithLoss() if n_out == 1 else None
    dataset, net = classes(n_out, (0.7, 0.3), loss)
    test = dataset.test.t
    binary = make_metric("f1", average="binary")
    assert facts(dataset, net, binary)["guess"] == pytest.approx(f1_score(test, test * 0 + 1), 1e-5)
    assert facts(dataset, net, make_metric("recall", average="binary"))["guess"] is None
    assert facts(dataset, net, make_metric("roc_auc"))["guess"] == 0.5


def test_numbers_by_mean_or_median_whichever_is_better():
    rng = np.random.default_rng(0)
    t = np.exp(rng.standard_normal((500, 1))).astype(np.float32)
    samples = Samples(rng.standard_normal((500, 4)).astype(np.float32), t)
    dataset = Dataset(samples, samples, Regression(["y"]))
    net = Sequential({"a": Affine(4, 1, rng=0)}, SquaredErrorLoss())
    least = np.abs(t - np.median(t)).mean()
    assert facts(dataset, net, make_metric("mae"))["guess"] == pytest.approx(least, 1e-4)
    assert facts(dataset, net, make_metric("r2"))["guess"] == pytest.approx(0.0, abs=1e-6)


def test_targets_in_files_and_two_outputs(tmp_path):
    X, t = np.zeros((50, 4), np.float32), np.arange(50) % 3
    for name, array in {"x": X, "t": t, "y": X[:, :1] + t[:, None]}.items():
        np.save(tmp_path / f"{name}.npy", array.astype(np.float32) if name == "y" else array)
    data = NPY(tmp_path / "x.npy", tmp_path / "t.npy")
    net = Sequential({"a": Affine(4, 3, rng=0)}, SoftmaxWithLoss())
    assert facts(data, net, make_metric("f1"))["guess"] == pytest.approx(1 / 3, abs=0.01)
    numbers = NPY(tmp_path / "x.npy", tmp_path / "y.npy", task="regression")
    one = Sequential({"a": Affine(4, 1, rng=0)}, SquaredErrorLoss())
    assert facts(numbers, one, make_metric("mae"))["guess"] == pytest.approx(2 / 3, abs=0.1)
    nodes = {name: Node(Affine(4, 3, rng=0), ["x"]) for name in ("d", "e")}
    heads = {f"of_{name}": Head(SoftmaxWithLoss(), name) for name in nodes}
    graph = Graph(nodes, ["x"], ["d", "e"], heads)
    assert facts(data, graph, make_metric("f1"))["guess"] is None


def test_a_run_without_a_recorder_says_how_large_its_sets_are(tmp_path):
    dataset, net = classes(3)
    sets = {"run_dir": tmp_path / "run", "quiet": True}
    optimizer = SGD(net.parameters(), lr=0.1)
    Trainer(net, optimizer, dataset, rng=0, batch_size=10, iterations=2, **sets).run()
    written = json.loads((tmp_path / "run" / "facts.json").read_text())
    assert written["samples"] == 3000
    assert written["test_samples"] == written["test_targets"] == 1000


def test_a_class_that_training_lacks_makes_guessing_no_worse_than_anything():
    dataset, net = classes(4, (0.5, 0.3, 0.2))
    t = dataset.test.t.copy()
    t[:50] = 3
    dataset = Dataset(dataset.train, Samples(dataset.test.X, t), Classification(range(4)))
    assert facts(dataset, net, make_metric("perplexity"))["guess"] == pytest.approx(4.0)
