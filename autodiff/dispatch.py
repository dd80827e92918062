"""What happens when NumPy asks a traced array about a function: look the function up, and refuse
what has no rule. The two modes differ in what they do with a rule."""

import functools
import inspect
import math

import numpy as np

from lamina.autodiff.rules import COMPOSITE, CONSTANT, CREATION, JOINS, RULES, WRITES
from lamina.autodiff.traced import Traced, flat, name_of, no_rule

LOOKS = {np.shape, np.ndim, np.size, np.result_type}  # at what never had a derivative


class Differentiating(Traced):
    """A traced array that follows the rules.

    Subclasses implement `follow(function, rules, args, kwargs)`; `join` likewise, for functions of
    a list of arrays; `create(function, args, kwargs)` and `full(shape, fill, dtype)` for new
    arrays.
    """

    __slots__ = ()

    def apply(self, function, args, kwargs):
        if self.level.ended and function not in LOOKS:
            self.check_alive()
        rules = RULES.get(function)
        if rules is not None:
            if kwargs:
                mine = [i for i, a in enumerate(args) if self.is_mine(a)]
                known = _parameters(rule_of(function, rules, mine[0], args).form) if mine else ()
                _check_keywords(function, known, args, kwargs)
            return self.follow(function, rules, args, kwargs)
        if function in CONSTANT:
            return function(*map(self.part, args), **self._parts_of(kwargs))
        written = COMPOSITE.get(function) or WRITES.get(function)
        if written is not None:
            _check_names(function, _parameters(written), args, kwargs)
            _check_positions(function, _positional(written), args)
            return written(*args, **kwargs)
        if function in JOINS:
            _check_keywords(function, ("axis",), args, kwargs)
            if len(args) > 2:
                raise no_rule(f"{name_of(function)} with out=", args)
            return self.join(function, JOINS[function], *args, **kwargs)
        if function is np.arange and any(isinstance(a, Traced) for a in args):
            raise no_rule("numpy.arange from or to a traced number", args)
        if function in CREATION:
            return self.create(function, [self.part(a) for a in args], self._parts_of(kwargs))
        if function in (np.full, np.full_like):
            return self._full(function, *args, **kwargs)
        raise no_rule(name_of(function), args)

    def is_mine(self, value) -> bool:
        return isinstance(value, Traced) and value.level == self.level

    def part(self, value):
        """The value below this level: of an array of this level its primal."""
        return value.primal if self.is_mine(value) else value

    def _parts_of(self, kwargs):
        return {name: self.part(value) for name, value in kwargs.items()}

    def _full(self, function, like, fill, dtype=None, *, shape=None, **_):
        if function is np.full_like:
            like, dtype = like.shape if shape is None else shape, dtype or like.dtype
        dtype = dtype or getattr(fill, "dtype", None) or np.asarray(fill).dtype
        return self.full(like, fill, dtype)


def rule_of(function, rules, i: int, args):
    """The rule of argument i of a function; NotDifferentiable if there is none."""
    if len(rules) <= i or rules[i] is None:
        raise no_rule(f"argument {i} of {name_of(function)}", args)
    return rules[i]


def check_arguments(function, form, args) -> None:
    """Refuse what the signature of a rule lacks, such as an array given as `out` by position."""
    _check_positions(function, _positional(form) - 2, args)  # a rule takes g and y, too


def _check_positions(function, most, args) -> None:
    if len(args) > most:
        raise no_rule(f"{name_of(function)} with {len(args)} arguments by position", args)


@functools.cache
def _positional(form) -> float:
    """How many arguments it takes by position."""
    kinds = [p.kind for p in inspect.signature(form).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return math.inf
    return sum(kind != inspect.Parameter.KEYWORD_ONLY for kind in kinds)


@functools.cache
def _parameters(function) -> frozenset:
    return frozenset(inspect.signature(function).parameters)


def _check_names(function, known, args, kwargs) -> None:
    for name in kwargs:
        if name not in known:
            raise no_rule(f"{name_of(function)} with {name}=", args)


def _check_keywords(function, known, args, kwargs) -> None:
    """Likewise, and refuse a traced array by keyword: a rule belongs to a position."""
    _check_names(function, known, args, kwargs)
    for name, value in kwargs.items():
        if any(isinstance(v, Traced) for v in flat([value])):
            raise no_rule(f"{name_of(function)} with {name}=", args)
