"""Two vectors for each pair, of which ContrastiveLoss reads how far apart they are: no classes."""

from pathlib import Path

import numpy as np

from lamina.common.percent import percent
from lamina.metrics import RocAuc

PICTURE = "pairs.png"


def report(evaluation) -> str:
    """How far apart the vectors of pairs that are alike lie, and those of others, as text."""
    first, second = np.split(evaluation.scores.astype(np.float64), 2, axis=1)
    apart = np.sqrt(np.square(first - second).sum(axis=1))
    alike = evaluation.targets.reshape(len(apart)) == 1
    lines = ["distance of the two vectors of a pair, mean, and from the least to the largest:"]
    for name, some in (("alike", apart[alike]), ("others", apart[~alike])):
        n = len(some)
        said = f"  {name:<6}  {n:,} pair{'s' * (n != 1)}"
        if n:
            said += f": {some.mean():.4g}, {some.min():.4g} to {some.max():.4g}"
        lines.append(said)
    if 0 < alike.sum() < len(alike):
        area = RocAuc()
        area.update(-apart[:, np.newaxis], alike.astype(np.int64))
        share = percent(area.value(), 2)
        lines.append(f"of a pair that is alike and another the first is nearer in {share} of cases")
    return "\n".join(lines)


def draw(path: Path, evaluation) -> bool:
    """There is no picture of pairs."""
    return False
