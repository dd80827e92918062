"""Questions of a lesson say whether an answer is right, and what was seen if it is not."""

import numpy as np
import pytest

from lamina.exercises import answered


def question_1(rate):
    """a number"""
    assert rate < 2, f"With {rate} it runs away."
    assert rate > 1, f"With {rate} it creeps."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (1.5, "question 1: right"),
        (3, "question 1: not yet. With 3 it runs away."),
        (0.5, "question 1: not yet. With 0.5 it creeps."),
        (..., "question 1: no answer yet"),
        ("two", "question 1: an answer is a number, got 'two'"),
    ],
)
def test_an_answer_is_tried_out(answer, said, capsys):
    assert answered(question_1, answer) == (answer == 1.5)
    assert capsys.readouterr().out.splitlines()[0] == said  # pytest adds lines to an assert


def test_an_answer_that_runs_away_is_told_in_words_alone(capsys, recwarn):
    def question_2(rate):
        """a number"""
        end = np.full(2, 1e308) * rate
        assert np.isfinite(end).all(), "It runs away."

    assert not answered(question_2, 100.0)
    assert capsys.readouterr().out.splitlines()[0] == "question 2: not yet. It runs away."
    assert not list(recwarn)


def test_an_answer_without_bounds_is_told_what_an_answer_is(capsys):
    def question_2(steps):
        """a number of steps"""
        assert int(steps) == 2

    assert not answered(question_2, float("inf"))
    assert capsys.readouterr().out == "question 2: an answer is a number of steps, got inf\n"


def test_a_mistake_in_the_question_itself_is_not_hidden():
    def question_2(answer):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answered(question_2, 1)
