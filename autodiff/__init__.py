"""Differentiation of plain NumPy code.

`Dual` is forward mode, `Variable` reverse mode; `numeric_jvp` and `numeric_gradient` are central
differences. All take ordinary NumPy functions.
"""

if not __name__.startswith("lamina."):
    raise ImportError("imported by its full name only: from lamina.autodiff import ...")

from lamina.autodiff.dual import Dual, jvp, tangent
from lamina.autodiff.numeric import numeric_gradient, numeric_jvp
from lamina.autodiff.own_rules import differential
from lamina.autodiff.reverse import Variable, grad, value_and_grad, vjp
from lamina.autodiff.rules import primitive
from lamina.autodiff.second_order import hessian, hvp, jacobian
from lamina.autodiff.traced import NotDifferentiable, Traced, new_level, outermost, primal

__all__ = [
    "Dual",
    "NotDifferentiable",
    "Traced",
    "Variable",
    "differential",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "new_level",
    "numeric_gradient",
    "numeric_jvp",
    "outermost",
    "primal",
    "primitive",
    "tangent",
    "value_and_grad",
    "vjp",
]
