"""Labels that may hold together: how often each is found, and is right when said."""

from pathlib import Path

import numpy as np

from lamina.common.predicted import UNKNOWN
from lamina.common.width import left, width_of
from lamina.experiment.evaluation.classification import row_names, shown_share

PICTURE = "labels.png"


def report(evaluation) -> str:
    """Recall, precision and F1 of each label, as text."""
    names = evaluation.task.label_names
    predicted = evaluation.predictions.reshape(-1, len(names))
    said, true = predicted == 1, evaluation.targets.reshape(predicted.shape) == 1
    rows = row_names(names)
    width = max(map(width_of, ("label", *rows)))
    of = "samples" if len(said) == len(evaluation.targets) else "positions"
    lines = [
        f"{'label':<{width}}  {of}  found (recall)  right when said (precision)       F1",
    ]
    for i, name in enumerate(rows):
        both, is_, told = (
            int(np.count_nonzero(a)) for a in (said[:, i] & true[:, i], true[:, i], said[:, i])
        )
        recall, precision, f1 = (
            shown_share(both, is_),
            shown_share(both, told),
            shown_share(2 * both, max(is_ + told, 1)),  # all count: 0 by 0 is 0, as in F1
        )
        lines.append(
            f"{left(name, width)}  {is_:>{len(of)}}  {recall:>14}  {precision:>27}  {f1:>7}"
        )
    n_samples = len(evaluation.targets)  # each with one row of labels, or one for each position
    unknown = (predicted == UNKNOWN).reshape(n_samples, -1).any(axis=1)
    right = (said == true).reshape(n_samples, -1).all(axis=1)
    exact = np.count_nonzero(right & ~unknown)
    lines += ["", f"all labels right: {exact} of {n_samples} samples"]
    if n := np.count_nonzero(unknown):
        lines.append(f"scores of {n} are NaN: a label with such a score is not said")
    return "\n".join(lines)


def draw(path: Path, evaluation) -> bool:
    """There is no picture of labels."""
    return False
