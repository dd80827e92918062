"""Where traced arrays meet plain Python: it answers rightly, or says in our words what to do."""

import copy
import functools
import json
import math
import operator
import pickle

import numpy as np
import pytest

from lamina.autodiff import Dual, grad, jvp, new_level, primal

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
