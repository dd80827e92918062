"""What a net answers: drawn character by character, until the end."""

import numpy as np
import pytest

from lamina.datasets import Additions, Dates
from lamina.experiment.answering import answer


@pytest.fixture
def data():
    return Additions(n_train=20, n_test=5, reverse=True)


class Knows:
    """In the place of a net: gives the character that is next in `right` the highest score."""

    def __init__(self, data, right):
        self.data, self.right, self.seen = data, right, []

    def predict(self, X):
        asked, so_far = X
        vocabulary = self.data.task.vocabulary
        scores = np.zeros((1, so_far.shape[1], len(vocabulary)))
        for place, character in enumerate([*self.right, "<end>"][: so_far.shape[1]]):
            scores[0, place, vocabulary.index(character)] = 1.0
        self.seen.append((asked[0].tolist(), so_far[0].tolist()))
        return scores


def test_it_ends_where_the_net_says_so(data):
    net = Knows(data, "62")
    assert answer(net, data, "57+5") == "62"
    vocabulary = data.task.vocabulary
    asked = [vocabulary.index(c) for c in "5+75"]  # backwards, its padding first
    assert [seen[0] for seen in net.seen] == [[0, 0, 0, *asked]] * 3
    start, six, two = (vocabulary.index(c) for c in ("<start>", "6", "2"))
    so_far = [[start, 0, 0, 0, 0], [start, six, 0, 0, 0], [start, six, two, 0, 0]]
    assert [seen[1] for seen in net.seen] == so_far


def test_it_ends_where_answers_do(data):
    assert answer(Knows(data, "99999"), data, "57+5") == "9999"
    assert answer(Knows(data, ""), data, "57+5") == ""


def test_questions_are_those_of_the_data():
    for data in (Additions(20, 5), Additions(20, 5, reverse=True), Dates(20, 5, reverse=True)):
        (asked, _), _ = data.test[:]
        for row in asked:
            row_as_read = row[::-1] if data.reverse else row
            text = data.task.decode(row_as_read[row_as_read != 0])
            np.testing.assert_array_equal(data.asked(text)[0], row)


def test_what_is_refused(data):
    net = Knows(data, "62")
    for question in ("", "1234+1234"):
        with pytest.raises(ValueError, match="a question of Additions has 1 to 7 characters, as"):
            answer(net, data, question)
    with pytest.raises(ValueError, match="token 1 of the text, 'é', is not among the 14"):
        answer(net, data, "5é5")
    with pytest.raises(ValueError, match="temperature: expects"):
        answer(net, data, "57+5", temperature=-1)
    net.predict = lambda X: np.full((1, 5, 14), np.nan)
    with pytest.raises(ValueError, match="gives nan as a score of the next token"):
        answer(net, data, "57+5")
