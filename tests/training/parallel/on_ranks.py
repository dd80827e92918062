"""What several ranks must find out together: a program for `mpiexec -n 3 python on_ranks.py`.

    same                 Sharded gives the same bits on ranks as alone, whatever goes through it
    trainer FOLDER       callbacks are the first rank's; a NaN is found in whatever shard it is
    unlike FOLDER        ranks that differ are refused, which the first rank prints
    resumed FOLDER       half a run on ranks and the other half are the whole of one process, for
                         every feature and every optimizer; `crossed`: for every pair of them

Each check is called by every rank; the first that fails ends all of them.
"""

import contextlib
import itertools
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_sharded import F, batch, dense, images, two_losses, words

from lamina import datasets
from lamina.common.ranks import RankError, find_ranks, hush
from lamina.datasets import Classification, Dataset, Samples
from lamina.diagnosis import Diagnosis
from lamina.experiment import run as of_run
from lamina.experiment import same_on_all_ranks
from lamina.experiment.config import Config
from lamina.experiment.run import run
from lamina.layers import Affine, Layer, Param, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.nets.weights import save_weights
from lamina.optimizers import SGD
from lamina.training import provenance
from lamina.training.callbacks import Callback
from lamina.training.checkpoint import Checkpoints
from lamina.training.gradient_penalty import add_penalised_gradient
from lamina.training.parallel import Sharded
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError

RANKS = find_ranks()


class Now(Layer):
    """Scales, but the scale gets a gradient only in shards whose first number is positive."""

    def __init__(self):
        self.scale = Param(np.full(1, -0.5))

    def forward(self, X):
        self.X = X
        return self.scale.data * X

    def backward(self, dout):
        if self.X[0, 0] > 0:
            self.scale.accumulate((dout * self.X).sum().reshape(1))
        return self.scale.data * dout


class Sums(Layer):
    """Adds up over its group, but only where the first number is positive."""

    def forward(self, X):
        if X[0, 0] > 0:
            self.group.sum(X.sum(axis=0))
        return X

    def backward(self, dout):
        return dout


class Spoils(Layer):
    """Gives a NaN where an input is very large."""

    def forward(self, X):
        return np.where(abs(X) > 100, np.nan, X).astype(X.dtype)

    def backward(self, dout):
        return dout


def now():
    layers = {"affine": Affine(4, 3, rng=0, dtype=F), "now": Now()}
    return Sequential(layers, loss=SoftmaxWithLoss())


def dropping():
    return dense(drop=True)


def apart():
    return dense(sync=False)


def bits(arrays):
    return {name: None if a is None else np.asarray(a).tobytes() for name, a in arrays.items()}


def gradients(net):
    return {name: param.grad for name, param in net.parameters().items()}


def both(kind, n, **options):
    return Sharded(kind(), n, 2), Sharded(kind(), n, 2, ranks=RANKS, **options)


def same() -> None:
    for kind in (dense, images, words, two_losses, dropping, apart, now):
        X, t = batch(kind, 18)
        if kind is now:
            X = np.where(np.arange(18)[:, None] < 12, -abs(X), abs(X))
        for n in (3, 5, 8):
            found = []
            for sharded in both(kind, n):
                value = [float(sharded.loss(X, t))]
                sharded.backward()
                value.append(float(sharded.loss(X, t)))
                sharded.backward(0.5)  # adds to the first
                found.append((value, bits(gradients(sharded)), bits(sharded.state())))
            assert found[0] == found[1], (kind, n)
    print("to the bit")
    for kind in (dense, images):
        X, t = batch(kind)
        alone, spread = both(kind, 4)
        v = {name: np.ones_like(p.data) for name, p in alone.parameters().items()}
        assert bits(alone.hvp(X, t, v)) == bits(spread.hvp(X, t, v)), kind
        values = [add_penalised_gradient(net, X, t, penalty=0.5) for net in (alone, spread)]
        assert values[0] == values[1]
        assert bits(gradients(alone)) == bits(gradients(spread)), kind
        for rows in (9, 2):
            X, t = batch(kind, rows)
            (scores, sums), (found, found_sums) = (
                net.scores_and_losses(X, t) for net in (alone, spread)
            )
            assert (scores.tobytes(), sums) == (found.tobytes(), found_sums), (kind, rows)
            assert alone.predict(X).tobytes() == spread.predict(X).tobytes()
    print("derivatives and evaluation")
    X, t = batch(dense)
    alone, spread = both(dense, 7, reduction="fast")
    for name, gradient in alone.gradient(X, t).items():
        found = spread.gradient(X, t)[name]
        np.testing.assert_allclose(found, gradient, rtol=1e-12, atol=1e-15)
    print("fast")
    net = Sequential(
        {"sums": Sums(), "affine": Affine(4, 3, rng=0, dtype=F)}, loss=SoftmaxWithLoss()
    )
    X = np.where(np.arange(9)[:, None] < 3, abs(X), -abs(X))
    with expects(RuntimeError, "layers must call group.sum as often in every shard"):
        Sharded(net, 3, ranks=RANKS).loss(X, t)
    print("sums that only some need")
    with expects(ValueError, "2 shards for 3 ranks"):
        Sharded(dense(), 2, ranks=RANKS)


@contextlib.contextmanager
def expects(kind, text):
    with pytest.raises(kind, match=re.escape(text)):
        yield


def refuse():
    assert RANKS.is_first  # nobody tries again
    raise OSError("no such data")


class Counts(Callback):
    """Ends the run at its third evaluation, also if it goes on in between."""

    def __init__(self):
        self.calls = self.steps = 0

    def state(self):
        return {"calls": self.calls}

    def load_state(self, state):
        self.calls = int(state["calls"])

    def stepped(self, trainer, loss):
        self.steps += 1

    def evaluated(self, trainer, row):
        self.calls += 1
        return self.calls == 3


def trainer(folder: Path) -> None:
    from conftest import Tiny

    def made(*callbacks, **options):
        net = Sequential({"affine": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
        return Trainer(
            *(net, SGD(net.parameters(), lr=0.1), Tiny()),
            rng=0,
            batch_size=6,
            evaluate_every=2,
            shards=3,
            checkpoints=Checkpoints(every=1),
            callbacks=callbacks,
            quiet=True,
            ranks=RANKS,
            **options,
        )

    counts = Counts()
    first = made(counts, iterations=3, run_dir=folder / "run" if RANKS.is_first else None)
    first.run()
    assert (counts.calls, counts.steps) == ((2, 3) if RANKS.is_first else (0, 0))
    counts = Counts()
    again = made(counts, iterations=20)
    state = first.state()
    if RANKS.is_first:
        assert int(state["callbacks"]["Counts0/calls"]) == 2
    again.load_state(state)
    again.run()
    assert (again.iteration, again.ended_by) == (4, "the callback Counts")
    with expects(RuntimeError, "trainer.net can be used alone"):
        made(lambda trainer, row: trainer.worker.predict(np.ones((6, 4))), iterations=2).run()
    print("callbacks")

    def read():
        time.sleep(0.3 if RANKS.is_first else 0.0)
        with open(folder / "readers", "a") as file:
            file.write(f"{RANKS.rank}")
        return RANKS.rank

    assert RANKS.once_per_machine(read) == RANKS.rank
    RANKS.all(None)  # now all have
    order = (folder / "readers").read_text()
    assert (order[0], sorted(order)) == ("0", ["0", "1", "2"])
    with expects(OSError, "no such data"):
        RANKS.once_per_machine(refuse)
    print("data")
    found = []
    for ranks in (None, RANKS):
        X = np.random.default_rng(0).standard_normal((20, 6)).astype(np.float32)
        X[13, 2] = 1000.0
        data = Samples(X, np.arange(20) % 3)
        layers = {"affine1": Affine(6, 6, rng=0), "spoils": Spoils(), "affine": Affine(6, 3, rng=0)}
        net = Sequential(layers, loss=SoftmaxWithLoss())
        run_dir = folder / "spread" if RANKS.is_first else None
        run_dir = folder / f"alone{RANKS.rank}" if ranks is None else run_dir
        spoiled = Trainer(
            *(net, SGD(net.parameters(), lr=1e-4), Dataset(data, data, Classification("abc"))),
            rng=0,
            batch_size=10,
            iterations=4,
            shards=3,
            accumulate=2,
            evaluate_every=100,
            run_dir=run_dir,
            watch=Diagnosis(),
            quiet=True,
            ranks=ranks,
        )
        with pytest.raises(NonFiniteError) as raised:
            spoiled.run()
        assert 13 in spoiled.batch.rows[3:]  # not in the first shard
        found.append(raised.value.culprit)
    assert found[0] == found[1]
    assert (found[0].layer, found[0].when, found[0].samples) == ("spoils", "forward", [13])
    print("culprit")


OWN = "from lamina.layers import Relu\n\nclass Mine(Relu):\n    pass\n"


def unlike(folder: Path) -> None:
    ours = folder / f"rank{RANKS.rank}"
    ours.mkdir()
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((30, 4)).astype(np.float32), np.arange(30) % 3
    arrays = {"x_train": X, "t_train": t, "x_test": X, "t_test": t}
    np.savez(ours / "same.npz", **arrays)
    X = X.copy()
    X[3, 1] += RANKS.rank == 2
    np.savez(ours / "data.npz", **arrays | {"x_test": X})
    (ours / "my.py").write_text(OWN + "# another\n" * (RANKS.rank == 1))
    net = Sequential({"affine": Affine(4, 3, rng=RANKS.rank)}, loss=SoftmaxWithLoss())
    save_weights(ours / "weights.npz", net)

    def config(file="same.npz", lr=0.1, layers=(), **of_net):
        layers = {**dict(layers), "affine": {"type": "Affine", "n_out": 3}}
        loss = {"type": "SoftmaxWithLoss"}
        data = {
            "dataset": {"type": "NPZ", "path": str(ours / file)},
            "net": {
                "type": "Sequential",
                "layers": layers,
                "loss": loss,
                **of_net,
            },
            "optimizer": {"type": "SGD", "lr": lr},
            "training": {"iterations": 2, "batch_size": 6, "shards": 3},
        }
        return Config(data, "c.yaml", {}, ours)

    def refused(config, run_dir="never"):
        try:
            run(config, "run", folder / run_dir, True, ranks=RANKS)
        except RankError as error:
            print(error)
        else:
            raise AssertionError("not refused")
        assert not (folder / run_dir).exists()

    refused(config(lr=0.1 + 0.1 * (RANKS.rank == 1)))
    refused(config(file="data.npz"))
    refused(config(layers={"mine": {"type": f"{ours / 'my.py'}:Mine"}}))
    refused(config(weights=str(ours / "weights.npz")))
    numpy, source = provenance.np, same_on_all_ranks._source
    if RANKS.rank == 2:
        provenance.np = type("numpy", (), {"__version__": "1.0"})
    refused(config())
    provenance.np = numpy
    if RANKS.rank == 1:
        same_on_all_ranks._source = lambda: "another"
    refused(config())
    same_on_all_ranks._source = source
    run(config(), "run", folder / "run", True, ranks=RANKS)
    print("the same is not refused")


def crossed(folder: Path) -> None:
    resumed(folder, every_pair=True)


def resumed(folder: Path, every_pair: bool = False) -> None:
    """The cases of tests/experiment/test_resume.py, cut into shards and spread over ranks."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "experiment"))
    import test_resume as cases
    from conftest import Tiny

    datasets.Tiny, datasets.__all__ = Tiny, [*datasets.__all__, "Tiny"]
    of_run.plot_curves = lambda *_, **__: None  # curves take half a second each
    pairs = list(itertools.product(cases.FEATURES, cases.OPTIMIZERS))
    if not every_pair:
        pairs = [pair for pair in pairs if "dropout" in pair or "Adam" in pair]
    for number, (feature, optimizer) in enumerate(pairs):
        settings = {"optimizer.type": optimizer, **cases.FEATURES[feature], "training.shards": 4}
        longer, half = (
            Config(cases.setup(**settings, **{"training.iterations": n}), "c.yaml", {}, folder)
            for n in (40, 20)
        )
        whole, parts = (folder / f"{number}-{name}" for name in ("whole", "parts"))
        if RANKS.is_first:
            of_run.run(longer, "whole", whole, quiet=True)
        RANKS.all(None)  # the others wait
        of_run.run(half, "parts", parts, quiet=True, ranks=RANKS)
        if RANKS.is_first:
            assert not cases.same(whole, parts), (feature, optimizer)
        of_run.resume(longer, parts, quiet=True, ranks=RANKS)
        if RANKS.is_first:
            assert cases.same(whole, parts), (feature, optimizer)
    print(len(pairs), "resumed")


if __name__ == "__main__":
    if not RANKS.is_first:
        hush()
    check, *folder = sys.argv[1:]
    globals()[check](*map(Path, folder))
    RANKS.leave(0, "", "on_ranks.py")
