"""The check of the rules is itself checked: it must fail where a rule is wrong."""

import operator

import numpy as np
import pytest

from lamina.autodiff import primal
from lamina.autodiff.rules import RULES
from lamina.autodiff.rules.rule import Rule

X, Y = np.random.default_rng(0).uniform(0.5, 1.5, (2, 3, 3))


def changed(rule, push=None, pull=None):
    """A rule of which a part is changed: push(right result, *args), pull likewise."""

    def wrap(part, change):
        return part if change is None else lambda *a, **k: change(part(*a, **k), *a)

    return Rule(wrap(rule.push, push), wrap(rule.pull, pull), rule.form)


def no_second_order(right, g, y, x, *_):
    """Right to first order, but the slope has lost its own derivative."""
    return g * primal(right / g)


MISTAKES = {
    "a pull of the wrong sign": (np.exp, 0, np.exp, {"pull": lambda r, *_: -r}),
    "a push of the wrong sign": (np.exp, 0, np.exp, {"push": lambda r, *_: -r}),
    "a pull off by a thousandth": (np.sin, 0, np.sin, {"pull": lambda r, *_: r * 1.001}),
    "both modes wrong alike": (
        np.tanh,
        0,
        np.tanh,
        {"push": lambda r, *_: r * 1.001, "pull": lambda r, *_: r * 1.001},
    ),
    "a pull that forgets the sum": (
        np.sum,
        0,
        lambda x: np.sum(x, axis=0),
        {"pull": lambda r, *_: r / 3.0},
    ),
    "the second argument": (np.divide, 1, np.divide, {"pull": lambda r, *_: 2.0 * r}),
    "a transposed gradient": (np.matmul, 0, np.matmul, {"pull": lambda r, *_: r.T}),
    "repeats that do not add up": (
        operator.getitem,
        0,
        lambda x: x[[0, 0, 1]],
        {"pull": lambda r, g, y, x, index: np.minimum(r, 0.5)},
    ),
    "no second derivative": (
        np.log,
        0,
        np.log,
        {"push": no_second_order, "pull": no_second_order},
    ),
    "a gradient written into": (
        np.negative,
        0,
        np.negative,
        {"pull": lambda r, g, *_: np.multiply(g, -1.0, out=g) if isinstance(g, np.ndarray) else r},
    ),
}


def test_the_check_passes_what_is_right(check):
    for function, _, f, _ in MISTAKES.values():
        check(f, *((X, Y) if function in (np.divide, np.matmul) else (X,)))


@pytest.mark.parametrize("name", MISTAKES)
def test_a_wrong_rule_is_caught(name, check, monkeypatch):
    function, i, f, change = MISTAKES[name]
    rules = list(RULES[function])
    rules[i] = changed(rules[i], **change)
    monkeypatch.setitem(RULES, function, rules)
    with pytest.raises(AssertionError):
        check(f, *((X, Y) if function in (np.divide, np.matmul) else (X,)))


def test_an_input_that_is_changed_is_caught(check):
    def f(x):
        if isinstance(x, np.ndarray):
            x[0] = 1.0
        return x * x

    with pytest.raises(AssertionError):
        check(f, X.copy())


def test_a_value_that_differs_between_the_modes_is_caught(check):
    def f(x):
        return x * x if isinstance(x, np.ndarray) else x * x + 1e-9

    with pytest.raises(AssertionError):
        check(f, X)
