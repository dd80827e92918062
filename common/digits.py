"""As many digits of a number as tell it from others."""

import math


def digits_of(value: float, apart: float, least: int) -> str:
    """The number with `least` digits, or with as many more, up to 17, as show a hundredth of
    `apart`: 1000046.9 beside 999996.7, 50 apart, is "1000046.9"."""
    digits = least
    if math.isfinite(value) and value and math.isfinite(apart) and apart:
        digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(abs(apart))) + 3
    return f"{value:.{min(max(digits, least), 17)}g}"
