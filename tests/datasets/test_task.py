"""Tasks: outputs and losses that fit, targets that can be, what guessing scores, words, facts."""

import itertools
import json
import math
import re

import numpy as np
import pytest

from lamina.datasets import (
    Classification,
    Dataset,
    LanguageModel,
    MultiLabel,
    Reconstruction,
    Regression,
    Samples,
    task_from_facts,
)
from lamina.datasets.tasks import LOSSES, TASKS
from lamina.layers import SoftmaxWithLoss, SquaredErrorLoss, SVMLoss

TEN, TWO = Classification(range(10)), Classification(["no", "yes"])
PAIR, LABELS = Regression(["x", "y"]), MultiLabel(["cat", "dog", "cow"])
WORDS = LanguageModel(["the", "a", "end", "pad"], ignore_index=3)


# Outputs.


@pytest.mark.parametrize(
    ("task", "shape", "target_shape"),
    [
        (TEN, (10,), ()),
        (TEN, (7, 10), (7,)),
        (TEN, (3, 4, 10), (3, 4)),
        (TWO, (2,), ()),
        (TWO, (1,), ()),
        (TWO, (5, 1), (5,)),
        (WORDS, (6, 4), (6,)),
        (Regression(["x"]), (1,), ()),
        (Regression(["x"]), (1,), (1,)),
        (PAIR, (2,), (2,)),
        (PAIR, (5, 2), (5, 2)),
        (LABELS, (3,), (3,)),
        (Reconstruction(), (1, 28, 28), (1, 28, 28)),
    ],
)
def test_outputs_that_fit(task, shape, target_shape):
    task.check_output(shape, target_shape)
    task.check_output(list(shape), list(target_shape))


@pytest.mark.parametrize(
    ("task", "shape", "target_shape", "words"),
    [
        (
            *(TEN, (5,), ()),
            "gives (5,) for a sample, but the data have 10 classes, and need (10,): let the last "
            "layer be {type: Affine, n_out: 10}",
        ),
        (TEN, (1,), (), "need (10,): let the last layer be {type: Affine, n_out: 10}"),
        (TEN, (), (), "gives () for a sample, but the data have 10 classes"),
        (TEN, (7, 5), (7,), "need (7, 10): let the last layer be {type: Affine, n_out: 10}"),
        (TEN, (10,), (7,), "need (7, 10): a class for each of 7 positions, not one for a whole sa"),
        (TEN, (7, 10), (), "need (10,): one class for a whole sample, not one for each position"),
        (TEN, (8, 10), (7,), "gives (8, 10) for a sample, but the data have 10 classes, and need"),
        (TWO, (3,), (), "have 2 classes, and need (2,): let the last layer be {type: Affine, n_ou"),
        (TWO, (1,), (5,), "need (5, 2): a class for each of 5 positions"),
        (WORDS, (6, 5), (6,), "have 4 words, and need (6, 4): let the last layer be"),
        (WORDS, (4,), (6,), "need (6, 4): a word for each of 6 positions"),
        (PAIR, (1,), (2,), "have 2 numbers as target, and need (2,): let the last layer be {type:"),
        (LABELS, (2,), (3,), "have 3 labels of 0 and 1, and need (3,): let the last layer be"),
        (
            *(Reconstruction(), (10,), (784,)),
            "have the inputs as targets, and need (784,): let the last layer be {type: Affine, n_",
        ),
        (
            *(Reconstruction(), (784,), (1, 28, 28)),
            "need (1, 28, 28): let the last layer be {type: Reshape, shape: [1, 28, 28]}",
        ),
        (
            *(Reconstruction(), (10,), (1, 28, 28)),
            "let the last layers be {type: Affine, n_out: 784} and {type: Reshape, shape: [1, 28,",
        ),
    ],
)
def test_outputs_that_do_not_fit_say_what_would(task, shape, target_shape, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        task.check_output(shape, target_shape)


# Losses.

CLASSES = {"SoftmaxWithLoss", "SVMLoss", "CrossEntropyError", "SquaredErrorLoss"}
CLASSES |= {"NegativeSamplingLoss"}
NUMBERS = {"SquaredErrorLoss", "AbsoluteErrorLoss", "HuberLoss"}


@pytest.mark.parametrize(
    ("task", "shape", "fitting"),
    [
        (TEN, (10,), CLASSES),
        (TWO, (2,), CLASSES),
        (TWO, (1,), {"SigmoidWithLoss"}),
        (TWO, (5, 1), {"SigmoidWithLoss"}),
        (WORDS, (6, 4), {"SoftmaxWithLoss"}),
        (PAIR, (2,), NUMBERS),
        (LABELS, (3,), {"SigmoidWithLoss"}),
        (Reconstruction(), (784,), NUMBERS),
    ],
)
def test_every_loss_of_the_house_fits_or_is_refused(task, shape, fitting):
    for loss in LOSSES:
        if loss in fitting:
            task.check_loss(loss, shape)
        else:
            with pytest.raises(ValueError, match=loss):
                task.check_loss(loss, shape)
    task.check_loss("FocalLoss", shape)  # the user's own


@pytest.mark.parametrize(
    ("task", "loss", "shape", "words"),
    [
        (TEN, "SigmoidWithLoss", (10,), "the data have 10 classes: take {type: SoftmaxWithLoss}"),
        (PAIR, "SoftmaxWithLoss", (2,), "take {type: SquaredErrorLoss} (or AbsoluteErrorLoss, Hub"),
        (LABELS, "SoftmaxWithLoss", (3,), "3 labels of 0 and 1: take {type: SigmoidWithLoss}"),
        (TWO, "SoftmaxWithLoss", (1,), "take {type: SigmoidWithLoss}, or let the last layer be {t"),
        (TWO, "SigmoidWithLoss", (2,), "one score for two classes, but the net gives two: let th"),
        (Reconstruction(), "SigmoidWithLoss", (9,), "behind a last layer {type: Sigmoid}"),
    ],
)
def test_a_loss_that_does_not_fit_names_the_right_one(task, loss, shape, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        task.check_loss(loss, shape)


def test_the_loss_leaves_out_what_the_task_leaves_out():
    WORDS.check_ignore_index(3)
    TEN.check_ignore_index(None)
    with pytest.raises(ValueError, match=r"None for the loss, but 3 .* give the loss ignore_index"):
        WORDS.check_ignore_index(None)
    with pytest.raises(ValueError, match="0 for the loss, but None for the data"):
        TEN.check_ignore_index(0)


def test_the_first_loss_and_metric_are_those_that_count():
    for task in (TEN, WORDS, PAIR, LABELS, Reconstruction()):
        assert task.losses[0] in LOSSES
        task.check_loss(task.losses[0], task.output_shape((3,)))
    counting = {name: task.metrics[0] for name, task in TASKS.items()}
    assert counting == {
        "classification": "accuracy",
        "regression": "rmse",
        "multilabel": "f1",
        "language_model": "perplexity",
        "reconstruction": "rmse",
    }
    assert LABELS.metric_options == {"multilabel": True}
    assert WORDS.metric_options == {"ignore_index": 3}
    assert TEN.metric_options == {}


# Targets.


@pytest.mark.parametrize(
    ("task", "t"),
    [
        (TEN, np.array([0, 9, 3], np.uint8)),
        (TEN, np.array([[0, 9], [3, 3]])),
        (TEN, np.eye(10)[[3, 4]]),
        (TEN, np.eye(10, dtype=int)[[3, 4]]),
        (TEN, np.eye(10, dtype=bool)[[3, 4]]),
        (WORDS, np.array([[0, 1, 3, 3]])),
        (LanguageModel("abc", ignore_index=-100), np.array([[0, 2, -100]])),
        (Regression(["x"]), np.array([0.5, -3.0])),
        (Regression(["x"]), np.array([[0.5], [-3.0]], np.float32)),
        (PAIR, np.ones((3, 2))),
        (PAIR, np.ones((3, 5, 2))),
        (LABELS, np.array([[0, 1, 1]])),
        (LABELS, np.array([[0.0, 1.0, 1.0]])),
        (LABELS, np.array([[True, False, True]])),
        (Reconstruction(), np.zeros((2, 1, 3, 3), np.uint8)),
        (Reconstruction(), np.zeros((2, 3))),
    ],
)
def test_targets_that_can_be(task, t):
    task.check_targets(t)


@pytest.mark.parametrize(
    ("task", "t", "error", "words"),
    [
        (TEN, np.arange(1, 11), ValueError, "0 to 9 (10 classes); got 10 in row 9; are they count"),
        (TEN, np.array([0, 255]), ValueError, "got 255 in row 1; if that marks what does not coun"),
        (TEN, np.array([[0, 1], [3, -1]]), ValueError, "got -1 in row 1, position (1,); if that m"),
        (TEN, np.array([0, 12, 3]), ValueError, "whole numbers from 0 to 9 (10 classes); got 12 i"),
        (TEN, np.array([0, 255, 12]), ValueError, "got 255 in row 1"),
        (TEN, np.array(["cat", "dog"]), TypeError, "got text, as 'cat' in row 0; number them firs"),
        (TEN, np.array(["cat", None]), TypeError, "got text, as 'cat' in row 0"),
        (TEN, np.array([1.0, np.nan]), TypeError, "got nan in row 1"),
        (TEN, np.array([1.0, 2.0]), TypeError, "got float64 (2,); t.astype(int) makes them whole"),
        (TEN, np.array([1.0, 2.5]), TypeError, "got float64 (2,), as 2.5 in row 1"),
        (TEN, np.array([True, False]), TypeError, "got true and false (2,); t.astype(int) makes"),
        (TEN, np.array([1j]), TypeError, "got complex128 (1,)"),
        (TEN, np.full((2, 10), 0.1), TypeError, "got float64 (2, 10), as 0.1 in row 0"),
        (
            WORDS,
            np.array([[0, 4]]),
            ValueError,
            "word indices, whole numbers from 0 to 3 (4 words)",
        ),
        (Regression(["x"]), np.array([1, 2]), TypeError, "as floats; got int64 (2,); t.astype(np."),
        (Regression(["x"]), np.array(["a"]), TypeError, "expects numbers as floats; got text"),
        (
            Regression(["x"]),
            np.array([1.0, np.inf]),
            ValueError,
            "finite numbers; got inf in row 1",
        ),
        (Regression(["x"]), np.ones((3, 2)), ValueError, "1 numbers for a sample, (N,) or (N, 1);"),
        (PAIR, np.ones(2), ValueError, "expects 2 numbers for a sample, (N, 2); got (2,)"),
        (LABELS, np.array([[0, 1]]), ValueError, "0 or 1 for each of 3 labels, (N, 3); got (1, 2)"),
        (LABELS, np.array([0, 1, 1]), ValueError, "0 or 1 for each of 3 labels, (N, 3); got (3,)"),
        (LABELS, np.array([[0, 1, 1], [0, 0.5, 1]]), ValueError, "got 0.5 in row 1, label dog"),
        (LABELS, np.array([[0, np.nan, 1]]), ValueError, "got nan in row 0, label dog"),
        (LABELS, np.array([["a", "b", "c"]]), TypeError, "expects labels of 0 and 1; got text"),
        (Reconstruction(), np.array([["a"]]), TypeError, "expects inputs of numbers; got text"),
        (Reconstruction(), np.array([[1.0], [np.nan]]), ValueError, "got nan in row 1"),
    ],
)
def test_targets_that_cannot_be(task, t, error, words):
    with pytest.raises(error, match=re.escape(words)):
        task.check_targets(t)


def test_the_shape_of_a_target_is_that_of_its_class_indices():
    assert TEN.target_shape(np.zeros(5, int)) == ()
    assert TEN.target_shape(np.eye(10)) == ()
    assert TEN.target_shape(np.zeros((5, 7), int)) == (7,)
    assert TEN.target_shape(np.eye(10)[np.zeros((5, 7), int)]) == (7,)
    assert PAIR.target_shape(np.zeros((5, 2))) == (2,)


# Guessing.


def test_guessing_names_the_most_frequent_class_of_training():
    train, test = np.array([0, 1, 1, 2]), np.array([0, 1, 0, 0, 2])
    assert TEN.guess(train, test) == pytest.approx(1 / 5)
    assert TEN.guess(np.eye(10)[train], np.eye(10)[test]) == pytest.approx(1 / 5)
    ignoring = Classification("abcd", ignore_index=3)
    assert ignoring.guess(np.array([3, 3, 3, 2]), np.array([2, 3, 1])) == 0.5
    assert ignoring.guess(np.array([3]), np.array([2])) is None


def test_guessing_words_by_their_frequency():
    """Counts 3, 1, 0 and 0, each and one: 4/8, 2/8, 1/8, 1/8; the 3 does not count."""
    train, test = np.array([[0, 0, 0, 1, 3]]), np.array([[0, 2, 3, 3]])
    expected = math.exp(-(math.log(4 / 8) + math.log(1 / 8)) / 2)
    assert WORDS.guess(train, test) == pytest.approx(expected)
    assert LanguageModel(range(7)).guess(np.arange(7), np.arange(7)) == pytest.approx(7)


def test_guessing_the_mean():
    assert Regression(["x"]).guess(np.array([1.0, 3.0]), np.array([2.0, 5.0])) == pytest.approx(
        math.sqrt(9 / 2)
    )
    rng = np.random.default_rng(0)
    train, test = rng.standard_normal((50, 2)), rng.standard_normal((40, 2)) + 3
    expected = math.sqrt(np.square(test - train.mean(axis=0)).mean())
    assert PAIR.guess(train, test) == pytest.approx(expected)
    images = rng.integers(0, 256, (60, 1, 4, 4), np.uint8)
    expected = images.reshape(60, 16).std(axis=0)
    expected = math.sqrt(np.square(expected).mean())
    assert Reconstruction().guess(images, images) == pytest.approx(expected)


def test_no_constant_answer_has_a_better_f1_than_the_guess():
    rng = np.random.default_rng(0)
    t = (rng.random((200, 3)) < [0.1, 0.5, 0.9]).astype(float)
    constant = [[0, 0, 0], [1, 1, 1]]  # of each label
    hits = constant * t.sum(axis=0)
    f1 = 2 * hits / (np.multiply(constant, len(t)) + t.sum(axis=0))
    assert LABELS.guess(t[:50], t) == pytest.approx(f1.max(axis=0).mean())


@pytest.mark.needs_sklearn
def test_the_guess_of_labels_is_scikit_learns_f1_of_saying_all_of_them():
    from sklearn.metrics import f1_score

    t = (np.random.default_rng(1).random((200, 3)) < [0.1, 0.5, 0.9]).astype(int)
    assert LABELS.guess(t, t) == pytest.approx(f1_score(t, np.ones_like(t), average="macro"))


def best_constant(loss, width, t):
    """The least loss of scores that are the same for all samples, by many random tries."""
    rng, best = np.random.default_rng(0), np.inf
    scores = np.zeros(width)
    for step in np.geomspace(2.0, 1e-4, 6000):
        tried = scores + step * rng.standard_normal(width)
        value = float(loss.forward(np.tile(tried, (len(t), 1)), t))
        if value < best:
            scores, best = tried, value
    return best


@pytest.mark.parametrize("counts", [(10, 10, 10), (18, 9, 3), (20, 6, 4), (27, 2, 1)])
@pytest.mark.parametrize("loss", [SoftmaxWithLoss, SVMLoss, SquaredErrorLoss])
def test_no_constant_scores_have_a_smaller_loss_than_guessing(loss, counts):
    t = np.repeat(np.arange(3), counts)
    least = Classification("abc").guessing_loss(loss.__name__, t)
    assert best_constant(loss(), 3, t) == pytest.approx(least, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("counts", [(18, 9, 3), (0, 26, 4)])
@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        (SoftmaxWithLoss, {"class_weights": (0.5, 1.0, 4.0)}),
        (SoftmaxWithLoss, {"class_weights": (1.0, 1.0, 1.0)}),
        (SoftmaxWithLoss, {"label_smoothing": 0.2}),
        (SoftmaxWithLoss, {"class_weights": (0.5, 1.0, 4.0), "label_smoothing": 0.3}),
        (SVMLoss, {"class_weights": (0.5, 1.0, 4.0)}),
    ],
)
def test_guessing_costs_what_the_settings_of_a_loss_make_of_it(loss, settings, counts):
    t = np.repeat(np.arange(3), counts)
    least = Classification("abc").guessing_loss(loss.__name__, t, **settings)
    assert best_constant(loss(**settings), 3, t) == pytest.approx(least, rel=2e-3, abs=2e-3)


def test_settings_that_a_task_does_not_know_leave_guessing_unknown():
    X, t = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1])
    data = Dataset(Samples(X, t), Samples(X, t), Classification("ab"))
    assert data.guessing_loss("SoftmaxWithLoss") == pytest.approx(np.log(2))
    assert data.guessing_loss("SoftmaxWithLoss", settings={"width": 3}) is None
    weighed = data.guessing_loss("SoftmaxWithLoss", settings={"class_weights": (1.0, 3.0)})
    assert weighed == pytest.approx(-0.25 * np.log(0.25) - 0.75 * np.log(0.75))


def least_svm_loss(shares):
    """The least margin loss of one answer for all, as the linear programme that it is."""
    optimize = pytest.importorskip("scipy.optimize", reason="needs SciPy: pip install scikit-learn")
    pairs = list(itertools.permutations(range(len(shares)), 2))
    rows = np.zeros((len(pairs), len(shares) + len(pairs)))
    for row, (t, j) in enumerate(pairs):  # s[j] - s[t] + 1 <= the slack of the pair
        rows[row, [j, t, len(shares) + row]] = 1, -1, -1
    costs = np.concatenate([np.zeros(len(shares)), [shares[t] for t, _ in pairs]])
    bounds = [(None, None)] * len(shares) + [(0, None)] * len(pairs)
    return optimize.linprog(costs, rows, -np.ones(len(pairs)), bounds=bounds).fun


@pytest.mark.parametrize("seed", range(20))
def test_guessing_with_margins_is_the_minimum_of_a_linear_programme(seed):
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(200, rng.dirichlet(np.full(rng.integers(2, 9), 0.2 + seed % 3)))
    least = Classification("abcdefgh"[: len(counts)]).guessing_loss(
        "SVMLoss", np.repeat(np.arange(len(counts)), counts)
    )
    assert least == pytest.approx(least_svm_loss(counts / 200), abs=1e-6)


def test_guessing_with_margins_ranks_the_classes():
    """Shares 60, 30 and 10: one margin between each two, not one between the first and the rest."""
    t = np.repeat(np.arange(3), (6, 3, 1))
    assert Classification("abc").guessing_loss("SVMLoss", t) == pytest.approx(1.1)


def test_the_guessing_loss_of_numbers():
    t = np.random.default_rng(0).standard_normal((50, 2)) * [1, 3] + 5
    least = float(SquaredErrorLoss().forward(np.tile(t.mean(axis=0), (50, 1)), t))
    assert PAIR.guessing_loss("SquaredErrorLoss", t) == pytest.approx(least)
    images = t.reshape(5, 1, 4, 5)
    mean = np.broadcast_to(images.mean(axis=0), images.shape)
    least = float(SquaredErrorLoss().forward(mean, images))
    assert Reconstruction().guessing_loss("SquaredErrorLoss", images) == pytest.approx(least)
    median = float(np.abs(t - np.median(t, axis=0)).sum() / 50)
    assert PAIR.guessing_loss("AbsoluteErrorLoss", t) == pytest.approx(median)
    assert PAIR.guessing_loss("HuberLoss", t) is None
    assert LABELS.guessing_loss("Own", t) is None
    assert TWO.guessing_loss("SigmoidWithLoss", np.array([0, 1])) == pytest.approx(math.log(2))
    assert TWO.guessing_loss("Own", np.array([0, 1])) is None


def test_the_guessing_loss_of_labels():
    t = np.array([[0, 1, 1], [0, 0, 1]])
    assert LABELS.guessing_loss("SigmoidWithLoss", t) == pytest.approx(math.log(2) / 3)
    assert LABELS.guessing_loss("SigmoidWithLoss", t[:, [1, 1, 1]]) == pytest.approx(math.log(2))


# Predictions, words and facts.


def test_predictions():
    assert TEN.predictions(np.eye(10)[[3, 4]]).tolist() == [3, 4]
    assert TWO.predictions(np.array([[0.1], [-0.1], [0.0]])).tolist() == [1, 0, 0]
    assert TWO.predictions(np.array([[0.1, 0.0]])).tolist() == [0]
    assert WORDS.predictions(np.eye(4)[np.array([[1, 2]])]).tolist() == [[1, 2]]
    assert LABELS.predictions(np.array([[0.1, -3.0, 5.0]])).tolist() == [[1, 0, 1]]
    assert PAIR.predictions(np.array([[0.1, 2.0]])).tolist() == [[0.1, 2.0]]


@pytest.mark.parametrize(
    ("task", "value", "words"),
    [
        (TEN, 7, "7"),
        (TEN, np.eye(10)[7], "7"),
        (TWO, np.intp(1), "yes"),
        (WORDS, np.array([0, 2, 3]), "the end (3)"),
        (WORDS, np.zeros(30, int), " ".join(["the"] * 20) + " ..."),
        (TEN, 12, "(12)"),
        (Regression(["x"]), np.array([12.34567]), "12.35"),
        (PAIR, np.array([1.5, -2.0]), "x 1.5, y -2"),
        (LABELS, np.array([1, 1, 0]), "cat, dog"),
        (LABELS, np.array([0, 0, 0]), "none"),
        (Reconstruction(), np.array([0.5, 1.0]), "0.5, 1"),
        (Classification(["\x1b[31mred", "b\u2028"]), 0, "\\x1b[31mred"),
        (Classification(["\x1b[31mred", "b\u2028"]), 1, "b\\u2028"),
    ],
)
def test_one_target_in_words(task, value, words):
    assert task.shown(value) == words


@pytest.mark.parametrize(
    "task",
    [TEN, TWO, WORDS, PAIR, LABELS, Reconstruction(), Classification("ab", ignore_index=255)],
    ids=lambda task: repr(task),
)
def test_a_task_comes_back_from_its_facts(task):
    facts = json.loads(json.dumps(task.facts()))
    again = task_from_facts(facts)
    assert type(again) is type(task)
    assert again == task
    assert again.ignore_index == task.ignore_index
    assert hash(again) == hash(task)
    assert task != Classification("xyz")


def test_numbered_classes_need_no_names_in_the_facts():
    assert TEN.facts() == {"task": "classification", "classes": 10}
    assert TWO.facts() == {"task": "classification", "classes": 2, "class_names": ["no", "yes"]}


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "unknown task None"),
        ([], "unknown task None"),
        ({"task": "clasification"}, r"unknown task 'clasification'; did you mean classification\?"),
        ({"task": ["x"]}, "unknown task"),
        ({"task": "classification"}, "no facts of the task classification: 'classes' is missing"),
        ({"task": "classification", "classes": "ten"}, "'ten' is no number of classes"),
        ({"task": "classification", "classes": 10**12}, "1000000000000 is no number of classes"),
        ({"task": "classification", "classes": 1}, "expects two or more classes, got 0"),
        ({"task": "classification", "classes": 3, "class_names": ["a"]}, "1 class names for 3"),
        ({"task": "classification", "classes": 3, "ignore_index": "x"}, "ignore_index is a whole"),
        ({"task": "regression", "target_names": 3}, "expects the names of the targets, got the"),
        ({"task": "multilabel"}, "'label_names' is missing"),
    ],
)
def test_facts_that_are_none(facts, words):
    with pytest.raises(ValueError, match=words):
        task_from_facts(facts)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Classification(10), TypeError, r"got the number 10; range\(10\) numbers them"),
        (lambda: Classification(["a"]), ValueError, "expects two or more classes, got a: nothing"),
        (lambda: Classification("abca"), ValueError, "the name a stands twice"),
        (lambda: Classification([]), ValueError, "expects the names of the classes, got none"),
        (lambda: Classification(range(10**10)), ValueError, "at most 10000000 classes"),
        (lambda: Classification("ab", ignore_index=1.5), TypeError, "a whole number, got 1.5"),
        (lambda: LanguageModel("ab", True), TypeError, "a whole number, got True"),
        (lambda: Regression([]), ValueError, "expects the names of the targets, got none"),
        (lambda: MultiLabel(3), TypeError, "expects the names of the labels, got the number 3"),
    ],
)
def test_names_that_cannot_be(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_tasks_say_what_they_are():
    said = [repr(task) for task in (TEN, WORDS, PAIR, LABELS, Reconstruction())]
    assert said == [
        "Classification(10 classes)",
        "LanguageModel(4 words)",
        "Regression(2 numbers as target)",
        "MultiLabel(3 labels of 0 and 1)",
        "Reconstruction()",
    ]


def test_targets_in_a_column_are_told_how_to_become_a_row():
    """(N, 1) is one position for each sample, which hardly anybody means."""
    task = Classification(range(3))
    with pytest.raises(ValueError, match=r"targets are \(N, 1\); t\[:, 0\] makes them \(N,\), one"):
        task.check_output((3,), task.target_shape(np.zeros((5, 1), int)))
    task.check_output((1, 3), (1,))  # a net that gives a class for each position
