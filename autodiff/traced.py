"""What all differentiating arrays share: they stand in for NumPy arrays.

A traced array answers NumPy's two protocols (NEP 13 `__array_ufunc__`, NEP 18
`__array_function__`), so `np.exp(x)`, `x @ W` and `np.concatenate([x, y])` reach it wherever a
plain array would be computed with. Each nested differentiation has a level of its own, later ones
higher. Without levels, d/dx [x · d/dy (x + y)] comes out as 2 instead of 1, because the inner
derivative cannot tell its own perturbation from the outer one (Siskind and Pearlmutter 2005,
"Perturbation confusion and referential transparency"). So the highest level handles.
"""

import itertools
import os
import sys
import types
from typing import Any

import numpy as np

_levels = itertools.count(1)
_SEQUENCES = {list, tuple}  # arrays to NumPy, but not to the operators that rules are written with
# ufunc.reduce is the function of the same meaning, but along axis 0.
REDUCTIONS = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}


class NotDifferentiable(TypeError):
    """A NumPy function has no derivative rule, or a derivative was about to be lost.

    The message ends with the function and line of the user's code that it happened in.
    """

    def __init__(self, message: str):
        super().__init__(message + _place())


_NOT_THE_USERS = {"numpy", "scipy", *sys.stdlib_module_names}


def _place() -> str:
    """(in loss, my_file.py, line 12): the innermost frame that is not of this package, NumPy, SciPy
    or Python's own library."""
    frame: types.FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        ours = f"{module}.".startswith("lamina.autodiff.")
        if not ours and module.partition(".")[0] not in _NOT_THE_USERS:
            code = frame.f_code
            return (
                f" (in {code.co_name}, {os.path.basename(code.co_filename)}, line {frame.f_lineno})"
            )
        frame = frame.f_back
    return ""


def in_our_words(error: ValueError):
    """What to raise for a ValueError of the differentiated function: where NumPy put a text of its
    own before our refusal ("setting an array element with a sequence"), our refusal."""
    return error.__cause__ if isinstance(error.__cause__, NotDifferentiable) else error


class Level(int):
    """The number of a differentiation, and whether it is over: then its values have nothing to say
    about any other, and computing with them would give a derivative of zero in silence."""

    ended = False


def new_level() -> Level:
    """A level above all that exist: the innermost differentiation is always the newest."""
    return Level(next(_levels))


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """Base of the arrays that differentiate. `primal` is the value, `level` says whose turn it is.

    Subclasses implement `apply(function, args, kwargs)`, which is called on the highest level,
    `add_at` for np.add.at, `__getitem__`, `__setitem__` and `astype`.
    """

    __slots__ = ("level", "primal")
    instead_of_writing = ""  # what to do instead, as part of the error

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        """Called by NumPy for ufunc(*inputs): exp, +, @, np.add.at, ..."""
        if not kwargs and method == "__call__":
            if len(inputs) == 1:
                return self.apply(ufunc, inputs, kwargs)
            if not _SEQUENCES.isdisjoint(map(type, inputs)):
                inputs = [np.asarray(a) if type(a) in _SEQUENCES else a for a in inputs]
            return outermost(*inputs).apply(ufunc, inputs, kwargs)
        (out,) = kwargs.pop("out", (None,))
        handler = outermost(self, out, *inputs)
        if method == "__call__":
            result = handler.apply(ufunc, inputs, kwargs)
        elif method == "reduce" and ufunc in REDUCTIONS:
            result = handler.apply(REDUCTIONS[ufunc], inputs, {"axis": 0} | kwargs)
        elif method == "at" and ufunc is np.add:
            return handler.add_at(*inputs)
        else:
            raise no_rule(f"{name_of(ufunc)}.{method}", inputs)
        if out is None or isinstance(primal(out), np.generic):  # a NumPy scalar is rebound
            return result
        if isinstance(out, Traced):
            out[...] = result
        elif isinstance(result, Traced):
            raise NotDifferentiable(
                f"{name_of(ufunc)}: out= is a plain array and would lose the derivative"
                f"{handler.instead_of_writing}"
            )
        else:
            out[...] = result
        return out

    def __array_function__(self, function, types, args, kwargs):
        """Called by NumPy for the functions that are no ufuncs: np.sum, np.concatenate, ..."""
        # `self` takes part because of `like=self`, which NumPy removes from the arguments.
        handler = outermost(self, *flat(args), *flat(kwargs.values()))
        return handler.apply(function, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        raise NotDifferentiable(
            f"a {type(self).__name__} of shape {self.shape} was about to lose its derivative. "
            "Use operators and np. functions that have a rule; avoid np.asarray and writing it "
            f"into a plain array{self.instead_of_writing}"
        )

    def check_alive(self) -> None:
        """Refuse a value of a differentiation that has ended."""
        if self.level.ended:
            raise NotDifferentiable(
                f"a {type(self).__name__} of shape {self.shape} is of a differentiation that has "
                "ended, so its derivative would be lost. It was kept in a cache, a global or an "
                "attribute: compute it anew in each call, keep autodiff.primal(x) if no "
                "derivative is wanted, and keep what grad or jvp returns, not what its function "
                "has computed with"
            )

    def _refuse(self, *_):
        raise NotDifferentiable(
            f"a {type(self).__name__} has a derivative, which a Python number would lose (float, "
            "int, the functions of math, an entry of a plain array). Keep it an array, with np. "
            f"functions{self.instead_of_writing}; or take autodiff.primal(x) if no derivative is "
            "wanted"
        )

    __float__ = __int__ = __complex__ = __round__ = __trunc__ = as_integer_ratio = _refuse
    item = tolist = _refuse

    def __index__(self):
        raise NotDifferentiable(
            f"a {type(self).__name__} of {self.dtype} is no index and no length: these are "
            "integers, which have no derivative. Take int(autodiff.primal(x)), or np.argmax and "
            "its like, whose results are plain integers"
        )

    def __format__(self, spec):
        """As the value is written, f"{loss:.3f}": text has no derivative."""
        return format(primal(self), spec) if spec else str(self)

    def __reduce_ex__(self, _):
        raise NotDifferentiable(
            f"a {type(self).__name__} belongs to a differentiation that is running, and is not "
            "pickled or sent to another process: take autodiff.primal(x), the value alone"
        )

    def __hash__(self):
        raise NotDifferentiable(
            f"a {type(self).__name__} is no key of a dict, set or cache, as an array is none: "
            "take the bytes of autodiff.primal(x), or cache what is not differentiated"
        )

    def __bool__(self):
        return bool(self.primal)  # truth has no derivative, as in `if loss > best`

    def __len__(self):
        if self.ndim == 0:
            raise TypeError(
                f"a {type(self).__name__} of shape () is a number: it has no length and no "
                f"entries to go through; np.ravel(x) is an array of one{_place()}"
            )
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

    @property
    def mT(self):
        return np.swapaxes(self, -1, -2)

    @property
    def real(self):
        return np.copy(self)

    def reshape(self, *shape, order="C"):
        return np.reshape(self, shape[0] if len(shape) == 1 else shape, order)

    def transpose(self, *axes):
        return np.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def copy(self, order="C"):
        return np.copy(self, order)

    def __copy__(self):
        return np.copy(self)

    def __deepcopy__(self, memo):
        return self if self.level.ended else np.copy(self)  # a net keeps some of its last pass

    def __getattr__(self, name):
        hint = ""
        if hasattr(np.ndarray, name):
            hint = (
                ", which arrays have: only what has a derivative rule is here. Write it with "
                "operators and np. functions that have one, see autodiff/rules/"
            )
            hint += _place()
        raise AttributeError(f"a {type(self).__name__} has no {name}{hint}")

    def flatten(self, order="C"):
        return np.copy(np.ravel(self, order))


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
    *("all", "any", "ravel", "squeeze", "swapaxes", "repeat", "take", "clip", "dot", "prod"),
    *("cumprod", "trace", "diagonal", "argpartition"),
):
    setattr(Traced, _name, _method(_name))


def flat(values):
    """The arguments of a NumPy function with lists and tuples opened (concatenate([x, y]))."""
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from flat(value)
        else:
            yield value


def outermost(*values) -> Any:
    """What a buffer for a result of these is made `like=`, as like=outermost(X, W): the traced one
    of the highest level, or the first if none is traced."""
    best, level = values[0], 0  # levels count from 1
    for value in values:
        if isinstance(value, Traced) and value.level > level:
            best, level = value, value.level
    return best


def primal(x) -> Any:
    """The plain array inside x, all derivatives stripped; x itself if it is not traced."""
    while isinstance(x, Traced):
        x = x.primal
    return x


def is_followed(value) -> bool:
    """Whether it may be the value of a traced array: real numbers, not masked and no matrix."""
    if type(value) is np.ndarray:
        return value.dtype.kind == "f"
    return isinstance(value, (Traced, np.floating))


def not_followed(kind: str, value, function=None) -> NotDifferentiable:
    where = f"{kind}: got" if function is None else f"{name_of(function)} gives"
    what = f"an array of {value.dtype}" if type(value) is np.ndarray else type(value).__name__
    return NotDifferentiable(
        f"{where} {what}; only plain arrays of floating-point numbers are differentiated. Keep "
        "a complex number as two real ones, write a mask with np.where, or take "
        "autodiff.primal(x) if no derivative is wanted"
    )


def name_of(function) -> str:
    module = getattr(function, "__module__", None) or _home(function)
    return f"{module.removesuffix('._multiarray_umath')}.{getattr(function, '__name__', function)}"


def _home(ufunc) -> str:
    """The module of a ufunc, which does not say so itself."""
    special = sys.modules.get("scipy.special")
    is_special = getattr(special, ufunc.__name__, None) is ufunc
    return "scipy.special" if is_special else "numpy"


def no_rule(what: str, args) -> NotDifferentiable:
    shapes = ", ".join(str(np.shape(a)) for a in flat(args) if hasattr(a, "shape"))
    return NotDifferentiable(
        f"{what} has no derivative rule (arguments of shape {shapes}). {_advice(what)}Write it "
        "with functions that have one, see autodiff/rules/, or give it one with "
        "autodiff.differential"
    )


def _advice(what: str) -> str:
    if what.startswith("numpy.fft."):
        return (
            "Its values are complex, which are not carried. A filter is a matrix, M = "
            "np.fft.irfft(np.fft.rfft(np.eye(n)) * k, n), and x @ M; a spectrum is np.hypot(x @ C, "
            "x @ S) with C = np.fft.rfft(np.eye(n)).real and S = np.fft.rfft(np.eye(n)).imag. "
        )
    if what.startswith("scipy.special.") and "lamina.autodiff.scipy_special" not in sys.modules:
        return "Import lamina.autodiff.scipy_special, which has rules of the usual ones. "
    return ""
