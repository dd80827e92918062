"""Forward mode: every rule against central differences, the protocols, levels, and refusals."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from lamina.autodiff import Dual, NotDifferentiable, jvp, new_level, numeric_jvp, outermost, primal

RNG = np.random.default_rng(0)
X = RNG.uniform(0.2, 2.0, (3, 4))
V = RNG.standard_normal((3, 4))
C = RNG.uniform(0.2, 2.0, (3, 4))
ROW = RNG.uniform(0.2, 2.0, 4)
M = RNG.standard_normal((4, 2))
CONSTANTS = (C, ROW, M)


def functions(dtype) -> dict:
    """NumPy code of every kind, on one (3, 4) array, with constants of a dtype."""
    C, ROW, M = (a.astype(dtype) for a in CONSTANTS)
    return {
        "+": lambda x: x + C,
        "c +": lambda x: 2.0 + x,
        "+ row": lambda x: x[0] + C,  # the result is larger than what is differentiated
        "-": lambda x: C - x,
        "*": lambda x: x * ROW * x,
        "/": lambda x: x / (C + x),
        "c /": lambda x: 1.0 / x,
        "**": lambda x: x**3 + x**0 + x**-1.5,
        "** array": lambda x: x ** np.full((3, 4), 2.0, dtype),
        "exponent": lambda x: 2.0**x + C**x,
        "negative": lambda x: -(+x),
        "abs": lambda x: np.abs(x - 1.0),
        "square": np.square,
        "sqrt": np.sqrt,
        "reciprocal": np.reciprocal,
        "exp": np.exp,
        "expm1": np.expm1,
        "log": np.log,
        "log1p": np.log1p,
        "sin": np.sin,
        "cos": np.cos,
        "tan": lambda x: np.tan(0.5 * x),
        "arctan": np.arctan,
        "sinh": np.sinh,
        "cosh": np.cosh,
        "tanh": np.tanh,
        "maximum": lambda x: np.maximum(x, 1.0) + np.maximum(C, x),
        "minimum": lambda x: np.minimum(x, 1.0) + np.minimum(C, x),
        "logaddexp": lambda x: np.logaddexp(x, C) + np.logaddexp(1.0, x),
        "constants": lambda x: x * (x > 1.0) + np.sign(x) + np.floor(x),
        "sum": lambda x: x.sum() + x.sum(axis=0) * np.sum(x, axis=1, keepdims=True),
        "mean": lambda x: x.mean(axis=(0, 1)) * x.mean(axis=-1),
        "var": lambda x: x.var() + x.var(axis=0, ddof=1),
        "std": lambda x: x.std(axis=1, keepdims=True) * x,
        "max": lambda x: x.max() + x.max(axis=0) + x.min(axis=1, keepdims=True),
        "clip": lambda x: x.clip(0.5, 1.5) + np.clip(x, None, 1.0),
        "cumsum": lambda x: np.cumsum(x, axis=1),
        "matmul": lambda x: (x @ M) @ (M.T @ x.T),
        "dot": lambda x: np.dot(x, M) + x.dot(M),
        "tensordot": lambda x: np.tensordot(x, C, axes=([0, 1], [0, 1])),
        "outer": lambda x: np.outer(x, ROW) * np.outer(C[0], x).T,
        "reshape": lambda x: x.reshape(4, 3) * np.reshape(x, (-1, 3)) * x.reshape((4, 3)),
        "ravel": lambda x: x.ravel() * x.flatten(),
        "transpose": lambda x: x.T + x.transpose() + x.transpose(1, 0) + x.transpose((1, 0)),
        "swapaxes": lambda x: x.swapaxes(0, 1) + np.moveaxis(x, 0, 1),
        "expand": lambda x: np.squeeze(x[:, np.newaxis] * np.expand_dims(x, 1), axis=1),
        "broadcast_to": lambda x: np.broadcast_to(x, (2, 3, 4)) * 2.0,
        "concatenate": lambda x: np.concatenate([x, C, x * x]),
        "stack": lambda x: np.stack([C, x], axis=1),
        "split": lambda x: np.split(x, 2, axis=1)[1] * 3.0,
        "repeat": lambda x: x.repeat(2, axis=0),
        "flip, roll": lambda x: np.flip(x, 1) * np.roll(x, 1, axis=0),
        "take": lambda x: x.take([0, 0, 2], axis=0),
        "take_along_axis": lambda x: np.take_along_axis(x, x.argsort(axis=1), axis=1),
        "index": lambda x: x[1:, ::2] * x[np.array([0, 0]), :][:, :2],
        "mask": lambda x: x[C > 1.0],
        "where": lambda x: np.where(C > 1.0, x, 2.0) + np.where(x > 1.0, 0.0, x * x),
        "pad": lambda x: np.pad(x, 1) + np.pad(x, 1, mode="edge"),
        "sliding_window_view": lambda x: sliding_window_view(x, (2, 2)).sum(axis=(2, 3)) * 1.0,
        "astype": lambda x: x.astype(dtype) * 2.0,
        "copy": lambda x: np.copy(x) * x.copy(),
        "iteration": lambda x: sum(row * row for row in x),
    }


FUNCTIONS = functions(np.float64)
FUNCTIONS_32 = functions(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_derivative_agrees_with_differences(name):
    f = FUNCTIONS[name]
    value, tangent = jvp(f, X, V)
    np.testing.assert_array_equal(value, f(X))
    assert np.shape(tangent) == np.shape(value)
    np.testing.assert_allclose(tangent, numeric_jvp(f, X, V), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_second_derivative_agrees_with_differences(name):
    f = FUNCTIONS[name]

    def slope(x):
        return jvp(f, x, C)[1]

    _, tangent = jvp(slope, X, V)
    np.testing.assert_allclose(tangent, numeric_jvp(slope, X, V), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS_32)
def test_float32_stays_float32(name):
    value, tangent = jvp(FUNCTIONS_32[name], X.astype(np.float32), V.astype(np.float32))
    assert value.dtype == np.float32
    assert tangent.dtype == np.float32


def test_writing_into_buffers():
    def f(x):
        buffer = np.zeros((3, 4), x.dtype, like=x)
        buffer[0] = x[0] * x[0]
        buffer[1:, ::2] = 3.0 * x[1:, ::2]
        buffer[2, 3] -= x[0, 0]
        buffer += x
        np.add.at(buffer, (np.array([1, 1]), np.array([0, 0])), x[0, :2])
        view = buffer[2]
        view[0] = 7.0  # a constant: the derivative there becomes 0
        np.multiply(buffer, 2.0, out=buffer)
        like = np.empty_like(buffer)
        like[...] = buffer
        return like + np.zeros_like(x) + np.ones_like(x) + np.full((3, 4), 2.0, like=x)

    value, tangent = jvp(f, X, V)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_allclose(tangent, numeric_jvp(f, X, V), rtol=1e-7, atol=1e-8)
    assert tangent[2, 0] == 0.0


@pytest.mark.parametrize("start", [lambda x: x - 1.0, lambda x: 1.0 + x, lambda x: +x])
def test_in_place_work_on_a_result_reaches_neither_x_nor_v(start):
    def f(x):
        y = start(x)
        y *= 0.0
        return x * x + y

    v = V.copy()
    np.testing.assert_allclose(jvp(f, X, v)[1], 2 * X * V)
    np.testing.assert_array_equal(v, V)


def test_buffers_filled_with_a_traced_value():
    for f in (
        lambda x: np.full_like(x, x[0, 0]),
        lambda x: np.full((2, 2), x[0, 0], like=x),
    ):
        value, tangent = jvp(f, X, V)
        assert (value == X[0, 0]).all()
        assert (tangent == V[0, 0]).all()


def test_copies_and_buffers_work_in_nested_differentiation():
    def f(x):
        b = x.copy()
        b[0] = x[1] * x[2]
        return b * x

    def slope(x):
        return jvp(f, x, C)[1]

    np.testing.assert_allclose(jvp(slope, X, V)[1], numeric_jvp(slope, X, V), rtol=1e-6)


def test_integers_have_no_derivative():
    with pytest.raises(TypeError, match="x is int64; a derivative needs floating-point arrays"):
        jvp(lambda x: x * x, np.array([1, 2]), np.array([1, 1]))


def test_reduce_is_the_function_along_axis_0():
    def f(x):
        return np.add.reduce(x, axis=1, keepdims=True) * np.maximum.reduce(x)

    np.testing.assert_allclose(jvp(f, X, V)[1], numeric_jvp(f, X, V), rtol=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 2, 3]), min_size=0, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_broadcasting_of_any_shapes(shape, ones, seed):
    """Binary operations, one side with axes of length 1 or missing, zero sizes included."""
    rng = np.random.default_rng(seed)
    small = tuple(1 if one else n for n, one in zip(shape, ones, strict=False))
    x, v = rng.uniform(0.5, 1.5, small), rng.standard_normal(small)
    c = rng.uniform(0.5, 1.5, tuple(shape))

    def f(x):
        return np.maximum(x * c, c / x) - x + np.exp(x - c)

    value, tangent = jvp(f, x, v)
    assert tangent.shape == value.shape == tuple(shape)
    np.testing.assert_allclose(tangent, numeric_jvp(f, x, v), rtol=1e-6, atol=1e-7)


def test_perturbations_are_not_confused():
    """d/dx [x · d/dy (x + y)] at x = y = 1 is 1; duals without levels give 2."""

    def derivative(f, at):
        return jvp(f, at, np.ones_like(at))[1]

    one = np.array(1.0)
    assert derivative(lambda x: x * derivative(lambda y: x + y, one), one) == 1.0


def test_third_derivative_of_a_polynomial():
    def derivative(f):
        return lambda x: jvp(f, x, np.ones(3))[1]

    x = np.array([1.0, 2.0, -1.0])
    np.testing.assert_allclose(derivative(derivative(derivative(lambda x: x**4)))(x), 24 * x)


def test_a_function_of_several_outputs():
    def f(x):
        return x * x, C, np.sum(x)

    values, tangents = jvp(f, X, V)
    for one, other in zip(values, f(X), strict=True):
        np.testing.assert_array_equal(one, other)
    for exact, rough in zip(tangents, numeric_jvp(f, X, V), strict=True):
        np.testing.assert_allclose(exact, rough, rtol=1e-7, atol=1e-8)


def test_the_function_of_note_002():
    """f(x) = (ln x · (x + 3) + x²) / sin x at x = 2, against the derivative worked out by hand."""

    def f(x):
        return (np.log(x) * (x + 3) + x**2) / np.sin(x)

    x = np.array(2.0)
    top, slope = np.log(2) * 5 + 4, 5 / 2 + np.log(2) + 4
    expected = (slope * np.sin(2) - top * np.cos(2)) / np.sin(2) ** 2
    value, tangent = jvp(f, x, np.array(1.0))
    assert value == f(x)
    assert abs(tangent - expected) < 1e-12 * abs(expected)


def test_at_ties_each_side_gets_its_share():
    x, v = np.array([1.0, 1.0, 0.0]), np.array([1.0, 2.0, 5.0])
    assert jvp(lambda x: np.maximum(x, 1.0), x, v)[1].tolist() == [0.5, 1.0, 0.0]
    assert jvp(np.max, x, v)[1] == 1.5
    assert jvp(np.abs, np.zeros(1), np.ones(1))[1] == 0.0


def test_nan_passes_through():
    x, v = np.array([np.nan, 1.0]), np.ones(2)
    assert np.isnan(jvp(lambda x: np.maximum(x, 0), x, v)[0][0])
    assert np.isnan(jvp(np.max, x, v)[0])


def test_a_constant_function_has_derivative_zero():
    value, tangent = jvp(lambda x: C, X, V)
    assert value is C
    assert not tangent.any()


def test_comparisons_and_truth_are_plain():
    d = Dual(np.array(2.0), np.array(1.0), new_level())
    assert type(d > 1.0) is np.bool_
    assert bool(d)
    assert len(Dual(X, V, new_level())) == 3
    assert "Dual(" in repr(d)
    assert d.astype(int) == 2
    assert not isinstance(d.astype(int), Dual)


def test_outermost_and_primal():
    outer, inner = new_level(), new_level()
    a, b = Dual(X, V, outer), Dual(X, V, inner)
    assert outermost(X, a, b) is b
    assert outermost(b, a) is b
    assert outermost(X, C) is X
    nested = Dual(a, a, inner)
    assert primal(nested) is X
    assert primal(X) is X


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.asarray(x), "was about to lose its derivative"),
        (lambda x: float(x[0, 0]), "a Python number would lose"),
        (lambda x: x[0, 0].item(), "a Python number would lose"),
        (lambda x: np.linalg.cond(x), "numpy.linalg.cond has no derivative rule"),
        (lambda x: np.nextafter(x, x), "numpy.nextafter has no derivative rule"),
        (lambda x: np.multiply.accumulate(x), "numpy.multiply.accumulate has no"),
        (lambda x: np.exp(x, out=np.empty((3, 4))), "out= is a plain array"),
        (lambda x: np.pad(x, 1, mode="maximum"), "numpy.pad with mode='maximum'"),
        (lambda x: np.exp(x, where=C > 1, out=np.zeros_like(x)), "no derivative rule"),
        (lambda x: np.sum(x, where=C > 1), "numpy.sum with where= has no derivative rule"),
        (lambda x: np.sum(x, axis=0, out=np.zeros_like(x[0])), "numpy.sum with out="),
        (lambda x: np.add.at(np.zeros((3, 4)), 0, x[0]), "the buffer is a plain array"),
    ],
)
def test_what_has_no_derivative_says_so(f, words):
    with pytest.raises(NotDifferentiable, match=words.replace("(", r"\(").replace(".", r"\.")):
        jvp(f, X, V)


def test_writing_a_dual_into_a_plain_array_is_refused():
    def f(x):
        plain = np.zeros((3, 4))
        plain[0] = x[0]

    with pytest.raises(NotDifferentiable, match="like="):
        jvp(f, X, V)


def test_a_tangent_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"v should have the shape of x, \(3, 4\); got \(4,\)"):
        jvp(np.exp, X, ROW)
    with pytest.raises(ValueError, match=r"v\['b'\] should have the shape of x\['b'\], \(\)"):
        jvp(lambda x: x["a"] * x["b"], {"a": X, "b": 2.0}, {"a": X, "b": ROW})


def test_inputs_stay_as_they_are():
    def f(y):
        y[0] = 5.0
        return y * y

    x = X.copy()
    value, derivative = jvp(f, x, x)  # one array for both
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(value[0], np.full(4, 25.0))
    np.testing.assert_array_equal(derivative, 2 * X * X * [[0], [1], [1]])


@pytest.mark.parametrize("order_x", ["C", "F"])
@pytest.mark.parametrize("order_v", ["C", "F"])
def test_a_view_of_one_part_is_a_view_of_the_other(order_x, order_v):
    """Whether reshape gives a view goes by the order in memory, which the parts must share."""

    def whole(x):
        x = x + 0.0
        x.reshape(-1)[:2] = 0.0
        return x * x

    def mixed(x):
        x = np.add(C, x)
        x.reshape(-1)[:2] = 0.0
        return x * x

    def copied(x):
        x = x.copy()
        x.ravel()[:2] = 0.0
        return x * x

    x, v = np.asarray(X, order=order_x), np.asarray(V, order=order_v)
    for f in (whole, mixed, copied):
        value, derivative = jvp(f, x, v)
        np.testing.assert_array_equal(value, f(x))
        np.testing.assert_allclose(derivative, 2 * np.sqrt(value) * v)


def test_a_copy_has_memory_of_its_own():
    def f(x):
        copy.copy(x)[0] = 0.0
        return x

    np.testing.assert_array_equal(jvp(f, X, V)[1], V)


def test_constants_are_written_into_a_dual():
    def f(x):
        y = x * 2.0
        np.add(np.arange(4), 1, out=y[0])
        return y * x

    np.testing.assert_allclose(jvp(f, X, V)[1], numeric_jvp(f, X, V), rtol=1e-6)
