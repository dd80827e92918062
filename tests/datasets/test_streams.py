"""Streams: each batch goes on where the last one ended."""

import numpy as np
import pytest

from lamina.datasets import Streams, Text


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
