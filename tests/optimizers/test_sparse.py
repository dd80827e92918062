"""Sparse gradients give what whole ones give, wherever they are used, or are refused by name."""

import tracemalloc

import numpy as np
import pytest

from lamina import optimizers
from lamina.datasets import Classification, Dataset, Samples
from lamina.diagnosis import Diagnosis
from lamina.layers import Affine, Embedding, Flatten, Param, Relu, SoftmaxWithLoss
from lamina.layers.sparse_rows import SparseRows
from lamina.nets import Sequential
from lamina.optimizers import SGD, AdaGrad
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError, Watch

ROWS = np.array([[3, 1], [3, 3]])


def embedding(sparse, dtype=np.float64):
    return Embedding(6, 4, sparse=sparse, rng=0, dtype=dtype)


def net(sparse, n_words=50):
    rng = np.random.default_rng(1)
    layers = {
        "words": Embedding(n_words, 5, sparse=sparse, rng=rng, dtype=np.float64),
        "flatten": Flatten(),
        "affine": Affine(15, 4, rng=rng, dtype=np.float64),
    }
    return Sequential(layers, SoftmaxWithLoss())


def dataset():
    rng = np.random.default_rng(2)
    X, t = rng.integers(0, 50, (40, 3)), rng.integers(0, 4, 40)
    return Dataset(Samples(X, t), Samples(X[:5], t[:5]), Classification(range(4)))


def trained(sparse, rule=SGD, iterations=12, trainer=None, clip_norm=0.05, **options):
    one = net(sparse)
    rule = rule(one.parameters(), lr=0.5, clip_norm=clip_norm)
    options = {"rng": 3, "batch_size": 8, "quiet": True, "iterations": iterations} | options
    trainer = Trainer(one, rule, dataset(), **options)
    trainer.run()
    return trainer


def test_a_gradient_has_the_rows_of_the_batch_alone():
    dout = np.random.default_rng(1).standard_normal((2, 2, 4))
    layers = [embedding(sparse) for sparse in (True, False)]
    for layer in layers:
        layer.forward(ROWS)
        layer.backward(dout)
        layer.forward(ROWS[:1])
        layer.backward(dout[:1])
    sparse, whole = (layer.W.grad for layer in layers)
    assert isinstance(sparse, SparseRows)
    assert sparse.rows.tolist() == [3, 1, 3, 3, 3, 1]
    assert sparse.merged().rows.tolist() == [1, 3]
    assert isinstance(whole, np.ndarray)
    np.testing.assert_allclose(sparse.dense(), whole, rtol=0, atol=1e-15)
    np.testing.assert_allclose(sparse.merged().dense(), whole, rtol=0, atol=1e-15)
    assert repr(sparse) == "SparseRows 6 of (6, 4) float64"
    layers[0].W.accumulate(np.ones((6, 4)))  # of a layer that is tied to it
    np.testing.assert_allclose(layers[0].W.grad, whole + 1, rtol=0, atol=1e-15)


@pytest.mark.parametrize("n_words", [1, 3, 50, 10**6])  # all again and again, some, none
def test_the_rows_add_up_as_np_add_at_adds_them(n_words):
    rng = np.random.default_rng(n_words)
    rows, values = rng.integers(0, n_words, 60), rng.standard_normal((60, 2))
    expected = np.zeros((n_words, 2))
    np.add.at(expected, rows, values)
    gradient = SparseRows(rows, values, expected.shape)
    merged = gradient.merged()
    np.testing.assert_array_equal(merged.rows, np.unique(rows))
    np.testing.assert_allclose(merged.values, expected[merged.rows], rtol=0, atol=1e-14)
    np.testing.assert_allclose(gradient.dense(), expected, rtol=0, atol=1e-14)


def test_a_batch_without_words_has_a_gradient_of_no_rows():
    layer = embedding(sparse=True)
    before = layer.W.data.copy()
    layer.forward(ROWS[:0])
    layer.backward(np.zeros((0, 2, 4)))
    SGD(layer.parameters(), lr=1.0, clip_norm=1.0).step()
    np.testing.assert_array_equal(layer.W.data, before)


def test_one_of_another_shape_or_dtype_is_refused():
    layer = embedding(sparse=True)
    layer.forward(ROWS)
    with pytest.raises(ValueError, match=r"\(6, 4\) float64; got \(6, 4\) float32"):
        layer.backward(np.zeros((2, 2, 4), np.float32))


@pytest.mark.parametrize("rule", [SGD, AdaGrad])
@pytest.mark.parametrize(
    "options",
    [{}, {"accumulate": 3}, {"shards": 2}, {"gradient_penalty": 0.1}, {"clip_norm": None}],
    ids=str,
)
def test_training_is_the_same_as_with_whole_gradients(rule, options):
    sparse, whole = (trained(sparse, rule, **options) for sparse in (True, False))
    for name, param in whole.net.parameters().items():
        ours = sparse.net.parameters()[name].data
        np.testing.assert_allclose(ours, param.data, rtol=1e-12, atol=1e-14, err_msg=name)


def test_training_goes_on_to_the_bit():
    whole = trained(True, AdaGrad)
    half = trained(True, AdaGrad, iterations=6)
    one = net(True)
    rule = AdaGrad(one.parameters(), lr=0.5, clip_norm=0.05)
    rest = Trainer(one, rule, dataset(), rng=9, batch_size=8, iterations=12, quiet=True)
    rest.load_state(half.state())
    rest.run()
    for name, param in whole.net.parameters().items():
        np.testing.assert_array_equal(rest.net.parameters()[name].data, param.data)


@pytest.mark.parametrize(
    "rule",
    [
        rule
        for rule in map(vars(optimizers).get, optimizers.__all__)
        if isinstance(rule, type)
        and issubclass(rule, optimizers.Optimizer)
        and rule not in (SGD, AdaGrad, optimizers.Optimizer)
    ],
)
def test_a_rule_that_moves_every_row_refuses_by_name(rule):
    with pytest.raises(ValueError, match=rf"{rule.__name__}: moves every row of W .* take SGD or"):
        rule(embedding(sparse=True).parameters(), lr=0.1)
    frozen = embedding(sparse=True)
    frozen.W.trainable = False
    rule(frozen.parameters(), lr=0.1)


@pytest.mark.parametrize("rule", [SGD, AdaGrad])
def test_what_has_no_gradient_stays_to_the_bit_under_these_two(rule):
    param = Param(np.ones((3, 2)))
    optimizer = rule({"W": param}, lr=0.1)
    for _ in range(2):
        param.grad = np.array([[1.0, 2.0], [0.0, 0.0], [3.0, 0.0]])
        optimizer.step()
    assert param.data[1].tolist() == [1.0, 1.0]


def test_weight_decay_is_refused_unless_it_leaves_the_table_out():
    layer = embedding(sparse=True)
    with pytest.raises(ValueError, match=r"weight_decay 0\.1 would shrink every row of W"):
        SGD(layer.parameters(), lr=0.1, weight_decay=0.1)
    layer.W.decay_mult = 0.0
    optimizer = SGD(layer.parameters(), lr=0.1, weight_decay=0.1)
    layer.forward(ROWS)
    layer.backward(np.ones((2, 2, 4)))
    layer.W.decay_mult = 1.0  # since
    with pytest.raises(ValueError, match="weight_decay"):
        optimizer.step()


def test_hvp_and_gradient_give_whole_arrays():
    rng = np.random.default_rng(4)
    X, t = rng.integers(0, 50, (6, 3)), rng.integers(0, 4, 6)
    sparse, whole = net(True), net(False)
    v = {n: rng.standard_normal(p.data.shape) for n, p in whole.parameters().items()}
    for ours, right in (
        (sparse.gradient(X, t), whole.gradient(X, t)),
        (sparse.hvp(X, t, v), whole.hvp(X, t, v)),
    ):
        for name, array in right.items():
            np.testing.assert_allclose(ours[name], array, rtol=1e-12, atol=1e-14)


class Spoils(Relu):
    """Gives a gradient that is no number."""

    def backward(self, dout):
        return super().backward(dout) * np.nan


@pytest.mark.parametrize("watch", [Watch, Diagnosis])
def test_a_gradient_that_is_not_finite_is_named(watch, tmp_path):
    one = net(True)
    one.layers["words"].W.data += 1.0
    layers = {"words": one.layers["words"], "spoils": Spoils()}
    layers |= {name: one.layers[name] for name in ("flatten", "affine")}
    one = Sequential(layers, SoftmaxWithLoss())
    trainer = Trainer(
        one,
        SGD(one.parameters(), lr=0.1),
        dataset(),
        rng=0,
        iterations=2,
        batch_size=8,
        quiet=True,
        watch=watch(),
        run_dir=tmp_path / "run",
    )
    with pytest.raises(NonFiniteError, match=r"words|spoils") as caught:
        trainer.run()
    assert caught.value.noticed == "the gradient of words.W is not finite at iteration 1"


def test_the_recorder_notes_the_norm_of_the_whole_gradient(tmp_path):
    tables = []
    for sparse in (True, False):
        trained(sparse, watch=Diagnosis(1), run_dir=tmp_path / str(sparse), iterations=3)
        tables.append((tmp_path / str(sparse) / "parameters.csv").read_text())
    assert "words.W" in tables[0]
    assert tables[0] == tables[1]


def test_a_step_touches_and_allocates_nothing_of_the_size_of_the_vocabulary():
    n_words, n_dims = 200_000, 8
    rng = np.random.default_rng(5)
    layers = {"words": Embedding(n_words, n_dims, sparse=True, rng=rng), "flatten": Flatten()}
    layers["affine"] = Affine(3 * n_dims, 4, rng=rng)
    one = Sequential(layers, SoftmaxWithLoss())
    X, t = rng.integers(0, n_words, (40, 3)), rng.integers(0, 4, 40)
    data = Dataset(Samples(X, t), Samples(X[:5], t[:5]), Classification(range(4)))
    optimizer = AdaGrad(one.parameters(), clip_norm=0.1)
    trainer = Trainer(one, optimizer, data, rng=0, iterations=9, batch_size=20, quiet=True)
    trainer.step()  # makes what AdaGrad keeps
    W = one.layers["words"].W
    before = W.data.copy()
    squares = optimizer.kept["words.W"]["squares"].copy()
    tracemalloc.start()
    trainer.step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < n_words / 2  # bytes: less than half a byte a word
    seen = np.unique(trainer.batch.X)
    for now, then in ((W.data, before), (optimizer.kept["words.W"]["squares"], squares)):
        changed = np.flatnonzero((now != then).any(axis=1))
        np.testing.assert_array_equal(changed, seen)
