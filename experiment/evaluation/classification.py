"""Classes: recall and precision of each, who is taken for whom, the mistakes most sure of."""

import math
from pathlib import Path

import numpy as np

from lamina.experiment.evaluation.pictures import grey_images, save
from lamina.metrics import ConfusionMatrix

PICTURE = "mistakes.png"
MOST = 24  # mistakes in the picture


def report(evaluation) -> str:
    """Recall and precision of each class, and the confusion matrix, as text."""
    return table(counts(evaluation), evaluation.task.class_names)


def counts(evaluation) -> np.ndarray:
    """How often class i was taken for class j, of the positions that count: (C, C)."""
    matrix = ConfusionMatrix(ignore_index=evaluation.task.ignore_index)
    matrix.update(evaluation.scores, evaluation.targets)
    return matrix.counts


def table(counts: np.ndarray, class_names: tuple) -> str:
    """A row for each class, then the matrix."""
    total, right = counts.sum(), np.trace(counts)
    width = max(len("class"), *(len(name) for name in class_names))
    cell = max(len(str(counts.max())), *(len(name) for name in class_names)) + 1
    lines = [f"{right} of {total} right", ""]
    lines.append(f"{'class':<{width}}  samples  found (recall)  right when said (precision)")
    for i, name in enumerate(class_names):
        recall, precision = (
            percent(counts[i, i], n) for n in (counts[i].sum(), counts[:, i].sum())
        )
        lines.append(f"{name:<{width}}  {counts[i].sum():>7}  {recall:>14}  {precision:>27}")
    lines += ["", "confusion: rows are the true classes, columns what the net said"]
    lines.append(" " * width + "".join(f"{name:>{cell}}" for name in class_names))
    for name, row in zip(class_names, counts, strict=True):
        lines.append(f"{name:<{width}}" + "".join(f"{n or '.':>{cell}}" for n in row))
    return "\n".join(lines)


def worst_mistakes(scores: np.ndarray, t: np.ndarray, n: int = MOST) -> np.ndarray:
    """The rows that the net gets wrong and is most sure of: by the lead of the wrong class."""
    lead = scores.max(axis=1) - scores[np.arange(len(t)), t]
    wrong = np.flatnonzero(scores.argmax(axis=1) != t)
    return wrong[np.argsort(-lead[wrong], kind="stable")][:n]


def draw(path: Path, evaluation) -> bool:
    """The mistakes that the net is most sure of; False if there are none, or no images."""
    scores, t = evaluation.scores, evaluation.targets
    if scores.ndim != 2 or scores.shape[1] == 1:
        return False
    rows = worst_mistakes(scores, t)
    images = grey_images(evaluation.samples, evaluation.rows[rows])
    if images is None or not len(rows):
        return False
    from matplotlib.figure import Figure  # late, as in plots

    n_columns, shown = 8, evaluation.task.shown
    n_rows = math.ceil(len(rows) / n_columns)
    figure = Figure(figsize=(10, 1.6 * n_rows + 0.5), layout="constrained")
    for axes in (grid := figure.subplots(n_rows, n_columns, squeeze=False)).flat:
        axes.axis("off")
    for axes, image, row in zip(grid.flat, images, rows, strict=False):
        axes.imshow(image, cmap="gray_r")
        said, true = shown(scores[row].argmax()), shown(t[row])
        axes.set_title(f"{true}, said {said}", fontsize="small", parse_math=False)
    figure.suptitle("The mistakes that the net is most sure of")
    save(path, figure)
    return True


def percent(part: int, whole: int) -> str:
    """A share in words; a dash of nothing."""
    return f"{100 * part / whole:.2f} %" if whole else "-"
