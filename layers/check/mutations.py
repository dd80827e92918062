"""What can be broken in a layer's source: one change of the syntax tree at a time."""

import ast
import copy


def replaced(tree: ast.AST, target: ast.AST, replacement: ast.AST) -> ast.AST:
    """A copy of the tree with one of its nodes replaced."""
    memo: dict = {}
    mutated = copy.deepcopy(tree, memo)
    return _Replace(memo[id(target)], replacement).visit(mutated)


class _Replace(ast.NodeTransformer):
    def __init__(self, target, replacement):
        self.target, self.replacement = target, replacement

    def visit(self, node):
        return self.replacement if node is self.target else super().visit(node)


def changes(tree: ast.Module, class_name: str):
    """(node, replacement, where, (kind of change, code before and after)) for each place of a layer
    that can be changed; `where` is the node that has to be run for it to tell."""
    layer = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    functions |= {n.name: n for n in layer.body if isinstance(n, ast.FunctionDef)}
    forward = _reachable("forward", functions)
    kept = {
        n.attr
        for name in forward
        for n in ast.walk(functions[name])
        if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
    }
    for name in sorted(_reachable("backward", functions) - forward):
        yield from _in_backward(functions[name], kept)
    if "forward" in functions:
        yield from _in_cache(functions["forward"])


def changes_in(function: ast.FunctionDef):
    """The same for a function that is no layer's, such as the rule of an optimizer."""
    documented = ast.get_docstring(function, clean=False) is not None
    for statement in function.body[1:] if documented else function.body:
        for node in ast.walk(statement):
            for new, change in _of_node(node, set(), None):
                yield node, new, node, (change, _before_after(node, new))


def _reachable(start: str, functions: dict) -> set:
    found, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name in functions and name not in found:
            found.add(name)
            for node in ast.walk(functions[name]):
                if isinstance(node, ast.Call):
                    called = node.func
                    todo.append(getattr(called, "attr", getattr(called, "id", "")))
    return found


def _in_backward(function: ast.FunctionDef, kept: set):
    dout = function.args.args[1].arg if len(function.args.args) > 1 else None
    documentation = function.body[0] if ast.get_docstring(function, clean=False) else None
    for statement in function.body:
        if statement is documentation:
            continue
        for node in ast.walk(statement):
            for new, change in _of_node(node, kept, dout):
                yield node, new, node, (change, _before_after(node, new))


def _in_cache(forward: ast.FunctionDef):
    """Change only what is kept, not what forward computes: no witness says what a forward should
    compute. So the changed expression is evaluated beside the right one, and put in its place when
    forward returns."""
    for node in ast.walk(forward):
        names = _kept_names(node)
        if not names:
            continue
        for part in ast.walk(node.value):
            for new, change in _of_node(part, set(), None):
                value = replaced(node.value, part, new)
                shown = f"kept: {_before_after(part, new)}"
                yield forward, _keeping(forward, node, names, value), node, (change, shown)


def _before_after(old: ast.AST, new: ast.AST) -> str:
    after = "" if isinstance(new, ast.Pass) else ast.unparse(new)
    return f"{ast.unparse(old)}  ->  {after}".rstrip()


def _kept_names(node: ast.AST) -> list[str]:
    """The attributes that `self.a = ...` or `self.a, self.b = ...` sets."""
    if not isinstance(node, ast.Assign):
        return []
    target = node.targets[0]
    parts = target.elts if isinstance(target, ast.Tuple) else [target]
    return [p.attr for p in parts if isinstance(p, ast.Attribute) and _is_self(p.value)]


def _keeping(forward: ast.FunctionDef, assign: ast.Assign, names: list[str], value: ast.expr):
    """forward, in which `names` get another value at the very end."""
    values = "_value" if len(names) > 1 else "[_value]"
    evaluate = ast.copy_location(ast.Assign([ast.Name("_value", ast.Store())], value), assign)
    remember = ast.parse(f"_kept.update(zip({names!r}, {values}, strict=True))").body
    copied = copy.deepcopy(forward, {id(assign): assign})
    changed = _Insert(assign, [assign, evaluate, *remember]).visit(copied)
    changed.body.insert(0, ast.parse("_kept = {}").body[0])
    return changed


class _Insert(ast.NodeTransformer):
    """More statements in place of one, and `vars(self).update(_kept)` before every return."""

    def __init__(self, target: ast.stmt, statements: list[ast.stmt]):
        self.target, self.statements = target, statements

    def visit(self, node):
        if node is self.target:
            return self.statements
        if isinstance(node, ast.Return):
            result = ast.Assign([ast.Name("_result", ast.Store())], node.value)
            ending = ast.parse("vars(self).update(_kept)").body[0]
            return [result, ending, ast.Return(ast.Name("_result", ast.Load()))]
        return super().visit(node)


def _of_node(node: ast.AST, kept: set, dout: str | None):
    """(replacement, description) for one node of the syntax tree."""
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.AugAssign):
        swapped = _SWAPPED.get(type(node.op))
        if swapped:
            yield _with(node, op=swapped[0]()), f"{swapped[1]}= for {swapped[2]}="
        target = ast.copy_location(ast.Assign([node.target], node.value), node)
        yield target, "= for an updating ="
        yield ast.copy_location(ast.Pass(), node), "statement dropped"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand, "minus sign dropped"
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _FLIPPED:
        yield _with(node, ops=[_FLIPPED[type(node.ops[0])]()]), "comparison turned round"
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        parts = node.value.elts
        for i, part in enumerate(parts):
            flipped = [*parts[:i], _negative(part), *parts[i + 1 :]]
            yield _with(node, value=_with(node.value, elts=flipped)), f"sign of result {i} flipped"
        if ast.dump(parts[0]) != ast.dump(parts[-1]):
            yield _with(node, value=_with(node.value, elts=parts[::-1])), "results exchanged"
    elif isinstance(node, ast.Return) and node.value and not _is_none(node.value):
        yield _with(node, value=_negative(node.value)), "sign of the result flipped"
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.copy_location(ast.Pass(), node), "statement dropped"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from _of_call(node)
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        if node.attr == "T":
            yield node.value, ".T dropped"
        elif node.attr in kept and dout and _is_self(node.value):
            yield _name(dout, node), f"{dout} for self.{node.attr}"
    elif isinstance(node, ast.Name) and node.id == dout and isinstance(node.ctx, ast.Load):
        for attribute in sorted(kept):
            owned = ast.Attribute(_name("self", node), attribute, ast.Load())
            yield ast.copy_location(owned, node), f"self.{attribute} for {dout}"
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield _with(node, value=node.value + 1), f"{node.value + 1} for {node.value}"


_SWAPPED = {
    ast.Add: (ast.Sub, "-", "+"),
    ast.Sub: (ast.Add, "+", "-"),
    ast.Mult: (ast.Div, "/", "*"),
    ast.Div: (ast.Mult, "*", "/"),
}
_FLIPPED = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE}


def _of_operation(node: ast.BinOp):
    if type(node.op) in _SWAPPED:
        other, new, old = _SWAPPED[type(node.op)]
        yield _with(node, op=other()), f"{new} for {old}"
        yield node.left, f"right side of {old} dropped"
        yield node.right, f"left side of {old} dropped"
    if isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div)):
        yield _with(node, left=node.right, right=node.left), "operands swapped"


def _of_call(node: ast.Call):
    method = node.func.attr
    if method in ("sum", "mean", "transpose", "copy"):
        operand = node.func.value if _is_method(node) else node.args[0] if node.args else None
        if operand is not None:
            yield operand, f"{method}() dropped"
    if method in ("dot", "matmul") and not _is_method(node) and len(node.args) == 2:
        yield _with(node, args=node.args[::-1]), "operands swapped"
    if method == "accumulate" and node.args:
        yield _with(node, args=[_negative(node.args[0])]), "sign of the gradient flipped"
    if method in ("sum", "mean"):
        for i, keyword in enumerate(node.keywords):
            if keyword.arg == "axis":
                axis = ast.Constant(-1 if _constant(keyword.value) != -1 else 0)
                others = [*node.keywords]
                others[i] = ast.keyword("axis", axis)
                yield _with(node, keywords=others), f"{method}() over axis {axis.value}"


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _is_method(node: ast.Call) -> bool:
    """x.sum(), not np.sum(x)."""
    return not (isinstance(node.func.value, ast.Name) and node.func.value.id == "np")


def _constant(node: ast.AST):
    """The value of a number in the source, also of -1, which is a minus sign and a 1."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _constant(node.operand)
        return None if value is None else -value
    return node.value if isinstance(node, ast.Constant) else None


def _with(node, **changes):
    new = copy.copy(node)
    for name, value in changes.items():
        setattr(new, name, value)
    return new


def _negative(node):
    return ast.copy_location(ast.UnaryOp(ast.USub(), node), node)


def _name(identifier: str, where):
    return ast.copy_location(ast.Name(identifier, ast.Load()), where)
