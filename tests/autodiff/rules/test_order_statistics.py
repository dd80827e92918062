"""Median, quantile and percentile: ties, even numbers, positions between two, NaN."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import NotDifferentiable, grad, jvp
from lamina.autodiff.rules import order_statistics
from lamina.autodiff.rules.order_statistics import METHODS, kth_smallest

TABLE = (3, 4)
AXES = (None, 0, -1, (0, 1), (-1, 0))
CASES = {
    np.median: [
        *((lambda x, a=a, k=k: np.median(x, a, keepdims=k), TABLE) for a in AXES for k in (0, 1)),
        (lambda x: np.median(x, axis=(0, 2)), (3, 2, 3)),
        (np.median, ()),
    ],
    np.quantile: [
        *((lambda x, m=m: np.quantile(x, 0.3, method=m), TABLE) for m in METHODS),
        *(
            (lambda x, m=m: np.quantile(x, [0.0, 0.5, 1.0], axis=1, method=m), TABLE)
            for m in METHODS
        ),
        (lambda x: np.quantile(x, [[0.2, 0.7]], axis=0, keepdims=True), TABLE),
        (lambda x, q: np.quantile(x, 0.3 * q, axis=0), TABLE, (2,)),
        (lambda q: np.quantile(np.arange(12.0) ** 2, 0.3 * q), ()),
    ],
    np.percentile: [
        (lambda x: np.percentile(x, 30), TABLE),
        (lambda x: np.percentile(x, [10, 50, 90], axis=1), TABLE),
        (lambda x: np.percentile(x, np.array([25.0]), (0, 1), keepdims=True), TABLE),
    ],
    kth_smallest: [
        (lambda x: kth_smallest(x, 2), TABLE),
        (lambda x: kth_smallest(x, np.array([0, 3, 1])), TABLE),
    ],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(order_statistics, CASES)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, -1.5, np.inf, np.nan]), min_size=1, max_size=7),
    st.sampled_from([0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 1]),
    st.sampled_from(METHODS),
    st.sampled_from([np.float32, np.float64]),
)
def test_the_value_is_that_of_numpy(values, q, method, dtype):
    x = np.array(values, dtype)
    with np.errstate(invalid="ignore"):
        for f in (
            lambda x: np.quantile(x, q, method=method),
            lambda x: np.percentile(x, 100 * q, method=method),
            np.median,
        ):
            mine, tangent = jvp(f, x, np.ones_like(x))
            assert mine.dtype == tangent.dtype == f(x).dtype
            if np.isnan(x).any() or not np.isnan(f(x)):  # NumPy has NaN for 2 + 0 (∞ - 2)
                np.testing.assert_allclose(mine, f(x), rtol=1e-6, atol=1e-6)
            if np.isfinite(mine):  # all move by 1, and so does what lies between them
                np.testing.assert_allclose(tangent, 1.0, rtol=1e-5)


def test_ties_share_and_an_even_number_has_two_in_the_middle():
    def of(*values):
        return grad(np.median)(np.array(values)).tolist()

    assert of(3.0, 1.0, 2.0) == [0.0, 0.0, 1.0]
    assert of(4.0, 1.0, 2.0, 3.0) == [0.0, 0.0, 0.5, 0.5]
    assert of(2.0, 1.0, 2.0) == [0.5, 0.0, 0.5]
    assert of(2.0, 2.0, 2.0, 2.0) == [0.25, 0.25, 0.25, 0.25]
    assert of(1.0, 2.0, 2.0, 3.0) == [0.0, 0.5, 0.5, 0.0]
    x = np.array([1.0, 1.0, 3.0, 7.0])
    np.testing.assert_allclose(grad(lambda x: np.quantile(x, 0.5))(x), [0.25, 0.25, 0.5, 0.0])


@pytest.mark.parametrize(
    ("f", "error", "words"),
    [
        (
            lambda x: np.quantile(x, 0.5, method="weibull"),
            NotDifferentiable,
            "method='weibull' has",
        ),
        (lambda x: np.quantile(x, 0.5, weights=x), NotDifferentiable, "quantile with weights="),
        (lambda x: np.median(x, overwrite_input=True), NotDifferentiable, "with overwrite_input="),
        (lambda x: np.percentile(x, 101), ValueError, "percentiles from 0 to 100"),
        (lambda x: np.quantile(x, np.nan), ValueError, "quantiles are from 0 to 1"),
        (lambda x: np.quantile(x[:0], 0.5), IndexError, "no quantile of no numbers"),
    ],
)
def test_what_is_refused(f, error, words):
    x = np.ones(3)
    for run in (lambda: jvp(f, x, x), lambda: grad(f)(x)):
        with pytest.raises(error, match=words):
            run()
