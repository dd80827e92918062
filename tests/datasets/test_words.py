"""Words and those around them: pairs, drawn words, sets, errors; and vectors that find clusters."""

import numpy as np
import pytest

from lamina.datasets import NoiseWords, Words
from lamina.layers import DotProducts, Embedding, MeanStep, NegativeSamplingLoss
from lamina.nets import Graph, Node
from lamina.optimizers import AdaGrad
from lamina.training.trainer import Trainer

TEXT = "The cat sat. The cat_2 SAT on the mat, the cat sat on a mat.\n" * 20


def words(tmp_path, text=TEXT, **settings):
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    return Words(path, **settings)


def test_words_are_drawn_by_their_frequency_to_three_quarters():
    counts = np.array([1000, 300, 50, 10, 1])
    noise = NoiseWords(counts)
    n = 100_000
    expected = n * counts**0.75 / (counts**0.75).sum()
    drawn = np.bincount(noise.draw(np.random.default_rng(0), n), minlength=5)
    # χ² with 4 degrees of freedom is above 18.47 in one of a thousand.
    assert ((drawn - expected) ** 2 / expected).sum() < 18.47
    assert ((np.bincount([0] * n, minlength=5) - expected) ** 2 / expected).sum() > 18.47
    others = noise.draw_others(np.random.default_rng(0), np.full(n // 4, 1), 4)
    without = np.delete(expected, 1) * n / (n - expected[1])
    drawn = np.bincount(others.reshape(-1), minlength=5)
    assert drawn[1] == 0
    assert ((np.delete(drawn, 1) - without) ** 2 / without).sum() < 16.27  # 3 degrees
    with pytest.raises(ValueError, match=r"NoiseWords: expects counts of two or more words"):
        NoiseWords(np.array([3]))


SKEWED = [1e-9] * 300 + [1.0]  # all but one in the first thousandth


@pytest.mark.parametrize(
    "counts", [np.ones(2), np.ones(1000), 1 / np.arange(1, 2001), SKEWED, [1.0, 1e-16]]
)
def test_a_word_is_the_first_whose_end_is_above_the_drawn_number(counts):
    noise = NoiseWords(counts)
    u = np.random.default_rng(0).random((500, 4))
    expected = np.searchsorted(noise._ends, u, side="right")
    np.testing.assert_array_equal(noise.draw(np.random.default_rng(0), (500, 4)), expected)

    # Numbers at the ends of words, and where one of the parts of [0, 1) ends.
    ends = np.concatenate([noise._ends, np.arange(1, len(counts)) / len(counts)])
    edges = np.concatenate([[0.0], ends, np.nextafter(ends, 0.0)])
    edges = edges[edges < 1.0]

    class Drawn:
        def random(self, shape):
            return edges

    expected = np.searchsorted(noise._ends, edges, side="right")
    np.testing.assert_array_equal(noise.draw(Drawn(), len(edges)), expected)


def test_pairs_of_a_window(tmp_path):
    data = words(tmp_path, window=2, min_count=1, n_negative=3)
    assert data.vocabulary[:3] == ("the", "cat", "sat") or data.vocabulary[0] == "the"
    assert "cat_2" in data.vocabulary
    names = data.vocabulary
    text = TEXT.lower().replace(".", "").replace(",", "").split()
    part = text[: len(text) - round(0.1 * len(text))]
    near = [(i, j) for i in range(len(part)) for j in range(len(part)) if 0 < abs(i - j) <= 2]
    expected = sorted((part[i], part[j]) for i, j in near)
    (known, others), t = data.train[:]
    assert known.shape == (len(expected), 1)
    assert others.shape == (len(expected), 4)
    right = others[np.arange(len(t)), t]
    found = sorted((names[i], names[j]) for i, j in zip(known[:, 0], right, strict=True))
    assert found == expected
    assert (np.sum(others == right[:, np.newaxis], axis=1) == 1).all()
    assert np.unique(t).tolist() == [0, 1, 2, 3]
    assert data.n_words == len(names)
    assert data.input_shapes == [(1,), (4,)]


def test_the_middle_of_a_window(tmp_path):
    data = words(tmp_path, predict="middle", window=2, min_count=1)
    names = data.vocabulary
    (known, others), t = data.train[:1]
    assert [names[i] for i in known[0]] == ["the", "cat", "the", "cat_2"]
    assert names[others[0, t[0]]] == "sat"


def test_rare_words_are_left_out_and_frequent_ones_by_chance(tmp_path):
    text = TEXT + "rare " * 3
    assert "rare" not in words(tmp_path, text, min_count=5).vocabulary
    whole, fewer = words(tmp_path, window=2), words(tmp_path, window=2, subsample=0.02)
    assert len(fewer.train) < len(whole.train) / 2
    assert fewer.vocabulary == whole.vocabulary
    again = words(tmp_path, window=2, subsample=0.02)
    np.testing.assert_array_equal(fewer.train.X, again.train.X)


def test_the_drawn_words_are_those_of_the_batch(tmp_path):
    data = words(tmp_path)
    rows = np.array([5, 3, 8, 100, 41])
    first, again = data.train[rows][0][1], words(tmp_path).train[rows][0][1]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[::-1], data.train[rows[::-1]][0][1])
    assert not np.array_equal(first, words(tmp_path, seed=1).train[rows][0][1])
    np.testing.assert_array_equal(data.train[3:6][0][1], data.train[np.arange(3, 6)][0][1])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"predict": "contxt"}, "predict: expects context, middle; got 'contxt'"),
        ({"window": 0}, "window: expects at least 1, got 0"),
        ({"n_negative": 0}, "n_negative: expects at least 1, got 0"),
        ({"seed": -1}, "seed: expects at least 0, got -1"),
        ({"subsample": 0}, "subsample: expects a frequency above 0"),
        ({"test_share": 1.0}, "test_share: expects a share between 0 and 1, got 1.0"),
        ({"min_count": 1000}, "0 words stand in the training part min_count: 1000 times"),
        ({"window": 50}, "text.txt: the test part has .* a window of 50 needs 101"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, settings, said):
    with pytest.raises(ValueError, match=said):
        words(tmp_path, **settings)


def made(data, n_dims=10, **options):
    rng = np.random.default_rng(1)
    sizes = {"n_words": data.n_words, "n_dims": n_dims, "sparse": True, "rng": rng}
    net = Graph(
        {
            "words": Node(Embedding(**sizes), "known"),
            "vector": MeanStep(),
            "candidates": Node(Embedding(**sizes), "others"),
            "scores": Node(DotProducts(), ["vector", "candidates"]),
        },
        inputs=["known", "others"],
        losses=NegativeSamplingLoss(),
    )
    optimizer = AdaGrad(net.parameters(), lr=0.2)
    return Trainer(net, optimizer, data, rng=2, batch_size=100, quiet=True, **options)


@pytest.mark.parametrize("predict", ["context", "middle"])
def test_words_of_the_same_contexts_come_out_nearest(tmp_path, predict):
    """Three kinds of sentences with words of their own: each word's nearest is of its kind."""
    rng = np.random.default_rng(0)
    kinds = [[f"{kind}{i}" for i in range(6)] for kind in ("fruit", "metal", "river")]
    text = " ".join(" ".join(rng.choice(kinds[rng.integers(3)], 40)) for _ in range(100))
    data = words(tmp_path, text, predict=predict, window=2)
    trainer = made(data, iterations=1000)
    trainer.run()
    W = trainer.net.layers["words"].W.data
    W = W / np.linalg.norm(W, axis=1, keepdims=True)
    nearest = (W @ W.T - 2 * np.eye(len(W))).argmax(axis=1)
    for word, near in zip(data.vocabulary, nearest, strict=True):
        assert data.vocabulary[near][:5] == word[:5]


def test_a_run_goes_on_to_the_bit(tmp_path):
    data = words(tmp_path)
    whole, half = made(data, iterations=10), made(data, iterations=5)
    whole.run()
    half.run()
    rest = made(words(tmp_path), iterations=10)
    rest.load_state(half.state())
    rest.run()
    for name, param in whole.net.parameters().items():
        np.testing.assert_array_equal(rest.net.parameters()[name].data, param.data)
