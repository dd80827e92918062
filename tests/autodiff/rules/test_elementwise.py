"""The functions that work entry by entry, and broadcast."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import grad, hessian, jacobian, jvp
from lamina.autodiff.rules import elementwise

ABOVE_ZERO = (np.log, np.log1p, np.sqrt)
# To where each function is defined, from numbers of 0.2 to 2.
DOMAINS = {
    np.arcsin: lambda x: 0.4 * x,
    np.arccos: lambda x: 0.4 * x,
    np.arctanh: lambda x: 0.4 * x,
    np.arccosh: lambda x: 1.5 + x * x,
    np.log2: lambda x: 0.1 + x * x,
    np.log10: lambda x: 0.1 + x * x,
}
UNARY = [f for f in elementwise.ELEMENTWISE if isinstance(f, np.ufunc) and f.nin == 1]
BINARY = [f for f in elementwise.ELEMENTWISE if isinstance(f, np.ufunc) and f.nin == 2]
ONE, TWO = (3, 4), ((3, 4), (3, 4))
MASK = np.array([True, False, False, True])
LOW, HIGH = np.full((2, 1, 4), 0.71), np.full(4, 1.43)

CASES = {
    **{
        f: [(f, ONE), (f, ())]
        if f not in DOMAINS
        else [(lambda x, f=f: f(DOMAINS[f](x)), ONE), (lambda x, f=f: f(DOMAINS[f](x)), ())]
        for f in UNARY
    },
    **{
        f: [
            (f, *TWO),
            (lambda x, f=f: f(x, 2.0), ONE),
            (lambda x, f=f: f(2.0, x), ONE),
            (lambda x, f=f: f(x, x[0] * x), ONE),
        ]
        for f in BINARY
    },
    np.where: [
        (lambda x, y: np.where(MASK, x, y), *TWO),
        (lambda x, y: np.where(x > y, x * x, y), *TWO),
        (lambda x, y: np.where(MASK[:, None], x, y), (4, 1), (3, 1, 4)),
        (lambda x: np.where(MASK, x, 0.0) + np.where(x > 1.0, 2.0, x), ONE),
        (lambda x, y: np.where(True, x, y), (), ()),
    ],
    np.clip: [
        (lambda x: np.clip(x, 0.71, 1.43), ONE),
        (lambda x: np.clip(x, None, HIGH), ONE),
        (lambda x: np.clip(x, LOW, None), ONE),
        (lambda x: x.clip(min=0.71) + np.clip(x, a_min=None, a_max=1.43), ONE),
        (lambda x: np.clip(x, None, None), ONE),
        (lambda x, low: np.clip(x, low, low + 0.5), ONE, (4,)),
    ],
    np.linspace: [
        (lambda x, y: np.linspace(x, y, 5), ONE, (4,)),
        (lambda x, y: np.linspace(x, y, 4, endpoint=False, axis=-1), ONE, ONE),
        (lambda x: np.linspace(x, 3.0, 3) * np.linspace(0.0, x, num=3), ()),
        (lambda x, y: np.linspace(x, y, 1), (), ()),
    ],
    np.heaviside: [(lambda h: h * np.heaviside(np.array([-1.0, 0.0, 0.0, 1.0]), h), ONE)],
}
# At and around zero, where formulas that divide or take logarithms would break.
POWERS = (0, 1, 2, 3, 0.0, 1.0, 2.0, np.float64(0.0), np.float64(2.0), np.array([0, 1, 2]))


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(elementwise, CASES)


@pytest.mark.parametrize("f", UNARY)
@settings(max_examples=25, deadline=None)
@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.integers(0, 2**32))
def test_one_argument(f, check, arrays, shape, seed):
    rng = np.random.default_rng(seed)
    # Close to zero, too; the tangent has a pole at π/2.
    inside = DOMAINS.get(f, lambda x: x)
    inputs = arrays(rng, shape, low=0.2, high=1.3, signed=f not in ABOVE_ZERO)
    check(lambda x: f(inside(x)), *inputs, seed=seed)


@pytest.mark.parametrize("f", BINARY)
@settings(max_examples=25, deadline=None)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3), st.data()
)
def test_two_arguments(f, check, arrays, shapes, data):
    seed = data.draw(st.integers(0, 2**32), "seed")
    a, b = arrays(np.random.default_rng(seed), *shapes.input_shapes)
    check(f, a, b, seed=seed)
    check(lambda a: f(a, b), a, seed=seed)
    check(lambda b: f(a, b), b, seed=seed)


@settings(max_examples=50, deadline=None)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3), st.data()
)
def test_where(check, arrays, shapes, data):
    seed = data.draw(st.integers(0, 2**32), "seed")
    rng = np.random.default_rng(seed)
    condition = rng.random(shapes.input_shapes[0]) > 0.5
    check(lambda a, b: np.where(condition, a, b), *arrays(rng, *shapes.input_shapes[1:]))


def test_operators(check, arrays):
    a, b = arrays(np.random.default_rng(0), (3, 4), (4,))
    check(lambda a, b: -(+a) + abs(a - 5.0) * (2.0 / b) - (3.0 - a**2) / b + 2.0**a + a**b, a, b)
    check(lambda a, b: (a + b) * (a > b) + (a - b) * (a <= b) + (a == b) + (a != 1), a, b)
    check(lambda a, b: np.float64(2.0) * a - np.ones(4) * b + [1.0, 2.0, 3.0, 4.0] * a, a, b)


def test_functions_that_are_constant_between_steps(check, arrays):
    (x,) = arrays(np.random.default_rng(0), (3, 4), high=2.9, signed=True)
    for f in (np.sign, np.floor, np.ceil, np.rint, np.trunc):
        check(lambda x, f=f: x * f(x), x)
    check(lambda x: x * x.argmax() + x[np.nonzero(x > 1.0)].sum() * np.count_nonzero(x > 1.0), x)
    assert np.argmax(a=x) == grad(lambda x: np.argmax(a=x) * x[0, 0])(x)[0, 0]


@pytest.mark.parametrize("b", POWERS)
def test_powers_of_zero(b):
    """d/dx xᵇ = b xᵇ⁻¹ is right at 0 as well, without a warning, and 1 is the power 0 of it."""
    x = np.array([0.0, 2.0, -1.0])
    b_float = np.broadcast_to(np.asarray(b, float), 3)
    first = np.array([0 if n == 0 else n * t ** (n - 1) for n, t in zip(b_float, x, strict=True)])
    second = [0 if n < 2 else n * (n - 1) * t ** (n - 2) for n, t in zip(b_float, x, strict=True)]
    np.testing.assert_allclose(jvp(lambda x: x**b, x, np.ones(3))[1], first)
    np.testing.assert_allclose(grad(lambda x: np.sum(x**b))(x), first)
    np.testing.assert_allclose(hessian(lambda x: np.sum(x**b))(x), np.diag(second), atol=1e-12)


def test_a_zero_exponent_that_is_differentiated():
    """∂²/∂a∂b aᵇ = aᵇ⁻¹ (1 + b ln a), which is 1/a at b = 0."""
    mixed = hessian(lambda x: x[0] ** x[1])(np.array([2.0, 0.0]))[0, 1]
    np.testing.assert_allclose(mixed, 0.5)


def test_zero_to_a_power_that_is_differentiated():
    """0ᵇ is 0 for all b > 0."""
    assert grad(lambda b: 0.0**b)(2.0) == 0.0
    assert grad(lambda b: np.sum(np.zeros(2) ** b))(np.array([1.0, 2.0])).tolist() == [0.0, 0.0]


def test_at_ties_each_side_gets_its_share():
    x = np.array([1.0, 1.0, 0.0])
    assert grad(lambda x: np.sum(np.maximum(x, 1.0)))(x).tolist() == [0.5, 0.5, 0.0]
    assert grad(lambda x: np.sum(np.minimum(x, x)))(x).tolist() == [1.0, 1.0, 1.0]
    assert grad(lambda x: np.sum(np.abs(x)))(np.zeros(2)).tolist() == [0.0, 0.0]


def test_kinks_of_the_radius_and_the_angle():
    """At the origin neither has a derivative, and 0 is what they give, as abs does."""
    for f in (np.hypot, np.arctan2):
        assert grad(lambda a, b, f=f: f(a, b), (0, 1))(0.0, 0.0) == (0.0, 0.0)


def test_a_missing_number_leaves_all_to_the_other():
    x, nan = np.array([1.0, 2.0]), np.array([np.nan, 2.0])
    for f in (np.fmax, np.fmin):
        assert grad(lambda x, f=f: np.sum(f(x, nan)))(x).tolist() == [1.0, 0.5]
        assert grad(lambda x, f=f: np.sum(f(nan, x)))(x).tolist() == [1.0, 0.5]
        assert grad(lambda y, f=f: np.sum(f(x, y)))(nan).tolist() == [0.0, 0.5]


def test_far_away_nothing_overflows():
    """The derivatives of logaddexp and tanh at values where exp does."""
    x = np.array([800.0, -800.0])
    assert grad(lambda x: np.logaddexp(0.0, x).sum())(x).tolist() == [1.0, 0.0]
    assert grad(lambda x: np.tanh(x).sum())(x).tolist() == [0.0, 0.0]


def test_mixed_precision():
    """Each gradient has the dtype of what it belongs to, whatever it was computed with."""
    single, double = np.full(3, 0.5, np.float32), np.full(3, 2.0)
    value, tangent = jvp(lambda x: np.exp(x) * double, single, np.ones(3, np.float32))
    assert value.dtype == tangent.dtype == np.float64
    left, right = grad(lambda x, y: np.sum(x * y), (0, 1))(single, double)
    assert (left.dtype, right.dtype) == (np.float32, np.float64)
    assert jacobian(lambda x: x * double)(single).dtype == np.float32
