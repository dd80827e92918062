"""The functions to which NaN is a missing number."""

import warnings

import numpy as np
import pytest

from lamina.autodiff import grad, jvp
from lamina.autodiff.rules import nan_functions

TABLE, NAN = (3, 4), np.nan
HOLES = np.array([[0, NAN, 0, 0], [0, 0, 0, 0], [NAN, 0, NAN, 0]])
AXES = (None, 0, -1, (0, 1))
FIRST = [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanmedian]


def _cases(function, *args, axes=AXES, keep=(False, True), **keywords):
    return [
        (
            lambda x, axis=axis, k=k: function(
                x + HOLES.astype(x.dtype), *args, axis=axis, **k, **keywords
            ),
            TABLE,
        )
        for axis in axes
        for k in ([{"keepdims": k} for k in keep] or [{}])
    ] + [(lambda x: function(x * x, *args, axis=axes[1], **keywords), TABLE)]


CASES = {
    **{f: _cases(f) for f in FIRST},
    np.nanvar: [*_cases(np.nanvar), *_cases(np.nanvar, ddof=1)],
    np.nanstd: [*_cases(np.nanstd), *_cases(np.nanstd, axes=(None, -1), keep=(), ddof=1)],
    np.nancumsum: _cases(np.nancumsum, axes=(None, 0, 1), keep=()),
    np.nancumprod: _cases(np.nancumprod, axes=(None, 0, 1), keep=()),
    np.nanquantile: [
        *_cases(np.nanquantile, 0.3),
        *_cases(np.nanquantile, [0.2, 0.9], method="nearest"),
        *_cases(np.nanquantile, [0.2, 0.5], method="midpoint"),
    ],
    np.nanpercentile: _cases(np.nanpercentile, [[30], [55]]),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(nan_functions, CASES)


@pytest.mark.parametrize("function", CASES, ids=lambda f: f.__name__)
def test_a_row_of_which_all_is_missing(function):
    """Its value is that of NumPy, and its derivative 0; other rows have theirs."""
    q = (0.5,) if function in (np.nanquantile, np.nanpercentile) else ()
    x = np.array([[NAN, NAN, NAN], [1.0, NAN, 3.0]])
    ones = np.ones_like(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = function(x, *q, axis=1)
        value, tangent = jvp(lambda x: function(x, *q, axis=1), x, ones)
        g = grad(lambda x: np.sum(function(x, *q, axis=1)))(x)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_array_equal(g[0], 0.0)
    np.testing.assert_array_equal(tangent[0], 0.0)
    assert g[1, 1] == 0.0
    np.testing.assert_allclose(np.sum(g[1]), np.sum(tangent[1]))


def test_equal_numbers_have_no_spread():
    x = np.array([2.0, NAN, 2.0])
    assert grad(np.nanstd)(x).tolist() == [0.0, 0.0, 0.0]
    tiny = np.array([1e-30, NAN, 3e-30], np.float32)
    np.testing.assert_allclose(grad(np.nanstd)(tiny), [-0.5, 0.0, 0.5])


def test_a_product_with_zeros():
    assert grad(np.nanprod)(np.array([0.0, NAN, 3.0])).tolist() == [3.0, 0.0, 0.0]
