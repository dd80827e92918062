"""Derivative rules of one's own, for both modes.

One decorator makes a rule:

    @differential(scipy.special.erf)
    def _(dx, y, x):
        return dx * (2 / math.sqrt(math.pi) * np.exp(-x * x))
"""

import numpy as np

from lamina.autodiff.reverse import vjp
from lamina.autodiff.rules import DIFFERENTIALS, JOINS, RULES, PerArgument, Rule


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


def transposed(push, argument: int = 0) -> Rule:
    """A rule from its push alone: reverse mode through push, which is linear, gives the pull."""

    def pull(g, y, *args, **kwargs):
        x = args[argument]

        def dy(dx):
            return np.broadcast_to(push(dx, y, *args, **kwargs), np.shape(y))

        _, pull_back = vjp(dy, np.zeros(x.shape, x.dtype))
        return pull_back(g)

    return Rule(push, pull, push)


for _function, _push in DIFFERENTIALS.items():
    differential(_function)(_push)
