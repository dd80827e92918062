"""An expression such as "(x + y) * z", read and computed piece by piece.

The text is parsed to a tree, and only the kinds of node that are listed here are computed; nothing
is ever handed to Python to evaluate. Sizes are limited, so that no text can take long or much
memory, and all numbers are floats: 9 ** 9 ** 9 is inf.
"""

import ast
import difflib
import inspect
import warnings

import numpy as np

from lamina.autodiff.draw.functions import FUNCTIONS
from lamina.autodiff.draw.given import ExpressionError, short

LONGEST = 500  # characters of an expression
DEEPEST = 100  # brackets and operations inside each other
OPERATORS = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.MatMult: np.matmul,
}
CONSTANTS = {"pi": np.pi, "e": np.e}


def read_expression(text: str, inputs: dict):
    """A function of the inputs, by keyword, that computes the expression.

    `inputs` are the values that it will get. Raises ExpressionError if the text is no expression,
    uses what is not allowed, or does not use exactly these inputs.
    """
    tree = _parsed(text)
    _check_depth(text, tree)
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not _is_called(tree, n)}
    for name in sorted(names - set(inputs) - set(CONSTANTS)):
        near = difflib.get_close_matches(name, inputs, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; add {name}=NUMBER"
        raise ExpressionError(f"{name} has no value{hint}")
    for name in inputs:
        if name not in names:
            raise ExpressionError(f"{name} is given a value, but does not occur in {text}")

    def f(**values):
        return _computed(text, tree, CONSTANTS | values)

    return f


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise ExpressionError(
            f"the expression has {len(text)} characters, expects at most {LONGEST}; draw a part"
        )
    try:
        with warnings.catch_warnings():  # what Python thinks of the style is no concern here
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        place = f" at character {error.offset}" if error.offset else ""
        reason = f"{short(text)}: is no expression ({error.msg}{place})"
        raise ExpressionError(" ".join(reason.split())) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(f"{short(text)}: is no expression, or nested too deeply") from None


def _check_depth(text: str, tree: ast.expr) -> None:
    level: list[ast.AST] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ExpressionError(f"{short(text)}: is nested too deeply; draw a part of it")
        level = [child for node in level for child in ast.iter_child_nodes(node)]


def _is_called(tree, name: ast.Name) -> bool:
    """Whether the name is that of a function, or the np of np.exp."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(f is name or (isinstance(f, ast.Attribute) and f.value is name) for f in calls)


def _computed(text: str, node: ast.expr, names: dict):
    """The value of a tree, by the kinds of node that are allowed."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _number(node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.UAdd, ast.USub)):
        value = _computed(text, node.operand, names)
        return value if isinstance(node.op, ast.UAdd) else np.negative(value)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        sides = [_computed(text, side, names) for side in (node.left, node.right)]
        return _applied(text, node, OPERATORS[type(node.op)], sides, {})
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return np.transpose(_computed(text, node.value, names))
    if isinstance(node, ast.Call):
        return _call(text, node, names)
    raise ExpressionError(
        f"{_part(text, node)}: is not allowed here; expects numbers, the inputs, + - * / ** @, "
        "and functions such as exp, log, max, sum"
    )


def _number(value) -> np.float64:
    try:
        return np.float64(value)
    except OverflowError:
        return np.float64(np.inf)


def _call(text: str, node: ast.Call, names: dict):
    function, name = node.func, None
    if isinstance(function, ast.Name):
        name = function.id
    elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        name = function.attr if function.value.id in ("np", "numpy", "math") else None
    if name not in FUNCTIONS:
        near = difflib.get_close_matches(str(name), FUNCTIONS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(FUNCTIONS))}"
        raise ExpressionError(f"unknown function {_part(text, function)}; {hint}")
    arguments = [_computed(text, argument, names) for argument in node.args]
    options = {k.arg: _axis(text, k) for k in node.keywords}
    return _applied(text, node, FUNCTIONS[name], arguments, options)


def _axis(text: str, keyword: ast.keyword) -> int:
    value = keyword.value
    sign = 1
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        sign, value = -1, value.operand
    number = value.value if isinstance(value, ast.Constant) else None
    if keyword.arg == "axis" and type(number) is int and number in (0, 1):
        return sign * number
    raise ExpressionError(f"{_part(text, keyword)}: the only option is axis=0, 1 or -1")


def _applied(text: str, node, function, arguments, options):
    """function(*arguments), or an error that names the part of the expression."""
    low, high = _numbers_of_arguments(function)
    if not low <= len(arguments) <= high:
        wanted = f"{low}" if low == high else f"{low} or {high}"
        message = f"expects {wanted} in brackets, got {len(arguments)}"
        raise ExpressionError(f"{_part(text, node)}: {message}")
    try:
        return function(*arguments, **options)
    except ValueError:
        shapes = " and ".join(str(np.shape(a)) for a in arguments)
        message = f"does not work for the shape{'s' * (len(arguments) > 1)} {shapes}"
    except TypeError as error:
        message = " ".join(str(error).split())
    raise ExpressionError(f"{_part(text, node)}: {message}")


def _numbers_of_arguments(function) -> tuple[int, int]:
    """The least and the most arguments by position."""
    if isinstance(function, np.ufunc):
        return function.nin, function.nin
    parameters = inspect.signature(function).parameters.values()
    places = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return sum(p.default is p.empty for p in places), len(places)


def _part(text: str, node) -> str:
    return short(ast.get_source_segment(text.strip(), node) or text)
