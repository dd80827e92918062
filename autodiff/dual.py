"""Forward mode: an array that carries its directional derivative along.

A dual number is a + ε b with ε² = 0, so f(a + ε b) = f(a) + ε f'(a) b: running a function on duals
gives its value and its Jacobian times b in one pass (note 000, "forward-mode automatic
differentiation": left to right through the chain rule).
"""

import numpy as np

from autodiff.rules import (
    BILINEAR,
    COMPOSITE,
    CONSTANT,
    CREATION,
    CREATION_LIKE,
    ELEMENTWISE,
    EXTREMES,
    LINEAR,
)
from autodiff.traced import NotDifferentiable, Traced, new_level, primal


class Dual(Traced):
    """An array `primal` with a `tangent` of the same shape and dtype, at a differentiation level.

    Both parts may themselves be duals of lower levels, which gives higher derivatives.
    """

    __slots__ = ("tangent",)

    def __init__(self, primal, tangent, level: int):
        if np.shape(primal) != np.shape(tangent):
            raise ValueError(
                f"Dual: the tangent must have the shape of the primal, {np.shape(primal)}; "
                f"got {np.shape(tangent)}"
            )
        if getattr(primal, "dtype", np.dtype(object)).kind != "f":
            raise TypeError(f"Dual: expects a floating-point array, got {primal!r:.60}")
        # Both parts have the same lower levels, so that what is written into one fits the other.
        self.primal, self.tangent = (
            _with_levels_of(primal, tangent),
            _with_levels_of(tangent, primal),
        )
        self.level = level

    def __getitem__(self, index):
        return Dual(self.primal[index], self.tangent[index], self.level)

    def __setitem__(self, index, value):
        part, tangent = self._parts(value)
        if isinstance(part, Traced) and not isinstance(self.primal, Traced):
            raise NotDifferentiable(
                "a buffer lacks a level of what is written into it; make it like= all that it "
                "will hold: like=autodiff.outermost(X, W)"
            )
        self.primal[index] = part
        self.tangent[index] = 0.0 if tangent is None else tangent

    def astype(self, dtype, copy=True):
        if np.dtype(dtype).kind != "f":
            return self.primal.astype(dtype)
        tangent = self.tangent.astype(dtype, copy=copy)
        return Dual(self.primal.astype(dtype, copy=copy), tangent, self.level)

    def _parts(self, value):
        """(primal, tangent) of value at this level; the tangent of a constant is None."""
        if isinstance(value, Dual) and value.level == self.level:
            return value.primal, value.tangent
        return value, None

    def _dual(self, value, tangent):
        """A dual of this level, the tangent brought to the shape and dtype of the value."""
        if np.shape(tangent) != np.shape(value):
            tangent = np.copy(np.broadcast_to(tangent, np.shape(value)))
        if tangent.dtype != value.dtype:
            tangent = tangent.astype(value.dtype)
        return Dual(value, tangent, self.level)

    # NumPy's protocols ------------------------------------------------------------------------

    def apply_ufunc(self, ufunc, method, inputs, kwargs):
        """Called by NumPy for ufunc(*inputs): exp, +, @, np.add.at, ..."""
        (out,) = kwargs.pop("out", (None,))
        if method == "__call__":
            result = self._call(ufunc, inputs, kwargs)
        elif ufunc is np.add and method == "at":
            target, index, values = inputs
            if not isinstance(target, Dual):
                raise NotDifferentiable(
                    "numpy.add.at: the buffer is a plain array and would lose the derivative; "
                    "make it with like="
                )
            part, tangent = self._parts(values)
            np.add.at(target.primal, index, part)
            return None if tangent is None else np.add.at(target.tangent, index, tangent)
        elif ufunc is np.add and method in ("reduce", "reduceat"):
            result = self._linear(getattr(ufunc, method), inputs, kwargs)
        else:
            raise self._no_rule(f"{_name(ufunc)}.{method}", inputs)
        if out is None or isinstance(primal(out), np.generic):  # a NumPy scalar is rebound
            return result
        if not isinstance(out, Traced) and isinstance(result, Traced):
            raise NotDifferentiable(
                f"{_name(ufunc)}: out= is a plain array and would lose the derivative; "
                "make the buffer with like="
            )
        out[...] = result
        return out

    def apply_function(self, func, args, kwargs):
        """Called by NumPy for the functions that are no ufuncs: np.sum, np.concatenate, ..."""
        if func in CONSTANT:
            return func(*(self._parts(a)[0] for a in args), **kwargs)
        if func in (np.full, np.full_like):
            first, fill, *rest = args
            if func is np.full_like:
                buffer = np.zeros_like(first, *rest, **kwargs)
            else:
                buffer = np.zeros(first, *rest, like=self, **kwargs)
            buffer[...] = fill
            return buffer
        if func in CREATION:
            like = {"like": self.primal} if isinstance(self.primal, Traced) else {}
            return self._buffer(func(*args, **like, **kwargs))
        if func in CREATION_LIKE:
            return self._buffer(func(*(self._parts(a)[0] for a in args), **kwargs))
        if func in LINEAR:
            return self._linear(func, args, kwargs)
        if func in BILINEAR:
            return self._bilinear(func, args, kwargs)
        if func in COMPOSITE:
            return COMPOSITE[func](*args, **kwargs)
        if func in EXTREMES:
            return self._extreme(func, *args, **kwargs)
        if func is np.where and len(args) == 3:
            return self._where(*args)
        if func is np.pad:
            return self._pad(*args, **kwargs)
        raise self._no_rule(_name(func), args)

    def _call(self, ufunc, inputs, kwargs):
        if ufunc in BILINEAR:
            return self._bilinear(ufunc, inputs, kwargs)
        parts = [self._parts(x) for x in inputs]
        primals = [part for part, _ in parts]
        known = ufunc in CONSTANT or ufunc in ELEMENTWISE
        if not known or kwargs.get("where", True) is not True:
            raise self._no_rule(_name(ufunc), inputs)
        value = ufunc(*primals, **kwargs)
        if ufunc in CONSTANT:
            return value
        terms = [
            rule(tangent, value, *primals)
            for rule, (_, tangent) in zip(ELEMENTWISE[ufunc], parts, strict=True)
            if tangent is not None
        ]
        if not terms:  # only `out=` is a dual of this level
            return value
        total = terms[0] if len(terms) == 1 else terms[0] + terms[1]
        if any(total is tangent for _, tangent in parts):
            total = np.copy(total)  # the value is new, so in-place work on it must reach no input
        return self._dual(value, total)

    def _linear(self, func, args, kwargs):
        first, *rest = args
        if kwargs.get("out") is not None:
            raise self._no_rule(f"{_name(func)} with out=", args)
        if kwargs.get("initial") or kwargs.get("where", True) is not True:
            raise self._no_rule(f"{_name(func)} with initial= or where=", args)
        if isinstance(first, (list, tuple)):
            parts = [self._parts(x) for x in first]
            values = [part for part, _ in parts]
            tangents = [np.zeros_like(part) if t is None else t for part, t in parts]
        else:
            values, tangents = self._parts(first)
        value, tangent = func(values, *rest, **kwargs), func(tangents, *rest, **kwargs)
        if isinstance(value, list):  # np.split
            return [Dual(v, t, self.level) for v, t in zip(value, tangent, strict=True)]
        return Dual(value, tangent, self.level)

    def _bilinear(self, func, args, kwargs):
        a, b, *rest = args
        (a, da), (b, db) = self._parts(a), self._parts(b)
        value = func(a, b, *rest, **kwargs)
        if da is None and db is None:
            return value
        if db is None:
            return self._dual(value, func(da, b, *rest, **kwargs))
        if da is None:
            return self._dual(value, func(a, db, *rest, **kwargs))
        return self._dual(value, func(da, b, *rest, **kwargs) + func(a, db, *rest, **kwargs))

    def _buffer(self, value):
        """A fresh array that may be written into; integers and booleans carry no derivative."""
        return self._dual(value, np.zeros_like(value)) if value.dtype.kind == "f" else value

    def _extreme(self, func, x, axis=None, *, keepdims=False):
        value = func(x.primal, axis=axis, keepdims=keepdims)
        ties = x.primal == func(x.primal, axis=axis, keepdims=True)
        count = np.sum(ties, axis=axis, keepdims=keepdims, dtype=x.dtype)
        total = np.sum(x.tangent * ties, axis=axis, keepdims=keepdims)
        return self._dual(value, total / np.maximum(count, 1))  # 0 ties: the maximum is NaN

    def _where(self, condition, a, b):
        (a, da), (b, db) = self._parts(a), self._parts(b)
        value = np.where(self._parts(condition)[0], a, b)
        da, db = (0.0 if t is None else t for t in (da, db))
        return self._dual(value, np.where(self._parts(condition)[0], da, db))

    def _pad(self, array, pad_width, mode="constant", **kwargs):
        if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
            raise self._no_rule(f"numpy.pad with mode={mode!r}", (array,))
        value = np.pad(array.primal, pad_width, mode, **kwargs)
        if mode == "constant":
            kwargs = {}
        return self._dual(value, np.pad(array.tangent, pad_width, mode, **kwargs))

    def _no_rule(self, name, args):
        shapes = ", ".join(str(np.shape(a)) for a in args if hasattr(a, "shape"))
        return NotDifferentiable(
            f"{name} has no derivative rule here (arguments of shape {shapes}). Write it with "
            "functions that have one: see autodiff/rules.py, and add a line there if it is missing"
        )


def _with_levels_of(a, b):
    """a, with a zero tangent for each level that b has and a has not."""
    if not isinstance(b, Traced) or (isinstance(a, Traced) and a.level >= b.level):
        return a
    a = _with_levels_of(a, b.primal)
    return Dual(a, np.zeros_like(a), b.level)


def _name(func):
    module = getattr(func, "__module__", None) or "numpy"
    return f"{module.split('.')[0]}.{getattr(func, '__name__', func)}"


def jvp(f, x, v):
    """(f(x), J v): the value of f and its derivative in the direction v, exact to rounding.

    x and v are arrays of one shape and dtype; f is any function of NumPy code on one array. Where
    it returns a tuple of arrays, value and derivative are tuples. One pass costs two to three
    times f, however many outputs f has.
    """
    level = new_level()
    y = f(Dual(x, v, level))
    if isinstance(y, tuple):
        return tuple(_value(part, level) for part in y), tuple(tangent(part, level) for part in y)
    return _value(y, level), tangent(y, level)


def _value(y, level: int):
    return y.primal if isinstance(y, Dual) and y.level == level else y


def tangent(y, level: int):
    """The tangent of y at a level; zeros if y does not depend on what was differentiated."""
    return y.tangent if isinstance(y, Dual) and y.level == level else np.zeros_like(y)
