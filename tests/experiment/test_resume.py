"""A run that was stopped and taken up again is, to the bit, the run that never stopped."""

import copy
import json
import re
import signal

import numpy as np
import pytest
import yaml

from lamina import datasets
from lamina.common.errors import RunError
from lamina.experiment.build_trainer import build_trainer
from lamina.experiment.config import load_config
from lamina.experiment.resume import differences, provenance, resumed_trainer
from lamina.experiment.run import resume, run
from lamina.experiment.verify import verify
from lamina.training.checkpoint import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
    saved_checkpoints,
)
from lamina.training.trainer import Trainer

pytestmark = pytest.mark.usefixtures("tiny")

FEATURES = {
    "dropout": {"net.layers.drop": {"type": "Dropout", "p": 0.3}},
    "batch normalisation": {"net.layers.norm": {"type": "BatchNormalization"}},
    "augmentation": {"training.augmentation": {"shift": 0.5, "erasing": 0.5}},
    "accumulation": {"training.accumulate": 2},
    "schedule": {"optimizer.schedule": {"type": "exp", "gamma": 0.97}},
    "shards": {"training.shards": 2, "net.layers.drop": {"type": "Dropout", "p": 0.3}},
    "tied weights": {
        "net.layers.back": {"type": "Affine", "n_out": 4, "tied": "affine1.W"},
        "optimizer.weight_decay": 0.01,
    },
    "attention": {
        "net.layers.wide": {"type": "Affine", "n_out": 6},
        "net.layers.rows": {"type": "Reshape", "shape": [3, 2]},
        "net.layers.positions": {"type": "PositionalEncoding", "learned": 3},
        "net.layers.attention": {"type": "MultiHeadAttention", "n_heads": 2, "dropout": 0.2},
        "net.layers.windows": {"type": "Convolution1d", "c_out": 4, "kernel": 3, "padding": 1},
        "net.layers.rms": {"type": "RMSNormalization"},
        "net.layers.last": {"type": "LastStep"},
    },
    # Nothing is better by 2: it falls at the evaluations of 15 and 30.
    "plateau": {
        "optimizer.schedule": {"type": "plateau", "gamma": 0.5, "patience": 1, "threshold": 2.0}
    },
}
OPTIMIZERS = ("SGD", "Momentum", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam", "AdamW")
SAME = ("loss.csv", "history.csv", "layers.csv", "parameters.csv", "outputs.csv", "weights.npz")


def setup(**settings):
    """The data of a configuration: a small net on small images, with settings by dotted key."""
    data = {
        "dataset": {"type": "Tiny", "images": True},
        "net": {
            "type": "Sequential",
            "layers": {
                "flat": {"type": "Flatten"},
                "affine1": {"type": "Affine", "n_out": 6},
                "relu": {"type": "Relu"},
            },
            "loss": {"type": "SoftmaxWithLoss"},
        },
        "optimizer": {"type": "SGD", "lr": 0.05},
        "training": {"iterations": 40, "batch_size": 7, "evaluate_every": 15, "threads": 1},
    }
    for key, value in settings.items():
        *places, last = key.split(".")
        part = data
        for place in places:
            part = part.setdefault(place, {})
        part[last] = value
    data["net"]["layers"]["affine2"] = {"type": "Affine", "n_out": 3}
    return copy.deepcopy(data)


@pytest.fixture
def configured(config_of):
    """A configuration of it, read from its file."""
    return lambda **settings: config_of(yaml.safe_dump(setup(**settings), sort_keys=False))


def same(a, b, names=SAME):
    return [name for name in names if (a / name).read_bytes() != (b / name).read_bytes()] == []


def is_quick(optimizer, feature):
    """Two rules with every feature, and every rule with one: the others are crossed at leisure."""
    return optimizer in ("SGD", "Adam") or feature == "dropout"


@pytest.mark.parametrize(
    ("optimizer", "feature"),
    [
        pytest.param(o, f, marks=[] if is_quick(o, f) else pytest.mark.slow)
        for o in OPTIMIZERS
        for f in FEATURES
    ],
)
def test_half_and_half_is_the_whole(configured, tmp_path, optimizer, feature):
    settings = {"optimizer.type": optimizer, **FEATURES[feature]}
    run(configured(**settings), "whole", tmp_path / "whole", quiet=True)
    run(configured(**settings, **{"training.iterations": 20}), "p", tmp_path / "p", quiet=True)
    assert not same(tmp_path / "whole", tmp_path / "p")
    resume(configured(**settings), tmp_path / "p", quiet=True)
    assert same(tmp_path / "whole", tmp_path / "p")


@pytest.mark.parametrize("iterations", [20, 40])
def test_weights_of_an_earlier_end_do_not_stand_beside_later_figures(
    configured, tmp_path, monkeypatch, iterations
):
    """Cut off on its way, a run that goes on has none; one that has nothing to do keeps its own."""
    run(configured(**{"training.iterations": 20}), "p", tmp_path / "p", quiet=True)
    before = (tmp_path / "p" / "weights.npz").read_bytes()

    def killed(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", killed)
        if iterations == 20:
            resume(configured(**{"training.iterations": 20}), tmp_path / "p", quiet=True)
            assert (tmp_path / "p" / "weights.npz").read_bytes() == before
            return
        with pytest.raises(KeyboardInterrupt):
            resume(configured(**{"training.iterations": 40}), tmp_path / "p", quiet=True)
    assert not (tmp_path / "p" / "weights.npz").exists()
    resume(configured(**{"training.iterations": 40}), tmp_path / "p", quiet=True)
    run(configured(**{"training.iterations": 40}), "whole", tmp_path / "whole", quiet=True)
    assert same(tmp_path / "whole", tmp_path / "p")


def test_all_of_it_at_once_in_many_pieces(configured, tmp_path):
    settings = {k: v for feature in FEATURES.values() for k, v in feature.items()}
    settings |= {"optimizer.type": "Adam", "training.keep_best": True, "training.patience": 50}
    settings["optimizer.clip_norm"] = 0.5
    run(configured(**settings), "whole", tmp_path / "whole", quiet=True)
    run(configured(**settings, **{"training.iterations": 1}), "p", tmp_path / "p", quiet=True)
    for iterations in (2, 14, 15, 16, 29, 30, 37, 40):
        longer = {"training.iterations": iterations}
        resume(configured(**settings, **longer), tmp_path / "p", quiet=True)
    assert same(tmp_path / "whole", tmp_path / "p")


def test_a_graph_with_two_losses_goes_on(config_of, tmp_path):
    text = """
    dataset: {type: Tiny}
    net:
      type: Graph
      layers:
        first: {type: Affine, n_out: 5, inputs: X}
        drop: {type: Dropout, p: 0.2}
        last: {type: Affine, n_out: 3}
        extra: {type: Affine, n_out: 3, inputs: first}
      outputs: [last, extra]
      losses: {main: {type: SoftmaxWithLoss}, side: {type: SVMLoss, input: extra, weight: 0.3}}
    optimizer: {type: Momentum, lr: 0.05}
    training: {iterations: ITERATIONS, batch_size: 7, evaluate_every: 15, threads: 1}
    """
    run(config_of(text.replace("ITERATIONS", "40")), "w", tmp_path / "whole", quiet=True)
    run(config_of(text.replace("ITERATIONS", "23")), "p", tmp_path / "p", quiet=True)
    resume(config_of(text.replace("ITERATIONS", "40")), tmp_path / "p", quiet=True)
    assert same(tmp_path / "whole", tmp_path / "p")


@pytest.mark.parametrize("stops", [(23,), (1, 13, 14, 39), (26, 27)])
def test_the_streams_of_a_text_go_on(config_of, tmp_path, stops):
    """An epoch has 13 batches: stops are in one, at its end, and after the first batch of one."""
    (tmp_path / "my.txt").write_text("".join(np.random.default_rng(0).choice(list("abc "), 300)))
    text = """
    dataset: {type: Text, path: my.txt, length: 4, streams: true, test_share: 0.2,
              validation_share: 0.1}
    net:
      type: Sequential
      layers:
        embedding: {type: Embedding, n_dims: 3}
        drop: {type: Dropout, p: 0.2}
        affine: {type: Affine}
      loss: {type: SoftmaxWithLoss}
    optimizer: {type: Momentum, lr: 0.5}
    training: {iterations: ITERATIONS, batch_size: 4, threads: 1}
    """
    run(config_of(text.replace("ITERATIONS", "40")), "w", tmp_path / "whole", quiet=True)
    run(config_of(text.replace("ITERATIONS", str(stops[0]))), "p", tmp_path / "p", quiet=True)
    for iterations in (*stops[1:], 40):
        resume(config_of(text.replace("ITERATIONS", str(iterations))), tmp_path / "p", quiet=True)
    assert same(tmp_path / "whole", tmp_path / "p")
    assert verify(config_of(text.replace("ITERATIONS", "40")), tmp_path / "p", quiet=True)[1] == 0
    saved = load_checkpoint(list(saved_checkpoints(tmp_path / "whole").values())[-1])
    assert saved["minibatches"]["cursor"] == 40 % 13
    history = (tmp_path / "whole" / "history.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in history[1:4]] == [["13", "1"], ["26", "2"], ["39", "3"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["step", "evaluation"])
def test_a_signal_ends_a_run_that_can_be_taken_up(
    configured, tmp_path, monkeypatch, moment, number
):
    settings = FEATURES["dropout"] | FEATURES["schedule"]
    run(configured(**settings), "whole", tmp_path / "whole", quiet=True)
    samples, calls = datasets.Samples, []
    method = "__getitem__" if moment == "step" else "batches"
    wanted = getattr(samples, method)

    def counted(self, *arguments):
        calls.append(1)
        if len(calls) == {"step": 12, "evaluation": 3}[moment]:
            signal.raise_signal(number)
        return wanted(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(samples, method, counted)
        line, status = run(configured(**settings), "p", tmp_path / "p", quiet=True)
    assert status == 128 + number
    assert line.endswith(f"to go on: lamina train --resume {tmp_path / 'p'}")
    stopped = int(line.split()[3].rstrip(";"))
    assert f"checkpoint-{stopped:08d}.npz" in {path.name for path in (tmp_path / "p").iterdir()}
    assert (moment == "evaluation") == (stopped % 15 == 0)
    assert resume(configured(**settings), tmp_path / "p", quiet=True)[1] == 0
    assert same(tmp_path / "whole", tmp_path / "p")


def test_a_finished_run_is_finished(configured, tmp_path):
    settings = FEATURES["schedule"]
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    before = {name: (tmp_path / "p" / name).read_bytes() for name in SAME}
    line, status = resume(configured(**settings), tmp_path / "p", quiet=True)
    assert status == 0
    assert line.endswith(f"run in {tmp_path / 'p'}")
    assert {name: (tmp_path / "p" / name).read_bytes() for name in SAME} == before


def test_a_run_without_a_checkpoint_begins_again(configured, tmp_path, capsys):
    run(configured(), "whole", tmp_path / "whole", quiet=True)
    run(configured(), "p", tmp_path / "p", quiet=True)
    for name in ("checkpoint-00000040.npz", "weights.npz"):
        (tmp_path / "p" / name).unlink()
    facts = (tmp_path / "p" / "facts.json").read_bytes()
    (tmp_path / "p" / "facts.json").write_text("{}")
    resume(configured(), tmp_path / "p", quiet=True)
    assert "has no checkpoint yet: from the start" in capsys.readouterr().err
    assert same(tmp_path / "whole", tmp_path / "p")
    assert (tmp_path / "p" / "facts.json").read_bytes() == facts


def test_a_run_is_never_begun_over_another(configured, tmp_path):
    """Not over one that is finished, not over one of another configuration, nor anywhere else."""
    run(configured(), "p", tmp_path / "p", quiet=True)
    (tmp_path / "p" / "checkpoint-00000040.npz").unlink()
    before = {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()}
    with pytest.raises(CheckpointError, match="has weights, but no checkpoint to go on from"):
        resume(configured(), tmp_path / "p", quiet=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()} == before
    (tmp_path / "p" / "weights.npz").unlink()
    with pytest.raises(CheckpointError, match=r"optimizer\.lr: 0\.05 before, 0\.1 now"):
        resume(configured(**{"optimizer.lr": 0.1}), tmp_path / "p", quiet=True)
    del before["weights.npz"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "p").iterdir()} == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is no run directory"):
        resume(configured(), tmp_path / "other", quiet=True)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["notes.txt"]


def test_patience_stops_again_where_it_stopped(configured, tmp_path):
    settings = {"training.patience": 2, "training.iterations": 400}
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    before = (tmp_path / "p" / "loss.csv").read_bytes()
    assert before.count(b"\n") < 400
    resume(configured(**settings), tmp_path / "p", quiet=True)
    assert (tmp_path / "p" / "loss.csv").read_bytes() == before
    settings["training.patience"] = 4
    resume(configured(**settings), tmp_path / "p", quiet=True)
    assert len((tmp_path / "p" / "loss.csv").read_bytes()) > len(before)


def test_as_many_checkpoints_stay_as_are_wanted(configured, tmp_path):
    settings = {"training.checkpoint": {"every": 6, "keep": 2, "keep_best": True}}
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    names = sorted(path.name for path in (tmp_path / "p").glob("*.npz"))
    history = np.genfromtxt(tmp_path / "p" / "history.csv", delimiter=",", names=True)
    due = history["iteration"] % 15 == 0
    best = int(history["iteration"][due][history["validation_accuracy"][due].argmax()])
    numbers = sorted({best, 36, 40})
    assert names == [*(f"checkpoint-{n:08d}.npz" for n in numbers), "weights.npz"]


def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_used(configured, tmp_path, capsys):
    settings = {"training.checkpoint": {"every": 10}}
    run(configured(**settings), "whole", tmp_path / "whole", quiet=True)
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    newest = tmp_path / "p" / "checkpoint-00000040.npz"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    resume(configured(**settings), tmp_path / "p", quiet=True)
    said = capsys.readouterr().err
    assert "checkpoint-00000040.npz: " in said
    assert "the checkpoint is damaged; looking for an older one\n" in said
    assert same(tmp_path / "whole", tmp_path / "p", [*SAME, newest.name])
    for path in (tmp_path / "p").glob("checkpoint-*"):
        path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckpointError, match="none of its checkpoints is whole"):
        resume(configured(**settings), tmp_path / "p", quiet=True)


def test_a_damaged_checkpoint_ahead_does_not_push_out_the_good_ones(configured, tmp_path):
    settings = {"training.checkpoint": {"every": 10, "keep": 1, "keep_best": True}}
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    newest = tmp_path / "p" / "checkpoint-00000040.npz"
    newest.write_bytes(newest.read_bytes()[:-1])
    resume(configured(**settings), tmp_path / "p", quiet=True)
    assert load_checkpoint(newest)["trainer"]["iteration"] == 40
    longer = settings | {"training.iterations": 60}
    seen = []
    sound = Trainer._save

    def watched(self):
        sound(self)
        seen.append(max(saved_checkpoints(tmp_path / "p")))

    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_save", watched)
        resume(configured(**longer), tmp_path / "p", quiet=True)
    assert seen[-1] == 60
    for path in saved_checkpoints(tmp_path / "p").values():
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimizer.lr": 0.1}, "optimizer.lr: 0.05 before, 0.1 now"),
        ({"optimizer.type": "Adam"}, "optimizer.type: 'SGD' before, 'Adam' now"),
        ({"training.seed": 1}, "training.seed: 0 before, 1 now"),
        ({"training.batch_size": 6}, "training.batch_size: 7 before, 6 now"),
        ({"training.threads": 2}, "training.threads: 1 before, 2 now"),
        ({"training.keep_best": True}, "training.keep_best: not there before, True now"),
        ({"training.iterations": 20}, "is of iteration 40, and training.iterations is 20"),
        ({"net.layers.norm": {"type": "BatchNormalization"}}, "net.layers.norm.type: not there"),
        (FEATURES["augmentation"], "training.augmentation.shift: not there before, 0.5 now"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_differences(configured, tmp_path, changes, words):
    run(configured(), "p", tmp_path / "p", quiet=True)
    kept = (tmp_path / "p" / "config.yaml").read_bytes()
    with pytest.raises(CheckpointError) as error:
        resume(configured(**changes), tmp_path / "p", quiet=True)
    assert words in str(error.value)
    assert (tmp_path / "p" / "config.yaml").read_bytes() == kept


def test_all_differences_are_listed_and_free_ones_are_not():
    before = {"net": {"layers": {"a": {"n": 1}, "b": {"n": 2}}}, "training": {"iterations": 3}}
    now = {"net": {"layers": {"a": {"n": 5}}}, "training": {"iterations": 9, "accumulate": 2}}
    assert differences(before, before) == []
    assert differences(before, now) == [
        "net.layers.a.n: 1 before, 5 now",
        "net.layers.b.n: 2 before, not there now",
        "training.accumulate: not there before, 2 now",
    ]
    turned = {"net": {"layers": {"b": {"n": 2}, "a": {"n": 1}}}, "training": {}}
    assert differences(before, turned) == ["net: its layers stand in another order"]
    swapped = {"training": {}, "net": {"layers": {"a": {"n": 1}, "b": {"n": 2}}}}
    assert differences(before, swapped) == []


@pytest.mark.parametrize(
    "place",
    [
        *("training.iterations", "training.epochs", "training.patience", "training.record_every"),
        *("training.checkpoint.every", "net.weights", "dataset.path", "dataset.test"),
    ],
)
def test_what_decides_how_long_or_from_where_may_change(place):
    def with_value(value):
        for key in reversed(place.split(".")):
            value = {key: value}
        return value

    assert differences(with_value("before"), with_value("now")) == []
    assert differences({}, with_value("now")) == []


def test_other_data_are_refused(configured, tmp_path, monkeypatch):
    run(configured(), "p", tmp_path / "p", quiet=True)

    class Moved(datasets.Tiny):
        def __init__(self, images):
            super().__init__(images)
            self.train.X[3, 0, 1, 1] += 0.001

    monkeypatch.setattr(datasets, "Tiny", Moved)
    with pytest.raises(CheckpointError, match="the data set has other contents than it had"):
        resume(configured(), tmp_path / "p", quiet=True)


def test_another_version_is_said_and_no_error(configured, tmp_path, capsys):
    run(configured(**{"training.iterations": 20}), "p", tmp_path / "p", quiet=True)
    path = tmp_path / "p" / "checkpoint-00000020.npz"
    parts = load_checkpoint(path)
    versions = json.loads(str(parts["provenance"]["versions"])) | {"NumPy": "0.9"}
    parts["provenance"]["versions"] = np.array(json.dumps(versions))
    save_checkpoint(path, parts)
    resume(configured(), tmp_path / "p", quiet=True)
    said = capsys.readouterr().err
    assert f"NumPy 0.9 before, {np.__version__} now: the bits may differ from here on" in said


def test_a_made_up_checkpoint_is_one_clear_error(configured, tmp_path):
    """Whoever writes a right checksum below a wrong content gets no further."""
    run(configured(), "p", tmp_path / "p", quiet=True)
    path = tmp_path / "p" / "checkpoint-00000040.npz"
    good = load_checkpoint(path)
    for part, name, value in (
        ("net", "affine1.W", np.zeros((2, 2), np.float32)),
        ("minibatches", "order", np.zeros(30, np.uint8)),
        ("minibatches", "rng", np.array("{}")),
        ("minibatches", "rng", np.array('{"bit_generator": "PCG64", "state": 3}')),
        ("optimizer", "rule", np.array("Adam")),
        ("trainer", "iteration", np.array([1, 2])),
        ("history", "losses", np.array(3.0)),
        ("provenance", "config", np.array("a: [")),
        ("provenance", "data", np.array("other")),
    ):
        parts = {p: dict(state) for p, state in good.items()}
        parts[part][name] = value
        save_checkpoint(path, parts)
        with pytest.raises(CheckpointError, match="does not fit"):
            resumed_trainer(configured(), tmp_path / "p", quiet=True)
        del parts[part]
        save_checkpoint(path, parts)
        with pytest.raises(CheckpointError, match="does not fit"):
            resumed_trainer(configured(), tmp_path / "p", quiet=True)


def test_initial_weights_need_not_be_there_any_more(configured, tmp_path):
    run(configured(), "first", tmp_path / "first", quiet=True)
    settings = {"net.weights": str(tmp_path / "first" / "weights.npz")}
    run(configured(**settings), "whole", tmp_path / "whole", quiet=True)
    run(configured(**settings, **{"training.iterations": 9}), "p", tmp_path / "p", quiet=True)
    (tmp_path / "first" / "weights.npz").unlink()
    resume(configured(**settings), tmp_path / "p", quiet=True)
    assert same(tmp_path / "whole", tmp_path / "p")
    kept = yaml.safe_load((tmp_path / "p" / "config.yaml").read_text())
    assert kept["net"]["weights"] == settings["net.weights"]


def test_tables_that_were_shortened_are_refused(configured, tmp_path):
    run(configured(**{"training.iterations": 20}), "p", tmp_path / "p", quiet=True)
    path = tmp_path / "p" / "loss.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-3]))
    kept = path.read_bytes()
    with pytest.raises(RunError, match=r"rows up to iteration 20, .* and has 17 of them, .* 17"):
        resume(configured(), tmp_path / "p", quiet=True)
    assert path.read_bytes() == kept
    (tmp_path / "p" / "history.csv").unlink()
    with pytest.raises(RunError, match=r"loss\.csv"):
        resume(configured(), tmp_path / "p", quiet=True)
    assert not (tmp_path / "p" / "history.csv").exists()


STRETCH = {"training.checkpoint": {"every": 10}, **FEATURES["dropout"]}


@pytest.fixture
def finished(configured, tmp_path):
    run(configured(**STRETCH), "p", tmp_path / "p", quiet=True)
    return tmp_path / "p"


def test_a_good_run_is_verified_and_left_as_it_is(configured, finished):
    before = {path.name: path.read_bytes() for path in finished.iterdir()}
    line, status = verify(configured(**STRETCH), finished, quiet=True)
    assert line == f"verified: iterations 31 to 40 of {finished} give the same bits again"
    assert status == 0
    assert {path.name: path.read_bytes() for path in finished.iterdir()} == before
    for path in sorted(finished.glob("checkpoint-*"))[:-1]:
        path.unlink()
    line, status = verify(configured(**STRETCH), finished, quiet=True)
    assert line.startswith("verified: iterations 1 to 40 ")


def tampered_checkpoint(folder):
    path = folder / "checkpoint-00000040.npz"
    parts = load_checkpoint(path)
    parts["net"]["affine1.W"][1, 2] += 1e-6
    save_checkpoint(path, parts)


def tampered_weights(folder):
    with np.load(folder / "weights.npz") as file:
        arrays = dict(file)
    arrays["affine1.b"][0] += 1e-6
    np.savez(folder / "weights.npz", **arrays)


def tampered_table(name, digit):
    def tamper(folder):
        lines = (folder / name).read_text().splitlines(keepends=True)
        lines[digit] = lines[digit].replace("0.", "0.1", 1)
        (folder / name).write_text("".join(lines))

    return tamper


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (tampered_checkpoint, "net/affine1.W (1 of 24 numbers, by up to 1.01e-06)"),
        (tampered_weights, "weights.npz/affine1.b (1 of 6 numbers, by up to"),
        (tampered_table("loss.csv", 35), "loss.csv at iteration 35: 35,0.1"),
        (tampered_table("history.csv", -1), "history.csv at iteration 40: 40,"),
    ],
)
def test_a_tampered_run_is_not_verified(configured, finished, tamper, words):
    tamper(finished)
    line, status = verify(configured(**STRETCH), finished, quiet=True)
    assert status == 1
    assert "iterations 31 to 40" in line
    assert words in line


def test_a_row_more_does_not_hide_other_weights(configured, finished):
    with open(finished / "loss.csv", "a") as file:
        file.write("41,0.5\n")
    line, status = verify(configured(**STRETCH), finished, quiet=True)
    assert (status, line.endswith("; the 1 rows of loss.csv after them were not compared")) == (
        0,
        1,
    )
    tampered_weights(finished)
    line, status = verify(configured(**STRETCH), finished, quiet=True)
    assert status == 1
    assert "weights.npz/affine1.b (1 of 6 numbers, by up to" in line
    assert "loss.csv goes on beyond the last checkpoint" in line


@pytest.mark.parametrize(
    "name", ["loss.csv", "history.csv", "layers.csv", "parameters.csv", "outputs.csv"]
)
@pytest.mark.parametrize("change", ["other", "twice", "gone", "new"])
def test_every_row_of_every_table_counts(configured, tmp_path, name, change):
    config = configured(**STRETCH | {"training.record_every": 4})
    run(config, "p", tmp_path / "p", quiet=True)
    path = tmp_path / "p" / name
    *lines, last = path.read_text().splitlines(keepends=True)
    rows = {
        "other": [re.sub(r"\d(?=\D*$)", lambda m: str((int(m[0]) + 1) % 10), last)],
        "twice": [last, last],
        "gone": [],
        "new": [last, last.replace("40,", "39,", 1)],
    }
    path.write_text("".join([*lines, *rows[change]]))
    line, status = verify(config, tmp_path / "p", quiet=True)
    if (name, change) == ("history.csv", "gone"):
        assert status == 0  # an interrupted run leaves out its last evaluation, if it was not due
        return
    assert status == 1, line
    assert name in line


def test_an_interrupted_run_can_be_verified(configured, tmp_path, monkeypatch):
    calls, evaluate = [], Trainer.evaluate

    def pressed(self, check):
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGTERM)
        return evaluate(self, check)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "evaluate", pressed)
        assert run(configured(**STRETCH), "p", tmp_path / "p", quiet=True)[1] == 143
    line, status = verify(configured(**STRETCH), tmp_path / "p", quiet=True)
    assert (status, line.split()[:5]) == (0, ["verified:", "iterations", "21", "to", "30"])


def test_nothing_to_verify_is_an_error(configured, tmp_path):
    run(configured(), "p", tmp_path / "p", quiet=True)
    (tmp_path / "p" / "checkpoint-00000040.npz").unlink()
    with pytest.raises(RunError, match="has no checkpoint yet: nothing to verify"):
        verify(configured(), tmp_path / "p", quiet=True)


def test_what_a_checkpoint_says_of_its_run(configured, tmp_path):
    run(configured(), "p", tmp_path / "p", quiet=True)
    said = load_checkpoint(tmp_path / "p" / "checkpoint-00000040.npz")["provenance"]
    config = json.loads(str(said["config"]))
    assert config == yaml.safe_load((tmp_path / "p" / "config.yaml").read_text())
    assert config["training"]["threads"] == 1
    assert set(json.loads(str(said["versions"]))) == {"Python", "NumPy", "BLAS", "machine"}
    trainer, config = resumed_trainer(configured(), tmp_path / "p", quiet=True)
    assert str(provenance(trainer, config)["data"]) == str(said["data"])


def test_a_run_of_the_default_length_is_verified(configured, tmp_path, monkeypatch):
    monkeypatch.setattr("lamina.training.plan.DEFAULT_ITERATIONS", 40)
    config = configured(**STRETCH)
    del config.data["training"]["iterations"]
    run(config, "p", tmp_path / "p", quiet=True)
    again = load_config(tmp_path / "p" / "config.yaml")
    line, status = verify(again, tmp_path / "p", quiet=True)
    assert (status, line.split()[3:5]) == (0, ["to", "40"])


def test_a_run_that_patience_ended_is_verified_with_its_weights(configured, tmp_path):
    settings = STRETCH | {"training.patience": 2, "training.iterations": 400}
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    assert verify(configured(**settings), tmp_path / "p", quiet=True)[1] == 0
    lower = settings | {"training.patience": 1}
    assert verify(configured(**lower), tmp_path / "p", quiet=True)[1] == 0
    tampered_weights(tmp_path / "p")
    line, status = verify(configured(**settings), tmp_path / "p", quiet=True)
    assert status == 1
    assert "weights.npz/affine1.b (1 of 6 numbers" in line


def test_a_last_line_that_was_cut_off_is_no_difference(configured, finished):
    with open(finished / "loss.csv", "a") as file:
        file.write("4")
    assert verify(configured(**STRETCH), finished, quiet=True)[1] == 0
    with open(finished / "loss.csv", "a") as file:
        file.write("x,0.5\n")
    with pytest.raises(RunError, match=r"loss\.csv, line 42: expects a number, got '4x'"):
        verify(configured(**STRETCH), finished, quiet=True)


def test_the_order_in_memory_stays_as_it_was(configured, tmp_path):
    """A product with a transposed matrix may round differently."""
    trainer = build_trainer(configured(), quiet=True)
    W = trainer.net.layers["affine1"].W
    W.data = np.asfortranarray(W.data)
    state = trainer.net.state()
    trainer.net.load_state(state)
    assert W.data.flags.f_contiguous
    np.testing.assert_array_equal(W.data, state["affine1.W"])


def test_changed_code_of_ones_own_is_said(configured, tmp_path, capsys):
    code = "from lamina.layers import Relu\n\n\nclass Mine(Relu):\n    pass\n"
    own = tmp_path / "own.py"
    own.write_text(code)
    settings = {"net.layers.relu": {"type": f"{own}:Mine"}, "training.iterations": 20}
    run(configured(**settings), "p", tmp_path / "p", quiet=True)
    moved = tmp_path / "elsewhere" / "own.py"
    moved.parent.mkdir()
    own.rename(moved)
    settings = {"net.layers.relu": {"type": f"{moved}:Mine"}, "training.iterations": 30}
    resume(configured(**settings), tmp_path / "p", quiet=True)
    assert "own.py" not in capsys.readouterr().err
    moved.write_text(code + "\n")
    resume(configured(**settings | {"training.iterations": 40}), tmp_path / "p", quiet=True)
    assert "own.py" in capsys.readouterr().err


def test_with_shards_the_threads_may_change(configured, tmp_path):
    few = {"training.shards": 2, "training.iterations": 10}
    run(configured(**few), "p", tmp_path / "p", quiet=True)
    resume(configured(**few | {"training.threads": 2, "training.iterations": 20}), tmp_path / "p")
    with pytest.raises(CheckpointError, match=r"training\.shards: 2 before, 3 now"):
        resume(configured(**few | {"training.shards": 3}), tmp_path / "p")
