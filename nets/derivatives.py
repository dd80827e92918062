"""Products with the Jacobian and the Hessian of a whole net, by duals through every layer.

Neither matrix is formed: each product costs one pass that is two to three times a plain one.
"""

import contextlib
from collections.abc import Callable

import numpy as np

from lamina.autodiff import Dual, jvp, new_level, tangent
from lamina.nets.passes import Passes


class Derivatives(Passes):
    """Adds `jvp` and `hvp` to a net that has gradient_of_batch."""

    gradient_of_batch: Callable[..., dict]

    def jvp(self, X, v):
        """(scores, J v): the scores of X, and how they move when X moves in the direction v."""
        try:
            return jvp(self.forward, X, v)
        finally:
            self.forget()

    def hvp(self, X, t, v: dict) -> dict:
        """{name: array}: the Hessian of the loss of a batch by the parameters, times v.

        v has an array for each trainable parameter, by name, of its shape and dtype. Backward
        gives the gradient, so its derivative along v, duals through forward and backward, is H v.
        Parameters and their gradients stay as they were; in training mode running statistics and
        random generators move on, as in `gradient`. Raises ValueError if v does not fit.
        """
        parameters = self.parameters()
        trained = {name: param for name, param in parameters.items() if param.trainable}
        _check_direction(trained, v)
        level = new_level()
        with _restored(parameters):
            for name, param in trained.items():
                param.data = Dual(param.data, v[name], level)
            try:
                gradients = self.gradient_of_batch(X, t)
            finally:
                self.forget()
                level.ended = True  # what a layer keeps of this pass is an error from here on
            return {
                name: np.zeros_like(v[name]) if g is None else tangent(g, level)
                for name, g in gradients.items()
            }


def _check_direction(parameters: dict, v: dict) -> None:
    wrong = [f"missing: {name}" for name in parameters.keys() - v.keys()]
    wrong += [f"unknown: {name}" for name in v.keys() - parameters.keys()]
    for name in parameters.keys() & v.keys():
        expected, got = parameters[name].data, v[name]
        if np.shape(got) != expected.shape or getattr(got, "dtype", None) != expected.dtype:
            got = f"{np.shape(got)} {getattr(got, 'dtype', type(got).__name__)}"
            wrong.append(f"{name}: expects {expected.shape} {expected.dtype}, got {got}")
    if wrong:
        raise ValueError(f"hvp: the direction does not fit the net: {'; '.join(sorted(wrong))}")


@contextlib.contextmanager
def _restored(parameters: dict):
    """Arrays and gradients of the parameters are as before afterwards, whatever happens."""
    before = {name: (param.data, param.grad) for name, param in parameters.items()}
    try:
        yield
    finally:
        for name, param in parameters.items():
            param.data, param.grad = before[name]
