"""Differentiation of plain NumPy code.

`Dual` is forward mode, `Variable` reverse mode; `numeric_jvp` and `numeric_gradient` are central
differences. All take ordinary NumPy functions.
"""

from autodiff.dual import Dual, jvp, tangent
from autodiff.numeric import numeric_gradient, numeric_jvp
from autodiff.reverse import Variable, grad, value_and_grad, vjp
from autodiff.rules import differential, primitive
from autodiff.second_order import hessian, hvp, jacobian
from autodiff.traced import NotDifferentiable, Traced, new_level, outermost, primal

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
