"""Classes: recall and precision of each, who is taken for whom, the worst mistakes."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.figures import label, save_png
from lamina.common.percent import percent
from lamina.common.predicted import UNKNOWN, predicted_classes
from lamina.common.printable import printable
from lamina.common.width import left, right, shortened, width_of
from lamina.experiment.evaluation.pictures import drawable
from lamina.metrics import ConfusionMatrix

PICTURE = "mistakes.png"
MOST = 24  # mistakes in the picture
IN_PICTURE = 16  # columns of text above one of them
NAME, HEAD = 30, 10  # columns of a class's name in front of its row, and above its column
WIDEST = 120  # a matrix that is wider is no longer read: its largest entries are listed
LISTED = 15
# What a row number below counts: not the lines of a file, of which a set is a part.
ROWS = "(rows of this set, from 0)"


def report(evaluation) -> str:
    """Recall and precision of each class, and the confusion matrix, as text."""
    matrix = confusion(evaluation)
    return table(matrix.counts, evaluation.task.class_names, unpredicted=matrix.unpredicted)


def confusion(evaluation) -> ConfusionMatrix:
    """How often class i was taken for class j, of the positions that count."""
    matrix = ConfusionMatrix(ignore_index=evaluation.task.ignore_index)
    matrix.update(evaluation.scores, evaluation.targets)
    return matrix


def table(counts: np.ndarray, class_names: tuple, counted: str = "samples", unpredicted=0) -> str:
    """A row for each class, then the matrix; `counted` says what the numbers are of. `unpredicted`
    are those of each class whose scores hold a NaN: they count, and are not right."""
    of_class = counts.sum(axis=1) + unpredicted
    total, correct = of_class.sum(), np.trace(counts)
    names = row_names(class_names)
    width = max(map(width_of, ("class", *names)))
    lines = [f"{correct} of {total} {counted} right"]
    if lost := int(np.sum(unpredicted)):
        lines.append(f"{lost} of them with scores that are NaN, in no column of the matrix")
    lines.append("")
    lines.append(f"{left('class', width)}  {counted}  found (recall)  right when said (precision)")
    for i, name in enumerate(names):
        recall, precision = (
            shown_share(counts[i, i], n) for n in (of_class[i], counts[:, i].sum())
        )
        number = f"{of_class[i]:>{len(counted)}}"
        lines.append(f"{left(name, width)}  {number}  {recall:>14}  {precision:>27}")
    return "\n".join([*lines, "", *_confusion(counts, names, width)])


def row_names(names: Iterable[str]) -> list[str]:
    """Names as they stand in front of the rows of a table."""
    return [shortened(printable(name), NAME) for name in names]


def _confusion(counts: np.ndarray, names: list[str], width: int) -> list[str]:
    """The matrix, or, if it is too wide, its largest entries."""
    heads = [shortened(name, HEAD) for name in names]
    cell = max(len(str(counts.max())), *map(width_of, heads)) + 1
    if width + cell * len(names) > WIDEST:
        return _confused_most(counts, names)
    lines = ["confusion: rows are the true classes, columns what the net said"]
    lines.append(" " * width + "".join(right(head, cell) for head in heads))
    for name, row in zip(names, counts, strict=True):
        lines.append(left(name, width) + "".join(f"{n or '.':>{cell}}" for n in row))
    return lines


def _confused_most(counts: np.ndarray, names: list[str]) -> list[str]:
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:LISTED]
    pairs = [(wrong.flat[i], *divmod(int(i), len(names))) for i in order if wrong.flat[i]]
    lines = [f"  {n:>6}  {names[true]}, said {names[said]}" for n, true, said in pairs]
    return ["confused most often:", *lines] if lines else ["no class was taken for another"]


def worst_mistakes(scores: np.ndarray, t: np.ndarray, n: int = MOST, ignored=None) -> np.ndarray:
    """The rows that the net gets most wrong: by the lead of the wrong class over the right one.
    Targets that do not count, `ignored`, are no mistakes, nor are scores that are NaN."""
    said = predicted_classes(scores)
    wrong = np.flatnonzero((t != ignored) & (said != UNKNOWN) & (said != t))
    lead = scores[wrong].max(axis=1) - scores[wrong, t[wrong]]
    return wrong[np.argsort(-lead, kind="stable")][:n]


def draw(path: Path, evaluation) -> bool:
    """The worst mistakes; False if there are none, or no images."""
    scores, t = evaluation.scores, evaluation.targets
    if scores.ndim != 2 or scores.shape[1] == 1:
        return False
    rows = worst_mistakes(scores, t, ignored=evaluation.task.ignore_index)
    images = drawable(evaluation.samples, evaluation.rows[rows], evaluation.look)
    if images is None or not len(rows):
        return False
    from matplotlib.figure import Figure  # late, as in plots

    n_columns, shown = 8, evaluation.task.shown
    words = [_mistake(shown(t[row]), shown(scores[row].argmax())) for row in rows]
    lines = 1 + any("\n" in said for said in words)
    n_rows = math.ceil(len(rows) / n_columns)
    figure = Figure(figsize=(10, (1.4 + 0.2 * lines) * n_rows + 0.5), layout="constrained")
    for axes in (grid := figure.subplots(n_rows, n_columns, squeeze=False)).flat:
        axes.axis("off")
    for axes, image, said in zip(grid.flat, images, words, strict=False):
        axes.imshow(image, cmap=evaluation.look.cmap, vmin=0, vmax=255)
        axes.set_title(said, fontsize="small")
    figure.suptitle(
        f"The worst mistakes, {evaluation.part} set: the right class is furthest behind"
    )
    save_png(path, figure)
    return True


def _mistake(true: str, said: str) -> str:
    """What stands above a mistake: in one line if there is room."""
    apart = width_of(f"{true}, said {said}") > IN_PICTURE
    true, said = (label(name, IN_PICTURE - 5) for name in (true, said))
    return f"{true},\nsaid {said}" if apart else f"{true}, said {said}"


def shown_share(part: int, whole: int) -> str:
    """A share in words; a dash of nothing."""
    return percent(part / whole) if whole else "-"
