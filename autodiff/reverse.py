"""Reverse mode: an array that remembers how it was computed, and a sweep back from the result.

Each operation on a `Variable` makes a new one that knows its parents and, for each, the rule that
pulls a gradient back to it: the computational graph of the notes, recorded as the code runs. The
sweep then multiplies the chain rule from the result backwards (note 000, "reverse-mode automatic
differentiation"), so one sweep gives the gradient by all inputs, whatever their number.
"""

import heapq
import itertools
import operator
import sys

import numpy as np

from lamina.autodiff.dispatch import Differentiating, check_arguments, rule_of
from lamina.autodiff.rules.shapes import astype, sum_to
from lamina.autodiff.traced import (
    NotDifferentiable,
    Traced,
    in_our_words,
    is_followed,
    new_level,
    not_followed,
)
from lamina.autodiff.trees import check_result, flatten, map_tree, paired

_numbers = itertools.count()
_NO_KEYWORDS: dict = {}
_SCALARS = {np.float16, np.float32, np.float64}  # to be of one type is to be of one shape and dtype


class Variable(Differentiating):
    """An array `primal` in a computational graph, at a differentiation level.

    `function(*args, **kwargs)` is the operation that gave it, args holding the values below this
    level; `edges` has (parent, pull) for each argument that is a Variable of this level, and is
    empty for an input. Later variables have higher numbers, so every parent is lower.
    """

    __slots__ = ("__weakref__", "args", "edges", "function", "kwargs", "number")
    instead_of_writing = (
        "; reverse mode remembers values, so it cannot follow writing: build the array with "
        "np.stack, np.concatenate, np.where or x = x + y instead"
    )

    def __init__(self, primal, level, function=None, args=(), kwargs=_NO_KEYWORDS, edges=()):
        if type(primal) not in _SCALARS and not is_followed(primal):
            raise not_followed("Variable", primal, function)
        self.primal, self.level = primal, level
        self.function, self.args, self.kwargs, self.edges = function, args, kwargs, edges
        self.number = next(_numbers)

    def follow(self, function, rules, args, kwargs):
        level, primals, edges = self.level, [], []
        for i, a in enumerate(args):
            if isinstance(a, Variable) and a.level == level:
                rule = rule_of(function, rules, i, args)
                if len(args) > 2:  # as few are always meant
                    check_arguments(function, rule.form, args)
                primals.append(a.primal)
                edges.append((a, rule.pull))
            else:
                primals.append(_kept(a))
        if kwargs:
            kwargs = {name: _kept(a) for name, a in kwargs.items()}
        value = function(*primals, **kwargs)
        if not edges:  # only `out=` is a variable of this level
            return value
        return Variable(value, level, function, primals, kwargs, edges)

    def join(self, function, rules, arrays, *args, **kwargs):
        parts = [a.primal if self.is_mine(a) else _kept(a) for a in arrays]
        edges = [(a, rules[i].pull) for i, a in enumerate(arrays) if self.is_mine(a)]
        value = function(parts, *args, **kwargs)
        return Variable(value, self.level, function, (parts, *args), kwargs, edges)

    def create(self, function, args, kwargs):
        """New arrays are constants, plain at this level."""
        if isinstance(self.primal, Traced) and not any(isinstance(a, Traced) for a in args):
            kwargs = kwargs | {"like": self.primal}
        return function(*args, **kwargs)

    def full(self, shape, fill, dtype):
        return np.broadcast_to(fill, shape).astype(dtype)

    def __getitem__(self, index):
        return self.apply(operator.getitem, (self, index), _NO_KEYWORDS)

    def __setitem__(self, index, value):
        self.add_at()

    def add_at(self, *_):
        raise NotDifferentiable(
            f"a Variable of shape {self.shape} was to be written into{self.instead_of_writing}"
        )

    def astype(self, dtype, copy=True):
        if np.dtype(dtype).kind in "biu":
            self.check_alive()
            return self.primal.astype(dtype)  # steps have no derivative
        return self.apply(astype, (self, dtype), _NO_KEYWORDS)

    def copy(self, order="C"):
        return np.copy(self)  # an order in memory matters only to those who write

    def __deepcopy__(self, memo):
        return self  # nothing in it ever changes


class _Probe:
    def __iadd__(self, _):
        self.count = sys.getrefcount(self)
        return self


def _references_of_a_local() -> int:
    probe = _Probe()
    probe += 1
    return probe.count


_ALONE = _references_of_a_local()


def _in_place(name: str, ufunc):
    """s += x for a Variable s: s = s + x, where nobody can tell the difference.

    That is where s is a new array that no other name, container or result holds on to: in
    `s = 0; for x in xs: s += x`. Elsewhere NumPy would write into what the others see, too, and
    that is refused.
    """

    def method(self, other):
        if isinstance(self.function, np.ufunc) and sys.getrefcount(self) <= _ALONE:
            result = ufunc(self, other)
            if result.shape == self.shape:
                return result if result.dtype == self.dtype else result.astype(self.dtype)
        return ufunc(self, other, out=(self,))

    method.__name__ = name
    return method


for _name, _ufunc in {
    "__iadd__": np.add,
    "__isub__": np.subtract,
    "__imul__": np.multiply,
    "__itruediv__": np.divide,
    "__ipow__": np.power,
}.items():
    setattr(Variable, _name, _in_place(_name, _ufunc))


def _kept(value):
    """The value as it is now, for the sweep: arrays and lists may be written into until then."""
    if isinstance(value, float):  # the common case first
        return value
    if isinstance(value, np.ndarray):
        return value.copy("K") if value.flags.writeable else value
    if type(value) in (list, tuple):
        return type(value)(_kept(part) for part in value)
    if isinstance(value, Traced) and not isinstance(value, Variable):
        return np.copy(value)
    return value


def sweep(seeds, free: bool):
    """Pull the gradients of some variables back through their graph; returns {number: gradient}
    of the inputs.

    `seeds` are (variable, gradient) pairs. A variable is visited when all that was computed from
    it has been: in the order of falling numbers, which depth-first search would not keep. With
    `free` the graph is taken apart on the way, so that memory is given back early.
    """
    gradients: dict[int, object] = {}
    waiting: list[int] = []
    inputs, nodes = {}, {}

    def add(node, g):
        number, primal = node.number, node.primal
        if type(g) is not type(primal) or type(g) not in _SCALARS:
            if g.shape != primal.shape:
                g = sum_to(g, primal.shape)
            if g.dtype != primal.dtype:
                g = g.astype(primal.dtype)
        if number in gradients:
            gradients[number] = gradients[number] + g
        else:
            gradients[number], nodes[number] = g, node
            heapq.heappush(waiting, -number)

    for node, g in seeds:
        add(node, g)
    while waiting:
        number = -heapq.heappop(waiting)
        node, g = nodes.pop(number), gradients.pop(number)
        if node.function is None:
            inputs[number] = g
            continue
        for parent, pull in node.edges:
            add(parent, pull(g, node.primal, *node.args, **node.kwargs))
        if free:
            node.edges = node.args = ()
            node.function = _freed
    return inputs


def _freed(*_):
    """Stands in for the function of a variable whose graph has been used up."""


def vjp(f, *inputs):
    """(f(*inputs), pull_back): pull_back(g) gives Jᵀ g, the gradient of ⟨g, f⟩ by the inputs.

    Inputs are arrays, or dicts, lists and tuples of arrays; so is what f returns, and g must have
    its structure and shapes. pull_back returns what the inputs look like: one structure for one
    input, a tuple for several. It may be called again; the graph lives as long as it does. It
    remembers the inputs and not copies, so they may not be written into until then.
    """
    y, pull_back = _traced(f, inputs)
    return map_tree(_owned_value, y), pull_back


def _owned_value(y):
    """A copy, since the graph needs the values, and the caller may write into what it gets."""
    return np.copy(y) if isinstance(y, (np.ndarray, Traced)) else y


def _traced(f, inputs, free: bool = False):
    level = new_level()
    leaves, rebuild = flatten(inputs if len(inputs) != 1 else inputs[0], "x")
    variables = [Variable(a, level) for a in leaves]
    arguments = rebuild(variables)
    try:
        outputs = f(*arguments) if len(inputs) != 1 else f(arguments)
    except ValueError as error:
        if (ours := in_our_words(error)) is error:
            raise
        raise ours from None
    finally:
        level.ended = True  # the graph is used in the sweep, but nothing is added to it
    check_result(outputs, level)

    def is_mine(y) -> bool:
        return isinstance(y, Variable) and y.level == level

    def pull_back(g):
        seeds = []
        for place, b, y in paired("g", g, outputs):
            if np.shape(b) != np.shape(y):
                raise ValueError(
                    f"pull_back: {place} should have the shape of the output, {np.shape(y)}; "
                    f"got {np.shape(b)}"
                )
            if is_mine(y):
                seeds.append((y, b if hasattr(b, "dtype") else y.dtype.type(b)))
        found = sweep(seeds, free)
        return rebuild(_owned([found.get(v.number) for v in variables], leaves, seeds))

    return map_tree(lambda y: y.primal if is_mine(y) else y, outputs), pull_back


def _owned(gradients, leaves, seeds):
    """Zeros for None, and copies of what is a view or given twice: the caller may write into it."""
    seen = {id(g) for _, g in seeds}
    for g, leaf in zip(gradients, leaves, strict=True):
        if g is None:
            yield np.zeros_like(leaf)
        elif id(g) in seen or getattr(g, "base", None) is not None:
            yield np.copy(g)
        else:
            yield g
            seen.add(id(g))


def value_and_grad(f, argnums: int | tuple[int, ...] = 0):
    """A function that gives (f(...), gradient by the arguments `argnums`), in one sweep back.

    f returns one number. The gradient has the structure of the argument: an array, or a dict, list
    or tuple of arrays; for several argnums it is a tuple of these. It costs a few times f,
    whatever the number of inputs. Raises TypeError if f returns anything but a number.
    """

    def both(*args, **kwargs):
        chosen = (argnums,) if isinstance(argnums, int) else argnums
        for i in chosen:
            if not -len(args) <= i < len(args):
                raise TypeError(f"argnums={i}, but there are {len(args)} arguments by position")
        if len({i % len(args) for i in chosen}) < len(chosen):
            raise TypeError(f"argnums={argnums} names an argument twice")

        def of_chosen(*values):
            full = list(args)
            for i, value in zip(chosen, values, strict=True):
                full[i] = value
            y = f(*full, **kwargs)
            if not _is_number(y):
                raise TypeError(
                    f"the gradient is that of a single number, but f gave {_described(y)}; add it "
                    "up, or use jacobian or vjp"
                )
            return y

        y, pull_back = _traced(of_chosen, tuple(args[i] for i in chosen), free=True)
        gradient = pull_back(np.ones((), getattr(y, "dtype", float))[()])
        return y, gradient if len(chosen) > 1 or isinstance(argnums, int) else (gradient,)

    return both


def _is_number(y) -> bool:
    if hasattr(y, "dtype"):
        return y.shape == () and y.dtype.kind == "f"
    return isinstance(y, (int, float)) and not isinstance(y, bool)  # f is constant


def _described(y) -> str:
    dtype = getattr(y, "dtype", None)
    return f"{y!r:.60}" if dtype is None else f"shape {np.shape(y)}, {dtype}"


def grad(f, argnums: int | tuple[int, ...] = 0):
    """A function that gives the gradient of f: see value_and_grad. grad(grad(f)) works too."""

    def gradient(*args, **kwargs):
        return value_and_grad(f, argnums)(*args, **kwargs)[1]

    return gradient
