import re

import numpy as np
import pytest

from lamina.common.counts import check_count, is_count


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(1)])
def test_whole_numbers_of_any_kind_are_counts(value):
    assert is_count(value, 1)
    check_count("n", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "at least 1, got 0"),
        (np.int64(-2), "at least 1, got -2"),
        (1.0, "a whole number of at least 1, got 1.0"),
        (np.nan, "a whole number of at least 1, got nan"),
        (True, "a whole number of at least 1, got True"),
        ("3", "a whole number of at least 1, got '3'"),
        (None, "a whole number of at least 1, got None"),
    ],
)
def test_what_is_none_is_named(value, expected):
    assert not is_count(value, 1)
    with pytest.raises(ValueError, match=re.escape(f"batches: expects {expected}")):
        check_count("batches", value)


def test_the_lowest_is_said():
    check_count("seed", 0, 0)
    with pytest.raises(ValueError, match="seed: expects at least 0, got -1"):
        check_count("seed", -1, 0)
