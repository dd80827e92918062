"""Which one change of the project's own code does what a solution does? By the syntax tree."""

import ast
import copy
import functools
import inspect
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lamina.exercises.rewrites import of_calls, telling
from lamina.layers.check.mutations import changes, changes_in, replaced


class Change:
    """The project's own class with one thing changed, and what that is, in plain words."""

    def __init__(self, said: str, made: Callable[[], Any]):
        self.said, self._made = said, made

    @functools.cached_property
    def cls(self) -> Any:
        """Made when it is asked for: most causes are found early."""
        return self._made()


def first_that(cls: type, gap: str, gives: Callable[[Any], bool]) -> str:
    """What is said of the first change in this gap of the project's class that gives the same."""
    return "".join(
        first_of_each(cls, gap, {""}, lambda one: {""} if gives(one) else set()).values()
    )


def first_of_each(
    cls: type, gap: str, names: set[str], given: Callable[[Any], set[str]]
) -> dict[str, str]:
    """The same for several results at once: {name: what is said}. `given` says which of them a
    changed class gives."""
    said: dict[str, str] = {}
    for change in _of(cls, gap):
        if not names - said.keys():
            break
        try:
            said |= dict.fromkeys(given(change.cls) & names - said.keys(), change.said)
        except Exception:  # a guess that does not run is no explanation
            continue
    return said


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
    found = list(telling(function, _settings(cls), names))
    general = changes(tree, cls.__name__) if gap == "backward" else changes_in(function)
    pairs = [(node, new, change) for node, new, _, (change, _) in general]
    pairs += of_calls(function)
    locals_ = _locals(function, names)
    said = ((node, new, _words(change, node, names, locals_)) for node, new, change in pairs)
    found += sorted((one for one in said if one[2]), key=lambda one: one[2] == _NUMBER)
    return [
        Change(words, functools.partial(_made, tree, top, node, new, path, cls.__module__))
        for node, new, words in found
    ]


def _made(tree: ast.Module, top: Any, node, new, path: str, name: str) -> Any:
    part = next(p for p in (*top.body, *tree.body) if any(n is node for n in ast.walk(p)))
    changed: Any = replaced(part, node, new)
    copied = copy.copy(top)  # all but that part is shared
    copied.body = [changed if p is part else p for p in top.body]
    others = {id(part): changed, id(top): copied}
    whole = ast.Module([others.get(id(p), p) for p in tree.body], [])
    module = types.ModuleType(name)
    module.__file__ = path
    exec(compile(ast.fix_missing_locations(whole), path, "exec"), module.__dict__)
    return getattr(module, top.name)


# What is said of a change.


def _words(change: str, node, names: set[str], locals_: dict) -> str:
    """In plain words, with the names that the exercise shows; "" for what would tell nothing."""
    gone = {"left": node.left, "right": node.right} if isinstance(node, ast.BinOp) else {}
    if isinstance(node, ast.Call) and len(node.args) == 2:
        gone = {"left": node.args[0], "right": node.args[1]}
    dropped = re.fullmatch(r"(left|right) side of (.) dropped", change)
    if dropped and dropped[1] in gone:
        what = _DROPPED.get(dropped[2], "") if dropped[0] != "left side of - dropped" else ""
        if dropped[0] == "right side of - dropped" and ast.unparse(gone["left"]) == "1.0":
            what = "a factor 1 - … is missing"
        return what and f"{what}{_named(gone[dropped[1]], names, locals_)}"
    if change == "statement dropped":
        return f"a step of the computation is left out{_named(node, names, locals_)}"
    if re.fullmatch(r"\S+ for -?[\d.e]+", change):
        return _NUMBER
    for pattern, said in _SAID:
        if match := re.search(pattern, change):
            return match.expand(said)
    return ""


_NUMBER = "a number in the formula is another one"
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
