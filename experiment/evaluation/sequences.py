"""A class for each position: which are found, and the sequences with most mistakes; or one word
for each text."""

from pathlib import Path

import numpy as np

from lamina.common.predicted import UNKNOWN
from lamina.common.printable import printable
from lamina.experiment.evaluation.classification import ROWS, confusion, table

PICTURE = "sequences.png"
MOST_CLASSES = 30  # of which a table is still read
WORST = 3
WORDS, CHARACTERS = 12, 60  # of a sequence that are shown


def report(evaluation) -> str:
    """The classes as for single samples if there are few; then the sequences that are worst."""
    names, ignored = evaluation.task.class_names, evaluation.task.ignore_index
    said, true = evaluation.predictions, evaluation.targets
    counted = np.ones(true.shape, bool) if ignored is None else true != ignored
    wrong = (said != true) & counted
    lines = []
    if len(names) <= MOST_CLASSES:
        matrix = confusion(evaluation)
        lines += [table(matrix.counts, names, "positions", matrix.unpredicted), ""]
    counts_at_all = counted.reshape(len(true), -1).any(axis=1)
    clean = np.count_nonzero(counts_at_all & ~wrong.reshape(len(wrong), -1).any(axis=1))
    n = int(np.count_nonzero(counts_at_all))
    if n_unknown := np.count_nonzero((said == UNKNOWN) & counted):
        lines += [f"scores of {n_unknown} positions are NaN, which is wrong, and said (?)", ""]
    if true.ndim == 1:
        return "\n".join([*lines, f"right: {clean} of {n}", *_given(evaluation, wrong)])
    mistakes = wrong.reshape(len(wrong), -1).sum(axis=1)
    worst = f"; the worst {ROWS}:" if mistakes.any() else ""
    lines.append(f"every position right: {clean} of {n} sequence{'s' * (n != 1)}{worst}")
    for row in np.argsort(-mistakes, kind="stable")[:WORST]:
        if mistakes[row]:
            head = f"  row {evaluation.rows[row]}, {mistakes[row]} wrong:"
            is_, other = (_shown(a[row], counted[row], evaluation.task) for a in (true, said))
            lines += [f"{head} is   {is_}", f"{' ' * len(head)} said {other}"]
    return "\n".join(lines)


def _given(evaluation, wrong):
    """The first that are wrong of single words that texts say, each with its text."""
    task, X = evaluation.task, evaluation.samples.X
    if getattr(task, "tokens", None) is None:
        return
    for row in np.flatnonzero(wrong)[:WORST]:
        words = X[evaluation.rows[row]]
        parts = (words,) if evaluation.gap is None else np.split(words, [evaluation.gap])
        text = " ... ".join(f"'{printable(task.decode(part))}'" for part in parts)
        is_, said = (_word(task, i) for i in (evaluation.targets[row], evaluation.predictions[row]))
        yield f"  row {evaluation.rows[row]}: given {text} it is '{is_}', said '{said}'"


def draw(path: Path, evaluation) -> bool:
    """There is no picture of sequences."""
    return False


def _shown(row, counted, task) -> str:
    """Words with spaces between; characters and bytes as the text that they are, in quotes, since
    spaces are among them."""
    pairs = zip(np.ravel(row), np.ravel(counted), strict=True)
    words = [_word(task, i) if counts else "_" for i, counts in pairs]
    if getattr(task, "tokens", None) in ("characters", "bytes"):
        return f"'{''.join(words[:CHARACTERS])}'" + ("..." if len(words) > CHARACTERS else "")
    return " ".join(words[:WORDS]) + (" ..." if len(words) > WORDS else "")


def _word(task, i: int) -> str:
    return "(?)" if i == UNKNOWN else printable(task.class_names[i])
