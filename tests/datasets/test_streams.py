"""Streams: each batch goes on where the last one ended."""

import itertools

import numpy as np
import pytest

from lamina.datasets import Samples, Streams, StreamSamples, Text
from lamina.experiment.evaluation.evaluate import evaluate
from lamina.layers import Layer, SoftmaxWithLoss
from lamina.nets import Sequential


def take(streams, n):
    return [(next(streams).tolist(), streams.begins) for _ in range(n)]


@pytest.mark.parametrize(("n", "size"), [(12, 3), (14, 3), (5, 5), (7, 1)])
def test_a_row_follows_the_row_before_it(n, size):
    streams = Streams(n, size)
    length = n // size
    assert streams.n == length * size
    batches = take(streams, 3 * length)
    for k, (rows, begins) in enumerate(batches):
        assert begins == (k % length == 0)
        if begins:
            assert rows == list(range(0, size * length, length))
        else:
            assert rows == [row + 1 for row in batches[k - 1][0]]
    epoch = [row for rows, _ in batches[:length] for row in rows]
    assert sorted(epoch) == list(range(streams.n))


@pytest.mark.parametrize("before", range(10))
def test_the_place_is_saved_exactly(before):
    streams, other = Streams(13, 3), Streams(13, 3)
    take(streams, before)
    take(other, 2)
    other.load_state(streams.state())
    assert take(other, 9) == take(streams, 9)


@pytest.mark.parametrize(
    "other", [Streams(16, 3), Streams(12, 4)], ids=["more rows", "more streams"]
)
def test_a_place_in_other_streams_is_refused(other):
    with pytest.raises(ValueError, match="Streams: the saved place is batch 0"):
        other.load_state(Streams(12, 3).state())


@pytest.mark.parametrize("cursor", [-1, 4])
def test_a_place_that_cannot_be(cursor):
    state = Streams(12, 3).state() | {"cursor": np.array(cursor)}
    with pytest.raises(ValueError, match=f"the saved place is batch {cursor} "):
        Streams(12, 3).load_state(state)


@pytest.mark.parametrize("size", [0, 13])
def test_a_batch_size_that_does_not_fit(size):
    with pytest.raises(ValueError, match="batch_size: expects 1 to 12, the number of training"):
        Streams(12, size)


def test_the_streams_of_a_text_are_stretches_of_it(tmp_path):
    text = "".join(map(str, np.random.default_rng(0).integers(0, 10, 500)))
    (tmp_path / "digits.txt").write_text(text)
    data = Text(tmp_path / "digits.txt", length=5, streams=True)
    order = data.sampler(4, 0)
    read = [""] * 4
    for _ in range(order.length):
        X, t = data.train[next(order)]
        for i in range(4):
            read[i] += data.task.decode(X[i])
            assert data.task.decode(t[i])[:-1] == data.task.decode(X[i])[1:]
    stretch = order.length * 5
    assert read == [text[i * stretch : (i + 1) * stretch] for i in range(4)]


@pytest.mark.parametrize("n", [1, 19, 40, 45, 999, 1000, 1001, 1023])
def test_samples_are_evaluated_in_streams(n):
    samples = StreamSamples(np.arange(n), np.arange(n) + 1)
    batches = [X for X, _ in samples.batches()]
    np.testing.assert_array_equal(np.concatenate(batches), samples.order)
    np.testing.assert_array_equal(np.sort(samples.order), np.arange(n))
    streams = len(batches[0])
    assert streams == min(max(n // 20, 1), 50)
    length = n // streams
    for before, now in itertools.pairwise(batches[:length]):
        np.testing.assert_array_equal(now, before + 1)
    rest = [batch.tolist() for batch in batches[length:]]
    assert rest == [[row] for row in range(streams * length, n)]


def test_only_samples_that_hang_together_carry(tmp_path):
    (tmp_path / "my.txt").write_text("to be or not to be " * 50)
    for streams, kind in ((True, StreamSamples), (False, Samples)):
        data = Text(tmp_path / "my.txt", length=5, streams=streams, validation_share=0.1)
        for samples in data.sets().values():
            assert type(samples) is kind
            assert samples.carries == streams
            assert (samples.order is None) != streams


def test_a_report_names_the_rows_of_the_samples(tmp_path):
    (tmp_path / "my.txt").write_text("ab" * 700 + "b" + "ab" * 100)
    data = Text(tmp_path / "my.txt", length=5, streams=True, test_share=0.9)

    class Other(Layer):
        """Says "a" after "b", and the other way round."""

        def forward(self, X):
            return np.eye(3, dtype=np.float32)[np.array([0, 2, 1])[X]]

    net = Sequential({"other": Other()}, loss=SoftmaxWithLoss())
    found = evaluate(net, data)
    wrong = (found.predictions != found.targets).any(axis=1)
    place = int(found.rows[wrong][0])
    assert np.count_nonzero(wrong) == 1
    X, t = data.test[np.array([place])]
    assert data.task.decode(np.append(X[0], t[0, -1])).count("bb") == 1
    assert f"row {place}, 1 wrong" in found.report()
    assert place != int(np.flatnonzero(wrong)[0])  # it came at another place
