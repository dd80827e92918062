import math

import pytest

from lamina.common.percent import percent, places_of


@pytest.mark.parametrize(
    ("share", "places", "text"),
    [
        (0.97256, 2, "97.26 %"),
        (1.0, 2, "100.00 %"),
        (0.0, 2, "0.00 %"),
        (49_999 / 50_000, 2, "99.998 %"),
        (1 / 50_000, 2, "0.002 %"),
        (0.9997, 1, "99.97 %"),
        (0.99994, 2, "99.99 %"),
        (1 - 1e-12, 2, "100.00 %"),  # a mean of ones, rounded
        (-0.5, 1, "-50.0 %"),
    ],
)
def test_only_all_reads_as_all_and_only_none_as_none(share, places, text):
    assert percent(share, places) == text


def test_nan_has_the_usual_places():
    assert places_of(math.nan) == 2
