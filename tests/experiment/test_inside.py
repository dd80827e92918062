"""The picture of what a net looks at and holds: the layers' own numbers, the right tokens."""

import numpy as np
import pytest

from lamina.datasets import Additions
from lamina.datasets.tasks import LanguageModel
from lamina.experiment import inside
from lamina.experiment.inside import draw_answer, draw_text, look
from lamina.layers import (
    Affine,
    Concatenation,
    Embedding,
    Gru,
    LastStep,
    Lstm,
    MultiHeadAttention,
    Relu,
    Rnn,
    SoftmaxWithLoss,
)
from lamina.nets import Graph, Node, Sequential


@pytest.fixture
def drawn(monkeypatch):
    """The figure that is saved; its pixels are not needed."""
    figures = []
    monkeypatch.setattr(inside, "save_png", lambda path, figure: figures.append(figure))
    return figures


@pytest.fixture
def data():
    return Additions(n_train=20, n_test=5, reverse=True)


def asks_and_answers(n_words, heads=2):
    """An encoder and a decoder that looks back at it, in float64."""
    new = {"rng": 0, "dtype": np.float64}
    nodes = {
        "asked": Node(Embedding(n_words, 4, **new), "question"),
        "encoder": Node(Lstm(4, 8, **new), "asked"),
        "found": Node(LastStep(), "encoder"),
        "so_far": Node(Embedding(n_words, 4, **new), "answer"),
        "decoder": Node(Gru(4, 8, **new), ["so_far", "found"]),
        "attention": Node(MultiHeadAttention(8, heads, cross=True, **new), ["decoder", "encoder"]),
        "both": Node(Concatenation(axis=2), ["decoder", "attention"]),
        "scores": Node(Affine(16, n_words, **new), "both"),
    }
    return Graph(nodes, ["question", "answer"], losses=SoftmaxWithLoss(ignore_index=0))


def maps_of(figure):
    """[(title of its line, values, tokens along x, tokens along y)] of each heat map."""
    found = []
    for part in figure.subfigs:
        for axes in part.axes:
            if axes.images:
                names = (
                    [t.get_text() for t in a.get_ticklabels()] for a in (axes.xaxis, axes.yaxis)
                )
                values = np.asarray(axes.images[0].get_array())
                found.append((part._suptitle.get_text(), values, *names))
    return found


def test_the_numbers_are_those_of_the_layers(data):
    net = asks_and_answers(data.n_words)
    X, _ = data.test[:1]
    seen = look(net, X)
    assert list(seen) == ["encoder", "decoder", "attention"]
    # By other ways: the forward of each layer by itself, and softmax(Q K^T / sqrt(d)) written out.
    layers = net.layers
    H = layers["encoder"].forward(layers["asked"].forward(X[0]))
    np.testing.assert_allclose(seen["encoder"], H[0], rtol=1e-12)
    D = layers["decoder"].forward(layers["so_far"].forward(X[1]), H[:, -1])
    np.testing.assert_allclose(seen["decoder"], D[0], rtol=1e-12)
    attention = layers["attention"]
    W, b = attention.W.data, attention.b.data
    Q, K = D[0] @ W[:, :8] + b[:8], H[0] @ W[:, 8:16] + b[8:16]
    for head in range(2):
        part = slice(4 * head, 4 * head + 4)
        e = np.exp(Q[:, part] @ K[:, part].T / 2.0)
        np.testing.assert_allclose(
            seen["attention"][head], e / e.sum(axis=1, keepdims=True), rtol=1e-10
        )


@pytest.mark.parametrize("reverse", [False, True])
def test_states_stand_at_their_positions(reverse):
    layer = Rnn(3, 4, reverse=reverse, last_only=True, rng=0, dtype=np.float64)
    net = Sequential({"rnn": layer, "affine": Affine(4, 2, rng=0, dtype=np.float64)})
    X = np.random.default_rng(0).standard_normal((1, 5, 3))
    layer.last_only = False
    expected = layer.forward(X)[0]
    layer.last_only = True
    np.testing.assert_allclose(look(net, X)["rnn"], expected, rtol=1e-12)


def test_the_picture_of_an_answer(data, drawn, tmp_path):
    net = asks_and_answers(data.n_words)
    draw_answer(tmp_path / "p.png", net, data, "57+5", "62")
    maps = maps_of(drawn[0])
    assert [title.split(":")[0] for title, *_ in maps] == ["encoder", "decoder", *["attention"] * 2]
    question = [*"···", *"5+75"]  # backwards, its padding first
    assert maps[0][2] == question
    assert maps[1][2] == ["‹", "6", "2"]
    start, six, two = (data.task.vocabulary.index(c) for c in ("<start>", "6", "2"))
    X = data.asked("57+5"), np.array([[start, six, two, 0, 0]])
    seen = look(net, X)
    for head in range(2):
        _, values, keys, asks = maps[2 + head]
        assert (keys, asks) == (question, ["6", "2", "›"])
        np.testing.assert_array_equal(values, seen["attention"][head][:3])
        np.testing.assert_allclose(values.sum(axis=1), 1.0)  # nothing of the question is left out
    np.testing.assert_array_equal(maps[0][1], seen["encoder"].T)
    np.testing.assert_array_equal(maps[1][1], seen["decoder"][:3].T)


def test_an_answer_without_an_end(data, drawn, tmp_path):
    net = asks_and_answers(data.n_words)
    draw_answer(tmp_path / "p.png", net, data, "57+5", "9999")
    assert maps_of(drawn[0])[2][3] == list("9999")


def test_many_heads_stand_below_each_other(data, drawn, tmp_path):
    net = asks_and_answers(data.n_words, heads=8)
    draw_answer(tmp_path / "p.png", net, data, "57+5", "62")
    lines = [part for part in drawn[0].subfigs if "attention" in part._suptitle.get_text()]
    titles = [axes.get_title() for part in lines for axes in part.axes if axes.images]
    assert (len(lines), titles) == (2, [f"head {i}" for i in range(1, 9)])


def test_numbers_where_two_sequences_are_as_long(data, drawn, tmp_path):
    """Which of the two a layer has read cannot be told from its positions."""
    data.longest = (5, 4)
    draw_answer(tmp_path / "p.png", asks_and_answers(data.n_words), data, "1+5", "6")
    assert maps_of(drawn[0])[2][2] == list("01234")


class TextData:
    """What is asked of a data set of text."""

    def __init__(self, text, length):

        self.task, self.input_shape = (
            LanguageModel(sorted(set(text)), tokens="characters"),
            (length,),
        )


def test_the_picture_of_a_text_is_of_its_end(drawn, tmp_path):
    data = TextData("ab c\n", 4)
    net = Sequential({"embedding": Embedding(5, 3, rng=0), "gru": Gru(3, 4, rng=0)})
    draw_text(tmp_path / "p.png", net, data, "aaab \nc")
    ((_, values, tokens, _),) = maps_of(drawn[0])
    assert tokens == ["b", "␣", "\\n", "c"]
    expected = look(net, data.task.encode("b \nc")[np.newaxis])["gru"]
    np.testing.assert_array_equal(values, expected.T)


def test_a_net_without_such_layers_is_refused(tmp_path):
    net = Sequential({"embedding": Embedding(3, 3, rng=0), "relu": Relu()})
    with pytest.raises(ValueError, match="no layer to look into: the picture shows MultiHead"):
        draw_text(tmp_path / "p.png", net, TextData("abc", 4), "abc")
    assert not list(tmp_path.iterdir())


def test_it_is_a_png(data, tmp_path):
    draw_answer(tmp_path / "p.png", asks_and_answers(data.n_words), data, "57+5", "62")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
