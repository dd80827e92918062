"""Labels that may hold together: how often each is found, and is right when said."""

from pathlib import Path

import numpy as np

from lamina.common.width import left, width_of
from lamina.datasets.tasks.base import UNKNOWN
from lamina.experiment.evaluation.classification import percent, row_names

PICTURE = "labels.png"


def report(evaluation) -> str:
    """Recall, precision and F1 of each label, as text."""
    names = evaluation.task.label_names
    predicted = evaluation.predictions.reshape(-1, len(names))
    said, true = predicted == 1, evaluation.targets.reshape(predicted.shape) == 1
    rows = row_names(names)
    width = max(map(width_of, ("label", *rows)))
    lines = [
        f"{'label':<{width}}  samples  found (recall)  right when said (precision)       F1",
    ]
    for i, name in enumerate(rows):
        both, is_, told = (
            int(np.count_nonzero(a)) for a in (said[:, i] & true[:, i], true[:, i], said[:, i])
        )
        recall, precision, f1 = (
            percent(both, is_),
            percent(both, told),
            percent(2 * both, is_ + told),
        )
        lines.append(f"{left(name, width)}  {is_:>7}  {recall:>14}  {precision:>27}  {f1:>7}")
    unknown = (predicted == UNKNOWN).any(axis=1)
    exact = np.count_nonzero((said == true).all(axis=1) & ~unknown)
    lines += ["", f"all labels right: {exact} of {len(true)} samples"]
    if n := np.count_nonzero(unknown):
        lines.append(f"scores of {n} are NaN: a label with such a score is not said")
    return "\n".join(lines)


def draw(path: Path, evaluation) -> bool:
    """There is no picture of labels."""
    return False
