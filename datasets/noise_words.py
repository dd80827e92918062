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

    def draw(self, rng: np.random.Generator, shape) -> np.ndarray:
        """Indices of words, each drawn by itself."""
        return np.searchsorted(self._ends, rng.random(shape), side="right")

    def draw_others(self, rng: np.random.Generator, right, n: int) -> np.ndarray:
        """(N, n): words other than the right one of their row (N,); that one is drawn again."""
        drawn = self.draw(rng, (len(right), n))
        while (same := drawn == np.reshape(right, (-1, 1))).any():
            drawn[same] = self.draw(rng, int(same.sum()))
        return drawn
