"""A text file of one's own whose lines are sequences of their own: names, words, sentences."""

from pathlib import Path

from lamina.common.counts import check_count
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.padding import padded
from lamina.datasets.split import (
    check_split_seed,
    check_validation,
    n_test_out_of,
    split_off,
    validation_out_of,
)
from lamina.datasets.tasks import LanguageModel
from lamina.datasets.text_file import check_different, read_text, vocabulary_of
from lamina.datasets.tokens import END, PAD, START, check_tokens, split

_OURS = (PAD, START, END)


class Lines(Dataset):
    """A text file whose lines are sequences of unequal lengths, each token of which is to be
    predicted from those before it.

    tokens: "characters" or "words" (what stands between white space). Inputs (N, T) are <start> and
    a line, targets (N, T) the line and <end>; T is the longest line and one, or `length` and one.
    What is shorter is filled up with <pad>, index 0, which does not count as a target: the loss
    needs ignore_index: 0. Empty lines are left out.

    test, validation: other files. Without a test file a random `test_share` of the lines is for
    testing; of the others `validation_share` or `n_validation` are for validation; `split_seed`
    decides which. A line that stands there several times may be in several sets. The vocabulary is
    that of the training lines, as for Text, behind <pad>, <start> and <end>.

    Raises ValueError naming the file, and the line that is longer than `length`: cut off it would
    be another one.
    """

    task: LanguageModel

    def __init__(
        self,
        path: Path,
        *,
        tokens: str = "characters",
        length: int | None = None,
        min_count: int = 1,
        test: Path | None = None,
        test_share: float = 0.1,
        validation: Path | None = None,
        validation_share: float | None = None,
        n_validation: int | None = None,
        split_seed: int = 0,
    ):
        _check(tokens, length, min_count)
        check_split_seed(split_seed)
        if check_validation(validation_share, n_validation) and validation is not None:
            raise ValueError(
                "validation_share and n_validation take lines of the training file; with a "
                f"validation file ({validation}) leave them out"
            )
        lines = {"train": _lines(path, tokens, length)}
        for name, other in (("validation", validation), ("test", test)):
            if other is not None:
                lines[name] = _lines(other, tokens, length)
        try:
            if test is None:
                n = len(lines["train"])
                n_test = n_test_out_of(n, test_share, "lines", "a file: test: PATH")
                _take(lines, "test", split_off(n, n_test, split_seed, None, b"test"))
            n = len(lines["train"])
            if n_off := validation_out_of(n, validation_share, n_validation):
                _take(lines, "validation", split_off(n, n_off, split_seed))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        found = [token for line in lines["train"] for token in line]
        known = vocabulary_of(found, min_count)
        check_different(path, found, known, tokens)
        task = LanguageModel((*_OURS, *known), 0, tokens)
        longest = length or max(len(line) for part in lines.values() for line in part)
        sets = {name: _samples(task, part, longest + 1) for name, part in lines.items()}
        super().__init__(sets["train"], sets["test"], task, sets.get("validation"))

    @property
    def n_words(self) -> int:
        """How many rows an Embedding of the inputs needs."""
        return len(self.task.vocabulary)


def _check(tokens: str, length: int | None, min_count: int) -> None:
    check_tokens(tokens)
    if tokens == "bytes":
        raise ValueError("tokens: bytes have no lines; take characters or words, or type: Text")
    if length is not None:
        check_count("length", length)
    check_count("min_count", min_count)


def _lines(path: Path, tokens: str, length: int | None) -> list[list[str]]:
    """The tokens of each line that has some."""
    lines = []
    for number, line in enumerate(read_text(path, "words").split("\n"), 1):
        found = split(line, tokens)
        if length is not None and len(found) > length:
            raise ValueError(
                f"{path}: line {number} has {len(found)} {tokens}, and the length is {length}; a "
                "larger length, or leave it out"
            )
        if odd := next((token for token in found if token in _OURS), None):
            raise ValueError(
                f"{path}: line {number} has the word {odd}, which is ours: spell it otherwise"
            )
        if found:
            lines.append(found)
    if not lines:
        raise ValueError(f"{path}: all its lines are empty; expects a sequence in each")
    return lines


def _take(lines: dict[str, list], name: str, rows) -> None:
    """Split rows off those to train on: (rows that stay, rows of the new set)."""
    train = lines["train"]
    lines["train"], lines[name] = ([train[row] for row in part] for part in rows)


def _samples(task: LanguageModel, lines: list[list[str]], length: int) -> Samples:
    start, end = (task.vocabulary.index(name) for name in (START, END))
    indices = [task.indices_of(line) for line in lines]
    X = padded([[start, *line] for line in indices], length)
    t = padded([[*line, end] for line in indices], length)
    return Samples(X, t)
