import re

import numpy as np
import pytest

from lamina.common.counts import check_count, is_count
from lamina.datasets import Classification, LanguageModel
from lamina.datasets.split import check_split_seed, check_validation
from lamina.layers import (
    Convolution1d,
    MaxPooling,
    Padding,
    Reshape,
    SoftmaxWithLoss,
)


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: check_split_seed(True),
        lambda: check_validation(None, True),
        lambda: Convolution1d(2, 3, True, rng=0),
        lambda: MaxPooling(True),
        lambda: Padding((True,), (1,)),
        lambda: Reshape((True, 2)),
        lambda: SoftmaxWithLoss(ignore_index=True),
        lambda: Classification("ab", ignore_index=True),
        lambda: LanguageModel(("<pad>", "a"), True),
    ],
)
def test_true_is_no_whole_number_anywhere(make):
    """Python takes it for 1, and `n_validation: true` would be one sample."""
    with pytest.raises((ValueError, TypeError), match="True"):
        make()
