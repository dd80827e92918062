"""Whole runs with shards: the nets of configs/, the bits whatever the threads, who looks on."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from made_batches import made_batch, narrowed
from threadpoolctl import threadpool_info, threadpool_limits

from lamina.datasets import Classification, Dataset, Samples
from lamina.diagnosis import Diagnosis
from lamina.experiment.build import build_dataset, build_net, build_optimizer
from lamina.experiment.config import load_config
from lamina.layers import Affine, BatchNormalization, Dropout, Layer, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD, Momentum
from lamina.training.checkpoint import Checkpoints
from lamina.training.evaluator import Evaluator
from lamina.training.parallel import Sharded, fastest_shards
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError, Watch

F = np.float64
CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.yaml"))
NAMES = ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "weights.npz")


def without_dropout(net):
    for _, held in net.walk():
        if isinstance(held, Dropout):
            held.p = 0.0
    return net


@pytest.mark.often(3)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("steps", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_the_nets_of_the_configurations_learn_the_same_with_any_number_of_shards(path, steps):
    """To 1e-10, of weights that are about 0.1; the slow form takes minutes for a residual net. In a
    hundred steps a few nets, with Adam or through time, make more of any rounding: there the shards
    may differ as much as weights do that begin with the last bit changed."""
    config = narrowed(load_config(path))
    config.data["net"].pop("weights", None)
    dataset = build_dataset(config)
    net = without_dropout(build_net(config, dataset, np.random.default_rng(0)))
    for _, held in net.walk():
        if hasattr(held, "data"):
            held.data = held.data.astype(F)
    rng = np.random.default_rng(1)
    X, t = made_batch(dataset, 7, rng, 3)
    ends = []
    for n, factor in ((1, 1.0), (1, 1.0 + 2**-52), (2, 1.0), (3, 1.0), (4, 1.0), (7, 1.0)):
        copied = copy.deepcopy(net)
        for param in copied.parameters().values():
            param.data = param.data * factor
        optimizer = build_optimizer(config, copied.parameters())
        through = Sharded(copied, n) if n > 1 else copied
        for _ in range(steps):
            optimizer.zero_grad()
            through.needs_dX = False
            through.loss(X, t)
            through.backward()
            optimizer.step()
        ends.append(copied.state())
    one, rounded, *others = ([end[name] for name in copied.parameters()] for end in ends)
    grown = furthest(one, rounded) if steps > 3 else 0.0
    assert max(furthest(one, other) for other in others) <= max(1e-10, 30 * grown)


def furthest(arrays, others) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(arrays, others, strict=True))


def trained(folder, threads, iterations=12, shards=3, **more):
    """A run on this many threads; its samples are images of 6 numbers in three classes."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 6)).astype(np.float32)
    data = Samples(X, rng.integers(0, 3, 50))
    layers = {
        "affine1": Affine(6, 8, rng=rng),
        "norm": BatchNormalization(8),
        "relu": Relu(),
        "drop": Dropout(0.3, rng=rng),
        "affine2": Affine(8, 3, rng=rng),
    }
    net = Sequential({**layers, **more.pop("layers", {})}, loss=SoftmaxWithLoss())
    settings = {"watch": Diagnosis(5), "checkpoints": Checkpoints(every=5), "quiet": True} | more
    trainer = Trainer(
        net,
        Momentum(net.parameters(), lr=0.1),
        Dataset(data, data, Classification(["a", "b", "c"])),
        rng=1,
        batch_size=10,
        iterations=iterations,
        evaluate_every=4,
        shards=shards,
        run_dir=folder,
        **settings,
    )
    if shards > 1:
        trainer.worker.team.threads = threads
    trainer.run()
    return trainer


@pytest.mark.parametrize("more", [{}, {"accumulate": 2}, {"gradient_penalty": 0.1}])
def test_the_files_of_a_run_do_not_depend_on_the_threads(tmp_path, more):
    for threads in (1, 2, 3):
        trained(tmp_path / str(threads), threads, **more)
    for name in NAMES:
        bits = {(tmp_path / str(threads) / name).read_bytes() for threads in (1, 2, 3)}
        assert len(bits) == 1, name


def threads_of_blas():
    return max(one["num_threads"] for one in threadpool_info() if "numpy" in one["filepath"])


@pytest.mark.parametrize(("shards", "expected"), [(3, {1}), (1, {2})])
def test_blas_keeps_to_one_thread_between_the_passes(tmp_path, monkeypatch, shards, expected):
    """Norms for clip_norm, and figures, would depend on it."""
    seen = set()
    for cls, name in ((Momentum, "_clipping"), (Evaluator, "targets"), (Watch, "weights")):
        original = getattr(cls, name)

        def looking(*arguments, original=original):
            seen.add(threads_of_blas())
            return original(*arguments)

        monkeypatch.setattr(cls, name, looking)
    with threadpool_limits(2, user_api="blas"):
        trained(tmp_path, None, shards=shards)
        assert threads_of_blas() == 2
    assert seen == expected


def test_a_run_with_shards_is_the_run_without_but_for_rounding(tmp_path):
    """Statistics of the layers too: they are those of the whole batch."""
    for shards in (1, 3):
        trained(tmp_path / str(shards), 2, shards=shards, layers={"drop": Relu()})
    for name in NAMES[:-1]:
        a, b = ((tmp_path / str(s) / name).read_text().splitlines() for s in (1, 3))
        assert len(a) == len(b)
        for one, other in zip(a[1:], b[1:], strict=True):
            if "affine1.b" in one:
                continue  # the layer behind takes its mean off again: it learns rounding errors
            for x, y in zip(one.split(","), other.split(","), strict=True):
                try:
                    assert float(y) == pytest.approx(float(x), rel=2e-3, abs=1e-4), (name, one)
                except ValueError:
                    assert x == y


class Spoils(Layer):
    """Gives a NaN where an input is larger than 100, from the third batch on."""

    def forward(self, X):
        return np.where(X > 100, np.nan, X)

    def backward(self, dout):
        return dout


@pytest.mark.parametrize("threads", [1, 3])
def test_the_culprit_is_found_in_whatever_shard_it_is(tmp_path, threads):
    net = Sequential(
        {"spoils": Spoils(), "affine": Affine(6, 3, rng=0), "relu": Relu()}, loss=SoftmaxWithLoss()
    )
    X = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
    X[13, 2] = 1000.0
    data = Samples(X, np.arange(20) % 3)
    dataset = Dataset(data, data, Classification(["a", "b", "c"]))
    trainer = Trainer(
        *(net, SGD(net.parameters(), lr=0.1), dataset),
        rng=0,
        batch_size=10,
        iterations=4,
        shards=3,
        evaluate_every=100,
        run_dir=tmp_path / "run",
        watch=Diagnosis(),
        quiet=True,
    )
    trainer.worker.team.threads = threads
    # The first evaluation reads all samples; a NaN there is a figure, not a failure.
    with pytest.raises(NonFiniteError) as raised:
        trainer.run()
    culprit = json.loads((tmp_path / "run" / "culprit.json").read_text())
    assert (culprit["layer"], culprit["when"]) == ("spoils", "forward")
    assert culprit["samples"] == [13]
    assert "spoils" in str(raised.value)
    assert trainer.worker.team.threads == threads


def test_a_measurement_gives_one_or_as_many_as_threads():
    net = Sequential({"affine": Affine(6, 3, rng=0)}, loss=SoftmaxWithLoss())
    before = net.state()
    X, t = np.zeros((10, 6), np.float32), np.zeros(10, int)
    with threadpool_limits(2):
        assert fastest_shards(net, X, t, 4) in (1, 4)
    assert fastest_shards(net, X, t, 1) == 1
    assert fastest_shards(net, X[:1], t[:1], 4) == 1
    assert all(np.array_equal(before[name], array) for name, array in net.state().items())
