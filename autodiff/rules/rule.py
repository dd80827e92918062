"""What a derivative rule is, and how one is made.

A rule belongs to one argument of a function y = f(*args) and works in both modes:

- `push(dx, y, *args)` gives the differential dy that a small dx of that argument causes: forward
  mode;
- `pull(g, y, *args)` gives the gradient of that argument from the gradient g of y: reverse mode.

Both are linear in their first argument and one is the transpose of the other,
⟨g, push(dx)⟩ = ⟨pull(g), dx⟩. So most rules need only one line: the other half follows.
A pull may give a gradient of the shape that broadcasting gave the argument: it is summed down.
"""

import functools
import sys

from lamina.autodiff.traced import Traced, outermost


class Rule:
    """The derivative of one function by one of its arguments. `form` is the function whose
    signature says which keywords the rule understands; any other keyword is refused."""

    __slots__ = ("form", "pull", "push")

    def __init__(self, push, pull, form=None):
        self.push, self.pull, self.form = push, pull, form or pull


def elementwise(*rules):
    """Per argument `(g, y, *args)`: g times the partial derivative, entry by entry. A diagonal
    matrix is its own transpose, so the same line pushes and pulls. None: a constant argument."""
    return [rule and Rule(rule, rule) for rule in rules]


def linear(function, pull):
    """f is linear in its first argument: what it does to x, it does to dx."""

    def push(dx, y, x, *args, **kwargs):
        return function(dx, *args, **kwargs)

    return [Rule(push, pull)]


class PerArgument:
    """Rules of a function of any number of arguments: `make(i)` is the rule of argument i."""

    def __init__(self, make):
        self._make = functools.cache(make)

    def __getitem__(self, i: int):
        return self._make(i)

    def __len__(self):
        return sys.maxsize


def primitive(function):
    """Decorator: let traced arrays intercept a function of your own, as they do NumPy's.

    It runs on plain arrays then, so it may do what it likes inside: loops, buffers, another
    library. Its derivative comes from `differential`.
    """

    @functools.wraps(function)
    def asking(*args, **kwargs):
        handler = outermost(None, *args, *kwargs.values())
        if isinstance(handler, Traced):
            return handler.apply(asking, args, kwargs)
        return function(*args, **kwargs)

    asking._implementation = function  # as the functions have that NumPy lets arrays intercept
    return asking
