"""lamina profile and its --tune: what is measured, and what is said of mistakes."""

import json
import re

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.commands.profile import profile
from lamina.datasets import MNIST, Classification, Dataset, Samples
from lamina.diagnosis.profile import batch_of, measure, middle_half, table
from lamina.experiment import tune as tune_module
from lamina.experiment.config import ConfigError, load_config
from lamina.experiment.tune import tune
from lamina.layers import (
    Affine,
    Convolution1d,
    DotProducts,
    Embedding,
    Gru,
    Lstm,
    MeanStep,
    MultiHeadAttention,
    NegativeSamplingLoss,
    Relu,
    Rnn,
    SoftmaxWithLoss,
)
from lamina.layers.base import Layer
from lamina.nets import Graph, Head, Node, Sequential
from lamina.optimizers import SGD

CONFIG = """
dataset: {type: DrawnDigits, n_train: 100, n_test: 10, flatten: false}
net:
  type: Graph
  layers:
    conv1: {type: Convolution, c_out: 4, kernel: 3, padding: 1}
    relu1: {type: Relu}
    conv2: {type: Convolution, c_out: 4, kernel: 3, padding: 1}
    sum1: {type: Addition, inputs: [relu1, conv2]}
    pool1: {type: GlobalAveragePooling}
    affine1: {type: Affine, n_out: 10}
  loss: {type: SoftmaxWithLoss}
optimizer: {type: SGD, lr: 0.1}
training: {iterations: 5, batch_size: 4}
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "data"))
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path / "c.yaml"


def measured(path, steps=3, **options):
    return profile(load_config(path), steps, **options)


def test_every_layer_is_measured(path):
    found = measured(path)
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        *("conv1", "relu1", "relu1_copy", "conv2", "sum1", "pool1", "affine1", "loss"),
    ]
    assert rows["conv1"]["flop"] == 4 * 2 * 28 * 28 * 9 * 1 * 4
    assert rows["affine1"]["flop"] == 4 * 2 * 4 * 10
    assert rows["relu1"]["flop"] == 0
    # conv1 is the lowest that learns: forward and the weights; conv2 has dX as well.
    assert rows["conv1"]["backward_flop"] == rows["conv1"]["flop"]
    assert rows["conv2"]["backward_flop"] == 2 * rows["conv2"]["flop"]
    assert rows["conv2"]["output"] == 4 * 4 * 28 * 28 * 4
    assert rows["conv2"]["parameters"] == 4 * (4 * 4 * 9 + 4)
    assert all(row["forward"] > 0 for row in rows.values())
    assert all(row["backward"] > 0 for name, row in rows.items() if name != "relu1_copy")
    assert seconds(found) > 0
    assert (found["batch_size"], found["steps"]) == (4, 3)
    assert found["samples_per_second"] == pytest.approx(4 / found["step"])


def test_a_product_of_two_inputs_has_two_gradients():
    """Vectors (5, 6) with three others each: Y, and dX of both, each of 2 · 3 · 6 operations."""
    rng = np.random.default_rng(0)
    layers = {
        "words": Node(Embedding(7, 6, rng=rng), "first"),
        "mean": MeanStep(),
        "others": Node(Embedding(7, 6, rng=rng), "second"),
        "dots": Node(DotProducts(), ("mean", "others")),
    }
    net = Graph(layers, ["first", "second"], losses=NegativeSamplingLoss())
    X = rng.integers(0, 7, (5, 4)), rng.integers(0, 7, (5, 3))
    found = measure(net, SGD(net.parameters(), lr=0.1), X, rng.integers(0, 3, 5), steps=1)
    rows = {row["name"]: row for row in found["rows"]}
    flop = 5 * 2 * 3 * 6
    assert (rows["dots"]["flop"], rows["dots"]["backward_flop"]) == (flop, 2 * flop)


@pytest.mark.parametrize("lowest", [True, False])
def test_attention_goes_back_through_its_products_without_dX_too(lowest):
    """Counted by hand, of T positions and D numbers: QKᵀ and AV, twice the D · T² each, and four
    products with weights; backward the gradients of both factors of each, but for dX."""
    N, T, D = 5, 7, 6
    rng = np.random.default_rng(0)
    layers = {} if lowest else {"first": Affine(D, D, rng=rng)}
    layers |= {"look": MultiHeadAttention(D, 2, rng=rng), "mean": MeanStep()}
    net = Sequential(layers | {"affine": Affine(D, 3, rng=rng)}, SoftmaxWithLoss())
    X, t = rng.standard_normal((N, T, D), np.float32), rng.integers(0, 3, N)
    found = measure(net, SGD(net.parameters(), lr=0.1), X, t, steps=1)
    (row,) = (row for row in found["rows"] if row["name"] == "look")
    weights, looks = 2 * N * T * D * D, 2 * N * T * T * D
    assert row["flop"] == 4 * weights + 2 * looks
    assert row["backward_flop"] == (4 + 1 + (0 if lowest else 3)) * weights + 4 * looks


def test_a_layer_that_hands_on_to_one_in_it_is_not_counted_twice():
    rng = np.random.default_rng(0)
    layers = {"conv": Convolution1d(4, 6, 3, rng=rng), "mean": MeanStep()}
    net = Sequential(layers | {"affine": Affine(6, 3, rng=rng)}, SoftmaxWithLoss())
    X, t = rng.standard_normal((5, 9, 4), np.float32), rng.integers(0, 3, 5)
    found = measure(net, SGD(net.parameters(), lr=0.1), X, t, steps=1)
    outer, inner = found["rows"][:2]
    assert (outer["name"], inner["name"]) == ("conv", "conv.images")
    assert [outer[name] for name in ("flop", "backward_flop", "output", "parameters")] == [0] * 4
    assert inner["flop"] == inner["backward_flop"] == 5 * 2 * 7 * 6 * 4 * 3
    assert inner["output"] == 4 * 5 * 7 * 6
    assert inner["parameters"] == 4 * (6 * 4 * 3 + 6)


def test_parts_add_up_to_the_whole_however_unequal_the_steps_are():
    """Steps of which now one part is slow and now the other, as on a busy machine."""
    rng = np.random.default_rng(0)
    parts = rng.exponential(1.0, (40, 3))
    middle = middle_half(list(parts.sum(axis=1)))
    assert len(middle) == 20
    assert parts[middle].mean(axis=0).sum() == pytest.approx(parts.sum(axis=1)[middle].mean())
    assert np.sort(parts.sum(axis=1)[middle]).tolist() == np.sort(parts.sum(axis=1))[10:30].tolist()
    assert middle_half([3.0]) == [0]


def test_a_frozen_layer_on_the_way_back_makes_its_products_all_the_same():
    rng = np.random.default_rng(0)
    layers = {name: Affine(6, 6, rng=rng) for name in ("first", "frozen", "last")}
    net = Sequential(layers, SoftmaxWithLoss())
    for param in net.layers["frozen"].parameters().values():
        param.trainable = False
    X, t = rng.standard_normal((5, 6), np.float32), rng.integers(0, 6, 5)
    found = measure(net, SGD(net.parameters(), lr=0.1), X, t, steps=1)
    assert found["rows"][1]["backward_flop"] == 2 * found["rows"][1]["flop"]


@pytest.mark.parametrize("kind", [Rnn, Lstm, Gru])
def test_a_recurrent_layer_goes_back_through_time_without_dX(kind):
    """Forward has a product with Wx, 2 N T D G H of G gates, and one with Wh, 2 N T H G H; backward
    both for the weights, and one with Wh for the step before."""
    (N, T, D, H), G = (5, 4, 3, 6), kind.n_gates
    rng = np.random.default_rng(0)
    rec = kind(D, H, last_only=True, rng=rng)
    net = Sequential({"rec": rec, "affine": Affine(H, 3, rng=rng)}, SoftmaxWithLoss())
    X, t = rng.standard_normal((N, T, D), np.float32), rng.integers(0, 3, N)
    found = measure(net, SGD(net.parameters(), lr=0.1), X, t, steps=1)
    row = found["rows"][0]
    x, h = 2 * N * T * D * G * H, 2 * N * T * H * G * H
    assert row["flop"] == x + h
    assert row["backward_flop"] == x + 2 * h


def seconds(found) -> float:
    return sum(row["forward"] + row["backward"] for row in found["rows"])


class Clock:
    """Stands in for `time`: it goes on only where a layer says that it has taken its time."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("lamina.diagnosis.profile.time", clock)
    return clock


class Slow(Relu):
    def __init__(self, clock, forward, backward=0.0):
        self.clock, self.seconds = clock, (forward, backward)

    def forward(self, X):
        self.clock.sleep(self.seconds[0])
        return super().forward(X)

    def backward(self, dout):
        self.clock.sleep(self.seconds[1])
        return super().backward(dout)


class SlowLoss(SoftmaxWithLoss):
    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def forward(self, scores, targets):
        self.clock.sleep(16.0)
        return super().forward(scores, targets)


class Around(Layer):
    """A layer, no net, that goes through another one twice, and takes time itself."""

    def __init__(self, clock, inner):
        self.clock, self.inner = clock, inner

    def forward(self, X):
        self.clock.sleep(8.0)
        return self.inner.forward(self.inner.forward(X))

    def backward(self, dout):
        return self.inner.backward(dout)


def nested(clock):
    """A chain in a graph with two losses; what takes time lies deep inside and in a loss."""
    block = Sequential({"affine": Affine(6, 6, rng=0), "slow": Slow(clock, 1.0, 2.0)})
    return Graph(
        {
            "first": Affine(4, 6, rng=1),
            "block": block,
            "around": Around(clock, Slow(clock, 4.0)),
            "top": Affine(6, 3, rng=2),
            "side": Node(Affine(6, 3, rng=3), "block"),
        },
        outputs=["top", "side"],
        losses={"main": SoftmaxWithLoss(), "extra": Head(SlowLoss(clock), "side", weight=0.5)},
    )


def batch(n=5):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 4)).astype(np.float32), rng.integers(0, 3, n)


def has_probes(net) -> bool:
    layers = [net, *(held for _, held in net.walk() if isinstance(held, Layer))]
    return any({"forward", "backward"} & set(vars(layer)) for layer in layers)


def test_the_inside_of_nets_and_every_loss_is_timed(clock):
    net = nested(clock)
    found = measure(net, SGD(net.parameters(), lr=0.1), *batch(), steps=3)
    rows = {row["name"]: row for row in found["rows"]}
    assert list(rows) == [
        *("first", "block.affine", "block.slow", "block_copy", "around", "around.inner"),
        *("top", "side", "loss_main", "loss_extra"),
    ]
    taken = {n: (r["forward"], r["backward"]) for n, r in rows.items()}
    assert {name: times for name, times in taken.items() if any(times)} == {
        "block.slow": (1.0, 2.0),
        "around": (8.0, 0.0),  # its own alone
        "around.inner": (8.0, 0.0),  # twice in a step
        "loss_extra": (16.0, 0.0),
    }
    assert found["step"] == seconds(found) == 35.0  # all is in a row, and nothing in two
    assert found["samples_per_second"] == 5 / 35.0
    assert rows["block.affine"]["flop"] == 5 * 2 * 6 * 6
    assert rows["block.affine"]["backward_flop"] == 2 * rows["block.affine"]["flop"]
    assert rows["around.inner"]["output"] == 2 * 5 * 6 * 4
    assert not has_probes(net)
    assert net.needs_dX
    text = table(found)
    assert re.search(r"^around.inner +Slow +8000.00 +0.00 +22.9 ", text, re.M)
    assert re.search(r"^loss_extra +SlowLoss +16000.00 +0.00 +45.7 ", text, re.M)


def test_nothing_is_left_in_the_net_after_an_error(clock):
    net, (X, _) = nested(clock), batch()
    with pytest.raises(ValueError, match="class indices are 0 to 2, got 9"):
        measure(net, SGD(net.parameters(), lr=0.1), X, np.full(5, 9), steps=1)
    assert not has_probes(net)
    assert net.needs_dX


def test_without_a_number_of_steps_it_takes_at_least_twenty(monkeypatch):
    monkeypatch.setattr("lamina.diagnosis.profile.SECONDS", 0.0)
    net = Sequential({"affine": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
    optimizer = SGD(net.parameters(), lr=0.1)
    assert measure(net, optimizer, *batch())["steps"] == 20
    monkeypatch.setattr("lamina.diagnosis.profile.SECONDS", 3600.0)
    monkeypatch.setattr("lamina.diagnosis.profile.MOST", 40)
    assert measure(net, optimizer, *batch())["steps"] == 40


def test_a_batch_is_real_unless_it_would_have_to_be_fetched(path, tmp_path):
    X, t = np.arange(6).reshape(3, 2), np.array([0, 1, 1])
    own = Dataset(Samples(X, t), Samples(X, t), Classification(["a", "b"]))
    given, targets = batch_of(own, 5, np.random.default_rng(0))
    assert given.dtype == X.dtype
    assert given.tolist() == X[[0, 1, 2, 0, 1]].tolist()
    assert targets.tolist() == t[[0, 1, 2, 0, 1]].tolist()
    given, targets = batch_of(MNIST(flatten=False), 50, np.random.default_rng(0))
    assert (given.shape, given.dtype) == ((50, 1, 28, 28), np.float32)
    assert set(targets) == set(range(10))
    measured(path)
    assert not (tmp_path / "data").exists()  # nothing was fetched or drawn


def test_the_table_has_a_line_for_each_layer_and_the_whole_step(path):
    text = table(measured(path, 2, batch_size=3))
    lines = text.split("\n")
    assert lines[0].split() == [
        *("layer", "type", "forward", "backward", "share", "GFLOP", "GFLOP/s", "output", "weights")
    ]
    assert sum(line.startswith(("conv", "sum", "loss")) for line in lines) == 4
    assert re.search(r"a step of 3 samples: [\d.]+ ms .* [\d,]+ samples a second", text)
    assert "means of the middle half of 2 steps" in text
    assert "image" not in text
    assert max(map(len, lines)) <= 110


def test_the_command_prints_it(path, capsys):
    assert main(["profile", str(path), "--steps", "2", "--batch-size", "2"]) == 0
    assert "samples a second" in capsys.readouterr().out


def test_the_command_prints_json(path, capsys):
    assert main(["profile", str(path), "--steps", "2", "--batch-size", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    keys = {"rows", "batch_size", "shards", "parts", "threads", "steps", "step", "update"}
    keys |= {"samples_per_second", "peak_memory"}
    assert found.keys() == keys
    keys = {"name", "type", "forward", "backward", "flop", "backward_flop", "output", "parameters"}
    assert all(row.keys() == keys for row in found["rows"])
    assert (found["steps"], found["batch_size"]) == (2, 2)
    with pytest.raises(SystemExit):
        main(["profile", "--help"])
    said = capsys.readouterr().out
    assert all(f'"{key}"' in said for key in (*keys, *found))


def test_tune_tries_and_saves_the_fastest(path, tmp_path, capsys, monkeypatch):
    rates = {(1, 2): 10.0, (1, 4): 30.0, (1, 8): 20.0, (1, 16): 5.0}
    monkeypatch.setattr(
        tune_module,
        "_rate",
        lambda path, n, shards, size, steps: rates[1, size] * (1 + 0.1 * n + 0.1 * shards),
    )
    monkeypatch.setattr(tune_module.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(tune_module, "current_threads", lambda: 2)
    saved = tmp_path / "fast.yaml"
    assert main(["profile", str(path), "--tune", "--save", str(saved)]) == 0
    out = capsys.readouterr().out
    assert "fastest: " in out
    assert "samples a second, medians of 3 measurements" in out
    data = load_config(saved).data["training"]
    assert data["batch_size"] == 4
    assert (data["threads"], data["shards"]) == (2, 2)
    assert "fastest: 2 shards, batches of 4, 1.08 times as fast" in out
    assert main(["profile", str(path), "--tune", "--save", str(saved)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_tune_where_the_system_does_not_say_how_many_cores_there_are(path, monkeypatch):
    monkeypatch.setattr(tune_module, "_rate", lambda path, n, shards, size, steps: size)
    monkeypatch.delattr(tune_module.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(tune_module.os, "cpu_count", lambda: None)
    assert "fastest: 1 thread, batches of 16" in tune(load_config(path), path, None, None)


def test_tune_measures_each_setting_three_times_and_takes_the_medians(path, monkeypatch):
    order = []

    def rate(path, n, shards, size, steps):
        order.append((n, size))
        spoilt = len(order) in (1, 2)  # a machine that is busy at the start
        return (0.1 if spoilt else 1.0) * size

    monkeypatch.setattr(tune_module, "_rate", rate)
    monkeypatch.setattr(tune_module.os, "sched_getaffinity", lambda _: {0}, raising=False)
    monkeypatch.setattr(tune_module, "current_threads", lambda: 1)
    said = tune(load_config(path), path, None, None)
    settings = [(1, 2), (1, 4), (1, 8), (1, 16)]
    assert order == [*settings, *settings[::-1], *settings]
    assert "fastest: 1 thread, batches of 16, 4.00 times as fast" in said


@pytest.mark.parametrize(
    ("shards", "words"), [(8, "8 shards on 1 thread"), ("auto", "shards: auto on 1 thread")]
)
def test_tune_measures_the_configuration_as_it_is(path, monkeypatch, shards, words):
    """Not one of the settings that are tried, which may be twice as fast."""
    asked = []

    def rate(path, n, of_shards, size, steps):
        asked.append((n, of_shards, size))
        return 50.0 if (n, of_shards) == (1, shards) else 100.0 * n

    monkeypatch.setattr(tune_module, "_rate", rate)
    monkeypatch.setattr(tune_module.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    config = load_config(path)
    config.data["training"] |= {"threads": 1, "shards": shards, "batch_size": 8, "accumulate": 4}
    said = tune(config, path, None, None)
    assert asked.count((1, shards, 8)) == 3
    assert f"the configuration: {words}, batches of 8: 50" in said
    assert "4.00 times as fast as the configuration" in said
    assert "without the accumulate of the configuration" in said


def test_the_configuration_may_be_the_fastest(path, tmp_path, monkeypatch):
    monkeypatch.setattr(
        tune_module, "_rate", lambda path, n, shards, size, steps: 9.0 if shards == 3 else 1.0
    )
    config = load_config(path)
    config.data["training"] |= {"threads": 1, "shards": 3}
    assert "fastest: the configuration\n" in tune(config, path, None, tmp_path / "fast.yaml")
    assert load_config(tmp_path / "fast.yaml").data["training"]["shards"] == 3


def test_tune_measures_in_fresh_processes(path):
    assert tune_module._rate(path, 1, 1, 2, 1) > 0
    assert tune_module._rate(path, 2, 2, 2, 1) > 0
    assert tune_module._rate(path, 1, "auto", 2, 1) > 0
    with pytest.raises(ConfigError, match=r"profile .* failed: .*none\.yaml"):
        tune_module._rate(path.with_name("none.yaml"), 1, 1, 2, 1)


def test_mistakes_are_one_line(path, tmp_path, capsys):
    assert main(["profile", str(tmp_path / "none.yaml")]) == 2
    assert "lamina profile: " in capsys.readouterr().err
    path.write_text(CONFIG.replace("Relu", "Rellu"))
    assert main(["profile", str(path)]) == 2
    assert "did you mean Relu" in capsys.readouterr().err
    for arguments in (["--steps", "0"], ["--save", "x.yaml"], ["--tune", "--json"]):
        with pytest.raises(SystemExit):
            main(["profile", str(path), *arguments])


def test_shards_are_those_of_the_configuration_unless_said(path):
    path.write_text(CONFIG.replace("batch_size:", "shards: 2, batch_size:"))
    found = profile(load_config(path), 2)
    assert found["shards"] == 2
    assert "the first of 2 shards" in table(found)
    cut = found["rows"]
    found = profile(load_config(path), 2, shards=1)
    assert found["shards"] == 1
    for row, whole in zip(cut, found["rows"], strict=True):
        for what in ("name", "flop", "output", "parameters"):  # of the whole batch, cut or not
            assert row[what] == whole[what]
    uneven = profile(load_config(path), 2, batch_size=7, shards=3)
    assert uneven["parts"] == 3.5  # the first has 2 rows of 7
    uneven = uneven["rows"]
    whole = profile(load_config(path), 2, batch_size=7)["rows"]
    assert [row["output"] for row in uneven] == [row["output"] for row in whole]
    with pytest.raises(ConfigError, match="no more than the 2 rows of a batch, got 3"):
        profile(load_config(path), 2, 2, 3)


def test_what_a_plain_step_leaves_out_is_said(path, capsys):
    path.write_text(CONFIG.replace("batch_size:", "accumulate: 2, batch_size:"))
    profile(load_config(path), 2)
    assert "a plain step is measured, without the accumulate" in capsys.readouterr().err
    path.write_text(CONFIG)
    profile(load_config(path), 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("threads", "share"), [(4, "10.0"), (2, "20.0"), (3, "20.0"), (1, "40.0")])
def test_shares_and_speeds_of_shards_that_wait_for_their_turn(threads, share):
    """Four shards of a quarter each: on one thread they go one after the other."""
    row = {"name": "a", "type": "Affine", "forward": 0.004, "backward": 0.006, "output": 8}
    row |= {"flop": 4e7, "backward_flop": 4e7, "parameters": 8}
    found = {"rows": [row], "batch_size": 8, "shards": 4, "parts": 4.0, "threads": threads}
    found |= {"steps": 2, "step": 0.1, "update": 0.01, "samples_per_second": 80.0}
    said = table(found | {"peak_memory": None}).splitlines()
    assert said[3].split()[4:7] == [share, "0.080", "2"]
    turns = {4: "", 1: ", 4 in turn"}.get(threads, ", 2 in turn")
    assert f"the first of 4 shards, of which {threads} go side by side{turns}; shares" in said[-2]
