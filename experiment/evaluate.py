"""How good a finished run is, class by class, and what it gets wrong."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lamina.common.files import whole_file
from lamina.datasets import Samples
from lamina.experiment.build import build_dataset, build_net, check_sections
from lamina.experiment.run_config import load_run_config
from lamina.layers.base import Layer
from lamina.nets.weights import load_weights


def load_run(run_dir: Path, code: Iterable[Path] = ()):
    """(net, dataset) of a run: its configuration built again, and its weights put in. `code` are
    the files of own layers that it may run, see `load_run_config`."""
    config = load_run_config(run_dir, code)
    check_sections(config)
    dataset = build_dataset(config)
    # Without the weights where training began: they need not be there still.
    net = build_net(config, dataset, np.random.default_rng(0), weights=False)
    load_weights(run_dir / "weights.npz", net)
    return net, dataset


def scores_of(net: Layer, samples: Samples, rows: int | None = None) -> np.ndarray:
    """The scores of all samples, computed in batches."""
    return np.concatenate([net.predict(X) for X, _ in samples.batches(rows)])


def confusion(t: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """How often class i was taken for class j: (n_classes, n_classes)."""
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (t, predicted), 1)
    return counts


def report(counts: np.ndarray, class_names: tuple) -> str:
    """Accuracy, recall and precision of each class, and the confusion matrix, as text."""
    total, right = counts.sum(), np.trace(counts)
    width = max(len("class"), *(len(name) for name in class_names))
    cell = max(len(str(counts.max())), *(len(name) for name in class_names)) + 1
    lines = [f"accuracy {100 * right / total:.2f} %: {right} of {total} right", ""]
    lines.append(f"{'class':<{width}}  samples  found (recall)  right when said (precision)")
    for i, name in enumerate(class_names):
        recall, precision = (
            _percent(counts[i, i], n) for n in (counts[i].sum(), counts[:, i].sum())
        )
        lines.append(f"{name:<{width}}  {counts[i].sum():>7}  {recall:>14}  {precision:>27}")
    lines += ["", "confusion: rows are the true classes, columns what the net said"]
    lines.append(" " * width + "".join(f"{name:>{cell}}" for name in class_names))
    for name, row in zip(class_names, counts, strict=True):
        lines.append(f"{name:<{width}}" + "".join(f"{n or '.':>{cell}}" for n in row))
    return "\n".join(lines)


def worst_mistakes(scores: np.ndarray, t: np.ndarray, n: int = 24) -> np.ndarray:
    """The rows that the net gets wrong and is most sure of: by the lead of the wrong class."""
    lead = scores.max(axis=1) - scores[np.arange(len(t)), t]
    wrong = np.flatnonzero(scores.argmax(axis=1) != t)
    return wrong[np.argsort(-lead[wrong], kind="stable")][:n]


def draw_mistakes(path: Path, samples: Samples, rows, scores, class_names: tuple) -> bool:
    """Draw these samples with what they are and what the net says; False if they are no images."""
    images = _images(samples, rows)
    if images is None or not len(rows):
        return False
    from matplotlib.figure import Figure  # late, as in plots

    n_columns = 8
    n_rows = math.ceil(len(rows) / n_columns)
    figure = Figure(figsize=(10, 1.6 * n_rows + 0.5), layout="constrained")
    for axes in (grid := figure.subplots(n_rows, n_columns, squeeze=False)).flat:
        axes.axis("off")
    for axes, image, row in zip(grid.flat, images, rows, strict=False):
        axes.imshow(image, cmap="gray_r")
        said, true = class_names[scores[row].argmax()], class_names[samples.t[row]]
        axes.set_title(f"{true}, said {said}", fontsize="small", parse_math=False)
    figure.suptitle("The mistakes that the net is most sure of")
    with whole_file(path) as file:
        figure.savefig(file, format="png", dpi=120)
    return True


def _images(samples: Samples, rows):
    """(N, height, width), if the inputs are square grey pictures, flat or not; else None.

    Rows of a table may be squares in number too; only what is stored as pixels is drawn.
    """
    X = samples.X[rows]
    if X.dtype != np.uint8:
        return None
    if X.ndim == 4 and X.shape[1] == 1:
        return X[:, 0]
    side = math.isqrt(X.shape[1]) if X.ndim == 2 else 0
    return X.reshape(-1, side, side) if side > 1 and side * side == X.shape[1] else None


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"
