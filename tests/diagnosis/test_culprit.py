"""One NaN, planted anywhere: training stops within its step, and a replay names the place."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from made_batches import narrowed
from threadpoolctl import threadpool_limits

from lamina.datasets import Classification, Dataset, Samples
from lamina.diagnosis import Diagnosis
from lamina.diagnosis.culprit import find_culprit
from lamina.diagnosis.words import explain
from lamina.experiment.build import build_dataset, build_net, build_optimizer, check_sections
from lamina.experiment.config import load_config
from lamina.layers import Affine, Relu, SoftmaxWithLoss
from lamina.layers.base import Layer, Param
from lamina.nets import Sequential
from lamina.nets.probes import places_of
from lamina.optimizers import SGD
from lamina.training.checkpoint import Checkpoints
from lamina.training.trainer import Trainer
from lamina.training.watch import NonFiniteError

# Large nets, of whose layers the others have all kinds.
LARGE = ("deep_convnet", "resnet", "simple_convnet", "fashion_convnet", "ptb_lstm", "text_gpt")
CONFIGS = [
    pytest.param(path, marks=pytest.mark.slow) if path.stem.endswith(LARGE) else path
    for path in sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
]
STEP = 2  # the iteration at which a NaN is planted
WINDOW = 8  # positions of a text: a NaN goes through fewer of them as through many


@pytest.fixture(autouse=True)
def one_thread():
    """Products this small are slower on two threads, and much slower on a busy machine."""
    with threadpool_limits(1):
        yield


def samples_for(dataset, n, rng):
    """Made inputs with targets of the task; of a vocabulary the first samples."""
    task = dataset.task
    if hasattr(dataset, "n_words"):
        X, t = dataset.train[:n]
        several = isinstance(X, tuple)
        X = np.concatenate(X, axis=1) if several else X.copy()
        X[:, ::2], X[:, 1::2] = 0, dataset.n_words - 1  # the rows that faults are planted in
        if several:  # one of them may be a single word: both words in each batch of all rows
            X[1::2] = dataset.n_words - 1 - X[1::2]
        return Samples(X, t, widths=dataset.widths)
    X = rng.random((n, *dataset.input_shape), dtype=np.float32)
    if task.name == "reconstruction":
        return Samples(X, X)
    return Samples(X, np.arange(len(X)) % len(task.class_names))


def trainer_of(config, batch_size=4, samples=20):
    """A trainer of the net and rule of a configuration, on made inputs of the right shape."""
    check_sections(config)
    config.data["net"].pop("weights", None)
    texts, layers = config.data["dataset"], config.data["net"].get("layers", {})
    texts |= {"length": WINDOW} if "length" in texts else {}
    texts |= {"context": WINDOW // 2} if "context" in texts else {}
    for layer in layers.values():
        layer |= {"learned": WINDOW} if "learned" in layer else {}
    dataset, rng = build_dataset(config), np.random.default_rng(0)
    net = build_net(config, dataset, rng)
    made = samples_for(dataset, samples, rng)
    optimizer = build_optimizer(config, net.parameters())
    penalty = config.data["training"].get("gradient_penalty", 0.0)
    batch_size = samples if made.widths else batch_size
    settings = {"iterations": 4, "batch_size": batch_size, "evaluate_every": 100, "quiet": True}
    settings |= {"gradient_penalty": penalty, "rng": rng, "watch": Diagnosis()}
    return Trainer(net, optimizer, Dataset(made, made, dataset.task, made), **settings)


def spoiled(result):
    """What a pass has given, NaN in the first sample of the last array, of which every layer reads
    something (a convolution with a stride may leave out the end, a last step all before it)."""
    arrays = list(result) if isinstance(result, tuple) else [result]
    if arrays[-1] is None or not isinstance(arrays[-1], (np.ndarray, np.generic)):
        return result
    if arrays[-1].dtype.kind != "f":  # indices hold no NaN
        return result
    arrays[-1] = np.array(arrays[-1])
    arrays[-1][(slice(1),)[: arrays[-1].ndim]] = np.nan
    return tuple(arrays) if isinstance(result, tuple) else arrays[-1]


def faults(trainer, spared):
    """(what, undo) for a NaN in each output, dX, gradient of a parameter, and update; `spared` gets
    (way, layer) of those that hold none."""
    due = lambda: trainer.iteration == STEP - 1  # noqa: E731
    seen = set()  # a tied parameter is that of its first layer
    for place in places_of(trainer.net):
        layer = place.layer
        for way, array in (("forward", "output"), ("backward", "dX")):
            plain = getattr(layer, way)

            def faulty(*given, plain=plain, place=place, way=way):
                result = plain(*given)
                if not due():
                    return result
                changed = spoiled(result)
                if changed is result:
                    spared.add((way, place.name))
                return changed

            setattr(layer, way, faulty)
            array = "loss" if place.is_loss and way == "forward" else array
            yield (
                (way, place.name, place.type, array),
                lambda way=way, held=layer: delattr(held, way),
            )
        for name, param in layer.parameters().items():
            if not param.trainable or id(param) in seen:
                continue
            seen.add(id(param))

            def backward(*given, plain=layer.backward, param=param):
                result = plain(*given)
                if due():
                    param.grad = spoiled(param.grad)
                return result

            layer.backward = backward
            found = ("backward", place.name, place.type, f"d{name}")
            yield found, lambda held=layer: delattr(held, "backward")
            rule = "_update_rows" if param.sparse else "update"
            update = getattr(trainer.optimizer, rule)

            def updating(*given, update=update, param=param):
                update(*given)
                if any(one is param for one in given) and due():
                    param.data[(-1,) * param.data.ndim] = np.nan

            setattr(trainer.optimizer, rule, updating)
            found = ("update", place.name, place.type, name)
            yield found, lambda rule=rule: delattr(trainer.optimizer, rule)


def stopped(trainer, start):
    """Train from there; (error, culprit) of the failure, or None if there was none."""
    trainer.load_state(start)
    try:
        with np.errstate(all="ignore"):
            for _ in range(STEP + 1):
                trainer.step()
    except NonFiniteError as error:
        with np.errstate(all="ignore"):
            return error, find_culprit(trainer, error, lambda: start)
    return None


@pytest.mark.often(2)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_nan_in_any_layer_of_any_net(path):
    trainer = trainer_of(narrowed(load_config(path)))
    trainer.net.needs_dX = False
    start, reached = trainer.state(), 0
    spared = set()
    for (when, layer, kind, array), undo in faults(trainer, spared):
        found = stopped(trainer, start)
        undo()
        if found is None:  # the lowest layer that learns gives no dX, what is below is not visited
            assert array == "dX" or (when, layer) in spared, (when, layer, kind)
            continue
        error, culprit = found
        # An update is noticed by the loss of the step after it.
        assert error.iteration <= STEP + (when == "update"), (when, layer, array)
        assert dataclasses.astuple(culprit)[:5] == (STEP, when, layer, kind, array)
        assert (culprit.value, culprit.search, culprit.since) == ("nan", "replayed", 0)
        reached += 1
    learned = sum(param.trainable for param in trainer.net.parameters().values())
    assert reached >= len(places_of(trainer.net)) - len(spared) + 2 * learned


@pytest.mark.often(2)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_nan_in_the_input_or_in_a_weight_from_the_start(path):
    trainer = trainer_of(narrowed(load_config(path)))
    trainer.net.needs_dX = False
    start = trainer.state()
    X = trainer.dataset.train.X
    if X.dtype.kind == "f":
        _plant_in_the_input(trainer, start, X)
    for place in places_of(trainer.net):
        for name in place.layer.parameters():
            key = f"{place.name}.{name}"
            if key not in start["net"]:  # tied: it stands under the name of its first layer
                continue
            bad = start["net"][key].copy()
            bad[(0,) * bad.ndim] = np.nan
            error, culprit = stopped(trainer, {**start, "net": {**start["net"], key: bad}})
            assert error.iteration == 1
            assert (culprit.when, culprit.layer, culprit.array) == ("start", place.name, name)


def _plant_in_the_input(trainer, start, X):
    sample = int(trainer.batches.order.order[trainer.batches.batch_size])  # of the second batch
    place = tuple(np.array(X.shape[1:]) // 2)
    kept, X[(sample, *place)] = X[(sample, *place)], np.inf
    error, culprit = stopped(trainer, start)
    assert error.iteration == culprit.iteration == STEP
    assert (culprit.when, culprit.array, culprit.layer) == ("input", "X", "")
    assert (culprit.samples, tuple(culprit.index[1:])) == ([sample], place)
    X[(sample, *place)] = kept


def chain(layers=None, samples=30, **settings):
    rng = np.random.default_rng(0)
    X, t = rng.standard_normal((samples, 4)).astype(np.float32), np.arange(samples) % 3
    layers = layers or {"affine1": Affine(4, 5, rng=rng), "relu": Relu()}
    layers = {**layers, "last": Affine(5, 3, rng=rng)}
    net = Sequential(layers, loss=SoftmaxWithLoss())
    data = Dataset(Samples(X, t), Samples(X, t), Classification(range(3)))
    settings = {"iterations": 20, "batch_size": 10, "quiet": True, **settings}
    settings.setdefault("watch", Diagnosis())
    optimizer = SGD(net.parameters(), lr=settings.pop("lr", 0.1))
    return Trainer(net, optimizer, data, rng=rng, **settings)


def test_a_run_says_it_in_words_and_keeps_it(tmp_path, capfd):
    made = chain(run_dir=tmp_path, quiet=False)
    made.dataset.train.X[17, 2] = np.nan
    with pytest.raises(NonFiniteError) as caught:
        made.run()
    at = caught.value.iteration
    assert at <= 3  # an epoch
    said = str(caught.value).splitlines()
    assert all(len(line) <= 80 for line in said if str(tmp_path) not in line)
    lines = " ".join(line.strip() for line in said)
    assert lines.startswith(
        f"the loss is nan at iteration {at} it began at iteration {at}: the batch: X["
    )
    assert "entry (2) of its sample samples (rows of the training set): 17 found by" in lines
    assert "found by a replay from iteration 0 usual causes: a missing value" in lines
    assert lines.endswith(f"lamina doctor {tmp_path} says what led to it")
    kept = json.loads((tmp_path / "culprit.json").read_text())
    assert lines.startswith(" ".join(line.strip() for line in kept["said"]))
    assert (kept["iteration"], kept["when"], kept["samples"]) == (at, "input", [17])
    assert f"the loss is nan at iteration {at}; replaying to find out why" in capfd.readouterr().err
    assert not list(tmp_path.glob("*.npz"))
    assert len((tmp_path / "loss.csv").read_text().splitlines()) == at


def test_what_came_from_outside_the_training_is_said_to(tmp_path):
    def callback(trainer, row):
        if trainer.iteration == 6:
            trainer.net.layers["last"].W.data[1, 2] = np.nan

    made = chain(run_dir=tmp_path, evaluate_every=3, callbacks=[callback])
    with pytest.raises(
        NonFiniteError, match=r"(?s)at iteration 7.*was clean.*a callback"
    ) as caught:
        made.run()
    culprit = caught.value.culprit
    assert (culprit.search, culprit.layer, culprit.array) == ("clean", "last", "W")
    assert culprit.index == [1, 2]


def test_a_rate_that_is_too_high_is_the_first_suspect():
    for rate in (1e25, 1e10):
        with pytest.raises(NonFiniteError) as caught:
            chain(lr=rate).run()
        said = " ".join(str(caught.value).split())
        assert f"the learning rate ({rate:g}) is the first suspect" in said


def test_an_augmentation_that_divides_by_zero():
    def augmentation(X):
        X = X.copy()
        X[3, 1] = np.inf
        return X

    with pytest.raises(NonFiniteError, match=r"the augmentation: the samples") as caught:
        chain(augmentation=augmentation).run()
    assert caught.value.culprit.augmented


class Mask(Layer):
    """-inf, as before a softmax, that another layer makes harmless again."""

    def forward(self, X):
        return np.where(X > -1e9, X, X) + np.array([0, 0, 0, 0, -np.inf], X.dtype)

    def backward(self, dout):
        return dout


class Exp(Layer):
    def forward(self, X):
        self.Y = np.exp(X)
        return self.Y

    def backward(self, dout):
        return dout * self.Y


def test_an_infinity_that_harms_nothing_is_not_blamed():
    rng = np.random.default_rng(0)
    made = chain({"affine1": Affine(4, 5, rng=rng), "mask": Mask(), "exp": Exp()})
    made.dataset.train.X[0, 0] = np.nan
    made.batches.order.order[:] = np.roll(np.arange(30), 10)  # sample 0 is in the second batch
    with pytest.raises(NonFiniteError) as caught:
        made.run()
    assert (caught.value.culprit.when, caught.value.iteration) == ("input", 2)
    plain = Exp.forward

    class Broken(Exp):
        def forward(self, X):
            return plain(self, X) * (np.nan if made.iteration == 4 else 1)

    made = chain({"affine1": Affine(4, 5, rng=rng), "mask": Mask(), "exp": Broken()})
    with pytest.raises(NonFiniteError) as caught:
        made.run()
    assert (caught.value.culprit.layer, caught.value.culprit.array) == ("exp", "output")


def test_the_replay_begins_at_the_last_checkpoint(tmp_path):
    made = chain(run_dir=tmp_path, checkpoints=Checkpoints(every=4), iterations=50)
    plain = made.net.layers["relu"].backward

    def faulty(dout):
        return spoiled(plain(dout)) if made.iteration == 10 else plain(dout)

    made.net.layers["relu"].backward = faulty
    with pytest.raises(NonFiniteError) as caught:
        made.run()
    culprit = caught.value.culprit
    assert (culprit.iteration, culprit.layer, culprit.array) == (11, "relu", "dX")
    assert (culprit.search, culprit.since) == ("replayed", 8)
    assert sorted(p.name for p in tmp_path.glob("*.npz")) == [
        *("checkpoint-00000004.npz", "checkpoint-00000008.npz")
    ]
    rows = (tmp_path / "layers.csv").read_text().splitlines()[1:]
    assert {int(row.split(",")[0]) for row in rows} == {1, 2, 5, 10}


def test_a_checkpoint_that_is_gone_hides_no_failure(tmp_path):
    made = chain(run_dir=tmp_path, checkpoints=Checkpoints(every=4))
    plain = made.net.layers["relu"].backward

    def faulty(dout):
        if made.iteration < 5:
            return plain(dout)
        for path in tmp_path.glob("*.npz"):
            path.write_bytes(path.read_bytes()[:-9])
        return spoiled(plain(dout))

    made.net.layers["relu"].backward = faulty
    with pytest.raises(NonFiniteError, match="no state to") as caught:
        made.run()
    assert (caught.value.culprit.search, caught.value.culprit.layer) == ("none", "affine1")


def test_ctrl_c_ends_the_search_with_what_is_known():
    made = chain()
    for _ in range(3):
        made.step()
    param = made.net.parameters()["last.b"]
    param.grad = np.full_like(param.grad, np.nan)

    def last_state():
        raise KeyboardInterrupt

    culprit = find_culprit(made, NonFiniteError(4, "a gradient"), last_state)
    assert (culprit.search, culprit.layer, culprit.array) == ("stopped", "last", "db")
    assert find_culprit(made, NonFiniteError(4, "a gradient"), None).search == "none"


def test_several_batches_per_update_name_the_right_samples():
    made = chain(accumulate=3, samples=60)
    row = int(made.batches.order.order[15])  # in the second batch of the first step
    made.dataset.train.X[row, 0] = np.nan
    with pytest.raises(NonFiniteError) as caught:
        made.run()
    assert caught.value.culprit.samples == [row]


def test_a_shared_layer_and_a_state():
    rng = np.random.default_rng(0)
    shared = Affine(4, 4, rng=rng)
    made = chain({"a": shared, "b": shared, "wide": Affine(4, 5, rng=rng)})
    assert isinstance(made.net.layers["b"].W, Param)
    twin, plain = made.net.layers["b"], made.net.layers["b"].forward
    twin.forward = lambda X: spoiled(plain(X))
    with pytest.raises(NonFiniteError) as caught:
        made.run()
    assert caught.value.culprit.layer == "b"


@pytest.mark.parametrize("shards", [1, 2, 3, 10])
def test_the_samples_of_all_shards_are_those_of_the_batch(shards):
    """10^38 in some rows of a batch of 30, times weights of 10."""
    made = chain(shards=shards, batch_size=30)
    made.net.layers["affine1"].W.data[:] = 10.0
    bad = [3, 17, 21, 22]
    made.dataset.train.X[bad] = 1e38
    with pytest.raises(NonFiniteError) as caught, np.errstate(all="ignore"):
        made.run()
    culprit, rows = caught.value.culprit, made.batch.rows
    assert (culprit.layer, culprit.array, culprit.bad_samples) == ("affine1", "output", 4)
    assert culprit.samples == [int(row) for row in rows if row in bad]
    assert (culprit.bad, culprit.size) == (4 * culprit.shape[1], 30 * culprit.shape[1])
    assert culprit.shape[0] == 30
    assert rows[culprit.index[0]] == culprit.samples[0]


def test_a_loss_that_is_spoilt_does_not_blame_what_comes_after_it():
    """Without a replay the first that is known is the loss; the gradients are spoilt by it."""
    made = chain()
    for param in made.net.parameters().values():
        param.grad = np.full(param.data.shape, np.nan)
    error = NonFiniteError(1, "the loss is nan at iteration 1", in_loss=True)
    culprit = find_culprit(made, error, None)
    assert (culprit.when, culprit.array, culprit.type) == ("forward", "loss", "SoftmaxWithLoss")
    said = explain(culprit, error.noticed, [-1.2, -4.5], 0.1)  # fallen
    assert "had risen" not in said
    said = explain(culprit, error.noticed, [2.0], 0.1)
    assert "where it began is not known; left of iteration 1: forward" in said
    assert find_culprit(made, NonFiniteError(1, "a gradient"), None).array != "loss"
