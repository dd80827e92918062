"""The training loop: what it learns, writes, repeats, and how it goes on from a checkpoint."""

import csv
import json
import signal

import numpy as np
import pytest

from lamina.common.table import read_table
from lamina.datasets import Classification, Dataset, Samples
from lamina.layers import Affine, BatchNormalization, Dropout, Relu, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.nets.weights import load_weights
from lamina.optimizers import SGD
from lamina.training.checkpoint import load_checkpoint, save_checkpoint
from lamina.training.history import History
from lamina.training.trainer import Trainer, accuracy


def blobs(n=200):
    """Three classes that a small net can tell apart."""
    rng = np.random.default_rng(0)
    t = np.arange(n) % 3
    X = (rng.standard_normal((n, 4)) + 3 * np.eye(4)[t]).astype(np.float32)
    return Dataset(Samples(X[50:], t[50:]), Samples(X[:50], t[:50]), Classification(range(3)))


def trainer(seed=0, run_dir=None, **settings):
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
    return Trainer(net, optimizer, blobs(), rng=rng, run_dir=run_dir, **settings)


def test_it_learns():
    history = trainer(iterations=200).run()
    last = history.evaluations[-1]
    assert last["train_accuracy"] > 0.95
    assert last["test_accuracy"] > 0.9
    assert np.mean(history.losses[-20:]) < 0.5 * np.mean(history.losses[:20])


def test_the_files_of_a_run(tmp_path):
    history = trainer(run_dir=tmp_path, evaluate_every=30).run()
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {
        *("loss.csv", "history.csv", "timing.csv", "weights.npz", "checkpoint-00000100.npz"),
        *("layers.csv", "parameters.csv", "facts.json"),
    }
    loss = read_table(tmp_path / "loss.csv")
    assert loss["iteration"].tolist() == list(range(1, 101))
    np.testing.assert_allclose(loss["loss"], history.losses, rtol=1e-8)
    table = read_table(tmp_path / "history.csv")
    assert list(table) == ["iteration", "epoch", "loss", "train_accuracy", "test_accuracy", "lr"]
    assert table["iteration"].tolist() == [30, 60, 90, 100]
    np.testing.assert_allclose(table["epoch"], table["iteration"] * 20 / 150, rtol=1e-8)
    np.testing.assert_allclose(table["loss"][1], np.mean(history.losses[30:60]), rtol=1e-8)
    with open(tmp_path / "timing.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["iteration"] for r in rows] == ["30", "60", "90", "100"]
    assert float(rows[0]["images_per_second"]) > 0
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
    predicted = []
    predict = made.net.predict
    made.net.predict = lambda X: predicted.append(X) or predict(X)
    history = made.run()
    assert len(noise.seen) == 60  # none for the three evaluations
    np.testing.assert_array_equal(noise.seen[0], plain.dataset.train[next(plain.minibatches)][0])
    np.testing.assert_array_equal(made.dataset.train.X, blobs().train.X)
    accuracies = [accuracy(made.net, part) for part in (made.dataset.train, made.dataset.test)]
    last = history.evaluations[-1]
    assert [last["train_accuracy"], last["test_accuracy"]] == accuracies
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


def test_accuracy_over_batches_counts_every_sample_once():
    net = trainer().net
    data = blobs(2600)
    X, t = data.train[:]
    expected = (net.predict(X).argmax(axis=1) == t).mean()
    assert accuracy(net, data.train) == pytest.approx(expected)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_losses_before(tmp_path):
    made = trainer(run_dir=tmp_path)
    good = made.optimizer.step

    def poison():
        good()
        if made.iteration == 14:
            made.net.layers["affine2"].W.data[0, 0] = np.nan

    made.optimizer.step = poison
    with pytest.raises(FloatingPointError, match=r"the loss is nan at iteration 16\n"):
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

    made.evaluate_every = 30
    made.callbacks.append(press)
    history = made.run()
    assert made.interrupted == signal.SIGINT
    assert made.iteration == 30
    assert len(history.losses) == 30
    assert (tmp_path / "weights.npz").exists()
    assert (tmp_path / "checkpoint-00000030.npz").exists()
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_ctrl_c_stops_at_once():
    made = trainer()
    made.evaluate_every = 30

    def press_twice(trainer, row):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    made.callbacks.append(press_twice)
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
    made = trainer(iterations=5000, evaluate_every=10, patience=4)
    rows = made.run().evaluations
    assert len(rows) < 500
    best = max(row["test_accuracy"] for row in rows)
    assert rows[-5]["test_accuracy"] == best
    assert all(row["test_accuracy"] <= best for row in rows[-4:])


def test_the_best_weights_are_kept():
    made = trainer(iterations=60, evaluate_every=10, keep_best=True)
    calls = []

    def ruin_later(trainer, row):
        calls.append(row["test_accuracy"])
        if row["iteration"] >= 50:
            for param in trainer.net.parameters().values():
                param.data = param.data * 0.0

    made.callbacks.append(ruin_later)
    made.run()
    assert accuracy(made.net, made.dataset.test) == max(calls)


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
    assert "100/100" in err
    assert "loss 0." in err
    assert "test " in err
    trainer(quiet=True).run()
    assert capsys.readouterr().err == ""


def test_a_history_without_a_folder_keeps_all_in_memory():
    history = History()
    history.add_loss(1, 1.0)
    history.add_loss(2, 3.0)
    assert history.mean_loss() == 2.0
    row = dict.fromkeys(("iteration", "epoch", "loss", "train_accuracy", "test_accuracy", "lr"), 1)
    history.add_evaluation(row, images=10, seconds=1.0)
    history.add_loss(3, 5.0)
    assert history.mean_loss() == 5.0
    assert history.losses == [1.0, 3.0, 5.0]
