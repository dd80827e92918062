"""Derivative rules of NumPy functions, one table for both modes.

- `RULES[function][i]` is the rule of argument i: see rule.py for what a rule is.
- `COMPOSITE[function]` is the same function written with others that have rules.
- `DIFFERENTIALS[function]` is its differential alone: own_rules.py makes a rule of it.
- `CONSTANT`: the result does not move when the input moves a little (comparisons, argmax).
- `JOINS[function][i]`: functions of a list of arrays, such as concatenate.
- `WRITES[function]` is what writes into its first argument, as assignments.
- `CREATION`: new arrays.

Rules of one's own come into `RULES` through own_rules.py.
"""

import numpy as np

from lamina.autodiff.rules import (
    decompositions,
    determinant,
    elementwise,
    least_squares,
    linear_algebra,
    nan_functions,
    order_statistics,
    products,
    reductions,
    shapes,
    sinc,
)
from lamina.autodiff.rules.elementwise import CONSTANT
from lamina.autodiff.rules.rule import PerArgument, Rule, primitive
from lamina.autodiff.rules.shapes import JOINS, WRITES, scatter, sum_to

__all__ = [
    "COMPOSITE",
    "CONSTANT",
    "CREATION",
    "DIFFERENTIALS",
    "JOINS",
    "RULES",
    "WRITES",
    "PerArgument",
    "Rule",
    "primitive",
    "scatter",
    "sum_to",
]

_ROOMS = (
    *(elementwise, sinc, shapes, reductions, order_statistics, nan_functions, products),
    *(linear_algebra, determinant, decompositions, least_squares),
)


def _all(name: str) -> dict:
    return {f: rule for room in _ROOMS for f, rule in getattr(room, name, {}).items()}


RULES, COMPOSITE, DIFFERENTIALS = _all("RULES"), _all("COMPOSITE"), _all("DIFFERENTIALS")
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
