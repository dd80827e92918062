"""Shares in per cent, as text that says all or none only of what is all or none."""

_ROUNDING = 1e-8  # of sums of float32 numbers; closer than that to 1 is 1


def percent(share: float, places: int = 2) -> str:
    """0.9726 as "97.26 %", and 0.99998 as "99.998 %"."""
    return f"{100 * share:.{places_of(share, places)}f} %"


def places_of(share: float, places: int = 2) -> int:
    """So many decimal places, or more if it would read as 0 or 100 % and is not."""
    if _ROUNDING < share < 1 - _ROUNDING:
        while float(f"{100 * share:.{places}f}") in (0, 100):
            places += 1
    return places
