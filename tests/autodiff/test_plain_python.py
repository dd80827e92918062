"""Where traced arrays meet plain Python: it answers rightly, or says in our words what to do."""

import copy
import functools
import json
import math
import operator
import pickle
import statistics

import numpy as np
import pytest

from lamina.autodiff import Dual, NotDifferentiable, grad, jvp, new_level, primal

X = np.array([0.5, 1.0, 2.0])
MODES = pytest.mark.parametrize(
    "derivative", [lambda f: lambda x: jvp(f, x, np.ones_like(x))[1], grad], ids=["fwd", "rev"]
)


@MODES
def test_text_is_that_of_the_value(derivative, capsys):
    def f(x):
        loss = np.sum(x * x)
        print(f"{loss:.3f}|{loss:10.2e}|{loss!r:.4}|{loss!s:.4}|{f'{loss:g}'}")
        print(loss, x)
        return loss

    derivative(f)(X)
    first, second = capsys.readouterr().out.split("\n", 1)
    kind = "Vari" if derivative is grad else "Dual"
    assert first == f"5.250|  5.25e+00|{kind}|{kind}|5.25"
    assert "5.25" in second
    assert "array([0.5, 1. , 2. ])" in second
    nested = derivative(lambda x: grad(lambda y: np.sum(y) * float(f"{np.sum(x):.1f}"))(x)[0])
    assert np.sum(nested(X)) == 0.0


@MODES
def test_a_format_of_an_array_fails_as_that_of_numpy(derivative):
    with pytest.raises(TypeError, match="unsupported format string"):
        derivative(lambda x: f"{x:.3f}")(X)


REFUSED = {
    "float": (float, "a Python number would lose"),
    "int": (int, "a Python number would lose"),
    "complex": (complex, "a Python number would lose"),
    "round": (round, "a Python number would lose"),
    "round to digits": (lambda x: round(x, 2), "a Python number would lose"),
    "math": (math.exp, "a Python number would lose.*np. functions"),
    "floor": (math.floor, "a Python number would lose"),
    "percent": (lambda x: operator.mod("%.3f", x), "a Python number would lose"),
    "item": (lambda x: x.item(), "a Python number would lose"),
    "trunc": (math.trunc, "a Python number would lose"),
    "fraction of": (lambda x: statistics.mean([x]), "a Python number would lose"),
    "range": (range, "is no index and no length"),
    "index": (operator.index, "is no index and no length"),
    "list index": (lambda x: [1, 2, 3][x], "is no index and no length"),
    "slice": (lambda x: [1, 2, 3][:x], "is no index and no length"),
    "array index": (lambda x: X[x], "lose its derivative"),
    "length": (len, r"shape \(\) is a number"),
    "iteration": (lambda x: [y for y in x], r"shape \(\) is a number"),  # noqa: C416
    "unpacking": (lambda x: (lambda a, b: a)(*x), r"shape \(\) is a number"),
    "sum": (sum, r"shape \(\) is a number"),
    "pickle": (pickle.dumps, "is not pickled"),
    "key": (lambda x: {x: 1}, "no key of a dict"),
    "set": (lambda x: {x}, "no key of a dict"),
    "cache": (functools.cache(lambda x: x), "no key of a dict"),
    "entry": (lambda x: operator.setitem(np.zeros(2), 0, x), "a Python number would lose"),
    "scalar": (np.float64, "lose"),
    "array": (lambda x: np.array([x, x]), "lose its derivative"),
    "fill": (lambda x: np.zeros(2).fill(x), "lose"),
    "method": (lambda x: x.byteswap(), "has no byteswap, which arrays have"),
}


@MODES
@pytest.mark.parametrize("use", REFUSED)
def test_what_is_refused_says_so_and_where(use, derivative):
    act, words = REFUSED[use]

    def users_own(x):
        return act(np.sum(x))

    with pytest.raises((TypeError, AttributeError), match=words) as error:
        derivative(users_own)(X)
    line = users_own.__code__.co_firstlineno + 1
    text = str(error.value)
    named = f"(in users_own, test_plain_python.py, line {line})" in text
    assert named or "(in <lambda>, test_plain_python.py" in text


@MODES
def test_what_answers_rightly(derivative):
    def f(x):
        assert len(x) == 3
        assert bool(x[0])
        assert x[0] < x[1] <= 1.0
        assert x[1] in [1.0]
        assert [primal(y) for y in reversed(x)] == [2.0, 1.0, 0.5]
        a, b, c = x
        assert max(x) is not None
        low, high = min(x), max(a, b, c)
        ordered = sorted(x, reverse=True)
        return sum(x) + low * high + ordered[0] + (a if a else b) + abs(-c) + pow(b, 2)

    total = np.sum(derivative(f)(X))
    assert total == 3.0 + (0.5 + 2.0) + 1.0 + 1.0 + 1.0 + 2.0


@MODES
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_keep_the_derivative(derivative, copied):
    np.testing.assert_array_equal(
        np.sum(derivative(lambda x: np.sum(copied({"x": x})["x"] ** 2 * copied(x)))(X)),
        np.sum(3.0 * X**2),
    )


def test_a_deep_copy_of_a_dual_is_written_into_alone():
    d = Dual(X.copy(), X.copy(), new_level())
    other = copy.deepcopy(d)
    other[:] = 0.0
    np.testing.assert_array_equal(d.primal, X)
    np.testing.assert_array_equal(d.tangent, X)


@MODES
def test_json_says_what_it_says_of_arrays(derivative):
    with pytest.raises(TypeError, match="not JSON serializable"):
        derivative(lambda x: json.dumps(x))(X)


BINARY = [np.add, np.multiply, np.divide, np.power, np.maximum, np.hypot, np.arctan2, np.fmin]


@MODES
@pytest.mark.parametrize("function", [*BINARY, np.logaddexp], ids=lambda f: f.__name__)
def test_lists_are_arrays_as_to_numpy(derivative, function):
    """Also beside a number, whose operators would take a list for a sequence to be repeated."""
    for x in (X[1:], np.float64(1.5)):
        for values in ([3.0, 4.0], (3.0, 4.0)):
            plain = np.array(values)
            for f in (lambda x, v: np.sum(function(x, v)), lambda x, v: np.sum(function(v, x))):
                mine, expected = (derivative(lambda x, v=v: f(x, v))(x) for v in (values, plain))  # noqa: B023
                np.testing.assert_array_equal(mine, expected)


@MODES
def test_transposes_and_real_parts(derivative):
    x = np.arange(6.0).reshape(2, 3)
    g = derivative(lambda x: np.sum(x.mT.real[0] ** 2))(x)
    assert np.sum(g) == 2.0 * (0.0 + 3.0)


def test_writing_along_an_axis():
    """Duals follow it; reverse mode and plain arrays say what to do instead."""
    index = np.array([[2], [0]])

    def f(x):
        buffer = np.zeros((2, 3), like=x)
        np.put_along_axis(buffer, index, x[:, :1] ** 2, axis=1)
        np.put_along_axis(buffer, np.array([1]), x[0, 2], None)
        other = np.zeros_like(x)
        np.copyto(other, buffer * buffer)
        return other

    x = np.arange(1.0, 7.0).reshape(2, 3)
    value, tangent = jvp(f, x, np.ones_like(x))
    assert value.tolist() == [[0.0, 9.0, 1.0], [256.0, 0.0, 0.0]]
    assert tangent.tolist() == [[0.0, 6.0, 4.0], [256.0, 0.0, 0.0]]
    for write in (
        lambda x: np.put_along_axis(x, index, 0.0, 1),
        lambda x: np.put_along_axis(np.zeros((2, 3)), index, x[:, :1], 1),
        lambda x: np.copyto(np.zeros((2, 3)), x),
        lambda x: np.copyto(x, 0.0),
    ):
        with pytest.raises(NotDifferentiable, match=r"np.stack, np.concatenate, np.where or x = "):
            grad(write)(x)
