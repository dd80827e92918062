"""Words and those around them, in a text file of one's own: what word vectors are learned from."""

import re
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lamina.common.counts import check_count
from lamina.common.names import suggest
from lamina.datasets.dataset import Dataset, Samples
from lamina.datasets.noise_words import NoiseWords
from lamina.datasets.split import check_validation, n_test_out_of
from lamina.datasets.tasks import Classification
from lamina.datasets.text_file import read_text, vocabulary_of

_PREDICT = ("context", "middle")


class Words(Dataset):
    """Which of a few words really stands there? Inputs: words (N, T), and beside them others
    (N, 1 + n_negative), of which one stands in the text and the rest are drawn (NoiseWords); the
    target (N,) is the place of the real one among them.

    predict: "context", from a word (T = 1) each of the `window` words before and after it
    (skip-gram); or "middle", from the `window` words on both sides (T = 2 window) the one between
    (CBOW). Words are letters and digits in a row, in small letters; lines do not matter. What the
    training part has fewer than `min_count` times is left out, as if it were not there. `subsample`
    leaves out a word of frequency f with the probability 1 - √(subsample / f), once, by `seed`.

    The drawn words depend on `seed` and on which samples the batch has, and on nothing else: a run
    that goes on draws the same, an epoch in another order draws anew, an evaluation draws the same
    each time. Sets are parts of the text by their place, as in Text: the last `test_share` to test,
    before it `validation_share` to validate. `vocabulary` has the words, the most frequent first.

    Raises ValueError for settings that cannot be, naming them, and for a text that is too short.
    Source: Mikolov et al. 2013, "Distributed representations of words and phrases".
    """

    def __init__(
        self,
        path: Path,
        *,
        predict: str = "context",
        window: int = 5,
        n_negative: int = 5,
        min_count: int = 5,
        subsample: float | None = None,
        seed: int = 0,
        test_share: float = 0.1,
        validation_share: float | None = None,
    ):
        _check(predict, window, n_negative, min_count, subsample, seed)
        check_validation(validation_share, None)
        words = re.findall(r"\w+", read_text(path, "words").lower())
        learned = len(words) - n_test_out_of(len(words), test_share, "words", "a longer text")
        first = learned - round((validation_share or 0.0) * learned)
        parts = {"train": words[:first], "test": words[learned:]}
        if validation_share is not None:
            parts["validation"] = words[first:learned]
        self.vocabulary = vocabulary_of(parts["train"], min_count)[1:]  # no <unk>
        if len(self.vocabulary) < 2:
            raise ValueError(
                f"{path}: {len(self.vocabulary)} words stand in the training part min_count: "
                f"{min_count} times or more, expects at least two; a longer text, or a smaller "
                "min_count"
            )
        index = {word: i for i, word in enumerate(self.vocabulary)}
        counted = Counter(parts["train"])
        counts = np.array([counted[word] for word in self.vocabulary])
        noise, rng = NoiseWords(counts), np.random.default_rng(seed)
        keep = np.ones(len(counts))
        if subsample is not None:
            keep = np.sqrt(subsample * counts.sum() / counts)
        small, sets = np.min_scalar_type(len(counts) - 1), {}
        for name, part in parts.items():
            there = np.array([index[word] for word in part if word in index], small)
            there = there[rng.random(len(there)) < keep[there]]
            if len(there) <= 2 * window:
                raise ValueError(
                    f"{path}: the {name} part has {len(there)} words of the vocabulary, and a "
                    f"window of {window} needs {2 * window + 1}; a longer text, or a smaller window"
                )
            X = _pairs(there, window) if predict == "context" else _middles(there, window)
            t = rng.integers(0, n_negative + 1, len(X), np.min_scalar_type(n_negative))
            sets[name] = WordSamples(X, t, noise, n_negative, seed)
        task = Classification(range(n_negative + 1))
        super().__init__(sets["train"], sets["test"], task, sets.get("validation"))

    def guess(self, name):
        """One in so many: the places are drawn evenly, whatever they came to be in a set."""
        return 1.0 / (self.train.n_negative + 1)

    @property
    def n_words(self) -> int:
        """How many rows an Embedding of the inputs needs."""
        return len(self.vocabulary)


class WordSamples(Samples):
    """Words in the columns of X, the last of which is the right one; a batch has beside the others
    a row of 1 + `n_negative`, with the right one at the place t and drawn ones at the rest."""

    def __init__(self, X, t, noise: NoiseWords, n_negative: int, seed: int):
        super().__init__(X, t)
        self.noise, self.n_negative, self.seed = noise, n_negative, seed
        self.widths = (X.shape[1] - 1, n_negative + 1)

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        X, t = self.X[rows], self.t[rows]
        known, right = X[:, :-1], X[:, -1]
        # The batch is its own seed: nothing has to be remembered for a run that goes on.
        rng = np.random.default_rng([self.seed, zlib.crc32(np.array(rows, np.int64))])
        others = self.noise.draw_others(rng, right, self.n_negative + 1).astype(X.dtype)
        others[np.arange(len(t)), t] = right
        return (known, others), t


def _pairs(words: np.ndarray, window: int) -> np.ndarray:
    """(N, 2): each word with each of those up to `window` places before and after it."""
    found = []
    for far in range(1, window + 1):
        first, second = words[:-far], words[far:]
        found += [np.stack([first, second], axis=1), np.stack([second, first], axis=1)]
    return np.concatenate(found)


def _middles(words: np.ndarray, window: int) -> np.ndarray:
    """(N, 2 window + 1): the words around each, and last that word."""
    windows = sliding_window_view(words, 2 * window + 1)
    around = np.delete(windows, window, axis=1)
    return np.concatenate([around, windows[:, window : window + 1]], axis=1)


def _check(predict, window, n_negative, min_count, subsample, seed) -> None:
    if predict not in _PREDICT:
        raise ValueError(
            f"predict: expects {', '.join(_PREDICT)}; got {predict!r:.40}"
            f"{suggest(predict, _PREDICT)}"
        )
    check_count("window", window)
    check_count("n_negative", n_negative)
    check_count("min_count", min_count)
    check_count("seed", seed, 0)
    if subsample is not None and not 0 < subsample <= 1:
        raise ValueError(
            f"subsample: expects a frequency above 0 and up to 1, such as 1e-3, got {subsample}"
        )
