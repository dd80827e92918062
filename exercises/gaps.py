"""A file of the project with gaps in it: the bodies of some functions are left out, by the syntax
tree; all that stays, comments too, stays as it was written."""

import ast
import re
import textwrap
from typing import Any

WIDTH = 100  # of a line
REMOVED_WITH_FORWARD = ("step", "can_step")  # they would say what forward does


class GapError(ValueError):
    """There is no such function to leave out."""


def with_gaps(
    source: str, name: str, gaps: tuple, *, hints: bool = False, imports=None, whole: str = ""
) -> str:
    """The source with the bodies of `gaps` left out: methods of the class of that name, or the
    function of that name itself, if `gaps` is ().

    What only the gaps used goes with them, and so do the other classes and functions of the file
    that `name` does not need; `imports` are {name: module} of those that come by an import instead.
    `hints` adds comments: the formulas of the docstring, what the project's own solution keeps and
    calls. With `whole`, the module of a long class, the rest of it is inherited. Raises GapError
    for a function that there is not.
    """
    tree, lines = ast.parse(source), source.splitlines()
    named = {n.name: n for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
    node = named[name]
    functions = _methods(node) if isinstance(node, ast.ClassDef) else {}
    if missing := [gap for gap in gaps if gap not in functions]:
        raise GapError(f"{name} has no {missing[0]} of its own; it has {', '.join(functions)}")
    left_out = {gap: functions[gap] for gap in gaps} or {name: node}
    removed = _only_for(left_out, functions)
    if "forward" in gaps:
        removed |= {n for n in REMOVED_WITH_FORWARD if n in functions}
        removed |= _only_for({n: functions[n] for n in removed}, functions)
    kept = [f for n, f in functions.items() if n not in removed and n not in left_out]
    cut = [_extent(functions[n], lines) for n in removed]
    staying = [*kept, *_signature(left_out)]
    own, from_elsewhere = _needed(tree, node, staying, imports or {})
    for other in tree.body:
        if _defines(other) and other is not node and not _defines(other) & own:
            cut.append(_extent(other, lines))
    taken = [f"from {module} import {n}" for n, module in sorted(from_elsewhere.items())]
    if whole:
        taken = [f"from {whole} import {name} as Whole"]
        cut += _rest(tree, node, gaps, lines)
        lines[node.lineno - 1] = f"class {name}(Whole):"
    if not whole and "np" not in set().union(*map(_imports, tree.body)):
        taken.insert(0, "import numpy as np")  # the project's own may do without
    used = {"np"} | own.union(
        *map(_names, left_out.values()), *(_names(functions[n]) for n in removed)
    )
    cut += [_extent(s, lines) for s in tree.body if _imports(s) and not _imports(s) & used]
    texts = {}
    owner = name if gaps else ""
    for function in left_out.values():
        texts[_body(function, lines)] = _gap(function, owner, node, functions, hints)
    if tree.body and isinstance(tree.body[0], ast.Expr):
        cut.append(_extent(tree.body[0], lines))
    return _joined(lines, cut, texts, taken, _last_import(tree))


def _rest(tree: ast.Module, node: Any, gaps: tuple, lines: list[str]) -> list:
    """All but the docstring of the class and the gaps; none of the imports is needed then."""
    first = [s for s in node.body[:1] if isinstance(s, ast.Expr)]
    gone = [s for s in node.body if s not in first and getattr(s, "name", "") not in gaps]
    gone += [s for s in tree.body if isinstance(s, (ast.Import, ast.ImportFrom))]
    return [_extent(s, lines) for s in gone]


def _methods(node: Any) -> dict[str, Any]:
    return {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}


def _only_for(left_out: dict, functions: dict) -> set[str]:
    """The private methods that nothing but these comes to."""
    private = {n for n in functions if n.startswith("_") and not n.startswith("__")} - set(left_out)
    while True:
        stay = [f for n, f in functions.items() if n not in left_out and n not in private]
        reached = private & set().union(*map(_attributes, stay), set())
        # What a private method that stays comes to stays as well.
        if not reached:
            return private
        private -= reached


def _attributes(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _signature(left_out: dict) -> list[ast.AST]:
    return [part for f in left_out.values() for part in (f.args, *f.decorator_list)]


def _defines(statement: ast.stmt) -> set[str]:
    """What a statement at the top of a file defines, imports left aside."""
    if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
        return {statement.name}
    targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
    return {n.id for t in targets if t is not None for n in ast.walk(t) if isinstance(n, ast.Name)}


def _imports(statement: ast.stmt) -> set[str]:
    """The names that an import brings."""
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return set()
    return {alias.asname or alias.name.split(".")[0] for alias in statement.names}


def _needed(tree: ast.Module, node, kept: list, imports: dict) -> tuple[set, dict]:
    """The names of the file that what stays uses, and those that are imported instead."""
    defined = {name: s for s in tree.body for name in _defines(s)}
    own: set[str] = set()
    elsewhere: dict[str, str] = {}
    used: set[str] = set()
    if isinstance(node, ast.ClassDef):
        outside = [s for s in node.body if not isinstance(s, ast.FunctionDef)]
        kept = [*kept, *node.bases, *outside]
    for part in kept:
        used |= _names(part)
    while todo := used - own - elsewhere.keys() - {node.name}:
        name = todo.pop()
        if name not in defined:
            own.add(name)  # an import or something built in
        elif name in imports:
            elsewhere[name] = imports[name]
        else:
            own.add(name)
            used |= _names(defined[name])
    return own, elsewhere


def _extent(node: Any, lines: list[str]) -> tuple[int, int]:
    """From which line to which a definition reaches: with its decorators, and the comments that
    stand right above it."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
    while first and lines[first - 1].strip().startswith("#"):
        first -= 1
    return first, node.end_lineno


def _body(function: Any, lines: list[str]) -> tuple[int, int]:
    """From which line to which the body reaches, its docstring left aside."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    rest = function.body[1:] if has_docstring else function.body
    if has_docstring:
        return function.body[0].end_lineno, function.end_lineno
    first = rest[0].lineno - 1
    while lines[first - 1].strip().startswith("#") or not lines[first - 1].strip():
        first -= 1
    return first, function.end_lineno


def _gap(function: Any, owner: str, node, functions: dict, hints: bool) -> list[str]:
    indent = " " * (function.col_offset + 4)
    said = _asked(function, owner, node, functions)
    lines = [f"{indent}# {line}" for line in _hints(function, node, functions)] if hints else []
    whole = f'{indent}raise NotImplementedError("{said}")'
    if len(whole) <= WIDTH:
        return [*lines, whole]
    parts = textwrap.wrap(said, WIDTH - len(indent) - 7, drop_whitespace=False)
    quoted = [f'{indent}    "{part}"' for part in parts]
    return [*lines, f"{indent}raise NotImplementedError(", *quoted, f"{indent})"]


def _asked(function: Any, owner: str, node, functions: dict) -> str:
    """What is to be written here, in a line."""
    name = f"{owner}.{function.name}" if owner else function.name
    is_loss = [a.arg for a in function.args.args[1:]][1:2] == ["targets"]
    if function.name == "forward" and is_loss:
        return f"{name}: give back the loss, a single number times self.scale(n), of n samples"
    if function.name == "forward":
        return f"{name}: give back the output, keep on self what backward needs"
    if function.name == "backward":
        called = _reached(function, functions)
        params = re.findall(r"self\.(\w+)\.accumulate\(", " ".join(map(ast.unparse, called)))
        adds = ", ".join(f"self.{p}.accumulate(d{p})" for p in dict.fromkeys(params))
        adds = f"call {adds}, " if adds else ""
        return f"{name}: {adds}give back the gradient of each input"
    if function.name == "step" and function.args.args[1:]:  # that of a layer
        return f"{name}: give back the output at these positions, and the state for those after"
    asked = _ASKED if owner else _ASKED_OF_FUNCTIONS
    return f"{name}: {asked.get(function.name, 'is yours to write')}"


_ASKED = {
    "update": "change param.data and the arrays of kept in place, by the rule above",
    "evaluated": "change what is remembered, by what is said above",
    "__call__": "give back the factor at this step",
    "step": "clear the gradients, go forward and back, update; give back the loss",
}
_ASKED_OF_FUNCTIONS = {"numeric_gradient": "give back an array of the shape of x"}


def _reached(function: Any, functions: dict) -> list[Any]:
    found, todo = [], [function]
    while todo:
        one = todo.pop()
        if one not in found:
            found.append(one)
            todo += [functions[n] for n in sorted(_attributes(one)) if n in functions]
    return found


def _hints(function: Any, node, functions: dict) -> list[str]:
    """What the docstring has of formulas, and what the project's own solution keeps and calls."""
    docstring = ast.get_docstring(node) or ""
    backward = function.name == "backward"
    lines = [line for line in docstring.splitlines() if "=" in line or "←" in line]
    lines = [line for line in lines if bool(_GRADIENT.search(line)) == backward]
    formulas = [line for line in lines if line.startswith("    ")] or lines[:1]
    if not backward:
        formulas = lines[:1]  # the first line of a docstring is the formula of the layer
    if function.name in _OF_SHAPES:
        formulas = []
    said = [f"formula: {formula.strip()}" for formula in formulas]
    parts = list(ast.walk(function))
    calls = [one.func for one in parts if isinstance(one, ast.Call)]
    called = {ast.unparse(one).split(".")[-1] for one in calls} - functions.keys() - _PLAIN
    of_self = [
        one
        for one in parts
        if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self" and one not in calls
    ]
    stored = {f"self.{one.attr}" for one in of_self if isinstance(one.ctx, ast.Store)}
    read = {f"self.{one.attr}" for one in of_self if one.attr not in functions} - stored - _MODES
    for what, names in (("keeps", stored), ("reads", read), ("calls", called)):
        if names:
            said.append(f"the project's own {what} {', '.join(sorted(names))}")
    lines = function.end_lineno - function.body[0].lineno + 1
    said.append(f"it has {lines} lines" if lines > 1 else "it has one line")
    width = WIDTH - function.col_offset - 8
    return [line for text in said for line in textwrap.wrap(f"Hint: {text}", width)]


_GRADIENT = re.compile(r"\bd[A-Za-zγβα]\w* =")
_PLAIN = {"ValueError", "len", "int", "zip", "range", "enumerate"}
_OF_SHAPES = ("infer", "output_shape", "flops", "backward_flops", "examples")
_MODES = {"self.needs_dX", "self.training"}


def _last_import(tree: ast.Module) -> int:
    imports = [s for s in tree.body if isinstance(s, (ast.Import, ast.ImportFrom))]
    return max((s.end_lineno or 0 for s in imports), default=0)


def _joined(lines: list[str], cut: list, texts: dict, taken: list[str], last_import: int) -> str:
    """The lines without those that are cut, the gaps in their places, blank lines as in a file
    that is written so."""
    gone = {i for first, last in [*cut, *texts] for i in range(first, last)}
    result = []
    for i in range(len(lines) + 1):
        for (first, _), text in texts.items():
            if first == i:
                result += text
        if i == last_import:
            result += taken
        if i < len(lines) and i not in gone:
            result.append(lines[i])
    text = "\n".join(result).strip("\n") + "\n"
    return re.sub(r"\n{4,}", "\n\n\n", re.sub(r"\n{3,}(?=    )", "\n\n", text))
