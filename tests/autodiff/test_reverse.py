"""Reverse mode: what it takes and gives, and how it sweeps."""

import gc
import tracemalloc
import weakref
from typing import NamedTuple

import numpy as np
import pytest

from lamina.autodiff import (
    Variable,
    differential,
    grad,
    hvp,
    jvp,
    numeric_gradient,
    primitive,
    value_and_grad,
    vjp,
)
from lamina.autodiff.rules import RULES

X = np.random.default_rng(0).uniform(0.5, 1.5, (3, 4))
ONE = np.array(1.0)


class Pair(NamedTuple):
    left: np.ndarray
    right: np.ndarray


# What goes in and what comes out.


def test_value_and_gradient():
    value, gradient = value_and_grad(lambda x: np.sum(x**2))(X)
    assert value == np.sum(X**2)
    np.testing.assert_array_equal(gradient, 2 * X)


def test_argnums():
    def f(x, y, scale=1.0):
        return scale * np.sum(x * y)

    a, b = X, 2 * X
    np.testing.assert_array_equal(grad(f)(a, b), b)
    np.testing.assert_array_equal(grad(f, 1)(a, b, scale=3.0), 3 * a)
    np.testing.assert_array_equal(grad(f, -1)(a, b), a)
    both = grad(f, (1, 0))(a, b)
    assert isinstance(both, tuple)
    np.testing.assert_array_equal(both, (a, b))
    (one,) = grad(f, (0,))(a, b)
    np.testing.assert_array_equal(one, b)


@pytest.mark.parametrize(
    ("argnums", "words"),
    [
        (2, "argnums=2, but there are 2 arguments by position"),
        (-3, "argnums=-3, but there are 2"),
        ((0, 0), "names an argument twice"),  # one of the gradients would be zero
        ((1, -1), "names an argument twice"),
    ],
)
def test_wrong_argnums(argnums, words):
    with pytest.raises(TypeError, match=words):
        grad(lambda x, y: np.sum(x * y), argnums)(X, X)


def test_structures():
    def f(p):
        first, (second, third) = p["list"]
        return np.sum(first * p["pair"].left) + 2.0 * np.sum(second * third) + p["number"] ** 2

    one, two = np.ones(3), np.full(3, 2.0)
    p = {"list": [one, (two, one)], "pair": Pair(two, one), "number": 3}
    gradient = grad(f)(p)
    assert list(gradient) == ["list", "pair", "number"]
    assert isinstance(gradient["list"], list)
    assert isinstance(gradient["list"][1], tuple)
    assert isinstance(gradient["pair"], Pair)
    assert gradient["number"] == 6.0
    np.testing.assert_array_equal(gradient["list"][0], two)
    np.testing.assert_array_equal(gradient["list"][1], (2 * one, 2 * two))
    np.testing.assert_array_equal(gradient["pair"].left, one)
    np.testing.assert_array_equal(gradient["pair"].right, 0 * one)
    direction = {"number": 1.0, "pair": Pair(one, one), "list": [one, (one, one)]}
    assert hvp(f, p, direction)["number"] == 2.0
    np.testing.assert_array_equal(hvp(f, p, direction)["list"][1][0], 2 * one)


def test_python_numbers():
    assert grad(lambda x: x**3)(2) == 12.0
    assert grad(grad(lambda x: x**3))(2.0) == 12.0


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ({"W": [X, np.ones(3, int)]}, r"x\['W'\]\[1\] is int64; .* x.astype\(float\)"),
        (np.array([True]), "x is bool"),
        ((X, "text"), r"x\[1\] is str"),
        (None, "x is NoneType"),
        (np.array([1j]), "x is complex128"),
    ],
)
def test_what_has_no_derivative_is_named(x, words):
    with pytest.raises(TypeError, match=words):
        grad(lambda x: 0.0)(x)
    with pytest.raises(TypeError, match=words):
        jvp(lambda x: 0.0, x, x)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x * x, r"f gave shape \(3, 4\), float64; add it up"),
        (lambda x: x.sum(keepdims=True), r"f gave shape \(1, 1\)"),
        (lambda x: np.argmax(x), r"f gave shape \(\), int64"),
        (lambda x: None, "f gave None"),  # a forgotten return: not a gradient of zeros
        (lambda x: {"loss": x.sum()}, "f gave {'loss': "),
        (lambda x: (x.sum(), x), "f gave "),
        (lambda x: "loss", "f gave 'loss'"),
        (lambda x: True, "f gave True"),
    ],
)
def test_the_gradient_is_that_of_a_number(f, words):
    with pytest.raises(TypeError, match=f"of a single number, but {words}"):
        grad(f)(X)


def test_a_constant_has_gradient_zero():
    for constant in (2.0, 3, np.float64(2.0), np.array(2.0)):
        value, gradient = value_and_grad(lambda x, c=constant: c)(X)
        assert value == constant
        np.testing.assert_array_equal(gradient, np.zeros_like(X))
    np.testing.assert_array_equal(vjp(lambda x: X, X)[1](X), np.zeros_like(X))


def test_outputs_and_gradients_of_any_structure():
    def f(x, y):
        return {"sum": x + y, "rest": [x * y, X]}

    value, pull_back = vjp(f, X, 2 * X)
    assert list(value) == ["sum", "rest"]
    np.testing.assert_array_equal(value["rest"][0], 2 * X * X)
    ones, zeros = np.ones_like(X), np.zeros_like(X)
    g = {"rest": [zeros, ones], "sum": ones}  # in another order: the keys say what is what
    np.testing.assert_array_equal(pull_back(g), (ones, ones))
    g = {"sum": zeros, "rest": [ones, ones]}
    np.testing.assert_array_equal(pull_back(g), (2 * X, X))


def test_pull_back_again_gives_arrays_of_its_own():
    _, pull_back = vjp(lambda x, y: x + y, X, X)
    u = np.ones_like(X)
    first = pull_back(u)
    first[0][...] = 7.0
    assert (u == 1.0).all()
    assert (first[1] == 1.0).all()
    assert (pull_back(u)[0] == 1.0).all()


def test_pull_back_takes_numbers_and_lists():
    assert (vjp(np.sum, X)[1](2.0) == 2.0).all()
    assert (vjp(np.sum, X)[1](2) == 2.0).all()
    np.testing.assert_array_equal(vjp(np.negative, X[0, :2])[1]([1.0, 2.0]), [-1.0, -2.0])


@pytest.mark.parametrize(
    ("g", "words"),
    [
        (X, "g should be a dict with the keys .'a', 'b'., not a ndarray"),
        ({"a": X}, "g should be a dict with the keys .'a', 'b'., not one with the keys .'a'."),
        ({"a": X, "b": X}, r"g\['b'\] should be a sequence of length 2, not a ndarray"),
        ({"a": X, "b": [X]}, r"g\['b'\] should be a sequence of length 2, not a list of length 1"),
        ({"a": X, "b": [X, X[0]]}, r"g\['b'\]\[1\] should have the shape .* \(3, 4\); got \(4,\)"),
    ],
)
def test_a_gradient_of_another_structure_is_refused(g, words):
    _, pull_back = vjp(lambda x: {"a": x, "b": [x, x]}, X)
    with pytest.raises(ValueError, match=words):
        pull_back(g)


def test_a_direction_goes_by_keys_and_not_by_their_order():
    x, v = {"a": ONE, "b": ONE}, {"b": 0 * ONE, "a": ONE}
    assert jvp(lambda p: p["a"] * 3.0 + p["b"], x, v)[1] == 3.0
    with pytest.raises(ValueError, match="v should be a dict with the keys"):
        jvp(lambda p: p["a"], x, {"a": ONE, "c": ONE})


# The sweep.


@pytest.fixture
def doubled(monkeypatch):
    """A function 2 x that counts how often its rule pulls: doubled.pulls."""

    @primitive
    def double(x):
        return 2.0 * x

    @differential(double)
    def _(dx, y, x):
        return 2.0 * dx

    rule, double.pulls = RULES[double][0], 0
    pull = rule.pull

    def counting(*args):
        double.pulls += 1
        return pull(*args)

    rule.pull = counting
    yield double
    del RULES[double]


def test_a_value_used_many_times_is_visited_once(doubled):
    def f(x):
        y = doubled(x)
        for _ in range(20):
            y = y + y  # 2²⁰ paths
        return np.sum(y)

    assert (grad(f)(X) == 2.0**21).all()
    assert doubled.pulls == 1


def test_a_node_waits_for_the_longest_path():
    """a is used by c directly and by way of b: depth first, c would hand a half a gradient on."""

    def f(x):
        a = x * x
        b = np.exp(a)
        c = b + a
        d = c * a
        return d * b + c

    a, e = X[0, 0] ** 2, np.exp(X[0, 0] ** 2)
    slope = (2 * a + e + a * e) * e + (e + 1) + a * (e + a) * e
    np.testing.assert_allclose(grad(f)(X[0, 0]), slope * 2 * X[0, 0], rtol=1e-14)


def test_a_very_long_chain():
    """No recursion in recording, sweeping, or being freed, be it used up or thrown away."""

    def f(x, n=50_000):
        for _ in range(n):
            x = x + 1.0
        return x

    x = np.float64(0.0)
    assert grad(f)(x) == 1.0
    value, pull_back = vjp(lambda x: f(x, 40_000), x)
    assert pull_back(1.0) == 1.0
    del value, pull_back
    with pytest.raises(TypeError, match="a single number"):
        grad(lambda x: [f(x, 40_000)])(x)


def test_the_graph_is_freed_without_the_garbage_collector():
    seen = []

    def f(x):
        y = np.exp(x)
        seen.append(weakref.ref(y))
        if isinstance(y.primal, np.ndarray):
            seen.append(weakref.ref(y.primal))
        return np.sum(y * y)

    gc.collect()
    gc.disable()
    try:
        grad(f)(X)
        _, pull_back = vjp(f, X)
        pull_back(1.0)
        assert seen[-1]() is not None  # it may be called again
        del pull_back
        hvp(f, X, X)
        assert len(seen) == 5
        assert all(reference() is None for reference in seen)
    finally:
        gc.enable()


def test_memory_is_given_back_during_the_sweep():
    """At its peak a gradient needs the values it remembers, and few arrays more."""
    x, n = np.ones(100_000), 20

    def f(x):
        for _ in range(n):
            x = np.sin(x)
        return np.sum(x)

    tracemalloc.start()
    try:
        grad(f)(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < (n + 5) * x.nbytes


def test_plain_gradients_record_nothing_on_the_way_back(recorded):
    def f(x):
        return np.sum(np.exp(x) * x)

    _, pull_back = vjp(f, X)
    assert recorded.count == 4  # x, exp, *, sum
    pull_back(1.0)
    assert recorded.count == 4
    recorded.count = 0
    grad(f)(X)
    assert recorded.count == 4


def test_gradients_are_the_callers_own():
    """Of a sum the gradient is a read-only view of one number; the caller gets a real array."""
    x, y = X.copy(), X.copy()
    left, right = grad(lambda x, y: np.sum(x) + np.sum(y), (0, 1))(x, y)
    left[...] = 3.0
    assert (right == 1.0).all()
    seed = np.ones_like(x)
    for f in (lambda x: x, lambda x: +x, lambda x: x.reshape(4, 3).reshape(3, 4)):
        gradient = vjp(f, x)[1](seed)
        gradient += 1.0
        assert (seed == 1.0).all()


def test_a_variable_says_what_it_is():
    variables = []
    grad(lambda x: variables.append(x) or np.sum(x))(X[0, :2])
    assert isinstance(variables[0], Variable)
    assert repr(variables[0]).startswith("Variable(array([")


def test_constants_are_remembered_as_they_were():
    """What is written after its use into a plain array, an index or a list changes no gradient."""
    x = np.arange(1.0, 7.0)

    def factor(x):
        weight, total = np.zeros(6), 0.0
        for i in range(6):
            weight[:] = 0.0
            weight[i] = i + 1
            total = total + np.sum(weight * x)
        return total

    def index(x):
        at, total = np.arange(2), 0.0
        for i in range(3):
            total = total + np.sum(x[at] ** 2) * (i + 1)
            at += 2
        return total

    def keyword(x):
        at, total = np.zeros(1, int), 0.0
        for i in range(6):
            at[:] = i
            total = total + np.sum(np.take(x, indices=at)) * (i + 1)
        return total

    def listed(x):
        at, constant = [0], np.ones(2)
        y = np.concatenate([x[at], constant, x * 2])
        at[0], constant[:] = 5, 7.0
        return np.sum(y * y)

    for f in (factor, index, keyword, listed):
        np.testing.assert_allclose(grad(f)(x), numeric_gradient(f, x), rtol=1e-6)
    v = np.arange(6.0)
    expected = (grad(index)(x + 1e-5 * v) - grad(index)(x - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(hvp(index, x, v), expected, rtol=1e-6)


def test_what_vjp_returns_may_be_written_into():
    x = np.array([1.0, 2.0])
    y, pull_back = vjp(np.exp, x)
    y *= 0.0
    np.testing.assert_array_equal(pull_back(np.ones(2)), np.exp(x))
