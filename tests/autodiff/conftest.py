"""What the tests of differentiation share: `check`, which tries all derivatives of a function."""

from types import SimpleNamespace

import numpy as np
import pytest

from lamina.autodiff import Variable, grad, jvp, vjp
from lamina.autodiff.dispatch import Differentiating


@pytest.fixture(scope="session")
def check():
    """check(f, *inputs): compare all derivatives of f with one another and with differences."""
    return _check


@pytest.fixture(scope="session")
def arrays():
    """arrays(rng, *shapes): float64 arrays without ties, each laid out in memory in its own way."""
    return _arrays


@pytest.fixture
def followed(monkeypatch):
    """The functions that traced arrays were asked about, and (function, i): by argument i."""
    seen, apply = set(), Differentiating.apply

    def noting(self, function, args, kwargs):
        seen.add(function)
        seen.update((function, i) for i, a in enumerate(args) if self.is_mine(a))
        return apply(self, function, args, kwargs)

    monkeypatch.setattr(Differentiating, "apply", noting)
    return seen


@pytest.fixture
def recorded(monkeypatch):
    """Counts the Variables that are made: recorded.count."""
    counter, init = SimpleNamespace(count=0), Variable.__init__

    def counting(self, *args, **kwargs):
        counter.count += 1
        init(self, *args, **kwargs)

    monkeypatch.setattr(Variable, "__init__", counting)
    return counter


def _arrays(rng, *shapes, low=0.3, high=2.0, signed=False):
    """Values of `low` to `high` at least a quarter of the mean distance apart, so that steps of
    central differences cross no tie; with `signed` some of them negative."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    n = sum(sizes)
    values = low + (high - low) * (rng.permutation(n) + rng.uniform(0.1, 0.85, n)) / max(n, 1)
    if signed:
        values *= rng.choice([-1.0, 1.0], n)
    parts = np.split(values, np.cumsum(sizes)[:-1]) if shapes else []
    return [_laid_out(a.reshape(s), rng) for a, s in zip(parts, shapes, strict=True)]


def _laid_out(a, rng):
    """The same numbers: contiguous, transposed, strided, backwards or read-only."""
    way = rng.integers(5)
    if way == 1:
        return a.T.copy().T
    if way == 2 and a.ndim:
        return np.repeat(a, 2, axis=-1)[..., ::2]
    if way == 3:
        return np.flip(np.flip(a).copy())
    a = a.copy()
    a.setflags(write=way != 4)
    return a


def _check(f, *inputs, seed=0, value=1e-12, step=1e-5):
    """Compare all derivatives of f at the float64 arrays `inputs`.

    `value` is how far the value may be off where a rule computes it in its own way, `step` that of
    central differences. Raises AssertionError.
    """
    rng = np.random.default_rng(seed)
    before = [a.copy() for a in inputs]
    v, w = ([rng.standard_normal(a.shape) for a in inputs] for _ in range(2))
    y = f(*inputs)
    u = rng.standard_normal(np.shape(y))
    first, second = u.copy(), rng.standard_normal(np.shape(y))

    def at(t):
        return [x + t * d for x, d in zip(inputs, v, strict=True)]

    # First order, in both modes.
    of_list = lambda xs: f(*xs)  # noqa: E731
    forward, tangent = jvp(of_list, list(inputs), v)
    backward, pull_back = vjp(of_list, list(inputs))
    for mine in (forward, backward):
        assert np.shape(mine) == np.shape(y)
        assert mine.dtype == y.dtype
        _close(mine, y, value)
    assert np.shape(tangent) == np.shape(y)
    assert tangent.dtype == y.dtype
    _close(tangent, (f(*at(step)) - f(*at(-step))) / (2 * step), 2e-7)
    gradients = pull_back(u)
    _close(_inner(gradients, v), np.sum(u * tangent), 1e-11, np.sum(np.abs(u * tangent)))
    _check_ownership(gradients, inputs, u)
    for mine, again in zip(gradients, pull_back(u), strict=True):
        np.testing.assert_array_equal(mine, again)

    # Second order, in all four combinations; the square gives linear functions a Hessian too.
    def number(xs):
        y = f(*xs)
        return np.sum(u * y + (0.5 * second) * y * y)

    xs, gradient = list(inputs), grad(number)
    hessian_v = jvp(gradient, xs, v)[1]
    slope = lambda xs: jvp(number, xs, v)[1]  # noqa: E731
    for mine in (grad(slope)(xs), grad(lambda xs: _inner(gradient(xs), v))(xs)):
        for a, b, x in zip(mine, hessian_v, inputs, strict=True):
            assert np.shape(a) == np.shape(b) == x.shape
            _close(a, b, 1e-9)
    _close(jvp(slope, xs, w)[1], _inner(hessian_v, w), 1e-9, _inner(hessian_v, w, np.abs))
    for a, plus, minus in zip(hessian_v, gradient(at(step)), gradient(at(-step)), strict=True):
        _close(a, (plus - minus) / (2 * step), 1e-6)

    _check_float32(f, inputs, v, u, gradients)
    for a, b in zip([*inputs, u], [*before, first], strict=True):
        np.testing.assert_array_equal(a, b)


def _check_ownership(gradients, inputs, u):
    """Whoever gets a gradient may write into it, and changes nothing else by that."""
    for i, (g, x) in enumerate(zip(gradients, inputs, strict=True)):
        assert np.shape(g) == x.shape
        assert g.dtype == x.dtype
        if isinstance(g, np.ndarray):
            assert g.flags.writeable
            others = [*inputs, u, *gradients[:i], *gradients[i + 1 :]]
            assert not any(np.may_share_memory(g, other) for other in others)


def _check_float32(f, inputs, v, u, gradients):
    """float32 stays float32 as far as f itself keeps it."""
    inputs, v = ([a.astype(np.float32) for a in part] for part in (inputs, v))
    y = f(*inputs)
    value, tangent = jvp(lambda xs: f(*xs), inputs, v)
    assert value.dtype == tangent.dtype == y.dtype
    _, pull_back = vjp(lambda xs: f(*xs), inputs)
    for mine, exact in zip(pull_back(u.astype(y.dtype)), gradients, strict=True):
        assert mine.dtype == np.float32
        _close(mine, exact, 2e-3)


def _inner(left, right, part=lambda a: a):
    return sum((np.sum(part(a * b)) for a, b in zip(left, right, strict=True)), np.float64(0.0))


def _close(a, b, tolerance, scale=0.0):
    scale = max(1.0, scale, np.max(np.abs(b), initial=0.0))
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)
