"""The check that every layer must pass.

    lamina check Affine                  a layer of this project
    lamina check my_layers.py:Swish      your own
    lamina check --all
    lamina check --mutants Affine        is the check itself sharp enough?

    from lamina.layers.check import check_layer
    print(check_layer(Swish(), X))

Two witnesses stand beside the hand-written `backward`: duals, run through the same `forward`
(⟨J v, u⟩ = ⟨v, backward(u)⟩, exact, without a step size), and central differences, which know no
derivative rule at all.
"""

from lamina.layers.check.check import check_class, check_layer
from lamina.layers.check.report import Finding, Report

__all__ = ["Finding", "Report", "check_class", "check_layer"]
