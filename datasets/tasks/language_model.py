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
        counts = np.bincount(self._counted(train_t), minlength=len(self.class_names)) + 1
        t = self._counted(t)
        return float(np.exp(-np.log(counts / counts.sum())[t].mean())) if t.size else None
