"""A word of a vocabulary for each position."""

import numpy as np

from lamina.datasets.tasks.classification import Classification


class LanguageModel(Classification):
    """A word of a vocabulary for each position: targets (N, T), outputs (N, T, number of words).

    Positions whose target is `ignore_index`, such as padding, do not count. Perplexity counts,
    which sees what the share of right words hides; otherwise as Classification.
    """

    name = "language_model"
    metrics = ("perplexity", "accuracy")
    fitting = ("top_k", "exact_match", "f1", "precision", "recall")
    losses = ("SoftmaxWithLoss",)
    _one, _all = "word", "words"

    def __init__(self, vocabulary, ignore_index: int | None = None):
        super().__init__(vocabulary, ignore_index=ignore_index)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        return self.class_names

    def guess(self, train_t, t):
        """By how often each word occurs in training; each counted once more, so that none has the
        probability 0 (Laplace)."""
        counts, there = self._counts(train_t) + 1, self._counts(t)
        if not there.any():
            return None
        return float(np.exp(-(there @ np.log(counts / counts.sum())) / there.sum()))
