"""What an evaluation says and draws, for every kind of task."""

import importlib
import math
import re

import numpy as np
import pytest

from lamina.common.figures import label
from lamina.common.width import width_of
from lamina.datasets import (
    Classification,
    Dataset,
    LanguageModel,
    MultiLabel,
    Reconstruction,
    Regression,
    Samples,
)
from lamina.experiment.evaluation import classification, evaluate
from lamina.experiment.evaluation.pictures import as_images, look_of
from lamina.layers import (
    ContrastiveLoss,
    Layer,
    SigmoidWithLoss,
    SoftmaxWithLoss,
    SquaredErrorLoss,
)
from lamina.nets import Sequential

# The package has the function under that name.
evaluate_module = importlib.import_module("lamina.experiment.evaluation.evaluate")
ROWS = "(rows of this set, from 0)"
SCORES = np.array([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0], [5.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
TRUE = np.array([0, 2, 1, 2])


class Says(Layer):
    """Gives the rows of an array, whatever comes in: a net that has been found out."""

    def __init__(self, scores):
        self.scores = np.asarray(scores, np.float32)

    def forward(self, X):
        return self.scores[: len(X)]


def evaluation(scores, t, task, loss, X=None, metrics=None):
    X = np.zeros((len(t), 4), np.float32) if X is None else X
    samples = Samples(X, t)
    net = Sequential({"says": Says(scores)}, loss=loss)
    return evaluate(net, Dataset(samples, samples, task), metrics=metrics)


def test_yes_or_no_in_a_column_is_no_sequence():
    """(N, 1) beside scores (N, 1), as PyTorch's losses have it, is one answer a sample."""
    scores, t = np.array([[2.0], [-1.0], [3.0], [-2.0]]), np.array([1, 1, 1, 0])
    task = Classification(("no", "yes"))
    column = evaluation(scores, t[:, np.newaxis], task, SigmoidWithLoss()).report()
    assert column == evaluation(scores, t, task, SigmoidWithLoss()).report()
    assert "3 of 4 samples right" in column


@pytest.mark.parametrize("width", [1, 2, 3])
def test_vectors_of_pairs_are_no_classes(width):
    """Of two numbers the larger one would be a class; what counts is how far apart they are."""
    rng = np.random.default_rng(0)
    t = np.array([1, 0, 1, 0, 1])
    first = rng.standard_normal((5, width))
    second = first + np.where(t == 1, 0.1, 2.0)[:, np.newaxis]
    task, vectors = Classification(("apart", "alike")), np.hstack([first, second])
    said = evaluation(vectors, t, task, ContrastiveLoss(), metrics=[]).report()
    far = np.sqrt(width)
    assert f"alike   3 pairs: {0.1 * far:.4g}, " in said
    assert f"others  2 pairs: {2 * far:.4g}, " in said
    assert "nearer in 100.00 % of cases" in said
    assert "recall" not in said


@pytest.mark.parametrize("task", [Reconstruction(), Regression("abc")])
def test_numbers_with_a_last_axis_of_1_are_those_without(task):
    """As a recurrent layer and an Affine to one number give them for targets (N, T)."""
    rng = np.random.default_rng(0)
    t, given = (rng.standard_normal((3, 3)).astype(np.float32) for _ in range(2))
    said = evaluation(given[..., np.newaxis], t, task, SquaredErrorLoss(), X=t)
    assert said.scores.shape == said.targets.shape
    rows = np.sqrt(np.square(given - t).mean(axis=1))
    if task.name == "reconstruction":
        assert f"best   {rows.min():.4g} (row {rows.argmin()})" in said.report()
    plain = evaluation(given, t, task, SquaredErrorLoss(), X=t).report()
    assert said.report().split("\n\n", 1)[1] == plain.split("\n\n", 1)[1]


def test_classes_recall_and_precision():
    task = Classification(("cat", "dog", "bird"))
    text = evaluation(SCORES, TRUE, task, SoftmaxWithLoss()).report()
    lines = text.splitlines()
    assert lines[0].startswith("test set, 4 samples: loss ")
    assert "accuracy 50.00 %" in lines[0]
    assert lines[2] == "2 of 4 samples right"
    rows = {line.split()[0]: line.split() for line in lines[5:8]}
    assert rows["cat"] == ["cat", "1", "100.00", "%", "50.00", "%"]
    assert rows["dog"] == ["dog", "1", "0.00", "%", "0.00", "%"]
    assert rows["bird"] == ["bird", "2", "50.00", "%", "100.00", "%"]
    assert len({len(line) for line in lines[-4:]}) == 1  # the matrix is aligned
    assert [line.split()[1:] for line in lines[-3:]] == [
        *(["1", ".", "."], ["1", ".", "."], [".", "1", "1"])
    ]


def test_a_class_that_never_occurs_has_no_percentage():
    assert "  - " in classification.table(np.array([[2, 0], [0, 0]]), ("a", "b"))


def test_the_worst_mistakes_come_first():
    assert classification.worst_mistakes(SCORES, TRUE).tolist() == [2, 1]
    assert classification.worst_mistakes(SCORES, TRUE, 1).tolist() == [2]
    for nothing in (-1, 255):
        t = np.where(np.arange(len(TRUE)) == 2, nothing, TRUE)
        assert classification.worst_mistakes(SCORES, t, ignored=nothing).tolist() == [1]
    unknown = SCORES.copy()
    unknown[2, 0] = np.nan
    assert classification.worst_mistakes(unknown, TRUE).tolist() == [1]
    close = np.array([[9.0, 8.5], [3.0, 0.0], [0.0, 1.0]])  # the highest score, but hardly ahead
    assert classification.worst_mistakes(close, np.array([1, 1, 1])).tolist() == [1, 0]


@pytest.mark.parametrize("shape", [(784,), (1, 28, 28)])
def test_mistakes_are_drawn_where_inputs_are_images(tmp_path, shape):
    X = np.zeros((4, *shape), np.uint8)
    made = evaluation(SCORES, TRUE, Classification(("a", "b", "$c")), SoftmaxWithLoss(), X)
    assert made.draw(tmp_path) == tmp_path / "mistakes.png"
    assert (tmp_path / "mistakes.png").stat().st_size > 1000


def test_mistakes_in_colour_are_drawn_in_their_colours(tmp_path, drawn):
    X = np.zeros((4, 3, 5, 6), np.uint8)
    X[:, 0], X[:, 2, 0] = 200, 50
    task = Classification("abc")
    evaluation(SCORES, TRUE, task, SoftmaxWithLoss(), X).draw(tmp_path)
    shown = [image.get_array() for axes in drawn[0].axes for image in axes.images]
    assert [image.shape for image in shown] == [(5, 6, 3)] * 2
    assert shown[0][0, 0].tolist() == [200, 0, 50]
    assert shown[0][1, 0].tolist() == [200, 0, 0]


def test_photographs_are_no_ink_and_may_be_flat():
    made = {"kind": "picture", "resize": "crop", "colour": True, "size": [2, 5]}
    black, white = (np.full((9, 10), byte, np.uint8) for byte in (0, 255))
    colour, grey = look_of(made, black), look_of(made | {"colour": False}, black)
    assert colour.shape == (3, 2, 5)
    assert grey.cmap == "gray"
    digits = made | {"resize": "digit", "colour": False, "size": [3, 3]}
    assert look_of(digits, black[:, :9]).cmap == "gray_r"
    assert look_of({"kind": "table"}, black) == look_of(None, black)
    assert look_of(None, white[:, :9]).cmap == "gray"
    X = np.arange(60).reshape(2, 30)
    assert as_images(X, colour).shape == (2, 2, 5, 3)
    assert (as_images(X, colour)[0, 1, 4] == [9, 19, 29]).all()
    assert as_images(X[:, :10], grey).shape == (2, 2, 5)
    assert as_images(X, look_of(None, black)) is None


def test_other_inputs_and_a_net_without_mistakes_are_not_drawn(tmp_path):
    right = np.eye(3)[TRUE]
    for scores, X in (
        (SCORES, np.zeros((4, 7), np.uint8)),
        (SCORES, np.zeros((4, 64))),
        (right, np.zeros((4, 784), np.uint8)),
    ):
        made = evaluation(scores, TRUE, Classification("abc"), SoftmaxWithLoss(), X)
        assert made.draw(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_one_score_for_two_classes():
    scores = [[2.0], [-1.0], [0.5], [-3.0]]
    task = Classification(("no", "yes"))
    text = evaluation(scores, np.array([1, 0, 0, 0]), task, SigmoidWithLoss()).report()
    assert "accuracy 75.00 %" in text.splitlines()[0]
    assert "3 of 4 samples right" in text


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 2)])
def test_a_regression_names_targets_and_the_furthest_off(tmp_path, shape):
    t = np.arange(5.0).reshape(5, 1) + np.zeros(shape).reshape(5, -1)
    said = t.copy()
    said[3] += 2.0
    names = ["height", "weight"][: t.shape[1]]
    made = evaluation(said, t.reshape(shape), Regression(names), SquaredErrorLoss())
    text = made.report()
    rmse = np.sqrt(4.0 / 5)
    assert f"rmse {rmse:.4g}" in text.splitlines()[0]
    assert "%" not in text
    height = next(line.split() for line in text.splitlines() if line.startswith("height"))
    np.testing.assert_allclose([float(x) for x in height[1:]], [rmse, 0.4, np.sqrt(2)], rtol=1e-3)
    furthest = text.splitlines()[text.splitlines().index(f"furthest off, of 5 samples {ROWS}:") + 1]
    assert furthest.startswith("  row 3: is 3")
    assert made.draw(tmp_path) == tmp_path / "predictions.png"


def test_numbers_far_from_0_are_shown_apart():
    """To four digits the one that is furthest off would be answered exactly."""
    t = np.array([999_996.0, 1_000_200.0, 999_900.0])
    said = t + np.array([[50.0, 1.0, 0.0]]).T[:, 0]
    text = evaluation(said[:, np.newaxis], t, Regression(["Pa"]), SquaredErrorLoss()).report()
    assert "row 0: is 999996, said 1000046" in text
    assert "row 1: is 1000200, said 1000201" in text
    assert "row 2: is 9.999e+05, said 9.999e+05" in text  # no error at all


def test_a_regression_of_each_position_names_target_and_position():
    t = np.zeros((4, 3, 2))
    t[..., 1] = [[1.0], [2.0], [3.0], [4.0]]
    said = t + np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.25]])
    text = evaluation(said, t, Regression(["height", "weight"]), SquaredErrorLoss()).report()
    found = {
        name.strip(): float(rmse)
        for name, rmse in re.findall(r"^(.*position \d) +(\S+)", text, re.M)
    }
    assert found == {
        f"{name}, position {i}": rmse
        for i, both in enumerate([(0.0, 0.0), (0.5, 0.0), (0.0, 0.25)])
        for name, rmse in zip(("height", "weight"), both, strict=True)
    }


def test_labels_that_may_hold_together():
    t = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])
    scores = [[1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]]
    text = evaluation(scores, t, MultiLabel(("loud", "fast")), SigmoidWithLoss()).report()
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[3:5]}
    assert rows["loud"] == ["2", "100.00", "%", "66.67", "%", "80.00", "%"]
    assert rows["fast"] == ["2", "50.00", "%", "100.00", "%", "66.67", "%"]
    assert text.endswith("all labels right: 2 of 4 samples")


def test_a_class_for_each_position_and_those_that_do_not_count():
    t = np.array([[0, 1, 2], [2, -1, 0]])
    scores = np.eye(3)[[[0, 1, 1], [2, 2, 0]]]
    task = LanguageModel(("the", "cat", "sat"), ignore_index=-1)
    text = evaluation(scores, t, task, SoftmaxWithLoss(ignore_index=-1)).report()
    assert "4 of 5 positions right" in text
    assert f"every position right: 1 of 2 sequences; the worst {ROWS}:" in text
    assert "row 0, 1 wrong: is   the cat sat" in text
    assert "said the cat cat" in text


def test_characters_are_shown_as_text():
    """A space is one of them, so none stands between."""
    task = LanguageModel("a \nb", ignore_index=3, tokens="characters")
    t = np.array([[0, 1, 2, 3], [0, 0, 0, 0]])
    scores = np.eye(4)[[[0, 1, 1, 0], [0, 0, 0, 0]]]
    text = evaluation(scores, t, task, SoftmaxWithLoss(ignore_index=3)).report()
    assert "row 0, 1 wrong: is   'a \\n_'" in text
    assert "said 'a  _'" in text
    long = np.zeros((1, 70), np.intp)
    text = evaluation(np.eye(4)[long + 1], long, task, SoftmaxWithLoss(ignore_index=3)).report()
    assert f"is   '{'a' * 60}'..." in text


@pytest.mark.parametrize("tokens", [None, "characters"])
def test_a_word_behind_each_text(tokens):
    """With the text, if it is known what the words are."""
    task, t = LanguageModel("a\nb", tokens=tokens), np.array([0, 2, 1])
    X = np.array([[0, 1], [1, 2], [2, 0]])
    text = evaluation(np.eye(3)[[0, 0, 2]], t, task, SoftmaxWithLoss(), X).report()
    expected = ["right: 1 of 3"]
    if tokens:
        expected += [
            "  row 1: given '\\nb' it is 'b', said 'a'",
            "  row 2: given 'ba' it is '\\n', said 'b'",
        ]
    assert text.splitlines()[-len(expected) :] == expected


def test_tokens_of_a_classification_are_reported_as_sequences():
    t = np.array([[0, 1], [1, 1]])
    scores = np.eye(2)[[[0, 1], [0, 1]]]
    text = evaluation(scores, t, Classification(("noun", "verb")), SoftmaxWithLoss()).report()
    assert "accuracy 75.00 %" in text.splitlines()[0]
    assert "every position right: 1 of 2 sequences" in text


def test_reconstructions_beside_their_samples(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, (12, 64)).astype(np.uint8)
    samples = Samples(X, X, scale=1 / 255)
    scores = X / np.float32(255)
    scores[7] = 0.0
    net = Sequential({"says": Says(scores)}, loss=SquaredErrorLoss())
    made = evaluate(net, Dataset(samples, samples, Reconstruction()))
    assert "(row 7)" in next(line for line in made.report().splitlines() if "worst" in line)
    assert made.draw(tmp_path) == tmp_path / "reconstructions.png"
    made.samples = Samples(X.astype(np.float32), X.astype(np.float32))
    assert made.draw(tmp_path) is None


def images(axes):
    """The first number of each picture in a grid, row by row."""
    return [float(image.get_array().flat[0]) for a in axes for image in a.images]


def test_under_each_mistake_stands_what_it_is_and_what_was_said(tmp_path, drawn):
    X = np.arange(4, dtype=np.uint8)[:, None] + np.zeros((4, 784), np.uint8)
    task = Classification(("cat", "dog", "bird"))
    evaluation(SCORES, TRUE, task, SoftmaxWithLoss(), X).draw(tmp_path)
    titles = [axes.get_title() for axes in drawn[0].axes]
    assert titles == ["dog, said cat", "bird, said dog", *[""] * 6]
    assert images(drawn[0].axes) == [2, 1]


def test_no_more_mistakes_are_drawn_than_one_looks_at(tmp_path, drawn):
    scores, t = np.tile([1.0, 0.0], (100, 1)), np.ones(100, int)
    X = np.zeros((100, 784), np.uint8)
    evaluation(scores, t, Classification("ab"), SoftmaxWithLoss(), X).draw(tmp_path)
    assert len(images(drawn[0].axes)) == 24


def test_what_is_furthest_off_is_measured_by_the_spread_of_its_target(tmp_path, drawn):
    """Half a metre is more than a whole gram, where grams spread by hundreds."""
    t = np.array([[1.0, 100.0], [2.0, 500.0], [3.0, 900.0]])
    said = t + np.array([[0.0, 1.0], [0.5, 0.0], [0.0, -3.0]])
    made = evaluation(said, t, Regression(("metres", "grams")), SquaredErrorLoss())
    lines = made.report().splitlines()
    assert [line for line in lines if line.startswith("  row")] == [
        "  row 1: is 2, 500, said 2.5, 500",
        "  row 2: is 3, 900, said 3, 897",
        "  row 0: is 1, 100, said 1, 101",
    ]
    grams = next(line.split() for line in lines if line.startswith("grams"))
    assert float(grams[2]) == pytest.approx(-2 / 3, rel=1e-3)  # said less than is right
    made.draw(tmp_path)
    for i, axes in enumerate(drawn[0].axes):
        np.testing.assert_allclose(axes.lines[0].get_data(), (t[:, i], said[:, i]))
        name = ("metres", "grams")[i]
        assert (axes.get_xlabel(), axes.get_ylabel()) == (f"{name}, right", f"{name}, said")


def test_the_sequences_with_most_mistakes_come_first():
    t = np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2], [0, -1, -1]])
    scores = np.eye(3)[[[0, 1, 2], [1, 1, 0], [0, 1, 1], [0, 0, 0]]]
    task = LanguageModel(("the", "cat", "sat"), ignore_index=-1)
    text = evaluation(scores, t, task, SoftmaxWithLoss(ignore_index=-1)).report()
    lines = [line.strip() for line in text.splitlines()]
    worst = lines[lines.index(f"every position right: 2 of 4 sequences; the worst {ROWS}:") + 1 :]
    assert worst == [
        "row 1, 2 wrong: is   the cat sat",
        "said cat cat the",
        "row 2, 1 wrong: is   the cat sat",
        "said the cat cat",
    ]
    # Rows are the true classes: "sat" was taken for "the" and for "cat" once.
    assert "sat 1 1 1" in [" ".join(line.split()) for line in lines]


@pytest.mark.parametrize(
    ("errors", "middle"),
    [([4, 1, 2], "2 (row 2)"), ([4, 1, 2, 9], "3 (between rows 2 and 0)"), ([5], "5 (row 0)")],
)
def test_the_median_of_an_even_number_lies_between_the_two_in_the_middle(errors, middle):
    X = np.zeros((len(errors), 4), np.float32)
    scores = X + np.array(errors, np.float32)[:, None]
    samples = Samples(X, X)
    net = Sequential({"says": Says(scores)}, loss=SquaredErrorLoss())
    lines = evaluate(net, Dataset(samples, samples, Reconstruction())).report().splitlines()
    assert lines[-2] == f"  median {middle}"


def test_the_furthest_off_stand_below_the_first_reconstructions(tmp_path, drawn):
    X = np.arange(1, 13, dtype=np.uint8)[:, None] * 20 + np.zeros((12, 64), np.uint8)
    scores = X.astype(np.float32)
    scores[7], scores[4] = 0.0, 90.0
    samples = Samples(X, X.astype(np.float32))
    net = Sequential({"says": Says(scores)}, loss=SquaredErrorLoss())
    made = evaluate(net, Dataset(samples, samples, Reconstruction()))
    lines = made.report().splitlines()
    middle = "  median 0 (between rows 6 and 8)"
    assert lines[-3:] == ["  best   0 (row 0)", middle, "  worst  160 (row 7)"]
    made.draw(tmp_path)
    shown = np.array(images(drawn[0].axes)).reshape(4, 10)
    np.testing.assert_array_equal(shown[0], X[:10, 0])
    np.testing.assert_array_equal(shown[1], scores[:10, 0])
    assert shown[2][:2].tolist() == [160, 100]  # rows 7 and 4
    assert shown[3][:2].tolist() == [0, 90]


@pytest.mark.parametrize("classes", [2, 8, 100])
@pytest.mark.parametrize(
    "name", ["{}", "a class with a very long name, the number {}", "고양이 {}"]
)
def test_tables_fit_a_wide_terminal_and_stand_below_each_other(classes, name):
    names = tuple(name.format(i) * (1 + 20 * (i == 1)) for i in range(classes))
    counts = np.eye(classes, dtype=int) * 12345
    counts[0, 1] = 7
    lines = classification.table(counts, names).splitlines()
    assert max(map(width_of, lines)) <= 120
    rows = lines[3 : 3 + classes]
    assert len({width_of(line) for line in rows}) == 1
    if classes == 100:
        assert lines[-2] == "confused most often:"
        assert lines[-1].split()[0] == "7"
        assert ", said " in lines[-1]
    else:
        assert len({width_of(line) for line in lines[-classes - 1 :]}) == 1


def test_many_classes_that_are_all_right():
    lines = classification.table(np.eye(100, dtype=int), tuple(map(str, range(100))))
    assert lines.splitlines()[-1] == "no class was taken for another"


def test_long_names_above_mistakes_do_not_touch_each_other(tmp_path, drawn, recwarn):
    names = ("a class with a long name", "고양이와 강아지와 토끼와", "$x$")
    X = np.zeros((4, 784), np.uint8)
    evaluation(SCORES, TRUE, Classification(names), SoftmaxWithLoss(), X).draw(tmp_path)
    first, second, *_ = drawn[0].axes
    drawn[0].draw_without_rendering()
    boxes = [axes.title.get_window_extent() for axes in (first, second)]
    assert boxes[0].x1 < boxes[1].x0
    assert second.get_title() == r"\$x\$," + "\nsaid " + label(names[1], 11)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_predictions_that_are_not_finite_come_first_and_are_counted(tmp_path, drawn, value):
    t = np.arange(5.0)[:, None]
    said = t.copy()
    said[2], said[4] = value, 9.0
    made = evaluation(said, t, Regression(["height"]), SquaredErrorLoss())
    lines = made.report().splitlines()
    assert lines[lines.index(f"furthest off, of 5 samples {ROWS}:") + 1].startswith("  row 2: ")
    made.draw(tmp_path)
    [axes] = drawn[0].axes
    assert axes.get_title() == "1 without a finite number"
    assert list(axes.lines[1].get_xdata()) == [0.0, 9.0]


def test_one_sample_is_no_plural(tmp_path):
    made = evaluation([[1.0]], np.array([[2.0]]), Regression(["height"]), SquaredErrorLoss())
    assert made.report().startswith("test set, 1 sample: ")
    assert f"furthest off, of 1 sample {ROWS}:" in made.report()


class Counts(Layer):
    """Says of the sample with the number i as input that it is of class i modulo 3."""

    def forward(self, X):
        return np.eye(3, dtype=np.float32)[X[:, 0].astype(int) % 3]


def test_of_very_many_samples_a_report_is_made_of_some_drawn_at_random(monkeypatch):
    monkeypatch.setattr(evaluate_module, "_KEPT", 100_000)
    n = 20_000
    t = np.arange(n) % 3
    t[17_500], t[400] = (t[17_500] + 1) % 3, (t[400] + 1) % 3
    samples = Samples(np.arange(n, dtype=np.float32)[:, np.newaxis], t)
    net = Sequential({"counts": Counts()}, loss=SoftmaxWithLoss())
    found = evaluate(net, Dataset(samples, samples, Classification(range(3))))
    assert found.figures["accuracy"] == 1 - 2 / n  # of all
    assert sum(a.nbytes for a in (found.rows, found.scores, found.targets)) <= 100_000
    np.testing.assert_array_equal(found.targets, t[found.rows])
    np.testing.assert_array_equal(found.scores.argmax(axis=1), found.rows % 3)
    kept = len(found.rows)
    assert 1000 < kept < 5000
    # As many of each thousand, and of odd and even ones: neighbours may be of one kind.
    each = np.bincount(found.rows // 1000, minlength=20)
    assert abs(each - kept / 20).max() < 5 * math.sqrt(kept / 20)
    assert np.mean(found.rows % 2) == pytest.approx(0.5, abs=0.05)
    lines = found.report().splitlines()
    assert lines[0].startswith("test set, 20,000 samples: loss ")
    assert lines[2] == f"of {kept:,} of them, drawn at random:"
    right = kept - int(np.isin([400, 17_500], found.rows).sum())
    assert lines[4] == f"{right} of {kept} samples right"


@pytest.mark.parametrize("task", ["regression", "sequences", "reconstruction"])
def test_rows_in_a_report_are_those_of_the_set(monkeypatch, task):
    monkeypatch.setattr(evaluate_module, "_KEPT", 1)
    n = 3000
    X = np.zeros((n, 2), np.float32)
    kept = evaluate_module.Spread(1)
    for _ in range(3):  # as the batches of the evaluation
        kept.append((np.zeros(1000), np.zeros(1000)))
    off = int(kept.kept[1][0][3])  # one of those that are kept
    X[off] = 9.0  # furthest off
    if task == "sequences":
        t, made, loss = np.zeros((n, 1), int), Classification(range(2)), SoftmaxWithLoss()
        t[off] = 1
    else:
        t, loss = X, SquaredErrorLoss()
        made = Regression(["a", "b"]) if task == "regression" else Reconstruction()
    zeros = np.zeros((n, 1, 2) if task == "sequences" else (n, 2))
    samples = Samples(X, t)
    net = Sequential({"says": Says(zeros)}, loss=loss)
    found = evaluate(net, Dataset(samples, samples, made))
    assert 400 < len(found.rows) <= 1000
    found.rows = found.rows + 1000
    assert f"row {off + 1000}" in found.report()


def test_scores_that_are_nan_count_as_samples_that_are_not_right():
    scores = SCORES.copy()
    scores[0, 1] = np.nan
    task = Classification(("cat", "dog", "bird"))
    lines = evaluation(scores, TRUE, task, SoftmaxWithLoss()).report().splitlines()
    assert "accuracy 25.00 %" in lines[0]
    assert lines[2] == "1 of 4 samples right"
    assert lines[3] == "1 of them with scores that are NaN, in no column of the matrix"
    assert lines[6].split()[:4] == ["cat", "1", "0.00", "%"]


def test_labels_of_each_position_are_right_where_all_positions_of_a_sample_are():
    t = np.zeros((3, 2, 2), int)
    scores = np.full(t.shape, -1.0)
    scores[1, 0, 1] = 1.0
    text = evaluation(scores, t, MultiLabel("ab"), SigmoidWithLoss()).report()
    assert "all labels right: 2 of 3 samples" in text
    assert "exact_match 66.67 %" in text
    assert "label  positions  found" in text


def test_labels_whose_scores_are_nan_are_not_said_and_no_sample_with_one_is_right():
    scores, t = np.full((4, 2), -1.0), np.zeros((4, 2), int)
    scores[:2, 0] = np.nan
    text = evaluation(scores, t, MultiLabel("ab"), SigmoidWithLoss()).report()
    assert "all labels right: 2 of 4 samples\nscores of 2 are NaN: a label with" in text
    assert "exact_match 50.00 %" in text


def test_positions_whose_scores_are_nan_are_wrong():
    scores, t = np.zeros((3, 2, 4)), np.zeros((3, 2), int)
    scores[..., 0] = 1.0
    scores[1, 0] = np.nan
    text = evaluation(scores, t, Classification("abcd"), SoftmaxWithLoss()).report()
    assert "every position right: 2 of 3 sequences" in text
    assert "scores of 1 positions are NaN" in text
    assert "row 1, 1 wrong: is   a a\n" in text
    assert "said (?) a" in text


def test_sequences_of_which_nothing_counts_are_not_counted():
    t = np.array([[0, 1], [1, 1], [-1, -1]])
    task = Classification(("a", "b"), ignore_index=-1)
    scores = np.eye(2)[[[0, 1], [0, 1], [0, 0]]]
    made = evaluation(scores, t, task, SoftmaxWithLoss(ignore_index=-1))
    assert "every position right: 1 of 2 sequences" in made.report()


def test_one_hot_targets_are_reported_as_the_classes_that_they_are():
    task = Classification(("cat", "dog", "bird"))
    plain, one_hot = (
        evaluation(SCORES, t, task, SoftmaxWithLoss()).report() for t in (TRUE, np.eye(3)[TRUE])
    )
    assert one_hot == plain


def test_a_picture_says_of_which_set_it_is(tmp_path, drawn):
    X = np.arange(16, dtype=np.uint8).reshape(4, 1, 2, 2)
    kinds = [
        (SCORES, TRUE, Classification(("cat", "dog", "bird")), SoftmaxWithLoss(), X),
        (
            np.ones((4, 1)),
            np.arange(4.0).reshape(4, 1),
            Regression(["y"]),
            SquaredErrorLoss(),
            None,
        ),
        (np.ones((4, 4)), np.eye(4), Reconstruction(), SquaredErrorLoss(), X.reshape(4, 4)),
    ]
    for kind in kinds:
        assert evaluation(*kind).draw(tmp_path) is not None
        assert "test set" in drawn[-1].get_suptitle()


def test_between_two_halves_a_token_is_asked_for(tmp_path):
    from lamina.datasets import Text

    path = tmp_path / "t.txt"
    path.write_text("abcd" * 40)
    data = Text(path, length=4, predict="middle")
    says_a = Sequential({"says": Says(np.eye(5)[np.ones(200, int)])}, loss=SoftmaxWithLoss())
    lines = evaluate(says_a, data).report().splitlines()
    shown = [line for line in lines if line.startswith("  row ")]
    assert shown
    for line in shown:
        before, after, true, said = line.split("'")[1::2]
        assert (len(before), len(after), said) == (2, 2, "a")
        assert f"{before}{true}{after}" in "abcd" * 3
