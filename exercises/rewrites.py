"""Typical mistakes as changes of the project's own source: each tells what was meant."""

import ast
import copy
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

ONE_LESS = "divided by n - 1 where n is asked for, as in a variance of a sample"
EPS_OUTSIDE = "eps stands outside of the root, √x + ε, and belongs under it: √(x + ε)"
EPS_UNDER = "eps stands under the root, √(x + ε), and belongs outside of it: √x + ε"
EPS_MOVED = "eps is added on the other side of the correction than the formula has it"
NO_ROOT = "the square root is missing"
NO_PADDING = (
    "the border is filled with 0, which is the largest where all else is negative: fill it "
    "with -inf"
)
COUNTS = {  # other expressions for self.steps, which has the step under way in it
    "10**6": "it is never corrected for the start at zero",
    "(self.steps + 1)": "the count of steps is one too large: self.steps has this one in it",
    "(self.steps - 1)": "the count of steps is one too small: self.steps has this one in it",
}
UFUNCS = {"multiply": "*", "add": "+", "subtract": "-", "divide": "/"}
OTHERS = {
    "add": ("subtract", "- for +"),
    "subtract": ("add", "+ for -"),
    "multiply": ("divide", "/ for *"),
    "maximum": ("minimum", "the smallest where the largest is asked for"),
    "minimum": ("maximum", "the largest where the smallest is asked for"),
}
FUNCTIONS = ("sqrt", "exp", "log", "tanh", "square", "abs", "sigmoid", "log1p")
Rewrite = tuple[Any, Any, str]  # a node, what comes in its place, what is said of it


def telling(function: Any, settings: list[str], shown: set[str]) -> Iterator[Rewrite]:
    """The mistakes that have words of their own. `settings` are the numbers that a class is made
    with, `shown` the names that an exercise tells."""
    for node in ast.walk(function):
        yield from _of_node(node, settings)
        if isinstance(node, ast.If):
            said = f"two cases are taken for one{_among(node.test, {*shown, 'training'})}"
            for condition in (True, False):
                yield node, ast.If(ast.Constant(condition), node.body, node.orelse), said
    yield from _other_places_of_eps(function)
    for a, b in combinations([n for n in settings if f"self.{n}" in chains(function)], 2):
        swapped = {a: _of_self(b), b: _of_self(a)}
        yield function, _renamed(function, swapped), f"{a} and {b} are exchanged"
    for steps, said in COUNTS.items() if "self.steps" in chains(function) else ():
        yield function, _renamed(function, {"steps": ast.parse(steps, mode="eval").body}), said
    for name in settings if any(a.arg == "gradient" for a in function.args.args) else ():
        smaller = copy.deepcopy(function)
        smaller.body[:0] = ast.parse(f"gradient = gradient * (1.0 - self.{name})").body
        yield function, smaller, f"the gradient is multiplied by 1 - {name}, not so in this rule"


def of_calls(function: Any) -> Iterator[Rewrite]:
    """np.multiply(a, b, out=c) is a product too, and np.sqrt(a, out=c) may be left out."""
    for node in (n for n in ast.walk(function) if isinstance(n, ast.Call)):
        name, arguments, keywords = called(node), node.args, node.keywords
        if name in UFUNCS and len(arguments) == 2:
            for i, side in enumerate(("left", "right")):
                kept = ast.Call(_of_numpy("positive"), [arguments[1 - i]], keywords)
                yield node, kept, f"{side} side of {UFUNCS[name]} dropped"
        if name in OTHERS:
            other, said = OTHERS[name]
            yield node, ast.Call(_of_numpy(other), arguments, keywords), said
        if (name in FUNCTIONS and len(arguments) == 1) or name == "clip":
            alone = ast.Call(_of_numpy("positive"), arguments[:1], keywords)
            yield node, alone, f"{name} dropped"
        if name in ("sum", "mean") and isinstance(node.func, ast.Attribute):
            other = {"sum": "mean", "mean": "sum"}[name]
            func = ast.Attribute(node.func.value, other, ast.Load())
            yield node, ast.Call(func, arguments, keywords), f"{other} for {name}"


def _of_node(node: ast.AST, settings: list[str]) -> Iterator[Rewrite]:
    if isinstance(node, ast.Call) and called(node) == "sqrt" and len(node.args) == 1:
        inside = node.args[0]
        if isinstance(inside, ast.BinOp) and ast.unparse(inside.right) == "self.eps":
            root = ast.Call(node.func, [inside.left], node.keywords)
            yield node, ast.BinOp(root, inside.op, inside.right), EPS_OUTSIDE
    if isinstance(node, ast.Constant) and node.value in (0.5, 2.0):
        yield node, ast.Constant(1.0), f"a factor {node.value:g} is missing"
    if isinstance(node, ast.UnaryOp) and ast.unparse(node) in ("-math.inf", "-np.inf"):
        yield node, ast.Constant(0.0), NO_PADDING
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        less = ast.BinOp(node.right, ast.Sub(), ast.Constant(1))
        yield node, ast.BinOp(node.left, node.op, less), ONE_LESS
    if isinstance(node, ast.Call) and re.fullmatch(r"[^(]*\.mean", ast.unparse(node.func)):
        of_sample = ast.parse("(lambda a, b: b * (a.size / (a.size - b.size)))", mode="eval").body
        yield node, ast.Call(of_sample, [getattr(node.func, "value", node), node], []), ONE_LESS
    for name in settings if isinstance(node, (ast.BinOp, ast.Attribute)) else ():
        if ast.unparse(node) == f"1.0 - self.{name}":
            yield node, ast.Constant(1.0), f"the factor 1 - {name} is missing"
            yield node, _of_self(name), f"{name} stands where 1 - {name} should"
        if ast.unparse(node) == f"self.{name}":
            for value in (1.0, 0.0):
                said = f"{name} is left out in one place (as if {value:g})"
                yield node, ast.Constant(value), said


def _other_places_of_eps(function: Any) -> Iterator[Rewrite]:
    """Of a rule that computes the root in place and then adds eps, or the other way round."""
    bodies = [getattr(n, "body", None) for n in ast.walk(function)]
    for body in (b for b in bodies if isinstance(b, list)):
        for before, statement in zip([None, *body], body, strict=False):
            text = ast.unparse(statement)
            if match := re.fullmatch(r"(\w+) \+= self\.eps", text):
                a = match[1]
                yield statement, _parsed(f"{a}[...] = np.sqrt({a} * {a} + self.eps)"), EPS_UNDER
                yield statement, _parsed(f"{a}[...] = {a} * {a} + self.eps"), NO_ROOT
                if isinstance(before, ast.AugAssign):
                    swapped = ast.If(ast.Constant(True), [statement, before], [])
                    memo: dict = {id(before): ast.Pass(), id(statement): swapped}
                    yield function, copy.deepcopy(function, memo), EPS_MOVED
            if match := re.fullmatch(r"np\.add\((\w+), self\.eps, out=(\w+)\)", text):
                h, a = match.groups()
                outside = _parsed(f"np.square(np.sqrt({h}) + self.eps, out={a})")
                yield statement, outside, EPS_OUTSIDE


class _Renamed(ast.NodeTransformer):
    """Other expressions for attributes of self."""

    def __init__(self, others: dict[str, Any]):
        self.others = others

    def visit_Attribute(self, node):
        is_own = ast.unparse(node.value) == "self" and node.attr in self.others
        return self.others[node.attr] if is_own else self.generic_visit(node)


def _renamed(function: Any, others: dict[str, Any]) -> Any:
    return _Renamed(others).visit(copy.deepcopy(function))


def _parsed(statement: str) -> ast.stmt:
    return ast.parse(statement).body[0]


def _of_self(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("self", ast.Load()), name, ast.Load())


def _of_numpy(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())


def chains(node: ast.AST) -> set[str]:
    """What is taken of something by a name, as self.gamma.data."""
    return {ast.unparse(n) for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def called(node: ast.Call) -> str:
    """The last name of what is called."""
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _among(node: ast.AST, names: set[str]) -> str:
    found = sorted(c for c in chains(node) if c.removeprefix("self.") in names)
    return f": {', '.join(found)}" if found else ""
