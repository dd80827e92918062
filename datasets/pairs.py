"""Questions with answers, both in characters: what the data sets of such pairs share."""

import numpy as np

from lamina.common.counts import check_count
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.split import validation_beside
from lamina.datasets.tasks import LanguageModel
from lamina.datasets.tokens import END, PAD, START

DRAWN = 1000  # pairs at a time: the first ones are the same, however many there are to be


class Pairs(Dataset):
    """Questions, and their answers character by character. A net has two inputs: the question
    (N, Q), and the answer so far (N, A), <start> and then what is right; the targets (N, A) are the
    answer and <end>. So each character is predicted from the right ones before it, which is called
    teacher forcing.

    Shorter questions and answers are filled up with <pad>, index 0, which does not count as a
    target: the loss needs ignore_index: 0. With `reverse` each question stands there backwards, its
    padding first, so that its beginning is near the answer's (Sutskever et al. 2014).

    A subclass has `characters`, all that occur, of ASCII; `longest`, the lengths of a question and
    of an answer at most; and `pairs(n, rng)`, n questions, no two of them the same, with their
    answers. They are dealt out at random, so no question is in two sets, and all sets are of one
    kind. `validation_share` and `n_validation` give further ones, with which the others are dealt
    out anew.
    """

    task: LanguageModel

    characters = ""
    longest = (0, 0)

    def __init__(
        self,
        n_train: int,
        n_test: int,
        seed: int,
        reverse: bool,
        validation_share: float | None,
        n_validation: int | None,
    ):
        check_count("n_train", n_train)
        check_count("n_test", n_test)
        check_count("seed", seed, 0)
        self.reverse = reverse
        more = validation_beside(n_train, validation_share, n_validation)
        task = LanguageModel((PAD, START, END, *self.characters), 0, "characters")
        rng = np.random.default_rng(seed)
        found = self.pairs(n_train + n_test + more, rng)
        # No pair is found twice, so those of which there are few come first: in order the last set
        # would have none of them.
        pairs = [found[i] for i in rng.permutation(len(found))]
        ends = np.cumsum([n_train, n_test])
        parts = pairs[: ends[0]], pairs[ends[0] : ends[1]], pairs[ends[1] :]
        train, test, *validation = (
            _samples(task, part, self.longest, reverse) for part in parts if part
        )
        super().__init__(train, test, task, *validation)

    @property
    def n_words(self) -> int:
        """How many rows an Embedding of the inputs needs."""
        return len(self.task.vocabulary)

    def asked(self, question: str) -> np.ndarray:
        """(1, Q): a question as the net gets it. Raises ValueError for one that is empty, too long,
        or has other characters."""
        if not 0 < len(question) <= self.longest[0]:
            raise ValueError(
                f"a question of {type(self).__name__} has 1 to {self.longest[0]} characters, as "
                f"they were learned; got {len(question)}"
            )
        self.task.encode(question)  # names the character that it does not have
        asked = _indices(self.task, [question], self.longest[0])
        return asked[:, ::-1] if self.reverse else asked

    def pairs(self, n: int, rng: np.random.Generator) -> list[tuple[str, str]]:
        raise NotImplementedError(f"{type(self).__name__} has no pairs")


def _samples(task: LanguageModel, pairs, longest, reverse: bool) -> Samples:
    questions, answers = zip(*pairs, strict=True)
    start, end = (task.vocabulary.index(name) for name in (START, END))
    asked, known = _indices(task, questions, longest[0]), _indices(task, answers, longest[1] + 1)
    so_far = np.roll(known, 1, axis=1)
    so_far[:, 0] = start
    t = known.astype(np.intp)
    t[np.arange(len(t)), np.count_nonzero(t, axis=1)] = end
    X = np.concatenate([asked[:, ::-1] if reverse else asked, so_far], axis=1)
    return Samples(X, t, widths=(asked.shape[1], t.shape[1]))


def _indices(task: LanguageModel, texts, width: int) -> np.ndarray:
    """(N, width) uint8: the characters of each text by their index, and 0 behind them."""
    table = np.zeros(128, np.uint8)  # of ASCII; NumPy fills up with the character 0
    for i, character in enumerate(task.vocabulary):
        if len(character) == 1:
            table[ord(character)] = i
    return table[np.array(texts, f"U{width}").view(np.uint32).reshape(len(texts), width)]
