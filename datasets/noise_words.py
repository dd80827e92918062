"""Words drawn by how often they occur, which the right word is told apart from."""

import numpy as np


class NoiseWords:
    """Draws word i with the probability counts[i]^power / Σ counts^power. With a power of 0.75 rare
    words come more often than they occur (Mikolov et al. 2013, section 2.2, found by trying).

    Shapes: counts (n_words,), positive. Raises ValueError for fewer than two words.
    """

    def __init__(self, counts, power: float = 0.75):
        weights = np.asarray(counts, np.float64) ** power
        if len(weights) < 2 or not (weights > 0).all():
            raise ValueError(
                f"NoiseWords: expects counts of two or more words, each above 0, got {counts!r:.60}"
            )
        self.probabilities = weights / weights.sum()
        self._ends = np.cumsum(self.probabilities)
        self._ends[-1] = 1.0  # not a rounding below it
        n = len(weights)
        parts = np.arange(n) / n - 1e-15  # u n may be rounded up
        self._first = np.searchsorted(self._ends, parts, side="right")

    def draw(self, rng: np.random.Generator, shape) -> np.ndarray:
        """Indices of words, each drawn by itself: the first whose end is above a drawn number u.

        [0, 1) is cut into n_words parts, and the first word of the part with u is known. From there
        to the word it is about one step, and never more than the mean weight over the smallest. A
        binary search would wait for memory twenty times among a million words.
        """
        u = rng.random(shape)
        words = self._first[(u * len(self._first)).astype(np.intp)]
        while (further := self._ends[words] <= u).any():
            words += further
        return words

    def draw_others(self, rng: np.random.Generator, right, n: int) -> np.ndarray:
        """(N, n): words other than the right one of their row (N,); that one is drawn again."""
        drawn = self.draw(rng, (len(right), n))
        while (same := drawn == np.reshape(right, (-1, 1))).any():
            drawn[same] = self.draw(rng, int(same.sum()))
        return drawn
