"""Derivative rules of NumPy functions, one table for both modes.

- `RULES[function][i]` is the rule of argument i: see rule.py for what a rule is.
- `COMPOSITE[function]` is the same function written with others that have rules.
- `CONSTANT`: the result does not move when the input moves a little (comparisons, argmax).
- `JOINS[function][i]`: functions of a list of arrays, such as concatenate.
- `CREATION`: new arrays.

A rule of your own takes one decorator:

    @differential(scipy.special.erf)
    def _(dx, y, x):
        return dx * (2 / math.sqrt(math.pi) * np.exp(-x * x))
"""

import numpy as np

from lamina.autodiff.rules import elementwise, linear_algebra, products, reductions, shapes
from lamina.autodiff.rules.elementwise import CONSTANT
from lamina.autodiff.rules.rule import PerArgument, Rule, primitive, transposed
from lamina.autodiff.rules.shapes import JOINS, scatter, sum_to

__all__ = [
    "COMPOSITE",
    "CONSTANT",
    "CREATION",
    "JOINS",
    "RULES",
    "Rule",
    "differential",
    "primitive",
    "scatter",
    "sum_to",
]

_ROOMS = (elementwise, shapes, reductions, products, linear_algebra)
RULES = {f: rules for room in _ROOMS for f, rules in room.RULES.items()}
COMPOSITE = {
    f: written
    for room in _ROOMS
    if hasattr(room, "COMPOSITE")
    for f, written in room.COMPOSITE.items()
}
CREATION = {
    np.zeros,
    np.ones,
    np.empty,
    np.arange,
    np.eye,
    np.zeros_like,
    np.ones_like,
    np.empty_like,
}


def differential(function, argument: int = 0):
    """Decorator: a derivative rule `(dx, y, *args)` -> dy, for both modes and all orders.

    It gives the change dy of y = function(*args) when args[argument] changes by a small dx, and is
    linear in dx. `function` is a NumPy function, a ufunc (SciPy's are), or a `primitive` of your
    own. Raises TypeError for a function that traced arrays could not intercept.
    """
    if not isinstance(function, np.ufunc) and not hasattr(function, "_implementation"):
        raise TypeError(
            f"differential: {function!r:.60} is no NumPy function, so an array cannot intercept "
            "it; make it one with the decorator autodiff.primitive"
        )

    if getattr(function, "nout", 1) != 1:
        raise TypeError(f"differential: {function.__name__} gives {function.nout} arrays, not one")
    if argument < 0:
        raise TypeError(f"differential: arguments are counted from 0, got {argument}")
    if function in JOINS or isinstance(RULES.get(function), PerArgument):
        raise TypeError(f"differential: {function.__name__} has rules for all its arguments")

    def register(push):
        rules = RULES.get(function, [])
        rules = [*rules, *[None] * (argument + 1 - len(rules))]
        rules[argument] = transposed(push, argument)
        RULES[function] = rules
        return push

    return register
