"""Derivative rules of NumPy functions, one table for both modes.

- `RULES[function][i]` is the rule of argument i: see rule.py for what a rule is.
- `COMPOSITE[function]` is the same function written with others that have rules.
- `CONSTANT`: the result does not move when the input moves a little (comparisons, argmax).
- `JOINS[function][i]`: functions of a list of arrays, such as concatenate.
- `CREATION`: new arrays.

Rules of one's own come into `RULES` through own_rules.py.
"""

import numpy as np

from lamina.autodiff.rules import elementwise, linear_algebra, products, reductions, shapes
from lamina.autodiff.rules.elementwise import CONSTANT
from lamina.autodiff.rules.rule import PerArgument, Rule, primitive
from lamina.autodiff.rules.shapes import JOINS, scatter, sum_to

__all__ = [
    "COMPOSITE",
    "CONSTANT",
    "CREATION",
    "JOINS",
    "RULES",
    "PerArgument",
    "Rule",
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
