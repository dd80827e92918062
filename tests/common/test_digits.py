import math

import pytest

from lamina.common.digits import digits_of


@pytest.mark.parametrize(
    ("value", "apart", "least", "text"),
    [
        (1_000_046.9, 50.2, 4, "1000046.9"),
        (999_996.7, -50.2, 4, "999996.7"),
        (0.123456, 0.1, 4, "0.1235"),
        (2024.0, 0.0, 4, "2024"),
        (20_240.0, 0.0, 4, "2.024e+04"),
        (1013.25, 1.5, 5, "1013.25"),
        (0.0, 3.0, 4, "0"),
        (math.nan, 1.0, 4, "nan"),
        (1.0, math.inf, 4, "1"),
        (1e300, 1e-300, 4, "1.0000000000000001e+300"),
    ],
)
def test_what_tells_two_numbers_apart_is_shown(value, apart, least, text):
    assert digits_of(value, apart, least) == text
