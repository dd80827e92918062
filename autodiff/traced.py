"""What all differentiating arrays share: they stand in for NumPy arrays.

A traced array answers NumPy's two protocols (NEP 13 `__array_ufunc__`, NEP 18
`__array_function__`), so `np.exp(x)`, `x @ W` and `np.concatenate([x, y])` reach it wherever a
plain array would be computed with. Each nested differentiation has a level of its own, later ones
higher. Without levels, d/dx [x · d/dy (x + y)] comes out as 2 instead of 1, because the inner
derivative cannot tell its own perturbation from the outer one (Siskind and Pearlmutter 2005,
"Perturbation confusion and referential transparency"). So the highest level handles.
"""

import itertools

import numpy as np

_levels = itertools.count(1)


class NotDifferentiable(TypeError):
    """A NumPy function has no derivative rule, or a derivative was about to be lost."""


def new_level() -> int:
    """A level above all that exist: the innermost differentiation is always the newest."""
    return next(_levels)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """Base of the arrays that differentiate. `primal` is the value, `level` says whose turn it is.

    Subclasses implement `apply_ufunc`, `apply_function`, `__getitem__`, `__setitem__`, `astype`.
    """

    __slots__ = ("level", "primal")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        handler = outermost(*inputs, *kwargs.get("out", ()))
        return handler.apply_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func, types, args, kwargs):
        # `self` takes part because of `like=self`, which NumPy removes from the arguments.
        handler = outermost(self, *_flat(args), *_flat(kwargs.values()))
        return handler.apply_function(func, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        raise NotDifferentiable(
            f"a {type(self).__name__} of shape {self.shape} was about to lose its derivative. "
            "Use operators and np. functions; make buffers with like=, as in "
            "np.zeros(shape, X.dtype, like=X); avoid np.asarray and writing it into a plain array"
        )

    def _refuse(self):
        raise NotDifferentiable(
            f"a {type(self).__name__} has a derivative, which a Python number would lose. Keep it "
            "an array, or take autodiff.primal(x) if no derivative is wanted"
        )

    __float__ = __int__ = __complex__ = item = tolist = _refuse

    def __bool__(self):
        return bool(self.primal)  # truth has no derivative, as in `if loss > best`

    def __len__(self):
        return len(self.primal)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"{type(self).__name__}({self.primal!r}, level={self.level})"

    @property
    def shape(self):
        return self.primal.shape

    @property
    def ndim(self):
        return self.primal.ndim

    @property
    def size(self):
        return self.primal.size

    @property
    def dtype(self):
        return self.primal.dtype

    @property
    def T(self):
        return np.transpose(self)

    def reshape(self, *shape):
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def copy(self):
        return np.copy(self)

    def flatten(self):
        return np.copy(np.ravel(self))


def _method(name):
    function = getattr(np, name)

    def method(self, *args, **kwargs):
        return function(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"As numpy.{name}(self, ...)."
    return method


# The array methods that equal the np. function of the same name with the array put first.
for _name in (
    *("sum", "mean", "var", "std", "max", "min", "cumsum", "argmax", "argmin", "argsort"),
    *("all", "any", "ravel", "squeeze", "swapaxes", "repeat", "take", "clip", "dot"),
):
    setattr(Traced, _name, _method(_name))


def _flat(values):
    """The arguments of a NumPy function with lists and tuples opened (concatenate([x, y]))."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def outermost(*values):
    """The value that handles: the traced one of the highest level, or the first if none is traced.

    A buffer that will hold a result of X and W is made `like=outermost(X, W)`.
    """
    best = values[0]
    for value in values:
        if isinstance(value, Traced) and not (
            isinstance(best, Traced) and best.level >= value.level
        ):
            best = value
    return best


def primal(x):
    """The plain array inside x, all derivatives stripped; x itself if it is not traced."""
    while isinstance(x, Traced):
        x = x.primal
    return x
