"""Inputs given back: how far off, and images beside their reconstructions."""

from pathlib import Path

import numpy as np

from lamina.common.figures import save_png
from lamina.experiment.evaluation.classification import ROWS
from lamina.experiment.evaluation.pictures import as_images

PICTURE = "reconstructions.png"
COLUMNS = 10


def report(evaluation) -> str:
    """The spread of the errors over the samples, as text."""
    errors = _errors(evaluation)
    order = np.argsort(errors, kind="stable")
    rows = evaluation.rows[order]
    middle = [int(row) for row in rows[(len(rows) - 1) // 2 : len(rows) // 2 + 1]]
    said = f"row {middle[0]}" if len(middle) == 1 else f"between rows {middle[0]} and {middle[1]}"
    return "\n".join(
        [
            f"root of the mean squared error of a sample {ROWS}:",
            f"  best   {errors.min():.4g} (row {rows[0]})",
            f"  median {np.median(errors):.4g} ({said})",
            f"  worst  {errors.max():.4g} (row {rows[-1]})",
        ]
    )


def draw(path: Path, evaluation) -> bool:
    """Samples and their reconstructions: the first ones, and those that are furthest off. False if
    they are no square grey images."""
    if evaluation.samples.X.dtype != np.uint8:
        return False
    first = np.arange(min(COLUMNS, len(evaluation.targets)))
    worst = np.argsort(-_errors(evaluation), kind="stable")[: len(first)]
    look = evaluation.look
    given, back = as_images(evaluation.targets, look), as_images(evaluation.predictions, look)
    if given is None or back is None:
        return False
    rows = [(given, first, "the first samples"), (back, first, "")]
    rows += [(given, worst, "the furthest off"), (back, worst, "")]
    from matplotlib.figure import Figure  # late, as in plots

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    low, high = evaluation.targets.min(), evaluation.targets.max()
    grid = figure.subplots(4, len(first), squeeze=False)
    for line, (images, chosen, title) in zip(grid, rows, strict=True):
        for axes, image in zip(line, images[chosen], strict=True):
            if image.ndim == 3:  # colours are numbers from 0 to 1
                image = np.clip((image - low) / (high - low or 1), 0, 1)
            axes.imshow(image, cmap=look.cmap, vmin=low, vmax=high)
            axes.axis("off")
        line[0].set_title(title, fontsize="small", loc="left")
    figure.suptitle(f"Samples of the {evaluation.part} set, and below them what the net gives back")
    save_png(path, figure)
    return True


def _errors(evaluation) -> np.ndarray:
    difference = (evaluation.predictions - evaluation.targets).reshape(len(evaluation.targets), -1)
    return np.sqrt(np.mean(np.square(difference, dtype=float), axis=1))
