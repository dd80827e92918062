"""Word vectors: how often the word that really stands there is told from the drawn ones, and of
which words. The places among which it is one have nothing to say."""

from pathlib import Path

import numpy as np

from lamina.common.printable import printable
from lamina.common.width import left, width_of
from lamina.experiment.evaluation.classification import row_names, shown_share

PICTURE = "words.png"
LISTED = 10  # words, those that are asked for most often


def report(evaluation) -> str:
    """The share that is found, beside that of guessing, and the most frequent words."""
    found = evaluation.predictions == evaluation.targets
    n, places = len(found), evaluation.scores.shape[1]
    right = int(np.count_nonzero(found))
    lines = [
        f"the word that stands there was found in {right} of {n} questions; guessing among "
        f"{places} gives {shown_share(1, places)}"
    ]
    words = evaluation.samples.X[evaluation.rows, -1]
    counts = np.bincount(words)
    often = np.argsort(-counts, kind="stable")[:LISTED]
    often = often[counts[often] > 0]
    names = row_names([printable(evaluation.vocabulary[i]) for i in often])
    width = max(map(width_of, ("word", *names)))
    lines += ["", f"{left('word', width)}  asked for     found"]
    for name, i in zip(names, often, strict=True):
        share = shown_share(int(np.count_nonzero(found[words == i])), int(counts[i]))
        lines.append(f"{left(name, width)}  {counts[i]:>9}  {share:>8}")
    return "\n".join(lines)


def draw(path: Path, evaluation) -> bool:
    """There is no picture of word vectors."""
    return False
