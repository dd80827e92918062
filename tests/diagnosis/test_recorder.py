"""The recorder writes the right numbers, and changes nothing."""

import csv
import json

import numpy as np
import pytest

from lamina.datasets import Classification, Dataset, LanguageModel, Regression, Samples
from lamina.diagnosis import Diagnosis
from lamina.diagnosis.notes import read_facts
from lamina.diagnosis.record import read_record
from lamina.diagnosis.recorder import DEFAULT_INTERVAL, EARLY, LAYERS, PARAMETERS, _reading
from lamina.diagnosis.statistics import (
    alive,
    mean_and_std,
    norm,
    share_dead,
    share_saturated,
)
from lamina.layers import (
    AbsoluteErrorLoss,
    Affine,
    BatchNormalization,
    Convolution,
    Dropout,
    Embedding,
    Gru,
    Lstm,
    Relu,
    Reshape,
    Rnn,
    Sigmoid,
    SoftmaxWithLoss,
    SquaredErrorLoss,
    Tanh,
)
from lamina.layers.gates import Addition
from lamina.nets import Graph, Node, Sequential
from lamina.nets.probes import Probes, places_of
from lamina.optimizers import Adam
from lamina.training.trainer import Trainer


class Unlike(SoftmaxWithLoss):
    """One that takes no scores that are all alike."""

    def forward(self, scores, targets):
        if np.ptp(scores) == 0.0:
            raise ValueError("no scores")
        return super().forward(scores, targets)


def make(run_dir=None, seed=0, record_every=DEFAULT_INTERVAL, **settings):
    rng = np.random.default_rng(seed)
    t = np.arange(200) % 3
    X = (rng.standard_normal((200, 4)) + 3 * np.eye(4)[t]).astype(np.float32)
    layers = {
        "affine1": Affine(4, 8, rng=rng),
        "norm": BatchNormalization(8),
        "relu": Relu(),
        "drop": Dropout(0.2, rng=rng.spawn(1)[0]),
        "affine2": Affine(8, 8, rng=rng),
        "sigmoid": Sigmoid(),
        "affine3": Affine(8, 3, rng=rng),
    }
    net = Sequential(layers, loss=SoftmaxWithLoss())
    data = Dataset(Samples(X[50:], t[50:]), Samples(X[:50], t[:50]), Classification(range(3)))
    settings = {"iterations": 60, "batch_size": 20, "quiet": True, **settings}
    settings["watch"] = Diagnosis(record_every)
    return Trainer(net, Adam(net.parameters()), data, rng=rng, run_dir=run_dir, **settings)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("settings", [{}, {"accumulate": 3}, {"gradient_penalty": 0.1}])
def test_it_does_not_change_training_by_one_bit(tmp_path, settings):
    left = {}
    for name, every in (("off", None), ("zero", 0), ("on", 1), ("again", 1)):
        (tmp_path / name).mkdir()
        make(tmp_path / name, record_every=every, **settings).run()
        left[name] = {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()}
        left[name].pop("timing.csv")
    recorded = {"layers.csv", "parameters.csv", "outputs.csv"}
    facts = {name: json.loads(files.pop("facts.json")) for name, files in left.items()}
    assert facts["off"] == facts["zero"] == facts["on"] == facts["again"]
    assert left["off"] == left["zero"]
    assert left["off"].keys() == left["on"].keys() - recorded
    assert all(left["on"][name] == content for name, content in left["off"].items())
    assert left["on"] == left["again"]


def test_its_rows(tmp_path):
    make(tmp_path, record_every=25).run()
    layers, parameters = rows(tmp_path / "layers.csv"), rows(tmp_path / "parameters.csv")
    assert list(layers[0]) == list(LAYERS)
    assert list(parameters[0]) == list(PARAMETERS)
    due = sorted({*(i for i in EARLY if i <= 60), 25, 50})
    names = ["(input)", "affine1", "norm", "relu", "drop", "affine2", "sigmoid", "affine3"]
    assert [r["layer"] for r in layers] == names * len(due)
    assert [int(r["iteration"]) for r in layers[::8]] == due
    assert [r["parameter"] for r in parameters[-9:]] == [*make().net.parameters(), "(all)"]
    for row in layers:
        empty = {key for key, cell in row.items() if not cell}
        expected = {"dead", "saturated"}
        expected -= {"relu": {"dead"}, "sigmoid": {"saturated"}}.get(row["layer"], set())
        if row["layer"] == "(input)":
            expected |= {"gradient_mean", "gradient_std"}
        assert empty == expected


def test_its_numbers_are_those_of_the_step(tmp_path):
    make(tmp_path, record_every=10, iterations=10).run()
    other = make()
    for _ in range(9):
        other.step()
    before = {n: p.data.copy() for n, p in other.net.parameters().items()}
    kept = {}

    class Keep:
        def forward(self, place, inputs, outputs):
            kept[place.name] = outputs[0]

        def backward(self, place, douts, dXs):
            kept["d" + place.name] = douts[0]

    with Probes(places_of(other.net), Keep()):
        other.step()
    inputs, *layers = rows(tmp_path / "layers.csv")[-8:]
    assert inputs["layer"] == "(input)"
    assert float(inputs["mean"]) == pytest.approx(other.batch.X.mean(dtype=float), rel=1e-4)
    assert float(inputs["std"]) == pytest.approx(other.batch.X.std(dtype=float), rel=1e-4)
    for row in layers:
        for prefix, key in (("", ""), ("gradient_", "d")):
            array = kept[key + row["layer"]].astype(float)
            assert float(row[f"{prefix}mean"]) == pytest.approx(array.mean(), rel=1e-4, abs=1e-8)
            assert float(row[f"{prefix}std"]) == pytest.approx(array.std(), rel=1e-4)
    total = {"w": 0.0, "g": 0.0, "change": 0.0}
    table = rows(tmp_path / "parameters.csv")[-9:]
    for row in table[:-1]:
        w, param = before[row["parameter"]].astype(float), other.net.parameters()[row["parameter"]]
        sizes = {"w": w, "g": param.grad.astype(float), "change": param.data - w}
        sizes = {key: np.linalg.norm(array) for key, array in sizes.items()}
        assert float(row["weight_norm"]) == pytest.approx(sizes["w"], rel=1e-4)
        assert float(row["gradient_norm"]) == pytest.approx(sizes["g"], rel=1e-4)
        assert float(row["update_ratio"]) == pytest.approx(sizes["change"] / sizes["w"], rel=1e-3)
        total = {key: np.hypot(total[key], size) for key, size in sizes.items()}
    assert float(table[-1]["gradient_norm"]) == pytest.approx(total["g"], rel=1e-4)
    assert float(table[-1]["update_ratio"]) == pytest.approx(total["change"] / total["w"], rel=1e-3)


def test_facts(tmp_path):
    made = make(tmp_path)
    made.net.parameters()["affine1.b"].trainable = False
    made.run()
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert (facts["samples"], facts["test_samples"], facts["batch_size"]) == (150, 50, 20)
    assert facts["task"]["classes"] == 3
    assert facts["figure"]["guess"] == pytest.approx(1 / 3, abs=0.02)
    assert facts["layers"]["sigmoid"] == "Sigmoid"
    assert facts["parameters"]["affine2.W"]["shape"] == [8, 8]
    assert facts["parameters"]["affine2.W"]["std"] == pytest.approx(0.5, rel=0.3)
    assert facts["parameters"]["affine1.b"] == {
        **{"shape": [8], "mean": 0.0, "std": 0.0},
        "learns": False,
        "decays": True,
        "decay_mult": 1.0,
        "lr_mult": 1.0,
    }
    assert not any(r["parameter"] == "affine1.b" for r in rows(tmp_path / "parameters.csv"))


def test_facts_of_three_sets_that_differ(tmp_path):
    """What guessing scores is of the test set, what it pays of the training set."""
    t = {"train": [0] * 30 + [1] * 10 + [2] * 20, "test": [0, 0, 1, 1, 1, 2, 2, 2, 2, 2]}
    sets = {name: Samples(np.zeros((len(v), 4), np.float32), np.array(v)) for name, v in t.items()}
    validation = Samples(np.zeros((7, 4), np.float32), np.arange(7) % 3)
    data = Dataset(sets["train"], sets["test"], Classification(range(3)), validation)
    net = Sequential({"affine": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
    settings = {"rng": 0, "iterations": 2, "batch_size": 20, "quiet": True}
    settings |= {"watch": Diagnosis(1), "run_dir": tmp_path}
    Trainer(net, Adam(net.parameters()), data, **settings).run()
    facts = json.loads((tmp_path / "facts.json").read_text())
    counts = [facts[f"{name}samples"] for name in ("", "validation_", "test_")]
    assert counts == [60, 7, 10]
    # Class 0, the most frequent one of the training set, in the test set.
    assert facts["figure"]["guess"] == pytest.approx(0.2)
    expected = data.task.guessing_loss("SoftmaxWithLoss", sets["train"].t)
    assert facts["guessing_loss"] == pytest.approx(expected, rel=1e-5)


def test_the_positions_of_a_sequence_that_count_are_targets(tmp_path):
    X, t = np.zeros((6, 4), np.intp), np.tile([0, 1, 2, -1], (6, 1))
    sets = [Samples(X[:n], t[:n]) for n in (6, 5)]
    data = Dataset(*sets, LanguageModel(["a", "b", "c"], ignore_index=-1))
    layers = {"embedding": Embedding(3, 2, rng=0), "affine": Affine(2, 3, rng=0)}
    net = Sequential(layers, loss=SoftmaxWithLoss(ignore_index=-1))
    settings = {"rng": 0, "iterations": 2, "batch_size": 3, "quiet": True}
    settings |= {"watch": Diagnosis(1), "run_dir": tmp_path}
    Trainer(net, Adam(net.parameters()), data, **settings).run()
    facts = read_facts(tmp_path / "facts.json")
    assert (facts["test_samples"], facts["test_targets"]) == (5, 15)


def test_its_seconds_are_in_timing_csv(tmp_path):
    made = make(tmp_path, record_every=1, evaluate_every=20)
    made.run()
    timing = rows(tmp_path / "timing.csv")
    assert list(timing[0])[-1] == "recorder_seconds"
    seconds = [float(row["recorder_seconds"]) for row in timing]
    assert 0 < seconds[0] <= seconds[1] <= seconds[2] < float(timing[-1]["seconds"])


def test_without_a_run_directory_nothing_is_recorded():
    made = make(iterations=5)
    made.run()
    assert made.watch.recorder is None


def test_a_negative_interval_is_refused():
    with pytest.raises(ValueError, match="record_every: expects at least 0"):
        make(record_every=-1)


def test_norms_beyond_the_range_of_float32():
    with np.errstate(over="ignore", under="ignore"):
        for size in (1e-30, 1e-8, 1.0, 1e10, 1e30):
            array = np.full(4, size, np.float32)
            assert norm(array) == pytest.approx(2 * size, rel=1e-6)
            mean, std = mean_and_std(np.array([size, -size, size, -size], np.float32))
            assert abs(mean) < 1e-6 * size
            assert std == pytest.approx(size, rel=1e-6)
        assert mean_and_std(np.full(4, 3e38, np.float32))[0] == pytest.approx(3e38, rel=1e-6)
    assert norm(np.zeros(3, np.float32)) == 0.0
    assert np.isnan(mean_and_std(np.zeros((0, 3)))).all()


def dead(*parts):
    """The share of dead ReLUs, from the parts of a batch."""
    return share_dead([alive(Relu(), part) for part in parts], sum(part.size for part in parts))


def test_a_dead_unit_is_dead_for_all_samples():
    Y = np.zeros((24, 4), np.float32)
    Y[2, 0] = Y[5, 1] = 1e-20
    assert dead(Y) == dead(Y[:3], Y[3:]) == 0.5
    images = np.zeros((6, 4, 3, 3), np.float32)
    images[3, 1, 2, 2] = 1.0
    assert dead(images) == 0.75
    assert dead(np.zeros((7, 3, 4), np.float32)) == 1.0
    for few in (Y[:1], Y[:19], images[:2], np.zeros((2, 3, 4), np.float32)):
        assert dead(few) is None  # half of all units rest for a single sample
    assert alive(Sigmoid(), Y) is None
    assert alive(Relu(), np.zeros(4, np.float32)) is None
    # Of four axes the second is that of channels, but behind a layer whose units stand last.
    Y = np.zeros((2, 3, 4, 5), np.float32)
    Y[0, 1, :, 2] = 1.0
    assert alive(Relu(), Y).tolist() == [False, True, False]
    assert alive(Relu(), Y, units_last=True).tolist() == [False, False, True, False, False]


def test_saturation_is_where_the_derivative_is_small():
    X = np.linspace(-8, 8, 2001)
    for layer, largest in ((Sigmoid(), 0.25), (Tanh(), 1.0)):
        Y = layer.forward(X)
        slope = layer.backward(np.ones_like(X))
        assert share_saturated(layer, Y) == pytest.approx(np.mean(slope < 0.05 * largest))
    assert share_saturated(Relu(), X) is None


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("size", [0.5, 3.0])
def test_saturation_of_gates_is_that_of_pytorch_s_numbers(size, last_only):
    """The gates computed step by step from the weights, beside the share that is noted."""
    torch = pytest.importorskip("torch")
    X = size * np.random.default_rng(0).standard_normal((5, 7, 3))
    for kind in (Lstm, Gru, Rnn):
        layer = kind(3, 4, last_only=last_only, rng=1, dtype=np.float64)
        layer.Wx.data *= size
        Y = layer.forward(X)
        Wx, Wh, b = (torch.tensor(p.data) for p in (layer.Wx, layer.Wh, layer.b))
        h, c, slopes = torch.zeros(5, 4).double(), torch.zeros(5, 4).double(), []
        for x in torch.tensor(X).unbind(1):
            a, q = x @ Wx + b, h @ Wh
            if kind is Rnn:
                h = torch.tanh(a + q)
                slopes.append(1 - h**2)
            elif kind is Lstm:
                i, f, o = torch.sigmoid((a + q)[:, :12]).chunk(3, 1)
                g = torch.tanh((a + q)[:, 12:])
                c = f * c + i * g
                h = o * torch.tanh(c)
                slopes += [4 * s * (1 - s) for s in (i, f, o)] + [1 - g**2]
            else:
                r, z = torch.sigmoid((a + q)[:, :8]).chunk(2, 1)
                n = torch.tanh(a[:, 8:] + r * q[:, 8:])
                h = (1 - z) * n + z * h
                slopes += [4 * s * (1 - s) for s in (r, z)] + [1 - n**2]
        expected = float((torch.cat(slopes) < 0.05).double().mean())
        assert share_saturated(layer, Y) == pytest.approx(expected, abs=1e-12)
        assert (expected > 0.1) == (size == 3.0)
    assert share_saturated(Rnn(3, 4, activation="relu", rng=1), X) is None


def test_the_inputs_are_those_of_the_batch_that_the_layers_saw(tmp_path):
    for accumulate in (1, 2):
        make(tmp_path / str(accumulate), accumulate=accumulate, record_every=1).run()
    one, two = (rows(tmp_path / name / "layers.csv")[:2] for name in ("1", "2"))
    assert [row["layer"] for row in one] == ["(input)", "affine1"]
    assert [row["mean"] for row in one] == [row["mean"] for row in two]


def test_what_guessing_costs_with_a_loss_that_counts_twice_is_a_sum_or_weighs_classes(tmp_path):
    losses = {"plain": SoftmaxWithLoss(), "sum": SoftmaxWithLoss("sum"), "twice": SoftmaxWithLoss()}
    losses["weighed"] = SoftmaxWithLoss("sum", class_weights=(1.0, 1.0, 4.0))
    for name, loss in losses.items():
        trainer = make(tmp_path / name, iterations=1)
        trainer.net.heads["loss"].loss = loss
        trainer.net.heads["loss"].weight = 2.0 if name == "twice" else 1.0
        trainer.run()
    plain, summed, twice, weighed = (
        json.loads((tmp_path / name / "facts.json").read_text()) for name in losses
    )
    assert twice["guessing_loss"] == pytest.approx(2 * plain["guessing_loss"], rel=1e-5)
    assert plain["guessing_loss"] == pytest.approx(np.log(3), rel=1e-3)
    assert summed["guessing_loss"] == plain["guessing_loss"]  # by sample
    assert (plain["summed"], summed["summed"]) == (1.0, plain["batch_size"])
    # A third of the samples is of each class.
    p = np.array([1.0, 1.0, 4.0]) / 6.0
    assert weighed["guessing_loss"] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-3)
    assert weighed["summed"] == pytest.approx(2.0 * weighed["batch_size"], rel=1e-3)


class Old(Classification):
    """A task of one's own that knows of no settings."""

    def guessing_loss(self, loss_name, train_t, width=None):
        return super().guessing_loss(loss_name, train_t, width)


def test_a_task_that_takes_no_settings_of_a_loss_ends_no_run(tmp_path):
    trainer = make(tmp_path / "run", iterations=1)
    trainer.dataset.task = Old(trainer.dataset.task.class_names)
    trainer.net.heads["loss"].loss = SoftmaxWithLoss(class_weights=(1.0, 1.0, 4.0))
    trainer.run()
    assert "guessing_loss" not in read_facts(tmp_path / "run" / "facts.json")


def test_a_sum_over_several_batches_counts_all_of_them(tmp_path):
    for name, loss in (("sum", SoftmaxWithLoss("sum")), ("unknown", Unlike("sum"))):
        trainer = make(tmp_path / name, iterations=1, accumulate=3)
        trainer.net.heads["loss"].loss = loss
        trainer.run()
    known, unknown = (read_facts(tmp_path / name / "facts.json") for name in ("sum", "unknown"))
    assert known["summed"] == 3 * known["batch_size"]
    assert "summed" not in unknown  # so nothing is held against it
    assert "guessing_loss" not in unknown


def test_the_doctor_holds_a_sum_against_what_guessing_costs_in_a_batch(tmp_path):
    trainer = make(tmp_path / "run", iterations=1)
    trainer.net.heads["loss"].loss = SoftmaxWithLoss("sum")
    trainer.run()
    record = read_record(tmp_path / "run")
    counted = record.facts["batch_size"]
    assert record.guessing_loss == pytest.approx(counted * np.log(3), rel=1e-3)
    assert record.train_guessing_loss == pytest.approx(np.log(3), rel=1e-3)
    assert record.history["train_loss"][0] < 2.0 < record.start_loss


@pytest.mark.parametrize("loss", [SquaredErrorLoss, AbsoluteErrorLoss])
def test_guessing_pays_what_the_loss_asks_of_the_best_constant(tmp_path, loss):
    """Also where the net gives (N, T, 1) for targets (N, T), whose T are then places."""
    rng = np.random.default_rng(0)
    X, t = (rng.standard_normal((40, 6)).astype(np.float32) for _ in range(2))
    data = Dataset(Samples(X, t), Samples(X, t), Regression("abcdef"))
    for name, shape in (("row", (6,)), ("column", (6, 1))):
        layers = {"a": Affine(6, 6, rng=0), "r": Reshape(shape)}
        net = Sequential(layers, loss=loss())
        settings = {"rng": 0, "iterations": 1, "batch_size": 20, "quiet": True}
        settings |= {"watch": Diagnosis(1), "run_dir": tmp_path / name}
        Trainer(net, Adam(net.parameters()), data, **settings).run()
        best = t.mean(axis=0) if loss is SquaredErrorLoss else np.median(t, axis=0)
        expected = loss().forward(np.broadcast_to(best, t.shape).reshape(40, *shape), t)
        facts = json.loads((tmp_path / name / "facts.json").read_text())
        assert facts["guessing_loss"] == pytest.approx(float(expected), rel=1e-5)


def test_gradients_of_several_batches_are_those_of_one_large_one(tmp_path):
    """Also where batches count unlike, or are added up, which is known after their passes."""
    for n in (1, 4):
        rng = np.random.default_rng(0)
        X, t = rng.standard_normal((40, 4)).astype(np.float32), np.arange(40) % 2
        net = Sequential({"a": Affine(4, 2, rng=0)}, loss=SoftmaxWithLoss("sum"))
        samples = Samples(X, t)
        data = Dataset(samples, samples, Classification("ab"))
        settings = {"rng": 0, "iterations": 1, "quiet": True, "watch": Diagnosis(1)}
        settings |= {"batch_size": 40 // n, "accumulate": n, "run_dir": tmp_path / str(n)}
        Trainer(net, Adam(net.parameters()), data, **settings).run()
    large, several = (
        next(r for r in rows(tmp_path / str(n) / "layers.csv") if r["layer"] == "a") for n in (1, 4)
    )
    ratio = float(several["gradient_std"]) / float(large["gradient_std"])
    assert 0.8 < ratio < 1.25  # of ten of the samples


@pytest.mark.parametrize("order", [["affine", "conv", "relu"], ["conv", "affine", "relu"]])
def test_what_a_layer_reads_is_asked_of_the_wiring(order):
    """Not of what is listed before it; in a net inside the net too."""
    rng = np.random.default_rng(0)
    nodes = {
        "affine": Node(Affine(4, 2, rng=rng), "X"),
        "conv": Node(Convolution(1, 3, kernel=3, rng=rng), "images"),
        "relu": Node(Relu(), "conv"),
    }
    last = Node(Sequential({"a": Affine(2, 3, rng=rng), "r": Relu()}), "affine")
    net = Graph(
        {name: nodes[name] for name in order} | {"last": last}, ["X", "images"], ["relu", "last"]
    )
    relus = [layer for layer in _reading((Affine,), net) if isinstance(layer, Relu)]
    assert relus == [last.layer.layers["r"]]


def test_forks_and_nets_in_the_net_hand_on_what_they_are_given():
    def affine():
        return Affine(2, 2, rng=0)

    inner = Sequential({"a": affine(), "in": Sequential({"r": Relu()}), "b": Relu()})
    assert list(_reading((Affine,), inner)) == [inner.layers["in"].layers["r"]]
    outer = Sequential({"in": Sequential({"a": affine()}), "r": Relu()})
    assert list(_reading((Affine,), outer)) == [outer.layers["r"]]
    nodes = {"a": Node(affine(), "X"), "r": Node(Relu(), "a"), "sum": Node(Addition(), ["a", "r"])}
    forked = Graph(nodes)
    assert list(_reading((Affine,), forked)) == [forked.layers["r"], forked.layers["sum"]]
