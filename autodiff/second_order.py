"""Jacobians, Hessians, and products with Hessians that are never formed."""

import numpy as np

from lamina.autodiff.dual import jvp
from lamina.autodiff.reverse import grad, vjp


def jacobian(f):
    """A function that gives the Jacobian of f at an array x, of shape (*y.shape, *x.shape).

    It takes a sweep of reverse mode for each output, or a pass of forward mode for each input,
    whichever are fewer. Raises TypeError if f does not return one array.
    """

    def of(x):
        x = _one_array("jacobian", x)
        y, pull_back = vjp(f, x)
        if isinstance(y, (tuple, list, dict)):
            raise TypeError(f"jacobian: f returns one array, got a {type(y).__name__}")
        y_shape, x_shape = np.shape(y), np.shape(x)
        if np.size(y) <= np.size(x):
            rows = [pull_back(unit) for unit in _units(y)]
            return _stacked(rows, (*y_shape, *x_shape), x)
        columns = [np.ravel(jvp(f, x, unit)[1]) for unit in _units(x)]
        if not columns:
            return np.zeros((*y_shape, *x_shape), x.dtype)
        return np.reshape(np.transpose(np.stack(columns)), (*y_shape, *x_shape))

    return of


def hessian(f):
    """A function that gives the second derivatives of f at an array x, (*x.shape, *x.shape)."""

    def of(x):
        x = _one_array("hessian", x)
        columns = [hvp(f, x, unit) for unit in _units(x)]
        return _stacked(columns, (*np.shape(x), *np.shape(x)), x)  # it is symmetric

    return of


def hvp(f, x, v):
    """H v, the Hessian of f at x times a direction v: forward mode over reverse mode.

    f returns a number; x and v are arrays or structures of arrays of the same shapes. It costs a
    few times f, and H is never formed.
    """
    return jvp(grad(f), x, v)[1]


def _one_array(name: str, x):
    if isinstance(x, (dict, list, tuple)):
        raise TypeError(
            f"{name}: x is one array, got a {type(x).__name__}; join it to one, or use jvp, vjp or "
            "hvp, which take structures"
        )
    return np.asarray(x, float) if isinstance(x, (int, float)) else x


def _units(a):
    """Every array of the shape of a with a single 1, else 0, in the order of a's entries."""
    for index in np.ndindex(np.shape(a)):
        unit = np.zeros(np.shape(a), getattr(a, "dtype", float))
        unit[index] = 1.0
        yield unit


def _stacked(parts, shape, x):
    return np.reshape(np.stack(parts), shape) if parts else np.zeros(shape, x.dtype)
