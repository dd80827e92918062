"""Whether arrays are finite is seen wherever a bad number stands."""

import numpy as np
import pytest

from lamina.layers.finite import first_not_finite, is_finite


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_one_bad_number_is_seen_wherever_it_stands(bad, dtype):
    for place in range(24):
        array = np.linspace(-1, 1, 24).astype(dtype).reshape(2, 3, 4)
        assert is_finite(array)
        array.flat[place] = bad
        assert not is_finite(array)
        assert not is_finite(array.transpose(2, 0, 1))
        assert not is_finite(np.stack([array, array])[:, ::2]) or place // 12 == 1


def test_whole_numbers_and_texts_are_finite():
    assert first_not_finite({"a": np.arange(3), "b": np.array("text"), "c": np.zeros(0)}) is None
