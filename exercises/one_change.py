"""Which one change of the project's own code does what a solution does? By the syntax tree."""

import ast
import copy
import functools
import inspect
import itertools
import re
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from lamina.layers.check.mutations import changes, changes_in, replaced


class Change(NamedTuple):
    """The project's own class with one thing changed, and what that is, in plain words."""

    said: str
    cls: Any


def first_that(cls: type, gap: str, gives: Callable[[Any], bool]) -> str:
    """What is said of the first change in this gap of the project's class that gives the same."""
    for change in _of(cls, gap):
        try:
            if gives(change.cls):
                return change.said
        except Exception:  # a guess that does not run is no explanation
            continue
    return ""


@functools.cache
def _of(cls: type, gap: str) -> list[Change]:
    """Every change of one gap that there are words for, the tell-tale ones first."""
    path = str(inspect.getsourcefile(cls))
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    top: Any = next(n for n in tree.body if getattr(n, "name", "") == cls.__name__)
    functions = {n.name: n for n in top.body if isinstance(n, ast.FunctionDef)}
    if gap not in functions:
        return []
    function, names = functions[gap], _told(top)
    found = list(_telling(function, _settings(cls)))
    general = changes(tree, cls.__name__) if gap == "backward" else changes_in(function)
    pairs = [(node, new, change) for node, new, _, (change, _) in general]
    pairs += _of_calls(function)
    locals_ = _locals(function, names)
    said = ((node, new, _words(change, node, new, names, locals_)) for node, new, change in pairs)
    found += sorted((one for one in said if one[2]), key=lambda one: one[2] == _NUMBER)
    return [Change(words, _made(tree, node, new, path, cls)) for node, new, words in found]


def _made(tree: ast.Module, node, new, path: str, cls: type) -> Any:
    module = types.ModuleType(cls.__module__)
    module.__file__ = path
    changed = ast.fix_missing_locations(replaced(tree, node, new))
    exec(compile(changed, path, "exec"), module.__dict__)
    return getattr(module, cls.__name__)


# Changes that tell what was meant.


def _telling(function: Any, settings: list[str]) -> Iterator[tuple[Any, Any, str]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and _called(node) == "sqrt" and len(node.args) == 1:
            inside = node.args[0]
            if isinstance(inside, ast.BinOp) and ast.unparse(inside.right) == "self.eps":
                root = ast.Call(node.func, [inside.left], node.keywords)
                yield node, ast.BinOp(root, inside.op, inside.right), _EPS_OUTSIDE
        if isinstance(node, ast.UnaryOp) and ast.unparse(node) in ("-math.inf", "-np.inf"):
            yield node, ast.Constant(0.0), _NO_PADDING
        yield from _by_one_less(node)
        for name in settings:
            if isinstance(node, ast.BinOp) and ast.unparse(node) == f"1.0 - self.{name}":
                yield node, ast.Constant(1.0), f"the factor 1 - {name} is missing"
    for body in _bodies(function):
        for i, (first, second) in enumerate(itertools.pairwise(body)):
            texts = [ast.unparse(first), ast.unparse(second)]
            if any(text.endswith("+= self.eps") for text in texts):
                under = any("sqrt" in text for text in texts)
                whole = ast.Module([*body[:i], second, first, *body[i + 2 :]], [])
                yield from _in_place_of(function, body, whole.body, _EPS_UNDER if under else _EPS)
    for a, b in itertools.combinations(settings, 2):
        if {f"self.{a}", f"self.{b}"} <= set(_chains(function)):
            swapped = _Renamed({a: _of_self(b), b: _of_self(a)})
            yield function, swapped.visit(copy.deepcopy(function)), f"{a} and {b} are exchanged"
    if "self.steps" in _chains(function):
        for steps, said in (
            ("10**6", "it is never corrected for the start at zero"),
            (
                "(self.steps + 1)",
                "the count of steps is one too large: self.steps has this one in it",
            ),
            (
                "(self.steps - 1)",
                "the count of steps is one too small: self.steps has this one in it",
            ),
        ):
            other = ast.parse(steps, mode="eval").body
            yield function, _Renamed({"steps": other}).visit(copy.deepcopy(function)), said
    if any(a.arg == "gradient" for a in function.args.args):
        for name in settings:
            other = ast.parse(f"gradient = gradient * (1.0 - self.{name})").body
            changed = copy.deepcopy(function)
            changed.body[:0] = other
            yield (
                function,
                changed,
                f"the gradient is multiplied by 1 - {name}, not so in this rule",
            )


def _by_one_less(node) -> Iterator[tuple[Any, Any, str]]:
    """A variance, or a mean, divided by n - 1."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield node, ast.BinOp(node.left, node.op, _minus_one(node.right)), _ONE_LESS
    if isinstance(node, ast.Call) and _called(node) == "mean" and not _of_module(node):
        count = ast.parse("(lambda a, b: b * (a.size / (a.size - b.size)))", mode="eval").body
        yield node, ast.Call(count, [node.func.value, node], []), _ONE_LESS


def _minus_one(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Sub(), ast.Constant(1))


def _of_module(node: ast.Call) -> bool:
    return not isinstance(node.func, ast.Attribute) or ast.unparse(node.func.value) == "np"


_ONE_LESS = "divided by n - 1 where n is asked for, as in a variance of a sample"
_EPS = "eps is added at another place than in the formula, before or behind the correction"
_EPS_OUTSIDE = "eps stands outside of the root, √σ² + ε, and belongs under it: √(σ² + ε)"
_EPS_UNDER = (
    "eps stands on the wrong side of the root: under it, where the formula has it outside, or back"
)
_NO_PADDING = (
    "the border is filled with 0, which is the largest where all else is negative: fill it "
    "with -inf"
)
_NUMBER = "a number in the formula is another one"


class _Renamed(ast.NodeTransformer):
    """Other expressions for attributes of self."""

    def __init__(self, others: dict[str, Any]):
        self.others = others

    def visit_Attribute(self, node):
        is_own = isinstance(node.value, ast.Name) and node.value.id == "self"
        return (
            self.others[node.attr]
            if is_own and node.attr in self.others
            else self.generic_visit(node)
        )


def _bodies(function: Any) -> Iterator[list[Any]]:
    for node in ast.walk(function):
        if isinstance(getattr(node, "body", None), list):
            yield node.body


def _in_place_of(function: Any, body: list, other: list, said: str):
    """The function with another body in one place."""
    for node in ast.walk(function):
        if getattr(node, "body", None) is body:
            changed = copy.copy(node)
            changed.body = other
            yield node, changed, said


def _of_calls(function: Any) -> Iterator[tuple[Any, Any, str]]:
    """np.multiply(a, b, out=c) is a product too, and np.sqrt(a, out=c) may be left out."""
    for node in ast.walk(function):
        name = _called(node) if isinstance(node, ast.Call) else ""
        if name in _UFUNCS and len(node.args) == 2:
            for i, side in enumerate(("left", "right")):
                kept = ast.Call(_of_numpy("positive"), [node.args[1 - i]], node.keywords)
                yield node, kept, f"{side} side of {_UFUNCS[name]} dropped"
        if name in _OTHERS:
            other, said = _OTHERS[name]
            yield node, ast.Call(_of_numpy(other), node.args, node.keywords), said
        if name in _FUNCTIONS and len(node.args) == 1:
            yield node, ast.Call(_of_numpy("positive"), node.args, node.keywords), f"{name} dropped"
        if name in ("sum", "mean") and isinstance(node.func, ast.Attribute):
            other = {"sum": "mean", "mean": "sum"}[name]
            func = ast.Attribute(node.func.value, other, ast.Load())
            yield node, ast.Call(func, node.args, node.keywords), f"{other} for {name}"


_UFUNCS = {"multiply": "*", "add": "+", "subtract": "-", "divide": "/"}
_OTHERS = {
    "add": ("subtract", "- for +"),
    "subtract": ("add", "+ for -"),
    "multiply": ("divide", "/ for *"),
    "maximum": ("minimum", "the smallest where the largest is asked for"),
    "minimum": ("maximum", "the largest where the smallest is asked for"),
}
_FUNCTIONS = ("sqrt", "exp", "log", "tanh", "square", "abs", "sigmoid", "log1p")


def _of_numpy(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())


# What is said of a change.


def _words(change: str, node, new, names: set[str], locals_: dict) -> str:
    """In plain words, with the names that the exercise shows; "" for what would tell nothing."""
    kept = "kept: " if change.startswith("kept") else ""
    gone = {"left": node.left, "right": node.right} if isinstance(node, ast.BinOp) else {}
    if isinstance(node, ast.Call) and len(node.args) == 2:
        gone = {"left": node.args[0], "right": node.args[1]}
    dropped = re.fullmatch(r"(left|right) side of (.) dropped", change)
    if dropped and dropped[1] in gone:
        what = _DROPPED.get(dropped[2], "")
        return what and f"{what}{_named(gone[dropped[1]], names, locals_)}"
    if change == "statement dropped":
        return f"a step of the computation is left out{_named(node, names, locals_)}"
    if re.fullmatch(r"\S+ for -?[\d.e]+", change):
        return _NUMBER
    for pattern, said in _SAID:
        if re.search(pattern, change):
            return re.sub(pattern, said, re.search(pattern, change)[0])
    return kept and ""


_DROPPED = {
    "+": "a summand is missing",
    "-": "what is subtracted is missing",
    "*": "a factor is missing",
    "/": "a division is missing",
}
_SAID = (
    (
        r"^- for \+$|^\+ for -$|^-= for \+=$|^\+= for -=$",
        "a sign: + and - are exchanged in one place",
    ),
    (r"^/ for \*$|^\* for /$", "multiplied where it is to be divided, or back, in one place"),
    (r"minus sign dropped|sign of .* flipped", "a sign in one place"),
    (r"operands swapped", "two operands are exchanged, of @, - or /"),
    (r"\.T dropped", "a transposed matrix"),
    (r"(\w+)\(\) over axis (-?\d)", r"\1 over axis \2, the wrong one"),
    (r"^(\w+)\(\) dropped", r"\1 is missing in one place"),
    (r"^mean for sum", "a mean where a sum is asked for"),
    (r"^sum for mean", "a sum where a mean is asked for"),
    (r"^(\w+) dropped", r"\1 is missing in one place"),
    (r"= for an updating =", "set (=) where it is to be added to or multiplied (+=, *=)"),
    (r"comparison turned round", "< and > are exchanged"),
    (r"^the .*est where .*", r"\g<0>"),
    (r"results exchanged", "gradients are returned in another order"),
    (r"^dout for self\.\w+", "dout stands where something that forward keeps should"),
)


def _named(node, names: set[str], locals_: dict) -> str:
    """: gamma, eps, for what the exercise has a name for."""
    found = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            found |= locals_.get(one.id, {one.id})
    shown = sorted(found & names)
    return f": {', '.join(shown)}" if shown else ""


def _told(top: Any) -> set[str]:
    """The names that the file of the exercise tells: arguments, attributes, letters of formulas."""
    made = [n for n in top.body if getattr(n, "name", "") == "__init__"]
    found = {n.attr for one in made for n in ast.walk(one) if isinstance(n, ast.Attribute)}
    formulas = [r for r in (ast.get_docstring(top) or "").splitlines() if r.startswith("    ")]
    return (found | set(re.findall(r"\w+", " ".join(formulas))) | {"steps"}) - {"data", "np"}


def _locals(function: Any, names: set[str]) -> dict[str, set[str]]:
    """{variable: the told names that it is made of}."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            parts = {n.attr for n in ast.walk(node.value) if isinstance(n, ast.Attribute)}
            found[node.targets[0].id] = (parts & names) | {node.targets[0].id}
    return found


def _settings(cls: type) -> list[str]:
    """Arguments with a number for a default, those of bases too."""
    taken: dict[str, Any] = {}
    for one in reversed(cls.__mro__):
        if "__init__" in vars(one):
            taken |= inspect.signature(vars(one)["__init__"]).parameters
    return [n for n, p in taken.items() if isinstance(p.default, float) and n not in _NOT_OF_RULE]


_NOT_OF_RULE = ("lr", "weight_decay")


def _of_self(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())


def _chains(node) -> set[str]:
    return {ast.unparse(n) for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))
