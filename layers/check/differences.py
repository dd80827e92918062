"""How a number and an array differ from what they should be: shown, and explained."""

import numpy as np

EXPLAINED = 1e-6  # of a difference: what a cause may leave of it
ROUNDING = 1e-12  # of the right result: another order of the same operations


def same_numbers(a, b) -> bool:
    """Are two arrays equal, number for number? NaN is what it was."""
    a, b = np.asarray(a), np.asarray(b)
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc" and b.dtype.kind in "fc")


def apart(a, b) -> tuple[str, str]:
    """Two numbers as .6g, or with more digits where the two would look the same."""
    a, b = float(a), float(b)
    pairs = ((f"{a:.{digits}g}", f"{b:.{digits}g}") for digits in range(6, 18))
    return next((pair for pair in pairs if pair[0] != pair[1]), (f"{a:.6g}", f"{b:.6g}"))


def explains(guess, own, right) -> bool:
    """Is the guess what the solution has, and does it differ from the right result as that does?"""
    guess, own, right = (np.asarray(a, float) for a in (guess, own, right))
    if not guess.shape == own.shape == right.shape:
        return False
    with np.errstate(all="ignore"):
        off, left = np.abs(own - right), np.abs(own - guess)
    left = np.where((own == guess) | (np.isnan(own) & np.isnan(guess)), 0.0, left)
    if not np.isfinite(off).all():
        return bool((left == 0.0).all())
    scale = float(np.max(np.abs(right), initial=0.0))
    worst = float(np.max(off, initial=0.0))
    return worst > ROUNDING * scale and bool((left <= EXPLAINED * worst + ROUNDING * scale).all())


def is_plain(factor: float, n_entries: int) -> bool:
    """Does a factor say anything? Of a single number every wrong one is a multiple of the right."""
    whole = (factor * 2.0, 2.0 / factor) if factor else (0.0,)
    return n_entries > 1 or any(abs(f - round(f)) < 1e-9 * abs(f) for f in whole)


def times(factor: float) -> str:
    """A factor to four digits, or to so many that it is not 1."""
    shown = f"{factor:.4g}"
    return apart(factor, 1.0)[0] if shown == "1" else shown
