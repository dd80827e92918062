"""Text that a net writes: by steps as by whole passes, drawn as its softmax says, or refused."""

import numpy as np
import pytest

from lamina.datasets import LanguageModel
from lamina.datasets.tokens import BYTES, END, PAD, START, UNKNOWN
from lamina.experiment.generation import generate
from lamina.layers import (
    Addition,
    Affine,
    Embedding,
    Flatten,
    Layer,
    Lstm,
    MultiHeadAttention,
    PositionalEncoding,
)
from lamina.layers.initializers import normal
from lamina.nets import Graph, Node, Sequential

LETTERS = LanguageModel((UNKNOWN, *"abcdefg"), tokens="characters")
N = len(LETTERS.vocabulary)
OPTIONS = {"rng": 0, "dtype": np.float64}


def lively(net):
    """Larger weights: what comes next then depends on what was before."""
    for param in net.parameters().values():
        param.data = 3 * param.data
    return net


def recurrent():
    layers = {
        "table": Embedding(N, 6, **OPTIONS),
        "lstm": Lstm(6, 7, stateful=True, **OPTIONS),
        "scores": Affine(7, N, **OPTIONS),
    }
    return lively(Sequential(layers))


def transformer(positions):
    layers = {
        "table": Embedding(N, 6, **OPTIONS),
        "positions": PositionalEncoding(6, learned=positions, init=normal, **OPTIONS),
        "attention": MultiHeadAttention(6, 2, causal=True, **OPTIONS),
        "sum": Node(Addition(), ["positions", "attention"]),
        "scores": Affine(6, N, **OPTIONS),
    }
    return lively(Graph(layers, inputs=["text"]))


def windowed(length):
    layers = {
        "table": Embedding(N, 6, **OPTIONS),
        "flat": Flatten(),
        "scores": Affine(6 * length, N, **OPTIONS),
    }
    return lively(Sequential(layers))


class Fixed(Layer):
    """The same scores everywhere, whatever comes in."""

    by_position = True

    def __init__(self, scores):
        self.scores = np.array(scores, np.float64)

    def forward(self, X):
        return np.broadcast_to(self.scores, (*X.shape, len(self.scores)))


def fixed(scores):
    return Sequential({"fixed": Fixed(scores)})


def likeliest(net, context):
    """The likeliest token behind a context, by one pass over all of it; <unk>, 0, never."""
    scores = net.predict(np.array([context]))
    return 1 + int((scores[0] if scores.ndim == 2 else scores[0, -1])[1:].argmax())


@pytest.mark.parametrize("make", [recurrent, lambda: transformer(40)], ids=["lstm", "attention"])
def test_by_steps_as_by_whole_passes(make):
    net, indices = make(), LETTERS.encode("abc").tolist()
    found = generate(net, LETTERS, "abc", 30, temperature=0)
    for _ in range(30):
        net.reset()
        indices.append(likeliest(net, indices))
    assert found == LETTERS.decode(indices)
    assert len(set(found[3:])) > 1  # or it would prove little
    assert net.training


@pytest.mark.parametrize("prompt", ["ab", "abcdefgabc"])
def test_more_tokens_than_there_are_positions(prompt):
    """All positions are used; then the net begins again with the later half."""
    net, indices = transformer(6), LETTERS.encode(prompt).tolist()
    assert net.most_positions == 6
    begun = 0
    for _ in range(25):
        if len(indices) - begun > 6:
            begun = len(indices) - 3
        indices.append(likeliest(net, indices[begun:]))
    assert generate(net, LETTERS, prompt, 25, temperature=0) == LETTERS.decode(indices)


def test_a_net_without_steps_reads_windows():
    net, indices = windowed(3), LETTERS.encode("gfedc").tolist()
    for _ in range(20):
        indices.append(likeliest(net, indices[-3:]))
    found = generate(net, LETTERS, "gfedc", 20, temperature=0, window=3)
    assert found == LETTERS.decode(indices)
    with pytest.raises(ValueError, match="reads 3 tokens at a time, and there are 2; give"):
        generate(net, LETTERS, "ab", window=3)
    with pytest.raises(ValueError, match="window: the net cannot go step by step"):
        generate(net, LETTERS, "abc")


def softmax(scores, temperature=1.0):
    e = np.exp(np.array(scores) / temperature)
    return e / e.sum()


SCORES = [9.0, 0.3, -0.5, 1.2, 0.0, 0.9, -1.0, 0.2]  # of <unk> the highest, which never comes


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, softmax(SCORES[1:])),
        ({"temperature": 0.5}, softmax(SCORES[1:], 0.5)),
        ({"temperature": 3.0}, softmax(SCORES[1:], 3.0)),
        ({"top_k": 3}, softmax([0.3, -np.inf, 1.2, -np.inf, 0.9, -np.inf, -np.inf])),
        (
            {"top_k": 3, "temperature": 2.0},
            softmax([0.3, -np.inf, 1.2, -np.inf, 0.9, -np.inf, -np.inf], 2.0),
        ),
        ({"top_k": 99}, softmax(SCORES[1:])),
    ],
    ids=str,
)
def test_draws_are_those_of_the_softmax(options, expected):
    n = 4000
    text = generate(fixed(SCORES), LETTERS, "a", n, rng=1, **options)[1:]
    counts = np.array([text.count(letter) for letter in "abcdefg"])
    assert counts.sum() == n
    assert not counts[expected == 0].any()
    there = expected > 0
    chi2 = ((counts - n * expected)[there] ** 2 / (n * expected[there])).sum()
    assert chi2 < 26  # of six degrees of freedom 0.02 % are more


def test_the_ends_of_temperature_and_top_k():
    for options in ({"temperature": 0}, {"top_k": 1}, {"temperature": 5e-324}):
        assert generate(fixed(SCORES), LETTERS, "a", 9, **options) == "a" + 9 * "c"
    tie = [0.0, 1.0, 2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    assert generate(fixed(tie), LETTERS, "a", 5, temperature=0) == "abbbbb"  # the first of equals
    assert set(generate(fixed(tie), LETTERS, "a", 99, top_k=2)[1:]) == {"b", "c"}


def test_a_seed_is_a_text():
    first, again, other = (generate(recurrent(), LETTERS, "a", 50, rng=seed) for seed in (3, 3, 4))
    assert first == again != other
    assert generate(recurrent(), LETTERS, "abc", 0) == "abc"


def test_words_and_bytes():
    words = LanguageModel((UNKNOWN, "the", "<eos>", "cat"), tokens="words")
    assert generate(fixed([9, 1, 0, 2]), words, "the\nthe", 2, temperature=0) == "the\nthe cat cat"
    assert generate(fixed([9, 1, 3, 2]), words, "the", 1, temperature=0) == "the\n"
    some = LanguageModel(BYTES, tokens="bytes")
    assert generate(fixed(np.arange(256) == 0xED), some, "é", 1, temperature=0) == "é\ufffd"
    assert generate(fixed(np.arange(256) == 10), some, "\x00", 2, temperature=0) == "\x00\n\n"


def test_lines_begin_and_end_by_themselves():
    names = LanguageModel((PAD, START, END, UNKNOWN, *"ab"), 0, "characters")
    always_a = [9, 9, 0, 9, 5, 1]
    assert generate(fixed(always_a), names, "", 4, temperature=0) == "aaaa"
    assert generate(fixed([9, 9, 8, 9, 5, 1]), names, "b", 4, temperature=0) == "b"
    text = generate(fixed([9, 9, 1, 9, 1, 1]), names, "", 200, rng=0)
    assert 0 < len(text) < 100
    assert set(text) <= {"a", "b"}


@pytest.mark.parametrize(
    ("prompt", "options", "words"),
    [
        ("", {}, "prompt: is empty; expects at least one token to go on from"),
        ("abz!", {}, "prompt: token 2, 'z', is not among the 8 characters of the vocabulary"),
        ("a\x1b", {}, r"token 1, '\\x1b', is not among"),
        ("a", {"n": -1}, "n: expects how many tokens to write, 0 or more; got -1"),
        ("a", {"temperature": -0.1}, "temperature: expects a number from 0 .* got -0.1"),
        ("a", {"temperature": float("nan")}, "temperature: .* got nan"),
        ("a", {"temperature": float("inf")}, "temperature: .* got inf"),
        ("a", {"top_k": 0}, "top_k: expects at least 1, got 0"),
    ],
)
def test_what_is_refused(prompt, options, words):
    with pytest.raises(ValueError, match=words):
        generate(recurrent(), LETTERS, prompt, **options)


def test_a_vocabulary_without_unk_names_the_token():
    task = LanguageModel(tuple("abc"), tokens="characters")
    with pytest.raises(ValueError, match="token 1 of the text, 'z', is not among the 3"):
        generate(fixed([0, 1, 2]), task, "az")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_scores_that_are_not_finite_end_in_words(wrong):
    with pytest.raises(ValueError, match=f"gives {wrong} as a score of the next token; lamina doc"):
        generate(fixed([0, 1, wrong, 0, 0, 0, 0, 0]), LETTERS, "a")
    hidden = [wrong, 1, 0, 0, 0, 0, 0, 0]  # of <unk>, which never comes
    assert generate(fixed(hidden), LETTERS, "a", 2, temperature=0) == "aaa"


def test_a_net_of_two_inputs_is_refused():
    net = Graph({"sum": Node(Addition(), ["question", "answer"])}, inputs=["question", "answer"])
    with pytest.raises(ValueError, match="reads question, answer, and generate writes on from one"):
        generate(net, LETTERS, "a")
