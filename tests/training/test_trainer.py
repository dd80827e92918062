"""The training loop: what it learns, writes, repeats, and how it goes on from a checkpoint."""

import csv
import json
import signal
import time

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.common.table import read_table
from lamina.datasets import Classification, Dataset, Reconstruction, Samples, Streams
from lamina.diagnosis import Diagnosis
from lamina.experiment.load_run import load_run
from lamina.layers import (
    Affine,
    BatchNormalization,
    Dropout,
    Lstm,
    Relu,
    Reshape,
    Sigmoid,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)
from lamina.metrics import Metric
from lamina.nets import Sequential
from lamina.nets.weights import load_weights
from lamina.optimizers import SGD, make_schedule
from lamina.training.callbacks import Callback, Function, ProgressBar
from lamina.training.checkpoint import Checkpoints, load_checkpoint, save_checkpoint
from lamina.training.evaluator import Evaluator
from lamina.training.history import History
from lamina.training.trainer import Trainer
from lamina.training.watch import Watch


def blobs(n=200, validate=False):
    """Three classes that a small net can tell apart."""
    rng = np.random.default_rng(0)
    t = np.arange(n) % 3
    X = (rng.standard_normal((n, 4)) + 3 * np.eye(4)[t]).astype(np.float32)
    parts = [Samples(X[rows], t[rows]) for rows in (slice(50, n), slice(50), slice(25, 50))]
    train, test, validation = parts
    return Dataset(train, test, Classification(range(3)), validation if validate else None)


def trainer(seed=0, run_dir=None, validate=False, **settings):
    rng = np.random.default_rng(seed)
    net = Sequential(
        {
            "affine1": Affine(4, 8, rng=rng),
            "norm": BatchNormalization(8),
            "relu": Relu(),
            "drop": Dropout(0.2, rng=rng.spawn(1)[0]),
            "affine2": Affine(8, 3, rng=rng),
        },
        loss=SoftmaxWithLoss(),
    )
    settings = {"iterations": 100, "batch_size": 20, "quiet": True, **settings}
    optimizer = SGD(net.parameters(), lr=0.1)
    data = blobs(validate=validate)
    return Trainer(net, optimizer, data, rng=rng, run_dir=run_dir, **settings)


def test_it_learns():
    history = trainer(iterations=200).run()
    last = history.evaluations[-1]
    assert last["train_accuracy"] > 0.95
    assert last["test_accuracy"] > 0.9
    assert np.mean(history.losses[-20:]) < 0.5 * np.mean(history.losses[:20])


def test_what_is_not_there_before_a_run_begins():
    one = trainer()
    with pytest.raises(ValueError, match="there has been no batch yet"):
        one.rows_of(0)
    with pytest.raises(ValueError, match="has no folder to write into"):
        one.files.save(one.state(), 0, 0)


def test_the_files_of_a_run(tmp_path):
    history = trainer(run_dir=tmp_path, evaluate_every=30).run()
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {
        *("loss.csv", "history.csv", "timing.csv", "weights.npz", "checkpoint-00000100.npz"),
        *("config.yaml", "provenance.json", "facts.json"),
    }
    loss = read_table(tmp_path / "loss.csv")
    assert loss["iteration"].tolist() == list(range(1, 101))
    np.testing.assert_allclose(loss["loss"], history.losses, rtol=1e-8)
    table = read_table(tmp_path / "history.csv")
    figures = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    assert list(table) == ["iteration", "epoch", "loss", *figures, "lr"]
    assert table["iteration"].tolist() == [30, 60, 90, 100]
    np.testing.assert_allclose(table["epoch"], table["iteration"] * 20 / 150, rtol=1e-8)
    np.testing.assert_allclose(table["loss"][1], np.mean(history.losses[30:60]), rtol=1e-8)
    with open(tmp_path / "timing.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["iteration"] for r in rows] == ["30", "60", "90", "100"]
    assert float(rows[0]["samples_per_second"]) > 0
    assert float(rows[1]["seconds"]) >= float(rows[0]["seconds"])


def test_the_same_seed_gives_the_same_bits_and_another_does_not(tmp_path):
    runs = {}
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / name).mkdir()
        trainer(seed, run_dir=tmp_path / name).run()
        runs[name] = [
            (tmp_path / name / file).read_bytes()
            for file in ("loss.csv", "history.csv", "weights.npz")
        ]
    assert runs["a"] == runs["b"]
    assert all(x != y for x, y in zip(runs["a"], runs["c"], strict=True))


def test_a_checkpoint_is_everything_needed_to_go_on_exactly(tmp_path):
    whole = trainer()
    losses = [whole.step() for _ in range(60)]
    first = trainer()
    for _ in range(25):
        first.step()
    save_checkpoint(tmp_path / "c.npz", first.state())
    second = trainer(seed=9)
    second.load_state(load_checkpoint(tmp_path / "c.npz"))
    assert second.iteration == 25
    assert [second.step() for _ in range(35)] == losses[25:]
    for name, array in whole.net.state().items():
        np.testing.assert_array_equal(second.net.state()[name], array)


def going_on(seed=0):
    """A trainer of a net that goes on from batch to batch."""
    rng = np.random.default_rng(seed)
    layers = {
        "steps": Reshape((2, 2)),
        "lstm": Lstm(2, 6, stateful=True, last_only=True, rng=rng),
        "affine": Affine(6, 3, rng=rng),
    }
    net, dataset = Sequential(layers, loss=SoftmaxWithLoss()), blobs()
    dataset.sampler = lambda batch_size, *_: Streams(len(dataset.train), batch_size)
    optimizer = SGD(net.parameters(), lr=0.1)
    return Trainer(net, optimizer, dataset, rng=rng, iterations=40, batch_size=20, quiet=True)


def test_a_checkpoint_goes_on_with_what_is_carried_whatever_is_evaluated_between(tmp_path):
    whole = going_on()
    losses = [whole.step() for _ in range(40)]
    first = going_on()
    for _ in range(15):
        first.step()
        first.evaluator()
    save_checkpoint(tmp_path / "c.npz", first.state())
    second = going_on(seed=9)
    second.evaluator()
    second.load_state(load_checkpoint(tmp_path / "c.npz"))
    assert [second.step() for _ in range(25)] == losses[15:]
    assert second.step() == whole.step()  # an epoch of streams may have begun here, not behind it
    second.net.reset()
    assert second.step() != whole.step()


def changing(seed=0):
    """An augmentation of inputs that are no images, with a state as datasets.augmentation has."""

    class Noise:
        def __init__(self):
            self.rng, self.seen = np.random.default_rng(seed), []

        def __call__(self, X):
            self.seen.append(X.copy())
            return X + self.rng.standard_normal(X.shape, np.float32)

        def state(self):
            return {"rng": np.array(json.dumps(self.rng.bit_generator.state))}

        def load_state(self, state):
            self.rng.bit_generator.state = json.loads(str(state["rng"]))

    return Noise()


def test_augmentation_changes_training_batches_and_nothing_else():
    noise, plain = changing(), trainer(iterations=30)
    made = trainer(iterations=30, evaluate_every=10, accumulate=2, augmentation=noise)
    history = made.run()
    assert len(noise.seen) == 60  # none for the three evaluations
    np.testing.assert_array_equal(noise.seen[0], next(plain.batches).X)
    np.testing.assert_array_equal(made.dataset.train.X, blobs().train.X)
    data = made.dataset
    accuracies = [made.net.accuracy(*part[:]) for part in (data.train, data.test)]
    last = history.evaluations[-1]
    assert [last["train_accuracy"], last["test_accuracy"]] == pytest.approx(accuracies)
    assert history.losses != plain.run().losses


def test_a_checkpoint_goes_on_with_the_same_augmentation(tmp_path):
    whole = trainer(augmentation=changing(seed=1))
    losses = [whole.step() for _ in range(40)]
    first = trainer(augmentation=changing(seed=1))
    for _ in range(15):
        first.step()
    save_checkpoint(tmp_path / "c.npz", first.state())
    second = trainer(seed=9, augmentation=changing(seed=2))
    second.load_state(load_checkpoint(tmp_path / "c.npz"))
    assert [second.step() for _ in range(25)] == losses[15:]


@pytest.mark.parametrize(("before", "now"), [("with", "without"), ("without", "with")])
def test_a_checkpoint_of_a_run_augmented_otherwise_is_refused(before, now):
    made = {"with": trainer(augmentation=changing()), "without": trainer(seed=1)}
    saved, weights = made[before].state(), made[now].net.state()
    words = f"state is of a run {before} an augmentation, but this one trains {now} an augm"
    with pytest.raises(ValueError, match=words):
        made[now].load_state(saved)
    for name, array in made[now].net.state().items():
        np.testing.assert_array_equal(array, weights[name])


def test_a_plain_function_augments_too():
    made = trainer(augmentation=lambda X: X * 0.0)
    assert made.step() == pytest.approx(np.log(3), abs=0.3)
    assert "augmentation" not in made.state()
    trainer(seed=1).load_state(made.state())


def test_saved_weights_predict_the_same(tmp_path):
    made = trainer(run_dir=tmp_path)
    made.run()
    other = trainer(seed=5)
    load_weights(tmp_path / "weights.npz", other.net)
    X, _ = made.dataset.test[:]
    np.testing.assert_array_equal(other.net.predict(X), made.net.predict(X))
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as saved:
        assert list(saved) == [
            *("affine1.W", "affine1.b", "norm.gamma", "norm.beta", "norm.running_mean"),
            *("norm.running_var", "affine2.W", "affine2.b"),
        ]


def test_weights_of_another_net_are_refused_with_all_differences(tmp_path):
    trainer(run_dir=tmp_path, iterations=1).run()
    rng = np.random.default_rng(0)
    net = Sequential({"affine1": Affine(4, 9, rng=rng), "last": Affine(9, 3, rng=rng)})
    with pytest.raises(ValueError, match=r"affine1\.W: expects shape \(4, 9\)") as raised:
        load_weights(tmp_path / "weights.npz", net)
    assert "missing: last.W" in str(raised.value)
    assert "unknown: norm.gamma" in str(raised.value)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_losses_before(tmp_path):
    made = trainer(run_dir=tmp_path)
    good = made.optimizer.step

    def poison():
        good()
        if made.iteration == 14:
            made.net.layers["affine2"].W.data[0, 0] = np.nan

    made.optimizer.step = poison
    with pytest.raises(FloatingPointError, match=r"the loss is nan at iteration 16; a smaller"):
        made.run()
    assert not (tmp_path / "weights.npz").exists()
    assert made.net.needs_dX
    assert len(read_table(tmp_path / "loss.csv")["loss"]) == 15


def test_a_run_that_goes_on_continues_its_tables(tmp_path):
    (tmp_path / "whole").mkdir()
    trainer(run_dir=tmp_path / "whole", evaluate_every=20).run()
    first = trainer(run_dir=tmp_path, iterations=40, evaluate_every=20)
    first.run()
    second = trainer(seed=9, run_dir=tmp_path, evaluate_every=20)
    second.load_state(load_checkpoint(tmp_path / "checkpoint-00000040.npz"))
    second.run()
    for name in ("loss.csv", "history.csv", "weights.npz"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_ctrl_c_ends_the_run_after_its_iteration_with_everything_written(tmp_path):
    handler = signal.getsignal(signal.SIGINT)  # ignored, in a process begun in the background
    made = trainer(run_dir=tmp_path)

    def press(trainer, row):
        if row["iteration"] == 30:
            signal.raise_signal(signal.SIGINT)

    made.plan.evaluate_every = 30
    made.callbacks.append(Function(press))
    history = made.run()
    assert made.interrupted == signal.SIGINT
    assert made.ended_by == ""
    assert made.iteration == 30
    assert len(history.losses) == 30
    assert (tmp_path / "weights.npz").exists()
    assert (tmp_path / "checkpoint-00000030.npz").exists()
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_ctrl_c_stops_at_once():
    made = trainer()
    made.plan.evaluate_every = 30

    def press_twice(trainer, row):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    made.callbacks.append(Function(press_twice))
    with pytest.raises(KeyboardInterrupt):
        made.run()


def test_a_callback_sees_every_evaluation_and_may_end_the_run():
    seen = []

    def watch(trainer, row):
        seen.append((trainer.iteration, row["iteration"]))
        return row["iteration"] >= 40

    trainer(evaluate_every=20, callbacks=[watch]).run()
    assert seen == [(20, 20), (40, 40)]


def test_patience_ends_a_run_that_no_longer_gets_better():
    made = trainer(iterations=5000, evaluate_every=10, patience=4, validate=True)
    rows = made.run().evaluations
    assert len(rows) < 500
    best = max(row["validation_accuracy"] for row in rows)
    assert rows[-5]["validation_accuracy"] == best
    assert all(row["validation_accuracy"] <= best for row in rows[-4:])


def test_the_best_weights_are_kept():
    made = trainer(iterations=60, evaluate_every=10, keep_best=True, validate=True)
    calls = []

    def ruin_later(trainer, row):
        calls.append(row["validation_accuracy"])
        if row["iteration"] >= 50:
            for param in trainer.net.parameters().values():
                param.data = param.data * 0.0

    made.callbacks.append(Function(ruin_later))
    made.run()
    assert made.net.accuracy(*made.dataset.validation[:]) == max(calls)


def test_accumulated_batches_are_one_large_batch():
    """Two batches of 20 give the gradient of one of 40, where no layer mixes the samples."""

    def made(batch_size, accumulate):
        rng = np.random.default_rng(0)
        net = Sequential({"affine": Affine(4, 3, rng=rng)}, loss=SoftmaxWithLoss())
        optimizer = SGD(net.parameters(), lr=0.1)
        data = blobs()
        return Trainer(
            net, optimizer, data, rng=rng, batch_size=batch_size, accumulate=accumulate, quiet=True
        )

    small, large = made(20, 2), made(40, 1)
    for _ in range(3):
        assert small.step() == pytest.approx(large.step(), rel=1e-5)
    np.testing.assert_allclose(
        small.net.layers["affine"].W.data, large.net.layers["affine"].W.data, rtol=1e-4, atol=1e-6
    )


def test_the_bar_shows_loss_and_accuracy(capsys):
    trainer(quiet=False).run()
    err = capsys.readouterr().err
    assert " 100/100 [" in err  # not of the default length
    assert "loss 0." in err
    assert "test " in err
    trainer(quiet=True).run()
    assert capsys.readouterr().err == ""


def test_a_history_without_a_folder_keeps_all_in_memory():
    history = History()
    history.add_loss(1, 1.0)
    history.add_loss(2, 3.0)
    assert history.mean_loss() == 2.0
    row = dict.fromkeys(("iteration", "epoch", "loss", "train_loss", "lr"), 1)
    history.add_evaluation(row, images=10, seconds=1.0)
    history.add_loss(3, 5.0)
    assert history.mean_loss() == 5.0
    assert history.losses == [1.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"patience": 3}, "patience"),
        ({"keep_best": True}, "keep_best"),
        ({"checkpoints": Checkpoints(keep_best=True)}, r"checkpoint\.keep_best"),
    ],
)
def test_what_chooses_is_refused_without_a_validation_set(settings, name):
    words = f"{name}: chooses by a validation set, .*: dataset: {{..., validation_share: 0.1}}"
    with pytest.raises(ValueError, match=words):
        trainer(**settings)
    trainer(validate=True, **settings)


def test_choosing_looks_at_nothing_but_the_validation_set():
    """The test set of this run is best at the start, the validation set at the end."""
    made = trainer(iterations=40, evaluate_every=10, keep_best=True, validate=True)
    for step, (validation, test) in enumerate([(0.1, 0.9), (0.2, 0.5), (0.3, 0.2), (0.15, 0.95)]):
        row = {"validation_accuracy": validation, "test_accuracy": test, "iteration": step}
        made.best.note(row, made.net)
    assert (made.best.iteration, made.best.since) == (2, 1)


def test_epochs_instead_of_iterations():
    made = trainer(iterations=None, epochs=2)
    history = made.run()
    assert made.iteration == 15  # 150 samples, batches of 20
    assert [row["iteration"] for row in history.evaluations] == [7, 14, 15]
    with pytest.raises(ValueError, match="epochs: 2 epochs and 30 iterations are two lengths"):
        trainer(iterations=30, epochs=2)


def test_the_default_length():
    assert trainer(iterations=None).plan.iterations == 10_000


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"iterations": 0}, "iterations: expects at least 1, got 0"),
        ({"iterations": 2.5}, "iterations: expects a whole number of at least 1, got 2.5"),
        ({"patience": True, "validate": True}, "patience: expects a whole number .* got True"),
        ({"batch_size": 2.5}, "batch_size: expects 1 to 150, .* got 2.5"),
        ({"shards": 1.5}, "shards: expects at least 1, .* got 1.5"),
        ({"iterations": None, "epochs": 0}, "epochs: expects more than 0, got 0"),
        ({"iterations": None, "epochs": float("inf")}, "epochs: expects more than 0, got inf"),
        ({"evaluate_every": 0}, "evaluate_every: expects at least 1"),
        ({"patience": 0, "validate": True}, "patience: expects at least 1"),
        ({"accumulate": 0}, "accumulate: expects at least 1"),
        ({"gradient_penalty": -1}, "gradient_penalty: expects at least 0"),
        ({"batch_size": 151}, "batch_size: expects 1 to 150"),
        ({"metrics": ["accuracy", "accuracy"]}, "accuracy stands twice"),
        ({"metrics": ["acuracy"]}, "accuracy"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(ValueError, match=words):
        trainer(**settings)


class Unweighted(Metric):
    """One of one's own that is called as another of the project is."""

    name = "recall"

    def reset(self):
        pass

    def update(self, scores, t):
        pass

    def value(self):
        return 0.5


def test_a_metric_of_ones_own_has_a_name_of_its_own():
    message = "Unweighted calls itself recall, which is the name of Recall; give it one of its own"
    with pytest.raises(ValueError, match=message):
        trainer(metrics=[Unweighted()])
    renamed = type("Renamed", (Unweighted,), {"name": "unweighted_recall"})
    assert trainer(metrics=["recall", renamed()]).evaluator.metrics[1].name == "unweighted_recall"


def test_paths_and_seeds_may_be_plain(tmp_path):
    rng = np.random.default_rng(0)
    net = Sequential({"affine": Affine(4, 3, rng=rng)}, loss=SoftmaxWithLoss())
    settings = {"rng": 0, "iterations": 3, "quiet": True, "run_dir": str(tmp_path)}
    Trainer(net, SGD(net.parameters(), lr=0.1), blobs(), **settings).run()
    assert (tmp_path / "history.csv").exists()


class Diary(Callback):
    """Writes down what it is told."""

    def __init__(self):
        self.lines = []

    def started(self, trainer):
        self.lines.append(f"started {trainer.iteration}")

    def stepped(self, trainer, loss):
        self.lines.append(f"stepped {trainer.iteration}")

    def evaluated(self, trainer, row):
        self.lines.append(f"evaluated {row['iteration']}")

    def finished(self, trainer):
        self.lines.append(f"finished {trainer.iteration}")


def test_a_callback_is_told_of_everything_in_order():
    diary = Diary()
    trainer(iterations=3, evaluate_every=2, callbacks=[diary]).run()
    steps = ["stepped 1", "stepped 2", "evaluated 2", "stepped 3", "evaluated 3"]
    assert diary.lines == ["started 0", *steps, "finished 3"]


def test_a_callback_is_told_of_the_end_also_when_the_run_fails():
    diary = Diary()
    made = trainer(callbacks=[diary])
    made.net.layers["affine1"].W.data[:] = np.nan
    with pytest.raises(FloatingPointError):
        made.run()
    assert diary.lines == ["started 0", "finished 0"]


def test_callbacks_change_no_bit(tmp_path):
    for name, callbacks in (("plain", []), ("told", [Diary(), lambda trainer, row: None])):
        (tmp_path / name).mkdir()
        trainer(run_dir=tmp_path / name, callbacks=callbacks).run()
    for name in ("loss.csv", "history.csv", "weights.npz"):
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "told" / name).read_bytes()


def test_a_progress_bar_needs_an_interval():
    with pytest.raises(ValueError, match="every: expects at least 1, got 0"):
        ProgressBar(every=0)


def test_a_run_made_in_python_is_one_for_the_commands(tmp_path, capsys):
    run_dir = tmp_path / "new" / "run"
    made = trainer(run_dir=run_dir, watch=Diagnosis())
    made.run()
    assert main(["doctor", str(run_dir)]) in (0, 1)
    assert "healthy" in capsys.readouterr().out
    assert main(["plots", str(run_dir)]) == 0
    assert main(["evaluate", str(run_dir)]) == 0
    out = capsys.readouterr().out
    assert "its data were arrays of a program: load_run(run, dataset=dataset)" in out
    assert f"test_accuracy   {made.history.evaluations[-1]['test_accuracy']:.6g}" in out
    net, dataset = load_run(run_dir, dataset=made.dataset)
    X, _ = dataset.test[:]
    np.testing.assert_array_equal(net.predict(X), made.net.predict(X))


def test_a_run_is_never_written_over_another(tmp_path):
    trainer(run_dir=tmp_path, iterations=3).run()
    before = (tmp_path / "loss.csv").read_bytes()
    with pytest.raises(FileExistsError, match=r"there is a run already .*choose another run_dir"):
        trainer(run_dir=tmp_path, iterations=3).run()
    assert (tmp_path / "loss.csv").read_bytes() == before


def test_parameters_of_another_net_are_refused():
    net, other = (Sequential({"a": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss()) for _ in range(2))
    with pytest.raises(ValueError, match="2 of its 2 parameters are not those of the net"):
        Trainer(net, SGD(other.parameters(), lr=0.1), blobs(), rng=0)


def test_parameters_that_the_optimizer_does_not_know_are_said(capsys):
    net = Sequential({"a": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
    optimizer = SGD({"a.W": net.parameters()["a.W"]}, lr=0.1)
    Trainer(net, optimizer, blobs(), rng=0)
    assert "the optimizer does not know a.b: they stay as they are" in capsys.readouterr().err


def test_a_schedule_that_ends_before_the_run_is_refused():
    net = Sequential({"a": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
    schedule = make_schedule("cosine", max_steps=300)
    optimizer = SGD(net.parameters(), lr=0.1, schedule=schedule)
    with pytest.raises(ValueError, match=r"its rate is 0 after iteration 300, .* 600 of 900"):
        Trainer(net, optimizer, blobs(), rng=0, iterations=900)
    Trainer(net, optimizer, blobs(), rng=0, iterations=300)


def test_a_plateau_needs_a_validation_set_and_lowers_the_rate():
    def made(validate):
        net = Sequential({"a": Affine(4, 3, rng=0)}, loss=SoftmaxWithLoss())
        schedule = make_schedule("plateau", gamma=0.5, patience=1)
        optimizer = SGD(net.parameters(), lr=0.5, schedule=schedule)
        settings = {"rng": 0, "iterations": 400, "evaluate_every": 10, "batch_size": 50}
        return Trainer(net, optimizer, blobs(validate=validate), quiet=True, **settings)

    with pytest.raises(ValueError, match="plateau: chooses by a validation set"):
        made(False)
    rates = [row["lr"] for row in made(True).run().evaluations]
    assert rates[0] == 0.5
    assert rates[-1] < 0.1
    assert sorted(rates, reverse=True) == rates


def test_the_bar_of_a_run_that_goes_on_begins_where_it_was(capsys):
    first = trainer(iterations=60)
    first.run()
    second = trainer(quiet=False)
    second.load_state(first.state())
    second.run()
    err = capsys.readouterr().err
    assert " 60/100 [" in err
    assert " 0/100 [" not in err


def test_the_speed_counts_the_samples_since_the_last_evaluation(tmp_path, monkeypatch):
    """In 0.5 seconds each time, by a clock that stands still while others ask."""
    seen, add = [], History.add_evaluation

    def watched(self, row, images, seconds):
        seen.append(images)
        add(self, row, images, 0.5)

    monkeypatch.setattr(History, "add_evaluation", watched)
    trainer(run_dir=tmp_path, iterations=70, evaluate_every=30, accumulate=3).run()
    assert seen == [1800, 1800, 600]
    rates = read_table(tmp_path / "timing.csv")["samples_per_second"]
    assert rates.tolist() == [3600, 3600, 1200]


def test_the_speed_is_that_of_the_steps_and_the_clock_starts_with_the_run(tmp_path, monkeypatch):
    """By a clock of its own: a step takes a second, all else much more."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def taking(seconds, method):
        def slow(self, *arguments):
            now[0] += seconds
            return method(self, *arguments)

        return slow

    class Looks(Watch):
        def gradients(self, trainer):
            now[0] += 7.0
            self.seconds += 7.0
            super().gradients(trainer)

    monkeypatch.setattr(Checkpoints, "save", taking(100.0, Checkpoints.save))
    monkeypatch.setattr(Evaluator, "__call__", taking(1000.0, Evaluator.__call__))
    monkeypatch.setattr(SGD, "step", taking(1.0, SGD.step))
    settings = {"iterations": 40, "evaluate_every": 20, "checkpoints": Checkpoints(every=10)}
    made = trainer(run_dir=tmp_path, watch=Looks(), **settings)
    now[0] += 5000.0  # between construction and run
    made.run()
    table = read_table(tmp_path / "timing.csv")
    assert table["samples_per_second"].tolist() == [20.0, 20.0]  # a batch of 20 in a second
    assert table["checkpoint_seconds"].tolist() == [100.0, 300.0]
    assert table["recorder_seconds"].tolist() == [140.0, 280.0]
    assert table["seconds"].tolist() == [1260.0, 2620.0]


class Slow(Watch):
    """A watch of which each step takes a second."""

    def around_step(self, trainer):
        self.seconds += 1.0
        return super().around_step(trainer)


def test_what_took_the_time_is_told_apart_and_adds_up_when_a_run_goes_on(tmp_path, monkeypatch):
    settings = {"evaluate_every": 20, "checkpoints": Checkpoints(every=50)}
    first = trainer(run_dir=tmp_path, iterations=40, watch=Slow(), **settings)
    first.run()
    (tmp_path / "timing.csv").write_text(
        "iteration,seconds,samples_per_second,checkpoint_seconds,recorder_seconds\n"
        "20,900.0,5,0.0,20.0\n40,1000.0,5,7.0,40.0\n"
    )
    save = Checkpoints.save

    def slow(self, *arguments):
        time.sleep(0.05)
        return save(self, *arguments)

    monkeypatch.setattr(Checkpoints, "save", slow)
    second = trainer(run_dir=tmp_path, watch=Slow(), **settings)
    second.load_state(load_checkpoint(tmp_path / "checkpoint-00000040.npz"))
    second.run()
    table = read_table(tmp_path / "timing.csv")
    assert table["iteration"].tolist() == [20, 40, 60, 80, 100]
    assert (table["seconds"][2:] > 1000).all()
    assert (table["seconds"][2:] < 1100).all()
    assert (table["checkpoint_seconds"][2:] >= 7.05).all()
    assert (table["checkpoint_seconds"][2:] < 10).all()
    np.testing.assert_allclose(table["recorder_seconds"], [20, 40, 60, 80, 100], atol=0.9)


@pytest.mark.parametrize("interrupted", [False, True])
def test_the_seconds_since_the_last_evaluation_due_count_when_a_run_goes_on(
    tmp_path, monkeypatch, interrupted
):
    """By a clock of its own: a step takes a second, a checkpoint a hundred."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    step, save = SGD.step, Checkpoints.save

    def slow_step(self):
        now[0] += 1.0
        step(self)

    def slow_save(self, *arguments):
        now[0] += 100.0
        return save(self, *arguments)

    def interrupt(made, row_or_loss):
        if made.iteration == 25:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(SGD, "step", slow_step)
    monkeypatch.setattr(Checkpoints, "save", slow_save)
    settings = {"evaluate_every": 30, "checkpoints": Checkpoints(every=10)}
    if interrupted:
        interrupting = type("Interrupting", (Callback,), {"stepped": staticmethod(interrupt)})
        trainer(run_dir=tmp_path, callbacks=[interrupting()], **settings).run()
        rows = (tmp_path / "timing.csv").read_text().splitlines()
        assert rows[1:] == ["25,325.000,,300.000,0.000"]
    else:
        trainer(run_dir=tmp_path, iterations=25, **settings).run()
    now[0] += 5000.0  # until somebody goes on
    second = trainer(run_dir=tmp_path, iterations=35, **settings)
    second.load_state(load_checkpoint(tmp_path / "checkpoint-00000025.npz"))
    second.run()
    table = read_table(tmp_path / "timing.csv")
    assert table["iteration"].tolist() == [30, 35]
    assert table["seconds"].tolist() == [330.0, 535.0]
    assert table["checkpoint_seconds"].tolist() == [300.0, 500.0]
    assert table["samples_per_second"].tolist() == [20.0, 20.0]


def test_an_evaluation_right_behind_the_checkpoint_that_a_run_goes_on_from_has_no_speed(tmp_path):
    """A signal came where one was due: nothing has been trained since by who makes it."""

    def interrupt(made, row_or_loss):
        if made.iteration == 20:
            signal.raise_signal(signal.SIGTERM)

    interrupting = type("Interrupting", (Callback,), {"stepped": staticmethod(interrupt)})
    settings = {"run_dir": tmp_path, "evaluate_every": 20, "checkpoints": Checkpoints(every=20)}
    trainer(callbacks=[interrupting()], iterations=40, **settings).run()
    second = trainer(iterations=40, **settings)
    second.load_state(load_checkpoint(tmp_path / "checkpoint-00000020.npz"))
    second.run()
    rows = [line.split(",") for line in (tmp_path / "timing.csv").read_text().splitlines()[1:]]
    assert [row[0] for row in rows] == ["20", "40"]
    assert rows[0][2] == ""
    assert float(rows[1][2]) > 0


def test_the_rate_of_a_row_is_the_one_in_force():
    made = trainer(iterations=40, evaluate_every=10)
    made.optimizer.schedule = lambda step: 0.5 ** (step // 10)
    rates = [row["lr"] for row in made.run().evaluations]
    assert rates == pytest.approx([0.1, 0.05, 0.025, 0.0125])


def test_a_second_sigterm_waits_for_the_iteration_too():
    """Whoever stops a machine sends more than one; only Ctrl-C is in a hurry."""
    made = trainer()
    made.plan.evaluate_every = 30

    def terminate_twice(trainer, row):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    made.callbacks.append(Function(terminate_twice))
    made.run()
    assert (made.iteration, made.interrupted) == (30, signal.SIGTERM)


def test_no_gradient_of_the_inputs_is_computed_while_training():
    wanted = []
    made = trainer(iterations=2)
    made.callbacks.append(Function(lambda trainer, row: wanted.append(trainer.net.needs_dX)))
    made.run()
    assert wanted == [False]
    assert made.net.needs_dX


def test_the_weights_that_are_written_are_the_best_ones(tmp_path):
    made = trainer(
        run_dir=tmp_path, iterations=60, evaluate_every=10, keep_best=True, validate=True
    )

    def ruin(trainer, row):
        for param in trainer.net.parameters().values():
            param.data = param.data * 0.0

    made.callbacks.append(Function(ruin))
    rows = made.run().evaluations
    other = trainer(seed=5)
    load_weights(tmp_path / "weights.npz", other.net)
    assert other.net.accuracy(*made.dataset.validation[:]) == rows[0]["validation_accuracy"]
    assert rows[0]["validation_accuracy"] > rows[-1]["validation_accuracy"]


@pytest.mark.parametrize(
    ("metrics", "column", "higher"), [(None, "accuracy", True), ([], "loss", False)]
)
def test_a_schedule_that_chooses_is_told_the_figure_and_its_direction(
    monkeypatch, metrics, column, higher
):
    told = []
    monkeypatch.setattr(SGD, "chooses", True)
    monkeypatch.setattr(SGD, "evaluated", lambda self, *given: told.append(given))
    made = trainer(iterations=20, evaluate_every=10, validate=True, metrics=metrics)
    rows = made.run().evaluations
    assert told == [(row[f"validation_{column}"], higher) for row in rows]


def test_a_trainer_says_where_it_stands(tmp_path):
    made = trainer(run_dir=tmp_path)
    made.step()
    assert repr(made) == (
        "Trainer: iteration 1 of 100, batches of 20, Sequential, "
        f"SGD(lr=0.1) of 6 parameters, step 1, run_dir {tmp_path}"
    )


def test_scores_that_a_layer_has_squashed_are_said(capsys):
    """`lamina train` refuses such a net; in Python somebody may mean it."""
    for last, said in ((Sigmoid(), "last (Sigmoid) gives numbers between 0 and 1"), (None, "")):
        chain = {"a": Affine(4, 1, rng=0)} | ({"last": last} if last else {})
        net = Sequential(chain, loss=SigmoidWithLoss())
        X, t = np.ones((8, 4), np.float32), np.arange(8) % 2
        data = Dataset(Samples(X, t), Samples(X, t), Classification(("no", "yes")))
        Trainer(net, SGD(net.parameters(), lr=0.1), data, rng=0, iterations=1, batch_size=4)
        err = capsys.readouterr().err
        assert said in err
        assert bool(said) == ("note: " in err)


def test_augmented_inputs_of_a_reconstruction_are_said(capsys):
    X = np.ones((8, 4), np.float32)
    net = Sequential({"a": Affine(4, 4, rng=0)}, loss=SquaredErrorLoss())
    data = Dataset(Samples(X, X), Samples(X, X), Reconstruction())
    for augmentation in (None, lambda X: -X):
        arguments = {"rng": 0, "iterations": 1, "batch_size": 4, "augmentation": augmentation}
        Trainer(net, SGD(net.parameters(), lr=0.1), data, **arguments)
        said = "the net learns to undo it" in capsys.readouterr().err
        assert said == (augmentation is not None)
