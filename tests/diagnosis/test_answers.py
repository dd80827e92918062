"""outputs.csv: what a net answers on its training set, class by class."""

import types

import numpy as np

from lamina.common.table import read_rows
from lamina.datasets import Classification, MultiLabel, Regression
from lamina.diagnosis.answers import Answers


def rows(tmp_path, task, *batches, samples=100):
    dataset = types.SimpleNamespace(task=task, train=range(samples))
    history, net = types.SimpleNamespace(evaluated=0), types.SimpleNamespace(gives_pairs=False)
    trainer = types.SimpleNamespace(history=history, dataset=dataset, net=net)
    answers = Answers(tmp_path, trainer)
    answers.append((np.full((1, 3), 99.0), np.array([0])))  # an evaluation that was broken off
    answers.begin()
    for batch in batches:
        answers.append(batch)
    answers.write(7)
    answers.flush()
    return read_rows(tmp_path / "outputs.csv")[1]


def test_classes_in_two_batches(tmp_path):
    scores = np.array([[3.0, 1, 0], [2, 1, 0], [0, 5, 1], [1, 0, -4]])
    t = np.array([0, 1, 1, 2])
    found = rows(tmp_path, Classification(range(3)), (scores[:3], t[:3]), (scores[3:], t[3:]))
    assert found == [
        ["7", "0", "4", "1", "3", "1", "0", "3"],
        ["7", "1", "4", "2", "1", "1", "0", "5"],
        ["7", "2", "4", "1", "0", "0", "-4", "1"],
    ]


def test_one_score_for_two_classes(tmp_path):
    found = rows(
        tmp_path, Classification("ab"), (np.array([[-1.0], [2], [3]]), np.array([0, 0, 1]))
    )
    assert found == [
        ["7", "0", "3", "2", "1", "1", "-1", "3"],
        ["7", "1", "3", "1", "2", "1", "-1", "3"],
    ]


def test_labels_numbers_and_many_classes(tmp_path):
    scores = np.array([[-1.0, 2], [1, 3]])
    found = rows(tmp_path, MultiLabel("ab"), (scores, np.array([[0, 1], [1, 0]])))
    assert [row[1:6] for row in found] == [["0", "2", "1", "1", "1"], ["1", "2", "1", "2", "1"]]
    (tmp_path / "outputs.csv").unlink()
    numbers = rows(tmp_path, Regression(["a", "b"]), (scores, scores))
    assert numbers == [["7", "(all)", "", "", "", "", "-1", "3"]]
    (tmp_path / "outputs.csv").unlink()
    many = rows(tmp_path, Classification(range(200)), (np.eye(200), np.arange(200)))
    assert many == [["7", "(all)", "", "", "", "", "0", "1"]]


def test_of_a_large_set_that_is_sorted_every_sample_counts(tmp_path):
    rng = np.random.default_rng(0)
    t = np.sort(np.concatenate([np.arange(4), rng.choice(4, 60_000, p=[0.5, 0.3, 0.18, 0.02])]))
    scores = rng.standard_normal((len(t), 4))
    batches = [(scores[i : i + 997], t[i : i + 997]) for i in range(0, len(t), 997)]
    found = rows(tmp_path, Classification(range(4)), *batches, samples=len(t))
    for i, row in enumerate(found):
        said = scores.argmax(axis=1) == i
        counts = [len(t), (t == i).sum(), said.sum(), (said & (t == i)).sum()]
        ends = [f"{end:.6g}" for end in (scores[:, i].min(), scores[:, i].max())]
        assert row == ["7", str(i), *map(str, counts), *ends]
