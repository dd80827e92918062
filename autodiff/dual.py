"""Forward mode: an array that carries its directional derivative along.

A dual number is a + ε b with ε² = 0, so f(a + ε b) = f(a) + ε f'(a) b: running a function on duals
gives its value and its Jacobian times b in one pass (note 000, "forward-mode automatic
differentiation": left to right through the chain rule).
"""

import numpy as np

from lamina.autodiff.dispatch import Differentiating, check_arguments, rule_of
from lamina.autodiff.traced import (
    NotDifferentiable,
    Traced,
    in_our_words,
    is_followed,
    new_level,
    not_followed,
)
from lamina.autodiff.trees import check_result, flatten, floating, map_tree, paired


class Dual(Differentiating):
    """An array `primal` with a `tangent` of the same shape and dtype, at a differentiation level.

    Both parts may themselves be traced at lower levels, which gives higher derivatives.
    """

    __slots__ = ("tangent",)
    instead_of_writing = "; make the buffer with like=, as in np.zeros(shape, X.dtype, like=X)"

    def __init__(self, primal, tangent, level: int):
        if np.shape(primal) != np.shape(tangent):
            raise ValueError(
                f"Dual: the tangent must have the shape of the primal, {np.shape(primal)}; "
                f"got {np.shape(tangent)}"
            )
        if not is_followed(primal):
            raise not_followed("Dual", primal)
        # Both parts have the same lower levels, so that what is written into one fits the other.
        self.primal, self.tangent = (
            _with_levels_of(primal, tangent),
            _with_levels_of(tangent, primal),
        )
        self.level = level

    def __getitem__(self, index):
        self.check_alive()
        return Dual(self.primal[index], self.tangent[index], self.level)

    def __setitem__(self, index, value):
        self.check_alive()
        if isinstance(value, Traced):
            value.check_alive()
        part, tangent = self._parts(value)
        if isinstance(part, Traced) and not isinstance(self.primal, Traced):
            raise NotDifferentiable(
                "a buffer lacks a level of what is written into it; make it like= all that it "
                "will hold: like=autodiff.outermost(X, W)"
            )
        self.primal[index] = part
        self.tangent[index] = 0.0 if tangent is None else tangent

    def astype(self, dtype, copy=True):
        self.check_alive()
        if np.dtype(dtype).kind in "biu":
            return self.primal.astype(dtype)  # steps have no derivative
        tangent = self.tangent.astype(dtype, copy=copy)
        return Dual(self.primal.astype(dtype, copy=copy), tangent, self.level)

    def follow(self, function, rules, args, kwargs):
        parts = [self._parts(a) for a in args]
        primals = [part for part, _ in parts]
        value = function(*primals, **kwargs)
        if not is_followed(value) and any(tangent is not None for _, tangent in parts):
            raise not_followed("Dual", value, function)
        total = None
        for i, (_, tangent) in enumerate(parts):
            if tangent is None:
                continue
            rule = rule_of(function, rules, i, args)
            if len(args) > 2:  # as few are always meant
                check_arguments(function, rule.form, args)
            term = rule.push(tangent, value, *primals, **kwargs)
            total = term if total is None else total + term
        if total is None:  # only `out=` is a dual of this level
            return value
        if isinstance(function, np.ufunc) and any(total is tangent for _, tangent in parts):
            total = np.copy(total)  # the value is new, so in-place work on it must reach no input
        return self._dual(value, total)

    def join(self, function, rules, arrays, *args, **kwargs):
        parts = [self._parts(a) for a in arrays]
        tangents = [np.zeros_like(part) if t is None else t for part, t in parts]
        value = function([part for part, _ in parts], *args, **kwargs)
        return self._dual(value, function(tangents, *args, **kwargs))

    def create(self, function, args, kwargs):
        """A fresh array that may be written into; integers and booleans carry no derivative."""
        if isinstance(self.primal, Traced) and not any(isinstance(a, Traced) for a in args):
            kwargs = kwargs | {"like": self.primal}
        value = function(*args, **kwargs)
        return self._dual(value, np.zeros_like(value)) if value.dtype.kind == "f" else value

    def full(self, shape, fill, dtype):
        buffer = self.create(np.zeros, [shape], {"dtype": dtype})
        buffer[...] = fill
        return buffer

    def add_at(self, target, index, values):
        self.check_alive()
        if not self.is_mine(target):
            raise NotDifferentiable(
                "numpy.add.at: the buffer is a plain array and would lose the derivative"
                + self.instead_of_writing
            )
        part, tangent = self._parts(values)
        np.add.at(target.primal, index, part)
        if tangent is not None:
            np.add.at(target.tangent, index, tangent)

    def _parts(self, value):
        """(primal, tangent) of value at this level; the tangent of a constant is None."""
        return (value.primal, value.tangent) if self.is_mine(value) else (value, None)

    def _dual(self, value, tangent):
        """A dual of this level, the tangent brought to the shape and dtype of the value."""
        if np.shape(tangent) != np.shape(value):
            tangent = np.copy(np.broadcast_to(tangent, np.shape(value)))
        if tangent.dtype != value.dtype:
            tangent = tangent.astype(value.dtype)
        if type(value) is type(tangent) is np.ndarray and value.base is None:
            tangent = _laid_out_like(value, tangent)
        return Dual(value, tangent, self.level)


def _laid_out_like(value, tangent):
    """The tangent in the memory layout of the value: it decides whether reshape gives a view, and
    what is written into a view of one part must reach the other."""
    if value.ndim < 2 or value.strides == tangent.strides:
        return tangent
    copy = np.empty_like(value)
    copy[...] = tangent
    return copy


def _direction(place: str, v, a):
    v = floating(place, v)
    if v.shape != np.shape(a):
        raise ValueError(
            f"{place} should have the shape of x{place[1:]}, {np.shape(a)}; got {v.shape}"
        )
    return v


def _own(a, v):
    """Copies of an input and its direction, since f may write into them, and they may be one."""
    a, v = (x if isinstance(x, np.generic) else np.copy(x) for x in (a, v))
    if type(a) is type(v) is np.ndarray:
        v = _laid_out_like(a, v)
    return a, v


def _with_levels_of(a, b):
    """a, with a zero tangent for each level of duals that b has and a has not."""
    if not isinstance(b, Dual) or (isinstance(a, Traced) and a.level >= b.level):
        return a
    a = _with_levels_of(a, b.primal)
    return Dual(a, np.zeros_like(a), b.level)


def jvp(f, x, v):
    """(f(x), J v): the value of f and its derivative in the direction v, exact to rounding.

    x is an array, or a dict, list or tuple of arrays, and v the same with the same shapes and
    dtypes; so is what f returns. One pass costs two to three times f, however many outputs f has.
    f may write into what it is given: x and v stay as they are. What f has computed with is over
    when it returns: kept somewhere and used again, it is a NotDifferentiable.
    """
    level = new_level()
    leaves, rebuild = flatten(x, "x")
    directions = [_direction(place, b, a) for place, b, a in paired("v", v, x)]
    duals = [Dual(*_own(a, b), level) for a, b in zip(leaves, directions, strict=True)]
    try:
        y = f(rebuild(duals))
    except ValueError as error:
        if (ours := in_our_words(error)) is error:
            raise
        raise ours from None
    finally:
        level.ended = True
    check_result(y, level)
    return map_tree(lambda part: _value(part, level), y), map_tree(lambda p: tangent(p, level), y)


def _value(y, level: int):
    return y.primal if isinstance(y, Dual) and y.level == level else y


def tangent(y, level: int):
    """The tangent of y at a level; zeros if y does not depend on what was differentiated."""
    return y.tangent if isinstance(y, Dual) and y.level == level else np.zeros_like(y)
