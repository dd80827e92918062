"""Additions and dates: questions with answers, from a seed."""

import datetime
import re

import numpy as np
import pytest

from lamina.datasets import Additions, Dataset, Dates, LanguageModel, Samples
from lamina.metrics import ExactMatch

PAD, START, END = "<pad>", "<start>", "<end>"
SMALL = {"n_train": 300, "n_test": 60, "n_validation": 40}


def words(data, part):
    """(question, answer so far, target) of every sample, as texts."""
    (asked, so_far), t = data.sets()[part][:]
    return [tuple(map(data.task.decode, row)) for row in zip(asked, so_far, t, strict=True)]


@pytest.fixture(params=[Additions, Dates])
def kind(request):
    return request.param


def test_the_answer_so_far_is_the_target_one_place_later(kind):
    data = kind(**SMALL)
    for part in data.sets():
        for question, so_far, target in words(data, part):
            answer = target.replace(PAD, "")
            assert answer.endswith(END)
            assert so_far.replace(PAD, "") == START + answer.removesuffix(END)
            assert question.replace(PAD, "") + PAD * question.count(PAD) == question
    assert data.input_shapes == [(n,) for n in data.widths]
    assert data.widths == (data.longest[0], data.longest[1] + 1)
    assert data.target_shape == data.input_shapes[1]


def test_no_question_is_in_two_sets_or_twice(kind):
    data = kind(**SMALL)
    sets = [[question for question, *_ in words(data, part)] for part in data.sets()]
    assert [len(questions) for questions in sets] == [300, 40, 60]
    assert len({q for questions in sets for q in questions}) == 400


def test_the_seed_decides_and_the_sets_are_of_one_kind(kind):
    one, same, other = kind(**SMALL), kind(**SMALL), kind(**SMALL, seed=1)
    for part in one.sets():
        assert one.sets()[part].fingerprint() == same.sets()[part].fingerprint()
        assert one.sets()[part].fingerprint() != other.sets()[part].fingerprint()
    assert kind(n_train=300, n_test=60).validation is None
    assert [len(some) for some in one.sets().values()] == [300, 40, 60]  # none taken from training


def test_short_additions_are_as_frequent_in_each_set():
    """There are few of them, and none is there twice: what is found last has none."""
    data = Additions(n_train=1500, n_test=400, n_validation=400, digits=2)
    shares = [
        np.mean([len(question.replace(PAD, "")) == 5 for question, *_ in words(data, part)])
        for part in data.sets()
    ]
    assert min(shares) > 0.4
    assert max(shares) - min(shares) < 4.0 * np.sqrt(0.25 * (1 / 400 + 1 / 400))


def test_reversed_questions_are_backwards_with_the_padding_first(kind):
    plain, turned = kind(**SMALL), kind(**SMALL, reverse=True)
    (asked, so_far), t = plain.train[:]
    (backwards, same_so_far), same_t = turned.train[:]
    np.testing.assert_array_equal(backwards, asked[:, ::-1])
    np.testing.assert_array_equal(same_so_far, so_far)
    np.testing.assert_array_equal(same_t, t)
    assert (backwards[:, 0] == 0).mean() > 0.5


@pytest.mark.parametrize("digits", [1, 2, 3, 9])
def test_sums_are_right_and_numbers_of_all_lengths(digits):
    n = 20 if digits == 1 else 400
    data = Additions(n_train=n, n_test=5, digits=digits)
    seen, lengths = set(), set()
    for question, _, target in words(data, "train"):
        a, b = question.replace(PAD, "").split("+")
        assert int(a) + int(b) == int(target.replace(PAD, "").removesuffix(END))
        assert str(int(a)) == a
        seen.add(frozenset((int(a), int(b))))
        lengths |= {len(a), len(b)}
    assert len(seen) == n  # not in the other order either
    assert lengths == set(range(1, digits + 1))


def test_dates_in_every_form_are_the_right_ones():
    months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    forms, years = {}, set()
    for question, _, target in words(Dates(n_train=3000, n_test=5), "train"):
        text, answer = question.replace(PAD, ""), target.replace(PAD, "").removesuffix(END)
        date = datetime.date.fromisoformat(answer)
        form = re.sub(r"[a-z]+", "w", re.sub(r"\d+", "9", text.lower()))
        form += (
            " short" if re.match("[a-z]{3} ", text.lower()) and " may" not in text.lower() else ""
        )
        forms[form] = forms.get(form, 0) + 1
        years.add(date.year)
        numbers = [int(n) for n in re.findall(r"\d+", text)]
        names = re.findall("[a-z]+", text.lower())
        if "/" in text:
            short = date.year % 100
            assert numbers == [date.month, date.day, short]
        else:
            assert sorted(numbers) == sorted([date.day, date.year])
            assert names[-1][:3] == months[date.month - 1]
            assert names[-1] in (date.strftime("%b").lower(), date.strftime("%B").lower())
        if len(names) == 2:
            assert names[0] == date.strftime("%A").lower()
        assert text in (text.lower(), text.upper()) or re.search(r"\b[A-Z][a-z]+ ", text)
    assert set(forms) == {"9/9/9", "w 9, 9", "w 9, 9 short", "9 w 9", "w, w 9, 9"}
    assert min(forms.values()) > 200
    assert years == set(range(1950, 2050))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Additions(n_train=0), "n_train: expects at least 1, got 0"),
        (lambda: Dates(n_test=0), "n_test: expects at least 1, got 0"),
        (lambda: Dates(seed=-1), "seed: expects at least 0, got -1"),
        (lambda: Additions(digits=0), "digits: expects 1 to 9, got 0"),
        (lambda: Additions(digits=1), "50000 of them are more than half of the 55 .* 1 digit;"),
        (lambda: Dates(n_train=99_999), "104999 of them are more than 100000"),
    ],
)
def test_what_cannot_be_made(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_a_character_that_no_question_has():
    with pytest.raises(ValueError, match="token 2 of the text, '-', is not among the 14"):
        Additions(**SMALL).task.encode("12-3")


def test_exact_match_with_the_right_answer_so_far_is_that_of_writing_by_oneself():
    """A net that is asked for its best character, and given what it has written, writes the whole
    answer right exactly where every character is right after the right ones."""
    rng, N, A, C = np.random.default_rng(0), 400, 4, 5
    table = rng.standard_normal((N, A, C, C))  # scores of a place, by the character before

    def scores(so_far):
        return np.take_along_axis(table, so_far[:, :, None, None], axis=2)[:, :, 0]

    t = rng.integers(1, C, (N, A))
    table[np.arange(N)[:, None], np.arange(A), :, t] += 1.5
    written = np.zeros((N, A + 1), np.intp)
    for place in range(A):
        written[:, place + 1] = scores(written[:, :-1])[:, place].argmax(axis=-1)
    right = (written[:, 1:] == t).all(axis=1).mean()
    metric = ExactMatch()
    metric.update(scores(np.concatenate([np.zeros((N, 1), np.intp), t[:, :-1]], axis=1)), t)
    assert metric.value() == right
    assert 0.1 < right < 0.9


def test_widths_cut_inputs_into_several():
    X, t = np.arange(12).reshape(3, 4), np.arange(3) % 2
    samples = Samples(X, t, widths=(1, 3))
    (a, b), _ = samples[np.array([2, 0])]
    assert a.tolist() == [[8], [0]]
    assert b.tolist() == [[9, 10, 11], [1, 2, 3]]
    assert [x.shape for x in next(samples.batches(2))[0]] == [(2, 1), (2, 3)]
    assert samples.fingerprint() != Samples(X, t, widths=(2, 2)).fingerprint()
    task = LanguageModel("ab")
    data = Dataset(samples, samples, task)
    assert data.input_shapes == [(1,), (3,)]
    with pytest.raises(ValueError, match=r"the test inputs are cut into \(2, 2\), those to train"):
        Dataset(samples, Samples(X, t, widths=(2, 2)), task)


@pytest.mark.parametrize(
    ("widths", "said"),
    [
        ((1, 2), r"widths \(1, 2\) are 3 columns, but X has 4"),
        ((0, 4), r"widths are whole numbers of columns of X"),
        ((), r"widths are whole numbers of columns of X"),
        ((1.0, 3), r"widths are whole numbers of columns of X"),
    ],
)
def test_widths_that_cannot_be(widths, said):
    with pytest.raises(ValueError, match=said):
        Samples(np.zeros((3, 4)), np.arange(3), widths=widths)
    with pytest.raises(ValueError, match="their own targets are one; leave out widths"):
        Samples(X := np.zeros((3, 4)), X, widths=(1, 3))
