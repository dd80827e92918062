"""`lamina words`: nearest words and analogies of a run, by hand and beside scikit-learn."""

from types import SimpleNamespace

import numpy as np
import pytest

from lamina.commands.frame import main
from lamina.datasets import Classification
from lamina.experiment.config import load_config
from lamina.experiment.evaluation import evaluate
from lamina.experiment.load_run import Run
from lamina.experiment.report import report_on_run
from lamina.experiment.run import run
from lamina.experiment.word_vectors import WordVectors, vectors_of
from lamina.layers import DotProducts, Embedding
from lamina.nets import Graph, Node, TwoLayerNet

TABLE = np.array([[1.0, 0], [0, 2], [3, 3], [-1, 0], [0, 0]])
WORDS = ("east", "north", "between", "west", "nowhere")


def test_by_hand():
    vectors = WordVectors(TABLE, WORDS)
    near = vectors.near("east", 9)
    assert [word for word, _ in near] == ["between", "north", "nowhere", "west"]
    assert [cosine for _, cosine in near] == pytest.approx([0.5**0.5, 0.0, 0.0, -1.0])
    # From west to east is two to the right; from north that is (2, 1), of length √5.
    (word, cosine), *_ = vectors.analogy("west", "east", "north", 1)
    assert word == "between"
    assert cosine == pytest.approx(3 / 10**0.5)


@pytest.mark.needs_sklearn
def test_beside_scikit_learn():
    from sklearn.metrics.pairwise import cosine_similarity

    table = np.random.default_rng(0).standard_normal((30, 5))
    vectors = WordVectors(table, list(map(str, range(30))))
    right = cosine_similarity(table)
    for word, cosine in vectors.near("7", 29):
        assert cosine == pytest.approx(right[7, int(word)], abs=1e-12)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda v: v.near("estt"), "'estt' is not among the 5 words of the vocabulary"),
        (lambda v: v.near("east", 0), "n: expects how many words to list, 1 or more; got 0"),
        (lambda v: WordVectors(TABLE, "ab"), "5 vectors for 2 words"),
        (
            lambda v: vectors_of(TwoLayerNet(2, 2, 2), _Data()),
            "has not learned the words of a text; expects a run",
        ),
    ],
)
def test_what_cannot_be_is_refused(ask, said):
    with pytest.raises(ValueError, match=said):
        ask(WordVectors(TABLE, WORDS))


class _Data:
    task = Classification(range(2))


def test_the_command(tmp_path, capsys):
    config = load_config("configs/words_cbow.yaml")
    config.data["training"] = {"iterations": 5, "batch_size": 200}
    run(config, "words_cbow", tmp_path / "run", quiet=True)
    capsys.readouterr()
    assert main(["words", str(tmp_path / "run"), "--near", "layer", "-n", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert float(lines[0].split()[0]) >= float(lines[2].split()[0])
    assert main(["words", str(tmp_path / "run"), "--analogy", "layer", "layers", "net"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 10
    assert main(["words", str(tmp_path / "run"), "--near", "layre"]) == 2
    assert "'layre' is not among the" in capsys.readouterr().err


def test_the_vectors_are_of_the_words_that_go_in_wherever_their_table_stands():
    words, others = Embedding(5, 2, rng=0), Embedding(5, 2, rng=1)
    layers = {
        "others": Node(others, "candidates"),
        "words": Node(words, "word"),
        "scores": Node(DotProducts(), ["words", "others"]),
    }
    for order in (layers, dict(sorted(layers.items(), reverse=True))):
        net = Graph(order, inputs=["word", "candidates"], outputs="scores")
        found = vectors_of(net, SimpleNamespace(vocabulary=WORDS))
        np.testing.assert_allclose(found.vectors, WordVectors(words.W.data, WORDS).vectors)


def test_an_evaluation_is_of_words_and_not_of_their_places(tmp_path):
    text = " ".join(f"w{i % 7} w{i * i % 5}" for i in range(400))
    (tmp_path / "t.txt").write_text(text)
    config = load_config("configs/words_cbow.yaml")
    config.data["dataset"] = {"type": "Words", "path": str(tmp_path / "t.txt"), "predict": "middle"}
    config.data["training"] = {"iterations": 5, "batch_size": 50}
    run(config, "words_cbow", tmp_path / "run", quiet=True)
    net, dataset = Run(tmp_path / "run").load()
    found = evaluate(net, dataset)
    right = found.scores.argmax(axis=1) == dataset.test.t
    said = found.report().splitlines()
    assert said[2] == (
        f"the word that stands there was found in {right.sum()} of {len(right)} questions; "
        "guessing among 6 gives 16.67 %"
    )
    lines = [line.split() for line in said[5:]]
    assert len(lines) == len(set(dataset.test.X[:, -1]))
    for word, asked, share, _ in lines:
        rows = dataset.test.X[:, -1] == dataset.vocabulary.index(word)
        assert (int(asked), float(share)) == (rows.sum(), round(100 * right[rows].mean(), 2))
    assert "Confusion" not in report_on_run(tmp_path / "run")
