"""Tiny and huge float32 inputs against float64: no derivative is lost where the function's own
value underflows, overflows or rounds, as long as float32 can hold the derivative."""

import warnings

import numpy as np
import pytest

from lamina.autodiff import grad, jvp
from lamina.autodiff.rules.elementwise import ELEMENTWISE

VALUES = [1e-38, 1e-30, 1e-20, 1e-7, 1.0, 5.0, 10.0, 80.0, 1e7, 1e20, 1e30, 3e38]
VALUES += [-v for v in VALUES]
ENTRYWISE = [f for f in ELEMENTWISE if f is not np.where]
# 1 - tanh² is what is left of a rounding error beyond 8: off by 1e-8, its relative error is large.
ABSOLUTE = {np.tanh: 1e-7}


def derivatives(f, args, dtype):
    args = [np.array([np.float32(a)]).astype(dtype) for a in args]
    for i, x in enumerate(args):

        def of_one(x, i=i):
            return np.sum(f(*args[:i], x, *args[i + 1 :]))

        yield grad(of_one)(x)[0]
        yield jvp(of_one, x, np.ones_like(x))[1]


@pytest.mark.parametrize("f", ENTRYWISE)
def test_entry_by_entry(f):
    pairs = [(a,) for a in VALUES] if f.nin == 1 else [(a, b) for a in VALUES for b in VALUES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # many are outside of the domain
        for args in pairs:
            single = list(derivatives(f, args, np.float32))
            double = list(derivatives(f, args, np.float64))
            for mine, exact in zip(single, double, strict=True):
                assert mine.dtype == np.float32
                if np.isnan(exact) or abs(exact) > 1e37:
                    continue
                close = abs(mine - exact) <= 1e-3 * abs(exact) + ABSOLUTE.get(f, 1e-36)
                assert close, f"{f.__name__}{args}: {mine} for {exact}"


TINY = [
    [1e-30, 1e-30],
    [1e-30, 2e-30, 1e25],
    [1e30, 1e30],
    [1e-30, 1e30, 1e30],
    [0.0, 1e-30, 1e-30, 1e30],
    [3e-38, 2.0],
]
REDUCTIONS = {
    "prod": np.prod,
    "norm": np.linalg.norm,
    "norm of degree 3": lambda x: np.linalg.norm(x, 3),
    "norm of degree 1": lambda x: np.linalg.norm(x, 1),
    "largest": lambda x: np.linalg.norm(x, np.inf),
    "std": np.std,
    "std, ddof": lambda x: np.std(x, ddof=1),
    "var": np.var,
    "mean": np.mean,
    "cumsum": lambda x: np.cumsum(x)[-1],
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("values", TINY, ids=str)
def test_reductions(name, values):
    f, x = REDUCTIONS[name], np.array(values, np.float32)
    with np.errstate(all="ignore"):
        mine, exact = grad(f)(x), grad(f)(x.astype(np.float64))
        mine_v = np.array([jvp(f, x, unit)[1] for unit in np.eye(len(x), dtype=np.float32)])
    assert np.isfinite(exact).all()
    held = np.abs(exact) < 1e37
    assert held.any()
    for found in (mine, mine_v):
        np.testing.assert_allclose(found[held], exact[held], rtol=1e-4, atol=1e-36)


def test_the_sum_of_exponentials_of_equals_is_shared():
    """exp(a - y) has the rounding error of y, which at 10⁷ is that of 1/2 against 1/e."""
    x = np.full(1, 1e7, np.float32)
    assert grad(lambda a: np.sum(np.logaddexp(a, x)))(x)[0] == 0.5


def test_a_long_product_of_tiny_numbers_needs_no_square_of_memory():
    x = np.full(20_000, 0.5)
    x[::2] = 2.0
    x[0] = 0.0
    expected = np.zeros(20_000)
    expected[0] = 0.5
    np.testing.assert_array_equal(grad(np.prod)(x), expected)


def test_the_value_is_the_one_of_numpy_where_that_needs_no_help():
    x = np.random.default_rng(0).standard_normal((5, 7)).astype(np.float32) * 1e3
    for f in (np.linalg.norm, np.std, lambda x: np.std(x, axis=1, ddof=1)):
        np.testing.assert_allclose(jvp(f, x, x)[0], f(x), rtol=3e-7)
