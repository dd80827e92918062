"""Differentiation of plain NumPy code.

`Dual` is forward mode, `numeric_jvp` and `numeric_gradient` are central differences.
Both take ordinary NumPy functions.
"""

from autodiff.dual import Dual, jvp, tangent
from autodiff.numeric import numeric_gradient, numeric_jvp
from autodiff.traced import NotDifferentiable, Traced, new_level, outermost, primal

__all__ = [
    "Dual",
    "NotDifferentiable",
    "Traced",
    "jvp",
    "new_level",
    "numeric_gradient",
    "numeric_jvp",
    "outermost",
    "primal",
    "tangent",
]
