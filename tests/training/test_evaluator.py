"""The figures of every set: those of all samples at once, whatever the batches."""

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, MultiLabel, Regression, Samples
from lamina.layers import (
    Affine,
    ContrastiveLoss,
    CrossEntropyError,
    Dropout,
    HuberLoss,
    Layer,
    Loss,
    NegativeSamplingLoss,
    Relu,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)
from lamina.nets import Graph, Head, Node, Sequential
from lamina.training.evaluator import Evaluator


def classes(n, rng):
    return Samples(rng.standard_normal((n, 4)).astype(np.float32), rng.integers(0, 3, n))


def data(rng, validation=False):
    parts = [classes(n, rng) for n in (2300, 700, 1100)]
    task = Classification(("a", "b", "c"))
    return Dataset(parts[0], parts[1], task, parts[2] if validation else None)


def net(rng, loss=None):
    layers = {"affine1": Affine(4, 8, rng=rng), "relu": Relu(), "drop": Dropout(0.5, rng=rng)}
    return Sequential(layers | {"affine2": Affine(8, 3, rng=rng)}, loss=loss or SoftmaxWithLoss())


@pytest.mark.parametrize("validation", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_row_has_loss_and_metrics_of_every_set(validation, reduction):
    rng = np.random.default_rng(0)
    made, dataset = net(rng, SoftmaxWithLoss(reduction)), data(rng, validation)
    row = Evaluator(made, dataset)()
    sets = ["train", "validation", "test"] if validation else ["train", "test"]
    assert list(row) == [f"{part}_{name}" for part in sets for name in ("loss", "accuracy")]
    for part in sets:
        X, t = dataset.sets()[part][:]
        scores = made.predict(X, batch_size=len(X))
        loss = SoftmaxWithLoss().forward(scores, t)  # the mean over samples, also of a sum
        assert row[f"{part}_loss"] == pytest.approx(float(loss), rel=1e-6)
        assert row[f"{part}_accuracy"] == pytest.approx((scores.argmax(axis=1) == t).mean())


def test_it_is_evaluation_mode_and_the_mode_comes_back():
    rng = np.random.default_rng(0)
    made, dataset = net(rng), data(rng)
    evaluator = Evaluator(made, dataset)
    assert evaluator() == evaluator()  # dropout would draw anew
    assert made.training
    made.set_training(False)
    evaluator()
    assert not made.training
    with pytest.raises(RuntimeError, match="backward needs a forward or loss call"):
        made.backward()


def test_the_mode_comes_back_after_an_error():
    rng = np.random.default_rng(0)
    made = net(rng)

    def stop():
        raise KeyError("stop")

    with pytest.raises(KeyError):
        Evaluator(made, data(rng))(stop)
    assert made.training


def test_ignored_positions_and_class_weights_count_as_in_one_batch():
    rng = np.random.default_rng(1)
    X, t = rng.standard_normal((2500, 4)).astype(np.float32), rng.integers(0, 3, 2500)
    samples = Samples(X, t)
    loss = SoftmaxWithLoss(class_weights=(1.0, 5.0, 0.5))
    made = net(rng, loss)
    row = Evaluator(made, Dataset(samples, samples, Classification("abc")))()
    scores = made.predict(X, batch_size=2500)
    whole = SoftmaxWithLoss(class_weights=(1.0, 5.0, 0.5)).forward(scores, t)
    assert row["train_loss"] == pytest.approx(float(whole), rel=1e-6)


def test_several_losses_are_weighted_and_the_first_output_is_judged():
    rng = np.random.default_rng(0)
    graph = Graph(
        {"affine": Affine(4, 6, rng=rng), "main": Affine(6, 3, rng=rng)},
        losses={
            "first": Head(SoftmaxWithLoss(), "main"),
            "second": Head(SoftmaxWithLoss("sum"), "main", weight=0.5),
        },
    )
    dataset = data(rng)
    row = Evaluator(graph, dataset)()
    X, t = dataset.test[:]
    scores = graph.predict(X, batch_size=len(X))
    loss = float(SoftmaxWithLoss().forward(scores, t))
    assert row["test_loss"] == pytest.approx(1.5 * loss, rel=1e-5)
    assert row["test_accuracy"] == pytest.approx((scores.argmax(axis=1) == t).mean())


@pytest.mark.parametrize("outputs", [("kind", "size"), ("size", "kind")])
def test_of_several_targets_those_of_the_first_output_are_judged(outputs):
    """Whatever the order of the losses; both targets would do for the shapes."""
    rng = np.random.default_rng(0)
    layers = {"body": Affine(4, 6, rng=rng), "kind": Affine(6, 3, rng=rng)}
    layers["size"] = Node(Affine(6, 3, rng=rng), "body")
    losses = {
        "of_size": Head(SoftmaxWithLoss(), "size", target="s"),
        "of_kind": Head(SoftmaxWithLoss(), "kind", target="k"),
    }
    graph = Graph(layers, outputs=list(outputs), losses=losses)
    evaluator = Evaluator(graph, data(rng))
    t = {"k": np.array([0, 1]), "s": np.array([2, 2])}
    assert evaluator.targets(t) is t[outputs[0][0]]
    assert evaluator.targets(t["k"]) is t["k"]


def test_a_regression_is_judged_by_its_errors():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1500, 4)).astype(np.float32)
    samples = Samples(X, X @ np.float32([1, 2, 3, 4]))
    made = Sequential({"affine": Affine(4, 1, rng=rng)}, loss=SquaredErrorLoss())
    evaluator = Evaluator(made, Dataset(samples, samples, Regression(["y"])))
    row = evaluator()
    error = made.predict(X)[:, 0] - samples.t
    assert row["train_rmse"] == pytest.approx(float(np.sqrt(np.mean(error**2))), rel=1e-5)
    assert evaluator.counts == "rmse"
    assert not evaluator.higher_is_better
    assert "%" not in evaluator.shown(row, "train")


def test_the_first_metric_counts():
    rng = np.random.default_rng(0)
    evaluator = Evaluator(net(rng), data(rng), ["f1", "accuracy"])
    assert evaluator.counts == "f1"
    row = evaluator()
    assert evaluator.shown(row, "test").startswith("f1 ")
    assert Evaluator(net(rng), data(rng), []).counts == "loss"


def test_a_metric_of_many_numbers_is_no_column():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="no single number"):
        Evaluator(net(rng), data(rng), ["confusion"])


def test_a_metric_of_scores_is_refused_where_there_are_probabilities():
    rng = np.random.default_rng(0)
    for loss in (CrossEntropyError(), NegativeSamplingLoss()):
        made = net(rng, loss)
        with pytest.raises(ValueError, match=r"perplexity takes scores.*SoftmaxWithLoss"):
            Evaluator(made, data(rng), ["accuracy", "perplexity"])
        Evaluator(made, data(rng), ["accuracy"])


def test_samples_without_weight_count_by_what_smoothing_adds_in_any_batch():
    """Of samples sorted by class, whole batches may have no weight at all."""
    rng = np.random.default_rng(0)
    made = net(rng, SoftmaxWithLoss(class_weights=[0.0, 1.0, 1.0], label_smoothing=0.3))
    X, t = rng.standard_normal((60, 4)).astype(np.float32), np.repeat([0, 1, 2], [50, 5, 5])
    samples = Samples(X, t)
    evaluator = Evaluator(made, Dataset(samples, samples, Classification(("a", "b", "c"))))
    whole = evaluator.figures([(X, t)])["loss"]
    cut = evaluator.figures([(X[i : i + 20], t[i : i + 20]) for i in (0, 20, 40)])["loss"]
    assert cut == pytest.approx(whole, rel=1e-5)


def single(t, task, loss, *layers):
    """One number for each of 40 samples."""
    rng = np.random.default_rng(0)
    samples = Samples(rng.standard_normal((40, 4)), t)
    chain = {"a": Affine(4, 1, rng=rng, dtype=np.float64)}
    chain |= {f"more{i}": layer for i, layer in enumerate(layers)}
    return Evaluator(Sequential(chain, loss=loss), Dataset(samples, samples, task))


@pytest.mark.parametrize(
    ("loss", "layers"),
    [(SquaredErrorLoss(), []), (SquaredErrorLoss(), [Sigmoid()]), (HuberLoss(), [])],
    ids=["numbers", "between 0 and 1", "Huber"],
)
def test_one_number_is_no_score_unless_the_loss_takes_it_as_one(loss, layers):
    """Learned as the number 0 or 1 it says the second class above 0.5, and read above 0."""
    t = np.arange(40) % 2
    evaluator = single(t, Classification(("a", "b")), loss, *layers)
    with pytest.raises(ValueError, match=r"does not fit .* one score .*SigmoidWithLoss"):
        evaluator()
    with pytest.raises(ValueError, match="gives one number for"):
        evaluator.net.accuracy(evaluator.dataset.train.X, t)
    right = single(t, Classification(("a", "b")), SigmoidWithLoss())
    assert 0 <= right()["train_accuracy"] <= 1


def test_what_the_loss_leaves_out_the_task_leaves_out_too():
    """Else the loss is of other positions than accuracy and perplexity."""
    rng = np.random.default_rng(0)
    samples, ignoring = classes(60, rng), SoftmaxWithLoss(ignore_index=0)
    for task, fits in (
        (Classification("abc"), False),
        (Classification("abc", ignore_index=0), True),
    ):
        evaluator = Evaluator(net(rng, ignoring), Dataset(samples, samples, task))
        if fits:
            assert evaluator()["test_loss"] > 0
            continue
        with pytest.raises(ValueError, match="ignore_index is 0 for the loss, but None for the"):
            evaluator()


class CrossEntropyOfOne(Loss):
    """Of the probability of a yes, as behind a Sigmoid."""

    def forward(self, p, t):
        self.p, self.t = p, np.reshape(t, p.shape)
        costs = -np.log(np.where(self.t == 1, p, 1.0 - p))
        return costs.sum() * self.scale(len(p))

    def backward(self, dout=1.0):
        return (self.p - self.t) / (self.p * (1.0 - self.p)) * (self.scale(len(self.p)) * dout)


def test_what_is_always_above_0_is_no_score_of_a_yes():
    rng = np.random.default_rng(0)
    samples = Samples(rng.standard_normal((60, 4)).astype(np.float32), rng.integers(0, 2, 60))
    layers = {"a": Affine(4, 1, rng=0), "s": Sigmoid()}
    made = Sequential(layers, loss=CrossEntropyOfOne())
    dataset = Dataset(samples, samples, Classification("ab"))
    with pytest.raises(
        ValueError, match=r"accuracy takes a score above 0 .* those of s \(Sigmoid\)"
    ):
        Evaluator(made, dataset)()
    assert Evaluator(made, dataset, ["roc_auc"])()["test_roc_auc"] > 0  # which asks for the order
    several = Samples(samples.X, np.stack([samples.t, 1 - samples.t], axis=1))
    made = Sequential({"a": Affine(4, 2, rng=0), "s": Sigmoid()}, loss=CrossEntropyOfOne())
    with pytest.raises(ValueError, match="f1 takes a score above 0"):
        Evaluator(made, Dataset(several, several, MultiLabel("ab")))()


class Squeeze(Layer):
    def forward(self, X):
        return X[:, 0]

    def backward(self, dout):
        return dout[:, np.newaxis]


def test_one_number_for_a_sample_has_an_axis():
    """A loss takes (N,) for one sample of N numbers, so that its mean is a sum over the batch."""
    rng = np.random.default_rng(0)
    samples = Samples(*rng.standard_normal((2, 20, 1)).astype(np.float32))
    samples = Samples(samples.X, samples.t[:, 0])
    flat = Sequential({"a": Affine(1, 1, rng=0), "s": Squeeze()}, loss=SquaredErrorLoss())
    with pytest.raises(ValueError, match=r"one number for a sample as \(N,\), .* give \(N, 1\)"):
        Evaluator(flat, Dataset(samples, samples, Regression(["y"])))()


def test_what_is_ones_own_may_do_more_than_its_name_says():
    """A layer called Sigmoid that is none, and a loss that takes (N,)."""
    own = type("Sigmoid", (Layer,), {"forward": lambda _, X: X, "backward": lambda _, dout: dout})
    rng = np.random.default_rng(0)
    samples = Samples(rng.standard_normal((20, 4)).astype(np.float32), np.arange(20) % 2)
    made = Sequential({"a": Affine(4, 1, rng=0), "s": own()}, loss=SigmoidWithLoss())
    assert Evaluator(made, Dataset(samples, samples, Classification("ab")))()["test_loss"] > 0

    class OfFlat(Loss):
        def forward(self, y, t):
            return np.square(y - t).sum() * self.scale(len(y))

    numbers = Samples(samples.X, samples.X[:, 0])
    flat = Sequential({"a": Affine(4, 1, rng=0), "s": Squeeze()}, loss=OfFlat())
    row = Evaluator(flat, Dataset(numbers, numbers, Regression(["y"])), [])()
    assert row["test_loss"] == pytest.approx(np.square(flat.predict(samples.X) - numbers.t).mean())


def test_a_loss_that_is_made_of_another_takes_what_that_takes():
    class Focal(CrossEntropyError):
        pass

    with pytest.raises(ValueError, match=r"perplexity .* those that Focal takes are others"):
        Evaluator(net(0, Focal()), data(np.random.default_rng(0)), ["perplexity"])


def test_scores_of_yes_and_no_are_no_numbers():
    t = (np.arange(40) % 2).astype(float)
    with pytest.raises(ValueError, match=r"SigmoidWithLoss .*: take \{type: SquaredErrorLoss\}"):
        single(t, Regression(["a"]), SigmoidWithLoss())()


def test_vectors_of_pairs_are_no_scores():
    rng = np.random.default_rng(0)
    samples = Samples(rng.standard_normal((40, 4)), np.arange(40) % 2)
    made = Sequential({"a": Affine(4, 6, rng=rng, dtype=np.float64)}, loss=ContrastiveLoss())
    data = Dataset(samples, samples, Classification(("a", "b")))
    with pytest.raises(ValueError, match=r"accuracy reads scores, .* two vectors .*metrics: \[\]"):
        Evaluator(made, data)
    assert set(Evaluator(made, data, [])()) == {"train_loss", "test_loss"}
    with pytest.raises(ValueError, match="gives vectors for ContrastiveLoss"):
        made.accuracy(samples.X, samples.t)


def test_a_layer_whose_shape_is_not_known_beforehand_is_judged_by_what_it_gives():
    """An own layer that lacks output_shape seems to give what it gets."""

    class Last(Layer):
        def forward(self, X):
            return X[:, :1]

    samples = Samples(np.ones((40, 2)), np.arange(40) % 2)
    made = Sequential({"last": Last()}, loss=SigmoidWithLoss())
    data = Dataset(samples, samples, Classification(("a", "b")))
    assert Evaluator(made, data)()["train_accuracy"] == 0.5


def test_scores_that_learn_from_targets_of_their_own_are_not_those_of_the_task():
    rng = np.random.default_rng(0)
    samples = Samples(rng.standard_normal((40, 4)), np.arange(40) % 2)
    layers = {"a": Node(Affine(4, 1, rng=rng, dtype=np.float64), ["X"])}
    made = Graph(layers, losses={"of_a": Head(SquaredErrorLoss(), target="height")})
    evaluator = Evaluator(made, Dataset(samples, samples, Classification(("a", "b"))), [])
    batch = (samples.X, {"height": rng.standard_normal(40)})
    assert evaluator.figures([batch])["loss"] > 0
