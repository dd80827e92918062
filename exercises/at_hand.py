"""What the body of a gap may use and its file does not show: inherited names, what held objects can
do, imported helpers. By the syntax tree, from the bodies that are left out."""

import ast
import functools
import inspect
import re
import sys
import typing
from pathlib import Path
from typing import Any, NamedTuple

from lamina.exercises.gaps import REMOVED_WITH_FORWARD
from lamina.layers import Param, State

_OURS = "lamina."


class _Part(NamedTuple):
    """A member of a class: the function or assignment it comes from, and the value assigned."""

    cls: type
    node: Any
    value: Any = None

    @property
    def is_method(self) -> bool:
        return isinstance(self.node, ast.FunctionDef)


def at_hand(cls: type, gaps: tuple, text: str, *, whole: bool = False) -> list[str]:
    """Lines "names: what they are" for what the project's own `gaps` use, beside what the `text` of
    the exercise shows. With `whole` a solution inherits from the class itself."""
    form = ast.parse(text)
    shown: Any = next(n for n in form.body if getattr(n, "name", "") == cls.__name__)
    bases = [cls] if whole else list(cls.__bases__)
    there = {name for statement in shown.body for name in _defined(statement)}
    gone = _left_out(cls, gaps, set() if whole else there)
    hidden = there | {function.name for function in gone}
    names = [n for n in _members("self", gone) if n not in hidden and _found(bases, n)]
    names += [n for n in _read(bases, names) if n not in (*hidden, *names)]
    said = {f"self.{_label(bases, name)}": _words(bases, name) for name in names}
    for name in (*names, *sorted(there)):
        kind, many = _type_of([cls], name)
        if kind is not None:
            for member in _members_of(kind, name, gone):
                said[f"self.{name}{many}.{_label([kind], member)}"] = _words([kind], member)
        elif name in names and not _says_any(bases, name):  # what it is does not show
            said |= {f"self.{name}.{member}": "" for member in _members(f"self.{name}", gone)}
    for argument, keys in _keys(gone).items():
        said |= {f'{argument}["{key}"]': _sentence_on(bases, argument) for key in keys}
    return _merged(said | _helpers(cls, form))


def _left_out(cls: type, gaps: tuple, there: set[str]) -> list:
    """The gaps, and what has gone with them and is not there."""
    functions = {n: part.node for n, part in _parts(cls)[0].items() if part.is_method}
    wanted = set(gaps) | (functions.keys() - there - set(REMOVED_WITH_FORWARD) if there else set())
    return [functions[name] for name in sorted(wanted)]


def _helpers(cls: type, form: ast.Module) -> dict[str, str]:
    """What is imported from the project and not used yet."""
    imports = [n for n in form.body if isinstance(n, ast.ImportFrom)]
    names = {alias.asname or alias.name for one in imports for alias in one.names}
    used = {n.id for n in ast.walk(form) if isinstance(n, ast.Name)}
    found = {}
    for name in sorted(names - used):
        held = vars(sys.modules[cls.__module__])[name]
        if getattr(held, "__module__", "").startswith(_OURS) and not _is_error(held):
            found[f"{name}{_arguments(held)}"] = _first_sentence(inspect.getdoc(held))
    return found


def _merged(said: dict[str, str]) -> list[str]:
    """A line for all names of which the same is said."""
    groups: dict[str, list[str]] = {}
    for name, words in said.items():
        groups.setdefault(words, []).append(name)
    return [", ".join(names) + (f": {words}" if words else "") for words, names in groups.items()]


# What syntax trees say of names.


def _chain(node: Any) -> str:
    """Such as self.gamma.data; "" for what is no chain of names."""
    if isinstance(node, ast.Attribute):
        before = _chain(node.value)
        return before and f"{before}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _members(owner: str, functions: list) -> list[str]:
    """The members of the owner that functions use."""
    nodes = (n for f in functions for n in ast.walk(f) if isinstance(n, ast.Attribute))
    return sorted({n.attr for n in nodes if _chain(n.value) == owner})


def _alone(functions: list) -> set[str]:
    """The chains of which no member is taken, as they are handed on or given a name."""
    taken, found = set(), set()
    for node in (n for f in functions for n in ast.walk(f)):
        if isinstance(node, ast.Attribute):
            taken.add(id(node.value))
            if id(node) not in taken:
                found.add(_chain(node))
    return found


def _of_locals(functions: list) -> list[str]:
    """The members that are taken of what is in a variable."""
    nodes = (n for f in functions for n in ast.walk(f) if isinstance(n, ast.Attribute))
    chains = [_chain(n).split(".") for n in nodes]
    return sorted({c[1] for c in chains if len(c) == 2 and c[0] != "self"})


def _keys(functions: list) -> dict[str, list[str]]:
    """{argument: keys that it is asked for}, as kept["velocity"]."""
    found: dict[str, list[str]] = {}
    for function in functions:
        arguments = {a.arg for a in function.args.args}
        for node in ast.walk(function):
            if isinstance(node, ast.Subscript) and _chain(node.value) in arguments:
                key = getattr(node.slice, "value", None)
                if isinstance(key, str) and key not in found.setdefault(_chain(node.value), []):
                    found[_chain(node.value)].append(key)
    return found


def _defined(statement: ast.stmt) -> set[str]:
    """What a statement of a class gives it: a method, a name, attributes that it sets."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name} | {name for name, *_ in _set_in(statement)}
    return {name for name, *_ in _fields(statement)}


def _set_in(function: ast.FunctionDef):
    """(attribute of self, its statement, its value) for all that it sets."""
    variables: dict[str, Any] = {}
    for node in ast.walk(function):
        for name, value in _fields(node):
            value = variables.get(_chain(value), value)
            if name.startswith("self."):
                yield name.removeprefix("self."), node, value
            else:
                variables[name] = value


def _fields(node: Any):
    """(name, value) for what an assignment sets."""
    if isinstance(node, ast.AnnAssign):
        yield _chain(node.target), node.value
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if not isinstance(target, ast.Tuple):
                yield _chain(target), node.value
                continue
            pairs = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for i, one in enumerate(target.elts):
                yield _chain(one), pairs[min(i, len(pairs) - 1)]


# What the classes of the project say of their members.


@functools.cache
def _parts(cls: type) -> tuple[dict[str, _Part], list[str]]:
    """({member: where it comes from}, the lines of the file)."""
    text = Path(str(inspect.getsourcefile(cls))).read_text(encoding="utf-8")
    tree: Any = next(n for n in ast.parse(text).body if getattr(n, "name", "") == cls.__name__)
    found = []
    for statement in tree.body:
        found += [(name, _Part(cls, statement, value)) for name, value in _fields(statement)]
        if isinstance(statement, ast.FunctionDef):
            found.append((statement.name, _Part(cls, statement)))
            if statement.name == "__init__":
                found += [(name, _Part(cls, *where)) for name, *where in _set_in(statement)]
    parts: dict[str, _Part] = {}
    for name, part in found:
        if name not in parts or _is_none(parts[name].value):
            parts[name] = part
    return parts, text.splitlines()


def _is_none(value: Any) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _found(classes: list, name: str) -> _Part | None:
    """Where a member comes from."""
    for cls in dict.fromkeys(c for one in classes for c in one.__mro__):
        if cls.__module__.startswith(_OURS) and name in _parts(cls)[0]:
            return _parts(cls)[0][name]
    return None


def _says_any(classes: list, name: str) -> bool:
    part = _found(classes, name)
    return part is not None and _chain(getattr(part.node, "annotation", None)) == "Any"


def _members_of(kind: type, name: str, functions: list) -> list[str]:
    """Which members of what self.`name` holds are used, by a name of its own as well."""
    used = _members(f"self.{name}", functions)
    if f"self.{name}" in _alone(functions):
        used += [n for n in _of_locals(functions) if n not in used]
    used = [n for n in used if _found([kind], n)]
    if kind in (Param, State):  # how these do it is no matter of a layer
        return used
    return list(dict.fromkeys([*used, *_read([kind], used)]))


def _read(classes: list, methods: list[str]) -> list[str]:
    """The public data that these methods go by: what a body of one's own may go by as well."""
    found: list[str] = []
    seen: set[str] = set()
    todo = list(methods)
    while todo:
        part = None if (name := todo.pop(0)) in seen else _found(classes, name)
        seen.add(name)
        if part is not None and part.is_method:
            todo += _members("self", [part.node])
        elif part is not None and name not in methods and not name.startswith("_"):
            found.append(name)
    return found


def _label(classes: list, name: str) -> str:
    """The name; of a method with its arguments."""
    part = _found(classes, name)
    if part is None or not part.is_method:
        return name
    held = inspect.getattr_static(part.cls, name)
    return name if isinstance(held, property) else name + _arguments(getattr(part.cls, name))


def _arguments(held: Any) -> str:
    """(X, *others) of what is called, without types and defaults."""
    if not callable(held):
        return ""
    stars: dict[Any, str] = {
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    parameters = inspect.signature(held).parameters.values()
    names = [stars.get(p.kind, "") + p.name for p in parameters if p.name != "self"]
    return f"({', '.join(names)})"


def _words(classes: list, name: str) -> str:
    """The first sentence on a method, the comment beside an attribute, or what the docstring of
    its class says of it."""
    part = _found(classes, name)
    if part is None:
        return ""
    if part.is_method:
        return _first_sentence(inspect.getdoc(getattr(part.cls, name)))
    line = _parts(part.cls)[1][part.node.lineno - 1]
    return line.partition("  # ")[2] or _sentence_on([part.cls], name)


def _type_of(classes: list, name: str) -> tuple[Any, str]:
    """(the class of the project that an attribute is of, or None if that does not show; [...] if
    it has several of them, by name)."""
    part = _found(classes, name)
    if part is None or part.is_method:
        return None, ""
    many = ""
    for value in ast.walk(part.value) if part.value is not None else ():
        if isinstance(value, ast.Dict) and value.values:
            many, value = "[...]", value.values[0]
        if kind := _class_of(part, value):
            return kind, many
    return _class_of(part, None), ""


def _class_of(part: _Part, value: Any) -> Any:
    """That of one value: made by calling a class, or a function that says what it gives."""
    said = value.func if isinstance(value, ast.Call) else getattr(part.node, "annotation", value)
    held = vars(sys.modules[part.cls.__module__]).get(_chain(said))
    if inspect.isfunction(held):
        held = typing.get_type_hints(held).get("return")
    kinds = [k if isinstance(k, type) else type(k) for k in (typing.get_args(held) or (held,))]
    return next((kind for kind in kinds if kind.__module__.startswith(_OURS)), None)


def _is_error(held: Any) -> bool:
    return isinstance(held, type) and issubclass(held, Exception)


def _first_sentence(text: str | None) -> str:
    return _sentences((text or "").split("\n\n")[0])[0]


def _sentence_on(classes: list, name: str) -> str:
    """The sentence of a class's docstring that has the name, set as code."""
    for cls in dict.fromkeys(c for one in classes for c in one.__mro__):
        for paragraph in (inspect.getdoc(cls) or "").split("\n\n"):
            for sentence in _sentences(paragraph):
                if re.search(rf"`(self\.)?{name}`", sentence):
                    return sentence
    return ""


def _sentences(paragraph: str) -> list[str]:
    """What is between full stops and semicolons, brackets left whole."""
    found = [""]
    for piece in re.split(r"(?<=[.?]) (?=[A-Z`])|(?<=;) ", " ".join(paragraph.split())):
        whole = found[-1].count("(") == found[-1].count(")")
        found[-1:] = [found[-1], piece] if whole else [f"{found[-1]} {piece}"]
    return [s.rstrip(".:;") for s in found[1:]]
