"""Rules of the products. They are linear in each factor, so the product rule holds."""

import string
from collections.abc import Callable

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from lamina.autodiff.rules.rule import PerArgument, Rule
from lamina.autodiff.rules.shapes import sum_to
from lamina.autodiff.traced import NotDifferentiable


def _array(x):
    """A list is an array to NumPy, too."""
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def _matmul_a(g, y, a, b):
    """dA = g Bᵀ (note 004, formula 2)."""
    b = _array(b)
    if a.ndim == b.ndim == 2:
        return g @ b.T
    g, rows, columns = _as_matrices(g, a, b)
    return np.reshape(sum_to(g @ np.swapaxes(columns, -1, -2), rows.shape), a.shape)


def _matmul_b(g, y, a, b):
    """dB = Aᵀ g."""
    a = _array(a)
    if a.ndim == b.ndim == 2:
        return a.T @ g
    g, rows, columns = _as_matrices(g, a, b)
    return np.reshape(sum_to(np.swapaxes(rows, -1, -2) @ g, columns.shape), b.shape)


def _as_matrices(g, a, b):
    """g, a and b with the axes that matmul adds to vectors, and takes away again from y."""
    if a.ndim == 1:
        a, g = a[np.newaxis, :], np.expand_dims(g, g.ndim - (b.ndim > 1))
    if b.ndim == 1:
        b, g = b[:, np.newaxis], np.expand_dims(g, g.ndim)
    return g, a, b


def _einsum(i: int) -> Rule:
    """The rule of the operand at args[i]; args[0] are the subscripts."""

    def push(dx, y, subscripts, *operands, optimize=False):
        operands = (*operands[: i - 1], dx, *operands[i:])
        return np.einsum(subscripts, *operands, optimize=optimize)

    def pull(g, y, subscripts, *operands, optimize=False):
        """einsum once more: g takes the place of the operand, and the operand that of y."""
        inputs, output = _letters(subscripts, operands)
        x, mine = operands[i - 1], inputs[i - 1]
        factors = [(output, g)]
        factors += [
            (s, a) for j, (s, a) in enumerate(zip(inputs, operands, strict=True), 1) if j != i
        ]
        target, unused = "", _unused("".join([*inputs, output]))
        for letter, n in zip(mine, x.shape, strict=True):
            if letter in target:  # a diagonal, as in "ii": its gradient lies on the diagonal
                letter, first = next(unused), letter
                factors.append((first + letter, np.eye(n, dtype=x.dtype)))
            elif not any(letter in s for s, _ in factors):  # summed over in this operand alone
                factors.append((letter, np.ones(n, x.dtype)))
            target += letter
        names, arrays = zip(*factors, strict=True)
        # A path given for y does not fit here, but what it is given for does: speed.
        return np.einsum(f"{','.join(names)}->{target}", *arrays, optimize=bool(optimize))

    if i == 0:
        raise NotDifferentiable('numpy.einsum: write the subscripts as text, as in "ij,jk->ik"')
    return Rule(push, pull)


def _letters(subscripts: str, operands):
    """Subscripts per operand and of the output, with a letter for each axis of an ellipsis."""
    if not isinstance(subscripts, str):
        raise NotDifferentiable('numpy.einsum: write the subscripts as text, as in "ij,jk->ik"')
    left, arrow, output = subscripts.replace(" ", "").partition("->")
    inputs = left.split(",")
    hidden = [
        np.ndim(a) - len(s) + 3 if "..." in s else 0 for s, a in zip(inputs, operands, strict=True)
    ]
    unused = _unused(subscripts)
    dots = "".join(next(unused) for _ in range(max(hidden)))
    if not arrow:
        once = sorted(c for c in set(left) - set(",.") if left.count(c) == 1)
        output = "..." + "".join(once)
    inputs = [s.replace("...", dots[len(dots) - n :]) for s, n in zip(inputs, hidden, strict=True)]
    return inputs, output.replace("...", dots)


def _unused(taken: str):
    return (c for c in string.ascii_letters if c not in taken)


RULES = {
    np.matmul: [
        Rule(lambda t, y, a, b: t @ b, _matmul_a),
        Rule(lambda t, y, a, b: a @ t, _matmul_b),
    ],
    np.einsum: PerArgument(_einsum),
}


def _dot(a, b):
    a, b = _array(a), _array(b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    return a @ b if b.ndim <= 2 else np.tensordot(a, b, axes=(-1, -2))


def _inner(a, b):
    a, b = _array(a), _array(b)
    return a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else np.tensordot(a, b, axes=(-1, -1))


def _vdot(a, b):
    return np.ravel(_array(a)) @ np.ravel(_array(b))


def _outer(a, b):
    return np.ravel(a)[:, np.newaxis] * np.ravel(b)


def _tensordot(a, b, axes=2):
    """As a product of two matrices: the axes summed over go last in a and first in b."""
    a, b = _array(a), _array(b)
    if isinstance(axes, int):
        axes = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    ours, theirs = (normalize_axis_tuple(i, x.ndim) for i, x in zip(axes, (a, b), strict=True))
    if [a.shape[i] for i in ours] != [b.shape[i] for i in theirs]:
        raise ValueError(f"tensordot: shapes {a.shape} and {b.shape} do not fit along axes {axes}")
    rows = [i for i in range(a.ndim) if i not in ours]
    columns = [i for i in range(b.ndim) if i not in theirs]
    shape = [a.shape[i] for i in rows] + [b.shape[i] for i in columns]
    inner = int(np.prod([a.shape[i] for i in ours], dtype=int))
    n_rows = int(np.prod([a.shape[i] for i in rows], dtype=int))
    n_columns = int(np.prod([b.shape[i] for i in columns], dtype=int))
    left = np.reshape(np.transpose(a, (*rows, *ours)), (n_rows, inner))
    right = np.reshape(np.transpose(b, (*theirs, *columns)), (inner, n_columns))
    return np.reshape(left @ right, shape)


def _kron(a, b):
    a, b = _array(a), _array(b)
    n = max(np.ndim(a), np.ndim(b))
    left, right = ((1,) * (n - np.ndim(x)) + np.shape(x) for x in (a, b))
    a = np.reshape(a, [m for pair in zip(left, (1,) * n, strict=True) for m in pair])
    b = np.reshape(b, [m for pair in zip((1,) * n, right, strict=True) for m in pair])
    return np.reshape(a * b, [m * k for m, k in zip(left, right, strict=True)])


def _cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(_array(a), axisa, -1), np.moveaxis(_array(b), axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(f"cross: expects vectors of 3 entries, got {a.shape[-1]}, {b.shape[-1]}")
    turns = ((1, 2), (2, 0), (0, 1))
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in turns]
    return np.stack(parts, axis=axisc)


COMPOSITE: dict[Callable, Callable] = {
    np.kron: _kron,
    np.cross: _cross,
    np.linalg.cross: lambda x1, x2, *, axis=-1: _cross(x1, x2, axis=axis),
    np.dot: _dot,
    np.inner: _inner,
    np.vdot: _vdot,
    np.outer: _outer,
    np.tensordot: _tensordot,
}
