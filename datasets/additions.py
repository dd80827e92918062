"""Additions as questions: "57+5", and "62" as the answer."""

import numpy as np

from lamina.datasets.pairs import DRAWN, Pairs


class Additions(Pairs):
    """`n_train` + `n_test` additions of two numbers of up to `digits` digits, the same for the same
    seed; otherwise as Pairs.

    How many digits a number has is drawn first, so that short ones are not rare. No addition is
    there twice, nor in the other order: who has learned 5+57 knows 57+5. Raises ValueError for more
    than half of all that there are. The kind of data is that of Zaremba and Sutskever 2014.
    """

    characters = "+0123456789"

    def __init__(
        self,
        n_train: int = 45_000,
        n_test: int = 5_000,
        seed: int = 0,
        digits: int = 3,
        reverse: bool = False,
        *,
        validation_share: float | None = None,
        n_validation: int | None = None,
    ):
        if not 1 <= digits <= 9:
            raise ValueError(f"Additions: digits: expects 1 to 9, got {digits}")
        self.digits, self.longest = digits, (2 * digits + 1, digits + 1)
        super().__init__(n_train, n_test, seed, reverse, validation_share, n_validation)

    def pairs(self, n, rng):
        there = 10**self.digits * (10**self.digits + 1) // 2
        if 2 * n > there:
            raise ValueError(
                f"Additions: {n} of them are more than half of the {there} that there are of "
                f"{self.digits} digit{'s' * (self.digits > 1)}; fewer samples, or more digits"
            )
        found: dict[tuple[int, int], tuple[int, int]] = {}
        while len(found) < n:
            size = rng.integers(1, self.digits + 1, (DRAWN, 2))
            for a, b in rng.integers(np.where(size > 1, 10 ** (size - 1), 0), 10**size).tolist():
                found.setdefault((min(a, b), max(a, b)), (a, b))
        return [(f"{a}+{b}", str(a + b)) for a, b in list(found.values())[:n]]
