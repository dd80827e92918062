"""How an operation is written: its label in the picture, and its formula.

A formula is a tuple of texts and of numbers that stand for the operation's inputs.
"""

import inspect
import operator

import numpy as np

from lamina.autodiff.draw.text import number
from lamina.autodiff.rules.shapes import JOINS

INFIX = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "×",
    np.divide: "/",
    np.power: "**",
    np.matmul: "@",
}
NAMES = {
    np.absolute: "abs",
    np.maximum: "max",
    np.minimum: "min",
    np.max: "max",
    np.min: "min",
}


class Operand:
    """Stands among the arguments for input number `index` of the operation."""

    def __init__(self, index: int):
        self.index = index


def describe(function, args, kwargs) -> tuple[str, tuple]:
    """(label, formula) of function(*args, **kwargs), args holding Operands and constants."""
    if function in INFIX:
        return _infix(INFIX[function], *args)
    if function is np.negative:
        return "neg", ("-", args[0].index)
    if function is operator.getitem:
        index = f"[{_index(args[1])}]"
        return index, (args[0].index, index)
    if function is np.transpose and len(args) == 1 and not kwargs.get("axes"):
        return "T", (args[0].index, ".T")
    name = NAMES.get(function, getattr(function, "__name__", str(function)))
    args, kwargs = _without_defaults(function, args, kwargs)
    if function in JOINS:
        args = (*args[0], *args[1:])
    return _call(name, args, kwargs)


def _infix(symbol: str, a, b) -> tuple[str, tuple]:
    label = " ".join(_constant(x) for x in (a, symbol, b) if not isinstance(x, Operand))
    parts = [x.index if isinstance(x, Operand) else _bracketed(x) for x in (a, b)]
    return label, (parts[0], f" {symbol} ", parts[1])


def _without_defaults(function, args, kwargs):
    """The arguments that say something: at the end, those that are the default are left out."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions keep theirs to themselves
        return args, kwargs
    named = {name: p.default for name, p in parameters.items()}
    defaults, args = list(named.values()), list(args)
    while 0 < len(args) <= len(defaults) and _is(args[-1], defaults[len(args) - 1]):
        args.pop()
    return args, {k: v for k, v in kwargs.items() if not _is(v, named.get(k))}


def _is(value, default) -> bool:
    return isinstance(value, (bool, int, str, type(None))) and value == default


def _call(name: str, args, kwargs) -> tuple[str, tuple]:
    parts: list = [f"{name}("]
    shown = []
    for i, x in enumerate(args):
        parts += [", "] * (i > 0)
        parts.append(x.index if isinstance(x, Operand) else _constant(x))
        shown.append("·" if isinstance(x, Operand) else _constant(x))
    extra = [f"{key}={_constant(value)}" for key, value in kwargs.items() if value is not None]
    parts.append("".join(f", {text}" for text in extra) + ")")
    extra = [text for text in extra if not text.startswith("keepdims")]  # of no interest there
    if extra or ("·" in shown and len(set(shown)) > 1):
        return f"{name}({', '.join([*shown, *extra])})", tuple(parts)
    return name, tuple(parts)


def _constant(x) -> str:
    if isinstance(x, str):
        return x
    if isinstance(x, (bool, np.bool_)) or x is None:
        return str(x)
    if isinstance(x, (int, float, np.number)) or (isinstance(x, np.ndarray) and x.ndim == 0):
        return number(x)
    if isinstance(x, (tuple, list)) and len(x) <= 4:
        return f"({', '.join(_constant(part) for part in x)})"
    return getattr(x, "__name__", None) or "…"


def _bracketed(x) -> str:
    text = _constant(x)
    return f"({text})" if text.startswith("-") else text


def _index(index) -> str:
    """What stands between the brackets of x[...]."""
    if isinstance(index, tuple):
        return ", ".join(_index(part) for part in index)
    if isinstance(index, slice):
        ends = ["" if end is None else str(end) for end in (index.start, index.stop)]
        return ":".join(ends if index.step is None else [*ends, str(index.step)])
    if index is Ellipsis:
        return "..."
    if isinstance(index, (np.ndarray, list)):
        array = np.asarray(index)
        if array.dtype.kind in "iu" and array.ndim == 1 and array.size <= 4:
            return f"[{', '.join(map(str, array.tolist()))}]"
        return "mask" if array.dtype.kind == "b" else "…"
    return str(index)
