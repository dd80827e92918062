"""The functions that reduce along axes."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.autodiff import NotDifferentiable, grad, hessian, jvp
from lamina.autodiff.rules import reductions

TABLE = (3, 4)
AXES = (None, 0, -1, (0, 1), (-1, 0), ())
NORMS = [
    *((None, None), (None, 0), (None, (0, 1)), (None, -1), (2, 1), (1, 0), (3, -1), (0.5, 0)),
    *((-1, 1), (-2, 1), (np.inf, 0), (-np.inf, 1), ("fro", None), ("fro", (1, 0)), (1, None)),
    *((-1, (0, 1)), (np.inf, (0, 1)), (-np.inf, (-1, 0)), (1, (1, 0))),
    *((2, (0, 1)), (-2, (1, 0)), ("nuc", (0, 1))),
]


def _with_axes(function, **keywords):
    """The function along all kinds of axes, with and without keeping them."""
    return [
        (lambda x, axis=axis, keep=keep: function(x, axis=axis, keepdims=keep, **keywords), TABLE)
        for axis in AXES
        for keep in (False, True)
    ]


CASES = {
    np.sum: [
        *_with_axes(np.sum),
        (lambda x: x.sum(1) * np.sum(x, -1, keepdims=True), TABLE),
        (lambda x: np.sum(x, dtype=np.float64) * np.add.reduce(x, axis=1, keepdims=True), TABLE),
        (lambda x: np.add.reduce(x) + np.sum(x, 0, np.float64), TABLE),
        (np.sum, ()),
    ],
    np.mean: [
        *_with_axes(np.mean),
        (lambda x: x.mean(0) * np.mean(x, dtype=np.float64), TABLE),
        (np.mean, ()),
    ],
    np.var: [
        *_with_axes(np.var)[:-4],
        *_with_axes(np.var, ddof=1)[:-4],
        (lambda x: x.var(1), TABLE),
    ],
    np.std: [
        *_with_axes(np.std)[:-4],
        *_with_axes(np.std, ddof=1)[:-4],
        (lambda x: x.std(1), TABLE),
    ],
    np.max: [
        *_with_axes(np.max),
        (lambda x: np.maximum.reduce(x, axis=-1) * x.max(), TABLE),
        (np.max, ()),
    ],
    np.min: [*_with_axes(np.min), (lambda x: np.minimum.reduce(x) * x.min(0), TABLE)],
    np.amax: [*_with_axes(np.amax), (np.amax, ())],
    np.amin: [*_with_axes(np.amin), (np.amin, ())],
    np.ptp: _with_axes(np.ptp)[:-4],
    np.prod: [
        *_with_axes(np.prod),
        (lambda x: np.multiply.reduce(x, axis=-1) * x.prod(), TABLE),
        # The constant makes one entry zero, then two in a row, then a whole column.
        (lambda x: np.prod(x * [1, 0, 1, 1], axis=1), TABLE),
        (lambda x: np.prod(x * [1, 0, 0, 1], axis=-1, keepdims=True), TABLE),
        (lambda x: np.prod(x * [1, 0, 1, 1], axis=0), TABLE),
        (lambda x: np.prod(x * np.eye(3, 4), axis=(0, 1)), TABLE),
        (lambda x: np.prod(x * [[[0]], [[1]]], axis=(2, 0)), (2, 2, 2)),
        (np.prod, ()),
        (lambda x: np.prod(x * 0.0), ()),
    ],
    np.cumsum: [
        (lambda x: np.cumsum(x), TABLE),
        (lambda x: x.cumsum(axis=0), TABLE),
        (lambda x: np.cumsum(x, -1, dtype=np.float64), TABLE),
        (np.cumsum, ()),
        (lambda x: np.cumsum(x, axis=0), ()),
    ],
    np.cumprod: [
        (lambda x: np.cumprod(x), TABLE),
        (lambda x: x.cumprod(axis=0), TABLE),
        (lambda x: np.cumprod(x, -1), TABLE),
        (lambda x: np.cumprod(x * [1, 0, 1, 1], axis=1), TABLE),
        (lambda x: np.cumprod(x * [1, 0, 0, 1], axis=1), TABLE),
        (np.cumprod, ()),
        (np.cumprod, (0,)),
    ],
    np.average: [
        *((lambda x, a=a, k=k: np.average(x, a, keepdims=k), TABLE) for a in AXES for k in (0, 1)),
        (lambda x: np.average(x, axis=1, weights=[1.0, 2.0, 0.0, 4.0]), TABLE),
        (lambda x, w: np.average(x, weights=w), TABLE, TABLE),
        (lambda x, w: np.average(x, axis=0, weights=w, keepdims=True), TABLE, (3,)),
        (lambda w: np.average(np.arange(12.0).reshape(TABLE), axis=0, weights=w), (3,)),
        (lambda x, w: np.average(x, (2, 0), w), (2, 3, 4), (4, 2)),
        (lambda x, w: np.stack(np.average(x, 0, w, returned=True)), TABLE, (3,)),
        (lambda x: np.multiply(*np.average(x, 0, returned=True)), TABLE),
    ],
    np.linalg.norm: [
        *((lambda x, o=o, a=a: np.linalg.norm(x, ord=o, axis=a), TABLE) for o, a in NORMS),
        *((lambda x, o=o, a=a: np.linalg.norm(x, o, a, True), TABLE) for o, a in NORMS[:-1:3]),
        *((lambda x, o=o: np.linalg.norm(x - 1.1, o), (5,)) for o in (None, 1, 2, 3, np.inf)),
        (lambda x: np.linalg.norm(x, axis=(0, 2)), (2, 3, 4)),
        (lambda x: np.linalg.norm(x, ord=1, axis=(2, 0), keepdims=True), (2, 3, 4)),
        (np.linalg.norm, ()),
        (lambda x: np.linalg.norm(x=x, ord=3, axis=0), TABLE),
    ],
}


def test_case(case, check_case):
    check_case(case)


def test_every_rule_has_a_case(check_covered):
    check_covered(reductions, CASES)


@settings(max_examples=60, deadline=None)
@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.data())
def test_any_shape_and_axes(check, arrays, shape, data):
    """Empty shapes too, as far as NumPy has a value for them."""
    seed = data.draw(st.integers(0, 2**32), "seed")
    axes = data.draw(st.none() | hnp.valid_tuple_axes(len(shape)), "axes")
    keywords = {"axis": axes, "keepdims": bool(seed % 2)}
    (x,) = arrays(np.random.default_rng(seed), shape, signed=True)
    taken = range(len(shape)) if axes is None else axes
    n = int(np.prod([shape[i] for i in taken]))
    check(lambda x: np.sum(x, **keywords), x)
    check(lambda x: np.prod(x, **keywords), x)
    if shape:
        axis = int(seed % len(shape)) - len(shape)
        check(lambda x: np.cumsum(x, axis) * np.cumsum(x).reshape(x.shape), x)
    if n or x.size:
        check(lambda x: np.mean(x, **keywords), x)
        check(lambda x: np.max(x, **keywords), x)
        check(lambda x: np.min(x, **keywords), x)
    if n > 2:  # the standard deviation of two is that of their difference: a kink
        check(lambda x: np.var(x, ddof=1, **keywords), x)
        check(lambda x: np.std(x, **keywords), x)
    if n and len(taken) in (1, 2):
        check(lambda x: np.linalg.norm(x, **keywords), x)


def test_the_derivative_of_a_product_at_zeros():
    """∂/∂xᵢ Π xⱼ is the product of the others: with one zero it is left there, with two nowhere."""
    assert grad(np.prod)(np.array([2.0, 0.0, 5.0])).tolist() == [0.0, 10.0, 0.0]
    assert grad(np.prod)(np.array([2.0, 0.0, 0.0])).tolist() == [0.0, 0.0, 0.0]
    expected = np.zeros((3, 3))
    expected[1, 2] = expected[2, 1] = 2.0
    np.testing.assert_array_equal(hessian(np.prod)(np.array([2.0, 0.0, 0.0])), expected)
    np.testing.assert_array_equal(jvp(np.prod, np.zeros(2), np.ones(2))[1], 0.0)


def test_extremes_share_among_ties():
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    expected = [[0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]
    np.testing.assert_allclose(grad(lambda x: x.max(axis=1).sum())(x), expected)
    np.testing.assert_allclose(jvp(lambda x: x.max(axis=1), x, x)[1], [3.0, 2.0])


def test_nan_passes_through():
    x = np.array([np.nan, 1.0])
    for f in (np.max, np.min, np.sum, np.mean, np.prod, np.linalg.norm):
        assert np.isnan(jvp(f, x, np.ones(2))[0])


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.sum(x, where=x > 1), "numpy.sum with where="),
        (lambda x: np.sum(x, initial=1.0), "numpy.sum with initial="),
        (lambda x: np.max(x, initial=1.0), "numpy.max with initial="),
        (lambda x: np.prod(x, dtype=np.float32), "numpy.prod with dtype="),
        (lambda x: np.var(x, mean=0.0), "numpy.var with mean="),
        (lambda x: np.std(x, correction=1), "numpy.std with correction="),
        (lambda x: np.sum(a=x), "numpy.sum with a="),
        (lambda x: np.mean(a=x, axis=0), "numpy.mean with a="),
        (lambda x: np.add.reduce(x, initial=1.0), "numpy.sum with initial="),
        (lambda x: np.linalg.norm(x, 0, axis=1), "with ord=0 over 1 axes"),
        (lambda x: np.linalg.norm(x, "fro", axis=1), "with ord='fro' over 1 axes"),
        (lambda x: np.unwrap(x), "numpy.unwrap has no derivative rule"),
        (lambda x: np.cumprod(x, dtype=np.float32), "numpy.cumprod with dtype="),
    ],
)
def test_what_has_no_rule_is_refused_in_both_modes(f, words):
    x = np.ones(TABLE)
    with pytest.raises(NotDifferentiable, match=words):
        jvp(f, x, x)
    with pytest.raises(NotDifferentiable, match=words):
        grad(lambda x: np.sum(f(x)))(x)


def test_a_sum_in_integers_is_refused():
    """It moves in steps: a derivative would be wrong."""
    for f in (lambda x: np.sum(x, dtype=int), lambda x: np.sum(x, None, int)):
        with pytest.raises(NotDifferentiable, match=r"numpy\.sum gives int64"):
            jvp(f, np.ones(3), np.ones(3))
        with pytest.raises(NotDifferentiable, match=r"numpy\.sum gives int64"):
            grad(lambda x, f=f: 0.5 * f(x))(np.ones(3))


def test_an_array_for_the_result_given_by_position_is_refused():
    """The tangent would be written over the value."""
    with pytest.raises(NotDifferentiable, match="sum with 4 arguments by position"):
        jvp(lambda x: np.sum(x, 0, None, np.zeros(4)), np.ones(TABLE), np.ones(TABLE))
    with pytest.raises(TypeError):
        grad(lambda x: np.sum(np.sum(x, 0, None, np.zeros(4))))(np.ones(TABLE))
