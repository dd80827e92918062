"""A word of a vocabulary for each position."""

import functools

import numpy as np

from lamina.common.printable import printable
from lamina.datasets.tasks.classification import Classification
from lamina.datasets.tokens import UNKNOWN, check_tokens, join, split

_LONGEST = 60  # characters of a text that is shown


class LanguageModel(Classification):
    """A word of a vocabulary for each position: targets (N, T), outputs (N, T, number of words); or
    one for a sample, (N,) and (N, number of words).

    Positions whose target is `ignore_index`, such as padding, do not count. Perplexity counts,
    which sees what the share of right words hides; otherwise as Classification. With `tokens`
    (characters, words or bytes) the words are those of a text, which `encode` and `decode` go to
    and fro.
    """

    name = "language_model"
    metrics = ("perplexity", "accuracy")
    fitting = ("top_k", "exact_match", "f1", "precision", "recall")
    losses = ("SoftmaxWithLoss",)
    _one, _all = "word", "words"

    def __init__(self, vocabulary, ignore_index: int | None = None, tokens: str | None = None):
        super().__init__(vocabulary, ignore_index=ignore_index)
        if tokens is not None:
            check_tokens(tokens)
        self.tokens = tokens

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return self.class_names

    @property
    def unknown(self) -> int | None:
        """The index of <unk>, which stands for what the vocabulary does not have; None without."""
        return self._index.get(UNKNOWN)

    def encode(self, text: str) -> np.ndarray:
        """The indices of a text's tokens, (n,). Tokens that the vocabulary does not have become
        <unk>. Raises ValueError, naming the first, if it has none; or if the words are no text."""
        return self.indices_of(split(text, self._of_text()))

    def indices_of(self, tokens: list[str]) -> np.ndarray:
        """As `encode`, of a text that is cut into its tokens."""
        unknown = -1 if self.unknown is None else self.unknown
        found = np.fromiter((self._index.get(t, unknown) for t in tokens), np.intp, len(tokens))
        if unknown < 0 and (found < 0).any():
            place = int((found < 0).argmax())
            raise ValueError(
                f"token {place} of the text, '{printable(tokens[place])}', is not among the "
                f"{len(self.vocabulary)} of the vocabulary, which has no {UNKNOWN} for such"
            )
        return found

    def decode(self, indices) -> str:
        """The text that these indices are. Raises ValueError if one is no word's."""
        tokens, names = self._of_text(), self.vocabulary
        indices = np.ravel(indices)
        if indices.size and (indices.min() < 0 or indices.max() >= len(names)):
            wrong = indices[(indices < 0) | (indices >= len(names))][0]
            raise ValueError(f"decode: words are 0 to {len(names) - 1}, got {wrong}")
        return join((names[i] for i in indices), tokens)

    def guess(self, train_t, t):
        """By how often each word occurs in training; each counted once more, so that none has the
        probability 0 (Laplace)."""
        counts, there = self._counts(train_t) + 1, self._counts(t)
        if not there.any():
            return None
        return float(np.exp(-(there @ np.log(counts / counts.sum())) / there.sum()))

    def shown(self, prediction):
        words = np.ravel(prediction)
        if self.tokens is None or np.ndim(prediction) == 0:
            return super().shown(prediction)
        text = printable(self.decode(words[self._are_words(words)]))
        return text[:_LONGEST] + ("..." if len(text) > _LONGEST else "")

    def facts(self):
        return super().facts() | ({} if self.tokens is None else {"tokens": self.tokens})

    @functools.cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.vocabulary)}

    def _are_words(self, words) -> np.ndarray:
        return (words >= 0) & (words < len(self.vocabulary)) & (words != self.ignore_index)

    def _of_text(self) -> str:
        if self.tokens is None:
            raise ValueError(
                "LanguageModel: its words are numbers without a text; LanguageModel(vocabulary, "
                "tokens='characters') says what a text is cut into"
            )
        return self.tokens
