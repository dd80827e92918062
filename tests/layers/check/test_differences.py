"""Numbers that differ look different, and a cause has to explain the difference."""

import numpy as np
import pytest

from lamina.layers import Layer
from lamina.layers.check import check_class, check_layer
from lamina.layers.check.differences import apart, explains, is_plain, times


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (1.0, 2.0, ("1", "2")),
        (1.6082, 1.60821, ("1.6082", "1.60821")),
        (1.60820001, 1.60820002, ("1.60820001", "1.60820002")),
        (1.0, np.nextafter(1.0, 2.0), ("1", "1.0000000000000002")),
        (0.0, 1e-30, ("0", "1e-30")),
        (np.nan, 0.0, ("nan", "0")),
    ],
)
def test_two_numbers_are_shown_so_that_they_differ(a, b, shown):
    assert apart(a, b) == shown


def test_a_cause_explains_the_difference_and_is_not_only_near_the_result():
    right = np.array([1.0, 2.0, 3.0])
    own = right + 1e-7
    assert not explains(right, own, right)  # what changes nothing explains nothing
    assert not explains(right, right, right)
    assert explains(own, own, right)
    assert explains(right + 1e-7 + 1e-14, own, right)
    assert not explains(right + 1.1e-7, own, right)
    assert not explains(own[:2], own, right)
    overflown = np.where(right > 2.0, np.nan, own)
    assert explains(overflown, overflown, right)
    assert not explains(own, overflown, right)


def test_a_factor_of_a_single_number_says_something_only_if_it_is_plain():
    assert is_plain(1.153, 2)
    assert not is_plain(1.153, 1)
    assert all(is_plain(f, 1) for f in (0.5, 2.0, 3.0, 1 / 7, -1.0))
    assert (times(0.3333333), times(1.0000001)) == ("0.3333", "1.0000001")


def test_a_gradient_a_little_off_is_shown_so():
    class Off(Layer):
        def forward(self, X):
            return 2.0 * X

        def backward(self, dout):
            return 2.0 * (1.0 + 1e-8) * dout

    said = str(check_layer(Off(), np.random.default_rng(0).standard_normal((2, 3))))
    assert "a factor: it is 1.00000001 times the right gradient" in said
    (line,) = (line for line in said.splitlines() if "worst" in line)
    is_now, should = line.split(" is ")[1].split(", should be ")
    assert is_now != should
    assert "0 of" not in line


class _FirstIsWrong(Layer):
    """Y = X², with a gradient of the first entry that is three times too large."""

    def forward(self, X):
        self.X = X
        return X * X

    def backward(self, dout):
        dX = 2.0 * self.X * dout
        dX.flat[0] *= 3.0
        return dX

    @classmethod
    def examples(cls, rng):
        yield cls(), rng.standard_normal((40, 50))


def test_a_sample_of_entries_names_none_that_is_right():
    said = str(check_class(_FirstIsWrong))
    assert "wrong in a few of its 2000 entries" in said
    assert "none of the 400 that were probed is" in said
    assert "worst" not in said
