"""A batch cut into shards: the loss and gradient of the whole, whatever the parts and threads."""

import copy
import threading

import numpy as np
import pytest

from lamina.layers import (
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LeakyRelu,
    MaxPooling,
    Relu,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    State,
    SVMLoss,
)
from lamina.nets import Graph, Head, Node, Sequential
from lamina.training.gradient_penalty import add_penalised_gradient
from lamina.training.parallel import Sharded

F = np.float64
COUNTS = (1, 2, 3, 4, 7)


def dense(loss=None, drop=False, sync=True, seed=0):
    rng = np.random.default_rng(seed)
    layers = {
        "affine1": Affine(4, 6, rng=rng, dtype=F),
        "norm": BatchNormalization(6, sync=sync, dtype=F),
        "sigmoid": Sigmoid(),
        "drop": Dropout(0.5, rng=rng) if drop else Relu(),
        "affine2": Affine(6, 3, rng=rng, dtype=F),
    }
    return Sequential(layers, loss=loss or SoftmaxWithLoss())


def images(seed=0):
    rng = np.random.default_rng(seed)
    layers = {
        "conv": Convolution(2, 4, 3, padding=1, rng=rng, dtype=F),
        "norm": BatchNormalization(4, dtype=F),
        "relu": Relu(),
        "pool": MaxPooling(2),
        "flatten": Flatten(),
        "affine": Affine(4 * 9, 3, rng=rng, dtype=F),
    }
    return Sequential(layers, loss=SoftmaxWithLoss())


def words(seed=0):
    rng = np.random.default_rng(seed)
    layers = {"words": Embedding(9, 4, rng=rng, dtype=F), "affine": Affine(4, 3, rng=rng, dtype=F)}
    return Sequential(layers, loss=SoftmaxWithLoss(ignore_index=-1))


def two_losses(seed=0):
    rng = np.random.default_rng(seed)
    nodes = {
        "affine1": Node(Affine(4, 6, rng=rng, dtype=F), inputs="a"),
        "affine2": Node(Affine(5, 6, rng=rng, dtype=F), inputs="b"),
        "classes": Node(Affine(6, 3, rng=rng, dtype=F), inputs="affine1"),
        "value": Node(Affine(6, 2, rng=rng, dtype=F), inputs="affine2"),
    }
    losses = {
        "label": Head(SoftmaxWithLoss(class_weights=[1.0, 2.0, 0.5]), "classes", "label"),
        "distance": Head(SquaredErrorLoss(reduction="sum"), "value", "value", weight=0.3),
    }
    return Graph(nodes, inputs=("a", "b"), outputs=("classes", "value"), losses=losses)


def batch(kind, n=9):
    rng = np.random.default_rng(1)
    if kind is images:
        return rng.standard_normal((n, 2, 6, 6)), rng.integers(0, 3, n)
    if kind is words:
        t = rng.integers(-1, 3, (n, 5))
        t[0] = -1  # a row of which nothing counts
        return rng.integers(0, 9, (n, 5)), t
    if kind is two_losses:
        X = rng.standard_normal((n, 4)), rng.standard_normal((n, 5))
        return X, {"label": rng.integers(0, 3, n), "value": rng.standard_normal((n, 2))}
    return rng.standard_normal((n, 4)), rng.integers(0, 3, n)


@pytest.mark.parametrize("n", COUNTS)
@pytest.mark.parametrize("kind", [dense, images, words, two_losses])
def test_loss_gradient_and_states_are_those_of_the_whole_batch(kind, n):
    whole, (X, t) = kind(), batch(kind)
    sharded = Sharded(copy.deepcopy(whole), n, threads=2)
    expected, gradient = float(whole.loss(X, t)), whole.gradient(X, t)
    whole = kind()  # running averages have moved twice
    assert float(sharded.loss(X, t)) == pytest.approx(expected, rel=1e-12)
    sharded = Sharded(kind(), n, threads=2)
    found = sharded.gradient(X, t)
    whole.gradient(X, t)
    assert found.keys() == gradient.keys()
    for name in gradient:
        np.testing.assert_allclose(found[name], gradient[name], rtol=1e-10, atol=1e-13)
    for name, value in whole.state().items():
        np.testing.assert_allclose(sharded.net.state()[name], value, rtol=1e-12)


@pytest.mark.parametrize("loss", [SVMLoss, SoftmaxWithLoss, SigmoidWithLoss])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_losses_of_either_reduction(loss, reduction):
    X, t = batch(dense)
    if loss is SigmoidWithLoss:
        t = np.eye(3)[t]
    whole = dense(loss(reduction=reduction))
    sharded = Sharded(copy.deepcopy(whole), 4)
    gradient, found = whole.gradient(X, t), sharded.gradient(X, t)
    for name in gradient:
        np.testing.assert_allclose(found[name], gradient[name], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", [dense, images])
def test_the_bits_do_not_depend_on_the_threads(kind):
    X, t = batch(kind)
    of_threads = []
    for threads in (1, 2, 3, 5):
        sharded = Sharded(kind(), 5, threads)
        found = sharded.gradient(X, t) | sharded.state()
        of_threads.append({name: array.tobytes() for name, array in found.items()})
    assert all(found == of_threads[0] for found in of_threads)


def test_without_sync_each_part_is_normalised_by_itself():
    X, t = batch(dense, n=8)
    sharded = Sharded(dense(sync=False), 2)
    halves = [dense(sync=False) for _ in range(2)]
    gradients = [net.gradient(X[p], t[p]) for net, p in zip(halves, sharded.cut(8), strict=True)]
    found = sharded.gradient(X, t)
    for name in found:
        mean = (gradients[0][name] + gradients[1][name]) / 2
        np.testing.assert_allclose(found[name], mean, rtol=1e-10, atol=1e-13)
    running = [net.layers["norm"].running_mean.data for net in halves]
    np.testing.assert_allclose(sharded.layers["norm"].running_mean.data, np.mean(running, axis=0))


def test_hvp_and_the_gradient_penalty_are_those_of_the_whole_batch():
    whole, (X, t) = dense(), batch(dense)
    sharded = Sharded(copy.deepcopy(whole), 3, threads=2)
    v = {name: np.ones_like(p.data) for name, p in whole.parameters().items()}
    expected, found = whole.hvp(X, t, v), sharded.hvp(X, t, v)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-12)
    for net in (whole, sharded):
        for p in net.parameters().values():
            p.grad = None
    value = add_penalised_gradient(whole, X, t, penalty=0.5)
    assert add_penalised_gradient(sharded, X, t, penalty=0.5) == pytest.approx(value, rel=1e-12)
    for name, p in whole.parameters().items():
        np.testing.assert_allclose(sharded.parameters()[name].grad, p.grad, rtol=1e-9, atol=1e-12)


def test_every_shard_draws_its_own_dropout_and_the_penalty_sees_it_twice_the_same():
    sharded = Sharded(dense(drop=True), 2)
    X, t = batch(dense, n=8)
    sharded.loss(np.concatenate([X[:4], X[:4]]), np.concatenate([t[:4], t[:4]]))
    masks = [net.layers["drop"].mask for net in sharded.nets]
    assert not np.array_equal(*masks)
    before = sharded.state()
    assert [name for name in before if name.endswith("rng")] == ["drop.rng", "shard1.drop.rng"]
    sharded.load_state(before)
    first = sharded.gradient(X, t)
    sharded.load_state(before)
    again = sharded.gradient(X, t)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    sharded.load_state(before)
    with_penalty = Sharded(dense(drop=True), 2)
    with_penalty.load_state(before)
    add_penalised_gradient(with_penalty, X, t, penalty=0.0)
    for name, p in with_penalty.parameters().items():
        np.testing.assert_array_equal(p.grad, first[name])


@pytest.mark.parametrize("kind", [dense, images, two_losses])
@pytest.mark.parametrize("rows", [9, 2, 1])
def test_evaluation_is_that_of_the_net_also_with_fewer_rows_than_shards(kind, rows):
    whole, (X, t) = kind(), batch(kind, rows)
    sharded = Sharded(copy.deepcopy(whole), 4)
    for net in (whole, sharded):
        net.set_training(False)
    scores, losses = whole.scores_and_losses(X, t)
    found, found_losses = sharded.scores_and_losses(X, t)
    np.testing.assert_allclose(found, scores, rtol=1e-12)
    for name, sums in losses.items():
        np.testing.assert_allclose(found_losses[name], sums, rtol=1e-12)
    np.testing.assert_allclose(sharded.predict(X), whole.predict(X), rtol=1e-12)


def test_weights_and_running_averages_that_change_reach_every_twin():
    sharded, (X, t) = Sharded(dense(), 3), batch(dense)
    other = dense(seed=5)
    other.gradient(X, t)
    sharded.net.load_state(other.state())
    other.set_training(False)
    sharded.set_training(False)
    np.testing.assert_allclose(sharded.scores(X), other.scores(X), rtol=1e-12)
    assert all(not net.layers["norm"].training for net in sharded.nets)


def test_gradients_add_up_over_batches_and_frozen_parameters_get_none():
    sharded, (X, t) = Sharded(dense(), 3), batch(dense)
    sharded.net.layers["affine1"].W.trainable = False
    for p in sharded.parameters().values():
        p.grad = None
    for _ in range(2):
        sharded.loss(X, t)
        sharded.backward(0.5)
    once = Sharded(dense(), 3).gradient(X, t)
    assert sharded.net.layers["affine1"].W.grad is None
    np.testing.assert_allclose(sharded.net.layers["affine2"].W.grad, once["affine2.W"], rtol=1e-12)


class Fails(Layer):
    """Fails in the part that has a marked row."""

    def forward(self, X):
        if (X > 100).any():
            raise ArithmeticError("this part")
        return X

    def backward(self, dout):
        return dout


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("row", [0, 8])
def test_a_shard_that_fails_ends_the_step_with_its_own_error(threads, row):
    net = dense()
    net.layers = {"fails": Fails(), **net.layers}
    sharded, (X, t) = Sharded(net, 4, threads), batch(dense)
    sharded.loss(X, t)
    bad = X.copy()
    bad[row] = 1000
    with pytest.raises(ArithmeticError, match="this part"):
        sharded.loss(bad, t)
    with pytest.raises(RuntimeError, match="needs a loss call"):
        sharded.backward()
    assert np.isfinite(float(sharded.loss(X, t)))  # and it works again
    sharded.backward()


def test_errstate_reaches_every_thread():
    net = Sequential({"affine": Affine(4, 3, rng=0, dtype=F)}, loss=SquaredErrorLoss())
    sharded = Sharded(net, 2)
    X, t = np.full((4, 4), 1e300), np.full((4, 3), -1e300)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        sharded.loss(X, t)
    with np.errstate(all="ignore"):
        sharded.loss(X, t)


def test_the_net_can_still_be_used_by_itself():
    sharded, (X, t) = Sharded(dense(), 2), batch(dense)
    done = threading.Event()

    def work():
        sharded.net.gradient(X, t)  # a sum over a group that nobody else is at would wait forever
        done.set()

    threading.Thread(target=work, daemon=True).start()
    assert done.wait(20)


class Counter(Layer):
    """Counts its batches, and keeps the largest entry that it has seen."""

    def __init__(self):
        self.count, self.mean = State(np.array(0)), State(np.zeros(1))

    def forward(self, X):
        self.count.update(self.count.data + 1)
        self.mean.update(np.array([X.mean()]))
        return X

    def backward(self, dout):
        return dout


def test_states_of_ones_own_are_those_of_all_parts():
    layers = {"counter": Counter(), "affine": Affine(4, 3, rng=0, dtype=F)}
    sharded, (X, t) = Sharded(Sequential(layers, loss=SoftmaxWithLoss()), 4), batch(dense)
    for _ in range(3):
        sharded.loss(X, t)
    assert layers["counter"].count.data == 3
    np.testing.assert_allclose(layers["counter"].mean.data, X.mean(), rtol=1e-12)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="shards: expects at least 1, got 0"):
        Sharded(dense(), 0)
    X, t = batch(dense, 3)
    with pytest.raises(ValueError, match="3 rows for 4 shards"):
        Sharded(dense(), 4).loss(X, t)
    with pytest.raises(RuntimeError, match="needs a loss call"):
        Sharded(dense(), 2).backward()


def test_a_copy_works_by_itself():
    sharded, (X, t) = Sharded(dense(), 2), batch(dense)
    sharded.loss(X, t)
    copied = copy.deepcopy(sharded)
    copied.net.layers["affine1"].W.data += 1.0
    assert float(copied.loss(X, t)) != float(sharded.loss(X, t))
    assert copied.nets[1].layers["affine1"].W.data is copied.net.layers["affine1"].W.data


@pytest.mark.parametrize("n", [2, 4, 9])
def test_parts_in_which_no_weight_counts_keep_what_smoothing_adds(n):
    X, _ = batch(dense)
    t = np.array([0, 0, 0, 0, 1, 2, 1, 2, 2])
    loss = SoftmaxWithLoss(class_weights=[0.0, 1.0, 2.0], label_smoothing=0.3)
    whole = dense(loss)
    sharded = Sharded(copy.deepcopy(whole), n)
    assert float(Sharded(copy.deepcopy(whole), n).loss(X, t)) == pytest.approx(
        float(copy.deepcopy(whole).loss(X, t)), rel=1e-12
    )
    gradient, found = whole.gradient(X, t), sharded.gradient(X, t)
    for name in gradient:
        np.testing.assert_allclose(found[name], gradient[name], rtol=1e-10, atol=1e-13)


def within(seconds, function):
    """What it gives; a failure, not a hang, if that takes longer."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, "it hangs, or has failed"
    return results[0]


def test_two_cuts_of_one_net_take_turns():
    net, (X, t) = dense(), batch(dense)
    first, second = Sharded(net, 2), Sharded(net, 3)
    expected = float(dense().loss(X, t))
    for one in (first, second, first):
        assert within(20, lambda one=one: float(one.loss(X, t))) == pytest.approx(expected)


class AddsUpSometimes(Layer):
    def forward(self, X):
        if (X > 100).any():
            self.group.sum(X.sum())
        return X

    def backward(self, dout):
        return dout


@pytest.mark.parametrize("threads", [1, 3])
def test_a_layer_that_adds_up_in_some_parts_only_is_told_so(threads):
    net = dense(sync=False)
    net.layers = {"adds": AddsUpSometimes(), **net.layers}
    X, t = batch(dense)
    X[4] = 1000.0

    def failed():
        with pytest.raises(RuntimeError, match="in some of its shards only"):
            Sharded(net, 3, threads).loss(X, t)
        return True

    assert within(20, failed)


class InPlace(Layer):
    def __init__(self):
        self.mean = State(np.zeros(1))

    def forward(self, X):
        self.mean.data *= 0.9
        self.mean.data += 0.1
        return X

    def backward(self, dout):
        return dout


def test_a_state_that_is_changed_in_place_is_changed_once():
    layers = {"own": InPlace(), "affine": Affine(4, 3, rng=0, dtype=F)}
    Sharded(Sequential(layers, loss=SoftmaxWithLoss()), 3).loss(*batch(dense))
    np.testing.assert_allclose(layers["own"].mean.data, 0.1)


def test_the_weight_of_a_head_may_change():
    whole, (X, t) = two_losses(), batch(two_losses)
    sharded = Sharded(copy.deepcopy(whole), 3)
    for net in (whole, sharded.net):
        net.heads["distance"].weight = 2.0
    gradient, found = whole.gradient(X, t), sharded.gradient(X, t)
    for name in gradient:
        np.testing.assert_allclose(found[name], gradient[name], rtol=1e-10, atol=1e-13)


def test_what_is_set_after_the_shards_were_made_is_set_for_all():
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((12, 4)), rng.integers(0, 3, 12)
    values = []
    for n in (1, 3):
        net = dense()
        net.layers["sigmoid"] = LeakyRelu(0.01)
        sharded = Sharded(net, n)
        sharded.loss(X, t)
        net.layers["sigmoid"].slope = 0.9
        net.loss_layer.label_smoothing = 0.4
        net.loss_layer.class_weights = np.array([1.0, 5.0, 1.0])
        values.append(float(sharded.loss(X, t)))
    assert values[0] == pytest.approx(values[1], rel=1e-12)


def test_what_a_layer_sets_itself_is_left_to_each_shard():
    """The net of a rank that has not the first shard never runs, and knows nothing of it."""
    net = dense()
    net.layers["sigmoid"] = LeakyRelu(0.01)
    sharded = Sharded(net, 2)
    twin = sharded.nets[1].layers["sigmoid"]
    twin.slope = 0.5
    rng = np.random.default_rng(0)
    sharded.loss(rng.standard_normal((12, 4)), rng.integers(0, 3, 12))
    assert twin.slope == 0.5
    net.layers["sigmoid"].slope = 0.9
    sharded.loss(rng.standard_normal((12, 4)), rng.integers(0, 3, 12))
    assert twin.slope == 0.9
