"""A value that outlives its differentiation is an error, wherever it turns up again."""

import copy
import functools

import numpy as np
import pytest

from lamina.autodiff import NotDifferentiable, grad, hvp, jvp, primal, value_and_grad, vjp

X = np.array([0.5, 1.0, 2.0])


def forward(f):
    return lambda x: jvp(f, x, np.ones_like(x))[1]


def reverse(f):
    return grad(lambda x: np.sum(f(x)))


MODES = pytest.mark.parametrize("derivative", [forward, reverse])
ENDED = pytest.raises(NotDifferentiable, match="of a differentiation that has ended")


@MODES
def test_a_cache_of_the_function_is_refused_the_second_time(derivative):
    cache = {}

    def f(x):
        if "square" not in cache:
            cache["square"] = x * x
        return cache["square"] * 2.0

    derivative(f)(X)
    with ENDED:
        derivative(f)(X)
    # Only the cache's own value is left out of the derivative: d/dx x s = s was half of it.
    with ENDED:
        derivative(lambda x: x * cache["square"])(X)


def leak(derivative, x=X):
    kept = []
    derivative(lambda x: kept.append(x * 1.0) or x)(x)
    return kept[0]


USES = {
    "operator": lambda x, old: x + old,
    "alone": lambda x, old: np.exp(old) * 1.0,
    "returned": lambda x, old: old,
    "an entry": lambda x, old: old[0] * x,
    "a row": lambda x, old: next(iter(old)),
    "joined": lambda x, old: np.concatenate([x, old]),
    "composed": lambda x, old: np.std(old) * x,
    "a dtype": lambda x, old: old.astype(np.float32) * x,
    "an integer": lambda x, old: old.astype(int) * x,
    "compared": lambda x, old: np.where(old > 1.0, x, 0.0),
    "like": lambda x, old: np.zeros(3, like=old) + x,
    "differentiated": lambda x, old: grad(lambda y: np.sum(y * y))(old),
    "captured": lambda x, old: grad(lambda y: np.sum(y * old))(x),
    "a direction": lambda x, old: jvp(np.exp, x, old)[1],
    "copied": lambda x, old: copy.copy(old) * x,
}


@MODES
@pytest.mark.parametrize("first", [forward, reverse])
@pytest.mark.parametrize("use", USES)
def test_every_use_of_it_is_refused(use, first, derivative):
    old = leak(first)
    with ENDED:
        derivative(lambda x: USES[use](x, old))(X)
    with ENDED:  # also where nothing is differentiated
        USES[use](X, old) * 1.0


@MODES
def test_it_is_refused_after_an_error_too(derivative):
    kept = []

    def fails(x):
        kept.append(x)
        raise KeyError

    with pytest.raises(KeyError):
        derivative(fails)(X)
    with ENDED:
        derivative(lambda x: x * kept[0])(X)


def test_written_into_a_buffer():
    old = leak(forward)

    def item(x):
        buffer = np.zeros(3, like=x)
        buffer[:] = old
        return buffer

    with ENDED:
        forward(item)(X)


@MODES
@pytest.mark.parametrize("inner", [forward, reverse])
def test_levels_around_are_alive(derivative, inner):
    """What an outer level computed is used within an inner one, before and after others ended."""

    def f(x):
        square = x * x
        inner(lambda y: y * square)(np.ones(3))
        cube = x * square
        return inner(lambda y: y * y * cube)(np.ones(3)) + inner(lambda y: y * square)(x)

    expected = 2.0 * 3.0 * X**2 + 2.0 * X
    np.testing.assert_allclose(derivative(f)(X), expected)
    np.testing.assert_allclose(derivative(f)(X), expected)


def test_what_a_value_is_may_still_be_looked_at():
    for old in (leak(forward), leak(reverse)):
        np.testing.assert_array_equal(primal(old), X)
        assert (old.shape, len(old), old.dtype) == ((3,), 3, float)
        assert "array" in repr(old)


def test_a_sweep_may_come_later_and_again():
    y, pull_back = vjp(np.exp, X)
    grad(np.sum)(X)
    np.testing.assert_array_equal(pull_back(np.ones(3)), y)
    np.testing.assert_array_equal(pull_back(np.ones(3)), y)
    np.testing.assert_allclose(hvp(lambda x: np.sum(x**3), X, X), 6.0 * X * X)


def test_a_sweep_of_a_level_whose_surroundings_have_ended():
    kept = []

    def f(x):
        kept.append(vjp(lambda y: y * x, np.ones(3))[1])
        return np.sum(kept[-1](np.ones(3)))

    assert grad(f)(X).tolist() == [1.0, 1.0, 1.0]
    with ENDED:
        kept[0](np.ones(3))


@pytest.mark.parametrize("first", [forward, reverse])
def test_a_deep_copy_of_what_holds_it_is_one_of_a_value_that_has_ended(first):
    """Nets and layers are copied, and hold values of their last pass."""
    holder = copy.deepcopy({"X": leak(first)})
    with ENDED:
        holder["X"] * 1.0


def test_a_cache_of_plain_values_is_no_matter():
    @functools.cache
    def table(n):
        return np.arange(float(n))

    for _ in range(2):
        value, gradient = value_and_grad(lambda x: np.sum(x * table(3)))(X)
        assert value == 5.0
        np.testing.assert_array_equal(gradient, [0.0, 1.0, 2.0])
