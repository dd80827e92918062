"""Runs on streams of a text: what a net carries goes on where its batch does, and nowhere else."""

import itertools

import numpy as np
import pytest

from lamina.datasets import StreamSamples, Text
from lamina.layers import Affine, Embedding, Lstm, SoftmaxWithLoss
from lamina.nets import Sequential
from lamina.optimizers import SGD
from lamina.training.checkpoint import Checkpoints
from lamina.training.evaluator import Evaluator
from lamina.training.parallel import Sharded
from lamina.training.trainer import Trainer

T, N = 5, 4


@pytest.fixture
def text(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "text.txt"
    path.write_text("".join(rng.choice(list("abcdef"), 700)))
    return lambda streams=True: Text(path, length=T, streams=streams, validation_share=0.1)


def net_of(dataset, stateful=True):
    rng = np.random.default_rng(1)
    layers = {
        "embedding": Embedding(dataset.n_words, 3, rng=rng, dtype=np.float64),
        "lstm": Lstm(3, 4, stateful=stateful, rng=rng, dtype=np.float64),
        "affine": Affine(4, dataset.n_words, rng=rng, dtype=np.float64),
    }
    return Sequential(layers, loss=SoftmaxWithLoss())


def trainer_of(dataset, net, iterations=60, **more):
    optimizer = SGD(net.parameters(), lr=0.5)
    options = {"batch_size": N, "iterations": iterations, "evaluate_every": 7, "quiet": True}
    return Trainer(net, optimizer, dataset, rng=0, **options | more)


def test_the_state_goes_on_with_each_stream_and_begins_anew_with_each_epoch(text):
    """Beside a loop of one's own over the same streams."""
    dataset = text()
    by_hand, net = net_of(dataset), net_of(dataset)
    X, t = dataset.train.X, dataset.train.t
    length, losses = len(X) // N, []
    for step in range(60):
        if step % length == 0:
            by_hand.reset()
        rows = np.arange(N) * length + step % length
        for param in by_hand.parameters().values():
            param.grad = None
        losses.append(float(by_hand.loss(X[rows], t[rows])))
        by_hand.backward()
        for param in by_hand.parameters().values():
            param.data = param.data - 0.5 * param.grad
    assert length < 60
    trainer = trainer_of(dataset, net)
    trainer.run()
    np.testing.assert_allclose(trainer.history.losses, losses, rtol=1e-12)


@pytest.mark.parametrize("shards", [1, 2])
def test_stopped_within_an_epoch_and_resumed_to_the_bit(text, tmp_path, shards):
    dataset, ends = text(), []
    for stops in ((60,), (17, 60)):
        net, state = net_of(dataset), None
        for stop in stops:
            trainer = trainer_of(dataset, net, stop, shards=shards)
            if state is not None:
                trainer.load_state(state)
            trainer.run()
            state = trainer.state()
            net = net_of(dataset)
        ends.append(trainer.net.state())
    assert ends[0].keys() == ends[1].keys()
    for name, array in ends[0].items():
        assert np.array_equal(array, ends[1][name]), name


def test_figures_are_those_of_streams_where_samples_go_on(text):
    dataset = text()
    net = net_of(dataset)
    figures = Evaluator(net, dataset)()
    net.set_training(False)
    summed = count = 0
    for X, t in dataset.validation.batches():
        summed += float(net.loss(X, t)) * t.size
        count += t.size
    assert figures["validation_loss"] == pytest.approx(summed / count, rel=1e-12)
    anew = net_of(dataset, stateful=False)
    assert Evaluator(anew, dataset)()["validation_loss"] != pytest.approx(summed / count, rel=1e-6)


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_rows_that_do_not_come_out_even_are_judged_in_their_own_streams(text, monkeypatch, shards):
    """Each stream by itself, a row at a time, is the witness: no state of another reaches it."""
    monkeypatch.setattr(StreamSamples, "FEWEST", 3)
    dataset = text()
    samples, net = dataset.train, net_of(dataset)
    n = len(samples)
    streams = min(n // 3, StreamSamples.MOST)
    length = n // streams
    assert 1 < n - streams * length < streams
    worker = net if shards == 1 else Sharded(net_of(dataset), shards)
    found = Evaluator(worker, dataset).figures(samples.batches(), carries=True)
    starts = [*range(0, streams * length, length), streams * length, n]
    net.set_training(False)
    losses = []
    for start, end in itertools.pairwise(starts):
        net.reset()
        losses += [float(net.loss(*samples[[row]])) for row in range(start, end)]
    assert len(losses) == n
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-12)


def test_shuffled_samples_begin_anew_in_training_and_evaluation_which_is_said(text, capsys):
    """A stateful net is then the plain one: no batch of an evaluation leaks into the next."""
    dataset, ends = text(streams=False), []
    for stateful in (True, False):
        trainer = trainer_of(dataset, net_of(dataset, stateful), callbacks=())
        trainer.run()
        ends.append((trainer.history.losses, trainer.history.evaluations))
    assert ends[0] == ends[1]
    assert "stateful" not in capsys.readouterr().err
    trainer_of(dataset, net_of(dataset), quiet=False)
    assert "a layer is stateful, but no batch goes on" in capsys.readouterr().err


def test_carried_rows_are_in_checkpoints_and_not_in_weights(text, tmp_path):
    dataset = text()
    trainer = trainer_of(
        dataset, net_of(dataset), 9, run_dir=tmp_path / "run", checkpoints=Checkpoints(every=9)
    )
    trainer.run()
    with np.load(tmp_path / "run" / "weights.npz") as weights:
        assert not [name for name in weights if "carried" in name or "h0" in name]
    carried = [name for name in trainer.net.state() if name not in trainer.net.parameters()]
    assert carried


def test_batches_of_other_sequences_do_not_leak_into_each_other(text):
    dataset = text(streams=False)
    X, t = dataset.test[np.arange(4)]
    figures = Evaluator(net_of(dataset), dataset).figures([(X, t), (X, t)])
    anew = Evaluator(net_of(dataset, stateful=False), dataset).figures([(X, t), (X, t)])
    assert figures == anew
    on = Evaluator(net_of(dataset), dataset).figures([(X, t), (X, t)], carries=True)
    assert on["loss"] != pytest.approx(anew["loss"], rel=1e-6)
